"""The one source of time of a platform."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock:
    """A clock that only ever moves forward.

    It shows the system's time, or runs from a chosen start, or stands still until it is advanced. Setting
    the computer's clock back never turns it back. All its methods may be called from any thread.

    Args:
        start: What it shows first; the system's time when left out. Must be aware.
        running: Whether it moves by itself. A clock that does not is moved by `advance` alone.

    Raises:
        ValueError: `start` has no time zone.
    """

    def __init__(self, *, start: datetime | None = None, running: bool = True) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("start must be an aware datetime")
        self._lock = threading.Lock()
        self._running = running
        origin = time.time_ns() // 1_000
        self._offset = 0 if start is None else to_micros(start) - origin
        self._latest = origin + self._offset
        self._stamped = 0
        self._watchers: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        return from_micros(self.micros())

    def micros(self) -> int:
        """The time now in whole microseconds since 1970 in UTC."""
        with self._lock:
            return self._read()

    def stamp(self) -> int:
        """The time now in microseconds, later than every stamp given before.

        Rows stamped one after the other keep their order even while the clock stands still.
        """
        with self._lock:
            self._stamped = max(self._read(), self._stamped + 1)
            return self._stamped

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Args:
            seconds: How far.

        Raises:
            ValueError: It would move back.
        """
        if seconds < 0:
            raise ValueError("a clock only moves forward")
        step = round(seconds * 1_000_000)
        with self._lock:
            self._offset += step
            self._latest += step
            watchers = list(self._watchers)
        for moved in watchers:
            moved()

    @contextmanager
    def watched(self, moved: Callable[[], None]) -> Generator[None]:
        """Have `moved` called, from any thread, whenever the clock is advanced while the block runs."""
        with self._lock:
            self._watchers.append(moved)
        try:
            yield
        finally:
            with self._lock:
                self._watchers.remove(moved)

    def _read(self) -> int:
        if self._running:
            self._latest = max(self._latest, time.time_ns() // 1_000 + self._offset)
        return self._latest


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970 in UTC of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware datetime, in UTC, of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def iso(micros: int) -> str:
    """A moment as the wire writes it: ISO 8601 in UTC with microseconds and `Z`."""
    return f"{from_micros(micros).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
