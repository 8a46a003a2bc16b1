"""What is done at the end of an event loop, in which nobody may have closed a client.

`asyncio.run`, `trio.run` and their kind close the asynchronous generators that were begun in a loop before
they close the loop: a generator that waits in it learns of its end.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any, Final, Protocol
from weakref import WeakSet

from anyio.lowlevel import RunVar


class Ending(Protocol):
    """What has an end."""

    def end(self) -> None:
        """Let go of what belongs to the event loop; raises nothing, and waits for nothing."""


class _Loop:
    """Who is to be told of the end of one event loop."""

    def __init__(self) -> None:
        self.members: WeakSet[Any] = WeakSet()
        self.generator = _until_the_end(self.members)
        # It lives as long as the loop, and never is one that was abandoned: what finalizes those would keep
        # the loop alive.
        finalizer = sys.get_asyncgen_hooks().finalizer
        sys.set_asyncgen_hooks(finalizer=None)
        try:
            with suppress(StopIteration):  # how a step ends that waits for nothing
                self.generator.__anext__().send(None)
        finally:
            sys.set_asyncgen_hooks(finalizer=finalizer)


_LOOP: Final[RunVar[_Loop | None]] = RunVar("memoram.loop_end", None)


def end_with_loop(member: Ending) -> None:
    """Have `member.end` called when the event loop that runs now ends, unless the member is gone by then."""
    loop = _LOOP.get()
    if loop is None:
        loop = _Loop()
        _LOOP.set(loop)
    loop.members.add(member)


async def _until_the_end(members: WeakSet[Any]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        for member in list(members):
            member.end()
