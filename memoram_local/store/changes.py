"""Tells those who wait that something they wait for has changed."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from sqlalchemy import Connection

_AFTER_COMMIT = "memoram_after_commit"


class Watch:
    """Somebody who waits.

    Attributes:
        released: Whether the server stops, so that waiting is over.
    """

    def __init__(self, wake: Callable[[], None], *, released: bool) -> None:
        self.wake = wake
        self.released = released


class Changes:
    """Wakes those who watch a topic: the id of an application or of an account.

    A call says only that something may have changed; whoever it wakes reads again. All its methods may be
    called from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: dict[str, list[Watch]] = {}
        self._is_released = False

    @contextmanager
    def watching(self, topic: str, wake: Callable[[], None]) -> Generator[Watch]:
        """Have `wake` called, from any thread, whenever the topic changes while the block runs.

        Read what is waited for inside the block: a change between reading and watching would be missed.
        """
        with self._lock:
            watch = Watch(wake, released=self._is_released)
            self._watches.setdefault(topic, []).append(watch)
        try:
            yield watch
        finally:
            with self._lock:
                others = self._watches[topic]
                others.remove(watch)
                if not others:
                    del self._watches[topic]

    def tell(self, *topics: str) -> None:
        """Wake everybody who watches one of these topics."""
        with self._lock:
            watches = [watch for topic in topics for watch in self._watches.get(topic, ())]
        for watch in watches:
            watch.wake()

    def tell_everybody(self) -> None:
        """Wake all, as after another state was put in place of this one."""
        for watch in self._all():
            watch.wake()

    def release(self) -> None:
        """Send everybody home, those too who come until `resume`: the server stops."""
        with self._lock:
            self._is_released = True
        for watch in self._all():
            watch.released = True
            watch.wake()

    def resume(self) -> None:
        """Let people wait again: the server has stopped, and another one may start."""
        with self._lock:
            self._is_released = False

    def tell_when_committed(self, connection: Connection, *topics: str) -> None:
        """Wake those who watch these topics once this unit of work is committed, and never if it is not."""
        after_commit(connection, lambda: self.tell(*topics))

    def _all(self) -> list[Watch]:
        with self._lock:
            return [watch for watches in self._watches.values() for watch in watches]


def after_commit(connection: Connection, call: Callable[[], None]) -> None:
    """Have something called once this unit of work is committed."""
    connection.info.setdefault(_AFTER_COMMIT, []).append(call)


def take_calls(connection: Connection) -> list[Callable[[], None]]:
    """What is to be called after the unit of work that ends now; the next one starts with nothing."""
    calls: list[Callable[[], None]] = connection.info.pop(_AFTER_COMMIT, [])
    return calls
