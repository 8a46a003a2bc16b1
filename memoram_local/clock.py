"""The one source of time of a platform."""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_IN_UTC = datetime(1970, 1, 1)  # noqa: DTZ001 - written with a Z of our own
_MICROSECOND = timedelta(microseconds=1)
# Libraries that freeze time replace time.monotonic_ns wherever a module holds it, but not inside a partial.
_steady_ns = (
    partial(time.clock_gettime_ns, time.CLOCK_MONOTONIC)
    if hasattr(time, "CLOCK_MONOTONIC")
    else partial(time.monotonic_ns)
)
# What is written in answers was mostly stamped within a few seconds of something else.
_SECONDS_REMEMBERED = 256


def steady() -> float:
    """Seconds on the system's monotonic clock, while a test library freezes time as well."""
    return _steady_ns() / 1_000_000_000


class Clock:
    """A clock that only ever moves forward.

    It shows the system's time, or runs from a chosen start, faster or slower, or stands still until it is
    advanced. Setting the computer's clock back never turns it back. All its methods may be called from any
    thread.

    `monotonic`, `wall`, `real_seconds` and `can_jump` are what the SDK's runtimes ask of a clock, so that a
    client and its platform can go by the same one.

    Args:
        start: What it shows first; the system's time when left out. Must be aware.
        running: Whether it moves by itself. A clock that does not is moved by `advance` alone.
        scale: How many of its seconds pass in a real one while it runs.

    Raises:
        ValueError: `start` has no time zone, or `scale` is not a positive number.
    """

    def __init__(self, *, start: datetime | None = None, running: bool = True, scale: float = 1) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("start must be an aware datetime")
        self._lock = threading.Lock()
        self._pace = _checked(scale) if running else 0
        # At this moment of the system's clock this one showed that.
        self._system = time.time_ns() // 1_000
        self._shown = self._system if start is None else to_micros(start)
        self._latest = self._shown
        # The same for what is waited, which goes by the system's monotonic clock.
        self._steady = _steady_ns() // 1_000
        self._waited = self._shown
        self._stamped = 0
        self._watchers: list[Callable[[], None]] = []

    @property
    def scale(self) -> float:
        """How many of its seconds pass in a real one; 0 while it stands still.

        Set it to make the clock run faster or slower from now on; with 0 it stops.

        Raises:
            ValueError: It is set to a negative or infinite number.
        """
        return self._pace

    @scale.setter
    def scale(self, scale: float) -> None:
        pace = _checked(scale) if scale else 0
        with self._lock:
            self._shown, self._system = self._read(), time.time_ns() // 1_000
            self._waited, self._steady = self._read_steady(), _steady_ns() // 1_000
            self._pace = pace
        self._tell()

    @property
    def can_jump(self) -> bool:
        """True: `advance` and `scale` may change what it shows at any moment."""
        return True

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        return from_micros(self.micros())

    def wall(self) -> float:
        """Seconds since 1970 in UTC."""
        return self.micros() / 1_000_000

    def monotonic(self) -> float:
        """Seconds that pass as this clock's do, even while a test library freezes the system's time."""
        with self._lock:
            return self._read_steady() / 1_000_000

    def real_seconds(self, seconds: float) -> float:
        """How many real seconds so many of this clock take at its pace; as many while it stands still."""
        return seconds / (self._pace or 1)

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
        if not 0 <= seconds < math.inf:
            raise ValueError("a clock only moves forward")
        step = round(seconds * 1_000_000)
        with self._lock:
            self._shown += step
            self._latest += step
            self._waited += step
        self._tell()

    @contextmanager
    def watched(self, moved: Callable[[], None]) -> Generator[None]:
        """Have `moved` called, from any thread, when the clock jumps or changes its pace during the block."""
        with self._lock:
            self._watchers.append(moved)
        try:
            yield
        finally:
            with self._lock:
                self._watchers.remove(moved)

    def _tell(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for moved in watchers:
            moved()

    def _read(self) -> int:
        if self._pace:
            passed = time.time_ns() // 1_000 - self._system
            shown = self._shown + (passed if self._pace == 1 else round(passed * self._pace))
            self._latest = max(self._latest, shown)
        return self._latest

    def _read_steady(self) -> int:
        passed = _steady_ns() // 1_000 - self._steady
        return self._waited + (passed if self._pace == 1 else round(passed * self._pace))


def _checked(scale: float) -> float:
    if not 0 < scale < math.inf:
        raise ValueError("a clock runs forward, at a finite pace")
    return scale


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970 in UTC of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware datetime, in UTC, of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def iso(micros: int) -> str:
    """A moment as the wire writes it: ISO 8601 in UTC with microseconds and `Z`."""
    second, micros = divmod(micros, 1_000_000)
    return f"{_iso_second(second)}.{micros:06}Z"


@lru_cache(_SECONDS_REMEMBERED)
def _iso_second(second: int) -> str:
    return (_EPOCH_IN_UTC + timedelta(seconds=second)).isoformat(timespec="seconds")
