"""Reading ahead in the async world: one task that belongs to the `async with` which it was begun in."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import anyio
import anyio.lowlevel

T = TypeVar("T")

_TURNS: Final = 4
"""How many turns of the loop a request takes until it is written, as measured."""


class TaskReadAhead(Generic[T]):
    """Produces one result more than was taken; see `memoram_async.runtime.protocol.ReadAhead`."""

    def __init__(self, produce: Callable[[], Awaitable[T | None]]) -> None:
        self._produce = produce
        self._group = anyio.create_task_group()
        self._results: deque[T | None] = deque()
        self._failure: Exception | None = None
        self._wanted = 1
        self._ended = False
        self._news = anyio.Event()

    async def start(self) -> None:
        """Begin; the task in which this is called is the one that has to call `aclose`."""
        await self._group.__aenter__()
        self._group.start_soon(self._work)

    async def _work(self) -> None:
        while not self._ended:
            while not self._wanted:
                await self._wait()
            try:
                result = await self._produce()
            except Exception as error:  # noqa: BLE001 - whatever it is, whoever takes gets it
                self._failure = error
                self._wanted = 0  # what was wanted ahead is not tried again before somebody asks
            else:
                self._wanted -= 1
                self._results.append(result)
                self._ended = result is None
            self._tell()

    async def take(self) -> T | None:
        """The next result; None at the end."""
        if self._results and self._results[0] is None:
            return None
        if self._failure is None:
            # Before the wait, so that the task goes on to the next result while this one is looked at.
            self._wanted += 1
            self._tell()
        while not self._results:
            if self._failure is not None:
                failure, self._failure, self._wanted = self._failure, None, 1
                raise failure
            await self._wait()
        if self._results[0] is None:
            return None
        # Whoever takes may work for long without waiting for anything: first let the next request out.
        for _ in range(_TURNS):
            await anyio.lowlevel.checkpoint()
        return self._results.popleft()

    async def aclose(self) -> None:
        """Stop, and wait until the task has ended."""
        self._group.cancel_scope.cancel()
        await self._group.__aexit__(None, None, None)

    async def _wait(self) -> None:
        await self._news.wait()

    def _tell(self) -> None:
        """Have both sides look again."""
        self._news.set()
        self._news = anyio.Event()
