"""What a process that does nothing but serve a platform may change about its interpreter."""

from __future__ import annotations

import gc
import sys
from typing import Final

# A thread that waits for the interpreter gets it after this at the latest. The event loop and the store's
# threads pass it to each other several times a request; Python's own 5 ms make the slowest of 16 writers at
# once wait half as long again.
_SWITCH_SECONDS: Final = 0.0005
_YOUNG_OBJECTS: Final = 10_000


def dedicate() -> None:
    """Let this interpreter serve a platform, now that everything is loaded.

    It changes the whole process: for the command line, never for a platform in somebody else's process.
    """
    # A full collection would go through all that was loaded, and stop every request for some 50 ms. Most of
    # what a request leaves behind goes without the collector: it need not look after every other request.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])
    sys.setswitchinterval(_SWITCH_SECONDS)
