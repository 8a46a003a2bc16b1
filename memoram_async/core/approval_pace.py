"""How often to ask about access requests: intervals, token buckets and holding back."""

from __future__ import annotations

import math
from typing import Final

import attrs

SHORTEST_INTERVAL: Final = 2.0
LONGEST_INTERVAL: Final = 15.0
SHARE_OF_AGE: Final = 0.1
JITTER: Final = 0.15
LONGEST_BACK_OFF: Final = 30.0
LONGEST_RETRY_AFTER: Final = 300.0
SLOW_DOWN_STEP: Final = 5.0
LONGEST_SLOW_DOWN: Final = 60.0
CLEAN_ANSWERS: Final = 5
MANY_FAILURES: Final = 3
LIST_PAGES_A_SECOND: Final = 5.0
BUSY_PAGES_A_SECOND: Final = 8.0
"""While many users are deciding, looks at single requests stand back for a list that is read faster."""
LOOKS_A_SECOND: Final = 20.0
LIST_OCTETS_A_SECOND: Final = 500_000.0
HURRIED_SWEEPS_A_SECOND: Final = 0.1
"""Readings of the list that newcomers need not wait for, although it was only just read."""

_LEAST_SHARE: Final = 0.125
_REGROWTH: Final = 1.02


def interval(age: float, *, jitter: float) -> float:
    """Seconds until the next look: a tenth of the wait's age, so that long waits ask less often.

    Args:
        age: How long somebody has waited, in seconds.
        jitter: A random number in [0, 1).
    """
    wish = min(LONGEST_INTERVAL, max(SHORTEST_INTERVAL, SHARE_OF_AGE * age))
    return wish * (1 - JITTER + 2 * JITTER * jitter)


def back_off(failures: int, *, jitter: float) -> float:
    """Seconds after so many failures in a row: full jitter between 1 and a bound that doubles, to 30."""
    return 1.0 + jitter * (min(LONGEST_BACK_OFF, 1 << failures) - 1.0)


@attrs.define
class Bucket:
    """So many calls a second, and a few at once after a pause.

    Attributes:
        full_rate: Calls a second while the service does not complain.
        burst: Calls at once.
        rate: Calls a second now.
    """

    full_rate: float
    burst: float
    rate: float = attrs.field(init=False)
    _tokens: float = attrs.field(init=False)
    _since: float = attrs.field(init=False, default=math.inf)

    def __attrs_post_init__(self) -> None:
        self.rate = self.full_rate
        self._tokens = self.burst

    def delay(self, now: float) -> float:
        """Seconds until a call may be made."""
        self._fill(now)
        return max(0.0, (1.0 - self._tokens) / self.rate)

    def take(self, now: float) -> None:
        """Make a call."""
        self._fill(now)
        self._tokens -= 1.0

    def halve(self) -> None:
        """The service was asked too often."""
        self.rate = max(self.full_rate * _LEAST_SHARE, self.rate / 2)
        self._tokens = min(self._tokens, 0.0)

    def regrow(self) -> None:
        """The service answered."""
        self.rate = min(self.full_rate, self.rate * _REGROWTH)

    def _fill(self, now: float) -> None:
        self._tokens = min(self.burst, self._tokens + max(0.0, now - self._since) * self.rate)
        # A rounding error must not ask for a wait that is too short to be one.
        if abs(self._tokens - 1.0) < 1e-9:
            self._tokens = 1.0
        self._since = now


@attrs.define
class Pace:
    """What holds everybody back, whatever they wait for.

    Attributes:
        pages: The bucket of list pages.
        looks: The bucket of looks at one request.
        fetches: The bucket of credentials, which many fetch when many users approve at once.
        hurried: The bucket of list readings that come sooner than usual, for newcomers.
        not_before: Nothing is sent before this moment of the monotonic clock.
        slow_down: Seconds added to every interval: the service asked for less without saying how much.
    """

    pages: Bucket = attrs.field(factory=lambda: Bucket(LIST_PAGES_A_SECOND, 1.0))
    looks: Bucket = attrs.field(factory=lambda: Bucket(LOOKS_A_SECOND, 8.0))
    fetches: Bucket = attrs.field(factory=lambda: Bucket(LOOKS_A_SECOND, 8.0))
    hurried: Bucket = attrs.field(factory=lambda: Bucket(HURRIED_SWEEPS_A_SECOND, 1.0))
    not_before: float = 0.0
    slow_down: float = 0.0
    _clean: int = 0
    _failures: int = 0

    @property
    def is_calm(self) -> bool:
        """Whether the service has not complained lately."""
        return not self.slow_down and self.looks.rate == self.looks.full_rate

    def answered(self) -> None:
        """The service answered as it should."""
        self._failures = 0
        self._clean += 1
        self.pages.regrow()
        self.looks.regrow()
        self.fetches.regrow()
        if self._clean >= CLEAN_ANSWERS and self.slow_down:
            self._clean = 0
            self.slow_down = max(0.0, self.slow_down - SLOW_DOWN_STEP)

    def limited(self, retry_after: float | None, *, now: float) -> None:
        """The service wants to be asked less often (HTTP 429)."""
        self._clean = 0
        self.pages.halve()
        self.looks.halve()
        self.fetches.halve()
        if retry_after is None:
            self.slow_down = min(LONGEST_SLOW_DOWN, self.slow_down + SLOW_DOWN_STEP)
            seconds = SHORTEST_INTERVAL + self.slow_down
        else:
            seconds = max(SHORTEST_INTERVAL, min(LONGEST_RETRY_AFTER, retry_after))
        self.not_before = max(self.not_before, now + seconds)

    def failed(self, *, now: float, jitter: float) -> None:
        """A call brought no answer that can be used; several in a row hold everybody back."""
        self._clean = 0
        self._failures += 1
        if self._failures >= MANY_FAILURES:
            seconds = back_off(self._failures - MANY_FAILURES + 1, jitter=jitter)
            self.not_before = max(self.not_before, now + seconds)
