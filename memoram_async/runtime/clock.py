"""Clocks that a runtime can go by."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

from memoram_async.runtime.protocol import Clock

GLANCE: Final = 0.01
"""Real seconds after which somebody who waits looks again at a clock that may jump."""

# Libraries that freeze time replace time.monotonic wherever a module holds it, but not inside a partial.
steady: Final = (
    partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    if hasattr(time, "CLOCK_MONOTONIC")
    else partial(time.monotonic)
)
"""Seconds on the system's monotonic clock, while a test library freezes time as well."""

true_wall: Final = (
    partial(time.clock_gettime, time.CLOCK_REALTIME)
    if hasattr(time, "CLOCK_REALTIME")
    else partial(time.time)
)
"""Seconds since the epoch, while a test library freezes time as well."""


class SystemClock:
    """The computer's own time."""

    @property
    def can_jump(self) -> bool:
        """Nobody may move it."""
        return False

    def monotonic(self) -> float:
        """A clock that never goes back; libraries that freeze time in tests do not stop it."""
        return steady()

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def real_seconds(self, seconds: float) -> float:
        """As many."""
        return seconds


def pause(clock: Clock, seconds: float) -> float:
    """How many real seconds to wait before looking whether so many of the clock have passed."""
    real = clock.real_seconds(seconds)
    return min(real, GLANCE) if clock.can_jump else real
