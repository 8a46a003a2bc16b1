"""How much callers may call: requests a minute and a day, and how many at once."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from memoram_local.behaviour import behaviour

if TYPE_CHECKING:
    from memoram_local.clock import Clock

    Limit = Literal["minute", "day", "concurrent"]

_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
_DAY: Final = 86_400 * _SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one caller may do; None for no limit.

    Attributes:
        per_minute: Requests in one minute of the platform's clock.
        per_day: Requests in one day of it, in UTC.
        concurrent: Requests at once.
    """

    per_minute: int | None = 10_000
    per_day: int | None = None
    concurrent: int | None = None

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: One is negative.
        """
        for name in ("per_minute", "per_day", "concurrent"):
            limit: int | None = getattr(self, name)
            if limit is not None and limit < 0:
                raise ValueError(f"{name} must be at least 0, or None for no limit")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands with the limit that ends its next request first.

    Attributes:
        limit: Requests in the window.
        remaining: How many of them are left.
        resets_at: When the window ends, in seconds since 1970.
    """

    limit: int
    remaining: int
    resets_at: int


class LimitReachedError(Exception):
    """One request too many.

    Attributes:
        limit: Which limit was reached.
        retry_after: Seconds until it may be tried again.
        standing: How the caller stands; None where there is no window.
    """

    def __init__(self, limit: Limit, *, retry_after: int, standing: Standing | None) -> None:
        super().__init__(limit)
        self.limit: Limit = limit
        self.retry_after = retry_after
        self.standing = standing


class RateLimiter:
    """Counts requests of callers in fixed windows. All its methods may be called from any thread.

    Attributes:
        limits: What holds from the next request on.
    """

    def __init__(self, limits: Limits, *, clock: Clock) -> None:
        self.limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, int], tuple[int, int]] = {}
        self._busy: dict[str, int] = {}

    @behaviour("limits.minute", "documented", "Too many requests in a minute meet 429 RATE_LIMIT_EXCEEDED.")
    @behaviour("limits.day", "documented", "Too many requests in a day meet 429 DAILY_QUOTA_EXCEEDED.")
    @behaviour("limits.concurrent", "documented", "Too many at once meet 429 CONCURRENT_LIMIT_EXCEEDED.")
    @behaviour(
        "limits.numbers",
        "invented",
        "Each organization may make 10,000 requests a minute, by the clock's full minutes; days and requests "
        "at once are not limited. `MemoramLocal.memory_api.limits` changes that. Refused requests count.",
    )
    def enter(self, caller: str) -> Standing | None:
        """Count a request that begins; `leave` must follow.

        Returns:
            How the caller stands now; None where no window is limited.

        Raises:
            LimitReachedError: It is one too many; it has not begun.
        """
        limits, now = self.limits, self._clock.micros()
        with self._lock:
            busy = self._busy.get(caller, 0)
            if limits.concurrent is not None and busy >= limits.concurrent:
                raise LimitReachedError("concurrent", retry_after=1, standing=None)
            standing: Standing | None = None
            windows: tuple[tuple[Limit, int | None, int], ...] = (
                ("day", limits.per_day, _DAY),
                ("minute", limits.per_minute, _MINUTE),
            )
            for name, most, length in windows:
                if most is None:
                    continue
                count = self._count(caller, now, length)
                ends = (now // length + 1) * length
                left = Standing(most, max(0, most - count), ends // _SECOND)
                if count > most:
                    retry_after = -((now - ends) // _SECOND)
                    raise LimitReachedError(name, retry_after=retry_after, standing=left)
                if standing is None or left.remaining <= standing.remaining:
                    standing = left
            self._busy[caller] = busy + 1
            return standing

    def leave(self, caller: str) -> None:
        """A request that had begun has ended."""
        with self._lock:
            busy = self._busy.get(caller, 0) - 1
            if busy > 0:
                self._busy[caller] = busy
            else:
                self._busy.pop(caller, None)

    def forget(self) -> None:
        """Begin to count anew; what is under way goes on."""
        with self._lock:
            self._counts = {}

    def _count(self, caller: str, now: int, length: int) -> int:
        window, count = self._counts.get((caller, length), (0, 0))
        count = count + 1 if window == now // length else 1
        self._counts[caller, length] = (now // length, count)
        return count
