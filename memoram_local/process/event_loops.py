"""Reaching a running event loop from any thread."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def caller_of() -> Callable[[Callable[[], object]], None]:
    """What calls functions in the event loop that runs now, from any thread and without waiting.

    Once that loop has ended, calls are dropped: nobody is left in it to be told.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        # In process under trio.
        import trio  # noqa: PLC0415 - only where it runs already

        token = trio.lowlevel.current_trio_token()

        def call_in_trio(function: Callable[[], object]) -> None:
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(function)

        return call_in_trio

    def call(function: Callable[[], object]) -> None:
        # The loop is closed.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(function)

    return call
