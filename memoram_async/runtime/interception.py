"""Who stands between us and the network: mocks, recorders and instrumentation.

They put something of their own in the place of the methods that httpx's transports are handed requests by.
While those are httpx's own, connections of ours go around them: importing httpx costs more than all the rest
of a short program, and its objects as much as the rest of a call.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Final, Literal

_INIT: Final = "__init__.py"


def is_hooked(transport: Literal["HTTPTransport", "AsyncHTTPTransport"], method: str) -> bool:
    """Whether somebody has put something else in the place of a method of httpx's transports."""
    httpx = sys.modules.get("httpx")  # whoever hooks in has imported it
    kind = getattr(httpx, transport, None)
    if httpx is None or kind is None:  # another thread may be importing it
        return False
    found = getattr(kind, method)
    # A wrapper may take over the name and the module of what it wraps; its code is elsewhere.
    home = str(httpx.__file__).removesuffix(_INIT)
    return type(found) is not FunctionType or not found.__code__.co_filename.startswith(home)
