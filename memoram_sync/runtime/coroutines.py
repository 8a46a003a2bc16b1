"""Running the core's coroutines where nothing ever suspends."""

from __future__ import annotations

from memoram_async import _std as std
from memoram_async.core.errors import InternalError


def run(coroutine: std.Coroutine[std.Any, std.Any, std.T]) -> std.T:
    """Run a coroutine of the core over a blocking runtime to its end.

    Raises:
        InternalError: The coroutine suspended, which is a fault of the SDK.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: std.T = stop.value
        return result
    coroutine.close()
    raise InternalError(
        f"{getattr(coroutine, '__qualname__', coroutine)} suspended in the blocking world; please report this"
    )
