"""Clocks that a runtime can go by."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from memoram_async.runtime.protocol import Clock

GLANCE: Final = 0.01
"""Real seconds after which somebody who waits looks again at a clock that may jump."""


class SystemClock:
    """The computer's own time."""

    @property
    def can_jump(self) -> bool:
        """Nobody may move it."""
        return False

    def monotonic(self) -> float:
        """A clock that never goes back."""
        return time.monotonic()

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
