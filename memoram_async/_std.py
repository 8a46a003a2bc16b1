"""Names of the standard library for annotations, imported when somebody resolves them.

Importing typing costs more than all that the module of a client does, so such modules write `std.Callable`.
To type checkers these are ordinary names; at run time `typing.get_type_hints` finds them here.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable as Callable
    from collections.abc import Coroutine as Coroutine
    from collections.abc import Mapping as Mapping
    from datetime import datetime as datetime
    from types import TracebackType as TracebackType
    from typing import Any as Any
    from typing import Literal as Literal
    from typing import NoReturn as NoReturn
    from typing import Self as Self
    from typing import TypeVar
    from typing import final as final

    T = TypeVar("T")
else:

    def final(kind):
        return kind

    def __getattr__(name):
        for home in ("collections.abc", "types", "typing", "datetime"):
            found = getattr(__import__(home, fromlist=(name,)), name, None)
            if found is not None:
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=None)
