"""Reading ahead in the blocking world: one thread that belongs to the `with` which it was begun in."""

from __future__ import annotations

import _thread
import os
from contextvars import copy_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from memoram_async.core.errors import ConfigurationError
from memoram_sync.runtime.coroutines import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

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
        self._wanted: SimpleQueue[bool] = SimpleQueue()
        self._results: SimpleQueue[T | _Failed | _Stopped | None] = SimpleQueue()
        self._pid = os.getpid()
        self._asked = True
        self._ended = False

    def start(self) -> None:
        """Begin."""
        self._wanted.put(True)
        _thread.start_new_thread(copy_context().run, (self._work,))

    def _work(self) -> None:
        async def produced() -> T | None:
            return await self._produce()

        while self._wanted.get():
            try:
                self._results.put(run(produced()))
            except BaseException as error:  # noqa: BLE001 - whatever it is, whoever takes gets it
                self._results.put(_Failed(error))
        self._results.put(_Stopped())

    async def take(self) -> T | None:
        """The next result; None at the end."""
        if self._pid != os.getpid():
            raise ConfigurationError("a list that is read ahead cannot be read on in a forked process")
        if self._ended:
            return None
        if not self._asked:  # after a failure, nothing is tried again before somebody asks
            self._want()
        result = self._results.get()
        self._asked = False
        if isinstance(result, _Failed):
            raise result.error
        if result is None or isinstance(result, _Stopped):
            self._ended = True
            return None
        self._want()
        return result

    def _want(self) -> None:
        self._asked = True
        self._wanted.put(True)

    async def aclose(self) -> None:
        """Stop, and wait until the thread has ended: no longer than a request that is under way takes."""
        self._wanted.put(False)
        if self._pid != os.getpid():
            return
        while not isinstance(self._results.get(), _Stopped):
            pass
