"""Reading ahead in the blocking world: one thread that belongs to the `with` which it was begun in."""

from __future__ import annotations

import _thread
import os
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from queue import SimpleQueue
from typing import Generic, TypeVar

import attrs

from memoram_async.core.errors import ConfigurationError
from memoram_sync.runtime.coroutines import run

T = TypeVar("T")


@attrs.frozen
class _Failed:
    error: BaseException


@attrs.frozen
class _Stopped:
    pass


class ThreadReadAhead(Generic[T]):
    """Produces one result more than was taken; see `memoram_async.runtime.protocol.ReadAhead`.

    Its queues are written in C and have no lock that an interrupt could leave held.
    """

    def __init__(self, produce: Callable[[], Awaitable[T | None]]) -> None:
        self._produce = produce
        # What is wanted, by the number of failures before: what was wanted ahead of one is not tried again.
        self._wanted: SimpleQueue[int | None] = SimpleQueue()
        self._results: SimpleQueue[T | _Failed | _Stopped | None] = SimpleQueue()
        self._pid = os.getpid()
        self._failures = 0
        self._behind = False
        self._ended = False
        self._closing = False

    def start(self) -> None:
        """Begin."""
        self._wanted.put(0)
        _thread.start_new_thread(copy_context().run, (self._work,))

    def _work(self) -> None:
        async def produced() -> T | None:
            return await self._produce()

        failures = 0
        while (wanted := self._wanted.get()) is not None:
            if wanted < failures or self._closing:
                continue
            try:
                self._results.put(run(produced()))
            except BaseException as error:  # noqa: BLE001 - whatever it is, whoever takes gets it
                failures += 1
                self._results.put(_Failed(error))
        self._results.put(_Stopped())

    async def take(self) -> T | None:
        """The next result; None at the end."""
        if self._pid != os.getpid():
            raise ConfigurationError("a list that is read ahead cannot be read on in a forked process")
        if self._ended:
            return None
        # Before the wait, so that the thread goes straight on to the next result: once it has handed this one
        # over, it would have to wait for its turn with the interpreter.
        for _ in range(2 if self._behind else 1):
            self._wanted.put(self._failures)
        self._behind = False
        result = self._results.get()
        if isinstance(result, _Failed):
            self._failures += 1
            self._behind = True
            raise result.error
        if result is None or isinstance(result, _Stopped):
            self._ended = True
            return None
        return result

    async def aclose(self) -> None:
        """Stop, and wait until the thread has ended: no longer than a request that is under way takes."""
        self._closing = True
        self._wanted.put(None)
        if self._pid != os.getpid():
            return
        while not isinstance(self._results.get(), _Stopped):
            pass
