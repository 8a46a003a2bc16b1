"""A function applied to many items in a bounded number of threads.

`concurrent.futures` has locks and queues that an interrupt can leave held, and its threads, like those of
`threading.Thread`, tell that they have begun through an event that has one too.
"""

from __future__ import annotations

import _thread
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import copy_context
from typing import Any, Final, Generic, TypeVar

from memoram_async.core.errors import InternalError
from memoram_sync.runtime.bell import Bell

T = TypeVar("T")
R = TypeVar("R")

_GLANCE: Final = 0.1
"""Seconds after which it is looked whether a thread ended without a word."""


class _Job(Generic[T, R]):
    """One item on its way; only its thread keeps it until it is done."""

    __slots__ = ("__weakref__", "error", "index", "item", "result")

    def __init__(self, index: int, item: T) -> None:
        self.index = index
        self.item = item
        self.result: R | None = None
        self.error: BaseException | None = None


class BoundedThreads(Generic[T, R]):
    """Threads that apply one function, so many at a time."""

    def __init__(self, function: Callable[[T], R], *, limit: int) -> None:
        """Threads that have not begun.

        Args:
            function: What each of them calls with one item.
            limit: How many there are at a time.
        """
        self._function = function
        self._limit = limit
        self._running: set[weakref.ref[_Job[T, R]]] = set()
        self._done: deque[_Job[T, R]] = deque()
        self._bell = Bell()

    def map(self, items: Iterable[T]) -> list[R]:
        """The results, in the order of the items.

        The first failure stops what has not started, and is raised when what has started is done. An
        interrupt stops what has not started too, and waits for nothing.
        """
        results: dict[int, Any] = {}
        try:
            for index, item in enumerate(items):
                self._start(index, item)
                if len(self._running) >= self._limit:
                    self._collect(results)
            while self._running:
                self._collect(results)
        except Exception:
            while self._running:
                self._await_one()
            raise
        return [results[index] for index in sorted(results)]

    def _start(self, index: int, item: T) -> None:
        job: _Job[T, R] = _Job(index, item)
        self._running.add(weakref.ref(job))
        context = copy_context()
        _thread.start_new_thread(lambda: context.run(self._work, job), ())

    def _work(self, job: _Job[T, R]) -> None:
        report = self._done.append
        try:
            job.result = self._function(job.item)
        except BaseException as error:  # noqa: BLE001 - raised where the results are awaited
            job.error = error
        finally:
            report(job)
            self._bell.ring()

    def _collect(self, results: dict[int, Any]) -> None:
        job = self._await_one()
        if job.error is not None:
            raise job.error
        results[job.index] = job.result

    def _await_one(self) -> _Job[T, R]:
        while True:
            self._bell = bell = Bell()  # before the look, so that no ring after it is missed
            if self._done:
                job = self._done.popleft()
                self._running.discard(weakref.ref(job))
                return job
            for gone in [each for each in self._running if each() is None]:
                self._running.discard(gone)
                raise InternalError("a thread was torn away before it could tell its result")
            bell.wait(_GLANCE)
