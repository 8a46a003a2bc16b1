"""Points in time after which a call gives up."""

from __future__ import annotations

import math

import attrs


@attrs.frozen(repr=False)
class Deadline:
    """A moment on the runtime's monotonic clock, in seconds; infinity for none."""

    at: float = math.inf

    @classmethod
    def after(cls, seconds: float | None, *, now: float) -> Deadline:
        """The deadline that many seconds from now; None for no limit."""
        return cls(math.inf if seconds is None else now + seconds)

    def remaining(self, now: float) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self.at - now)

    def expired(self, now: float) -> bool:
        """Whether the moment has come."""
        return now >= self.at

    def cap(self, seconds: float, *, now: float) -> float:
        """That many seconds, or what is left if that is less."""
        return min(seconds, self.remaining(now))

    def earlier(self, other: Deadline) -> Deadline:
        """The one of the two that comes first."""
        return min(self, other, key=lambda each: each.at)
