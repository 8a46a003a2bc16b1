"""The list of access requests: when it beats looking at each request, and how far a reading has come."""

from __future__ import annotations

import math
from typing import Final

import attrs

from memoram_async.core.approval_pace import (
    BUSY_PAGES_A_SECOND,
    LIST_OCTETS_A_SECOND,
    LIST_PAGES_A_SECOND,
    MANY_FAILURES,
    SHORTEST_INTERVAL,
)

FEWEST_FOR_LIST: Final = 3
FEW: Final = 4
"""Requests that may be looked at one by one even while a list is read: at first, and in long polls."""
OWNERS_INTERVAL: Final = 60.0
LARGEST_FOR_FEW: Final = 128_000
"""Octets of a list that is read instead of one request."""
SWEEPS_APART: Final = 20

# A little slower than the bucket, so that a list of many pages is read at an even pace.
_PACE_MARGIN: Final = 1.02


@attrs.define
class Sweep:
    """One reading of the list, page by page.

    Attributes:
        began: The monotonic clock.
        cursor: The next page; None for the first.
        pages: How many were read.
        items: How many items they had.
        octets: How large they were.
        seen: Which requests were found.
        cursors: Those that were followed, so that a circle is noticed.
        changed: How many of those that somebody waits for had changed.
        news: How many were seen for the first time, or decided since.
        under_way: Whether a page is being read.
    """

    began: float
    cursor: str | None = attrs.field(default=None, repr=False)
    pages: int = 0
    items: int = 0
    octets: int = 0
    seen: set[str] = attrs.field(factory=set[str], repr=False)
    cursors: set[str] = attrs.field(factory=set[str], repr=False)
    changed: int = 0
    news: int = 0
    under_way: bool = False

    def goes_on(self, cursor: str | None, *, wanted: float) -> bool:
        """Whether there is another page worth reading."""
        if cursor is None or cursor in self.cursors or len(self.seen) >= wanted:
            return False
        self.cursors.add(cursor)
        self.cursor = cursor
        return True


@attrs.define
class ListState:
    """What is known of the list.

    Attributes:
        pages: How many pages it has, as far as it is known.
        octets: How large it is.
        is_whole: Whether all of it could be read; not where it is short of its total and names no next page.
        not_before: When reading it is tried again, after it was of no use.
        began: When the latest reading began; None before the first.
        readings: How many pages were read, or found not to have changed.
        etag: The version of a list of one page.
        digest: What the content of such a list came to.
        waits: Whether the service grants long polls on it; None while that is not known.
        is_busy: Whether the latest reading found that many users are deciding.
        failures: Readings in a row that failed.
        sweep: The reading that is under way. A long poll that newcomers could not wait for goes on beside it.
    """

    pages: int = 1
    octets: int = 0
    is_whole: bool = True
    not_before: float = 0.0
    began: float | None = None
    readings: int = 0
    etag: str | None = None
    digest: bytes | None = None
    waits: bool | None = None
    is_busy: bool = False
    failures: int = 0
    sweep: Sweep | None = None

    def is_better(self, *, active: int, owners: int, now: float) -> bool:
        """Whether reading the list is the better way to follow so many requests.

        Args:
            active: Requests that somebody waits for.
            owners: Calls that any approved request for a memory key will do for.
            now: The monotonic clock.
        """
        if now < self.not_before:
            return False
        if active >= FEWEST_FOR_LIST and self.pages <= max(1.0, active / 3):
            return True
        return owners > 0 and self.is_whole and self.pages == 1 and self.octets <= LARGEST_FOR_FEW

    def rate(self) -> float:
        """Pages a second."""
        return BUSY_PAGES_A_SECOND if self.is_busy else LIST_PAGES_A_SECOND

    def gap(self, *, at_least: float = SHORTEST_INTERVAL) -> float:
        """The fewest seconds between two readings: the list is not to be read faster than is fair.

        Args:
            at_least: The bound for a small list; less of it where there is a reason to read it again at once.
        """
        pages = 0.0 if self.pages == 1 else self.pages / self.rate() * _PACE_MARGIN
        return max(at_least, pages, self.octets / LIST_OCTETS_A_SECOND)

    def postpone(self, *, now: float, interval: float, at_most: float = math.inf) -> None:
        """The list is of no use at the moment."""
        self.not_before = now + min(at_most, SWEEPS_APART * max(self.gap(), interval))
        self.failures = 0
        self.forget()

    def forget(self) -> None:
        """The next reading is to be taken in whether the list has changed or not."""
        self.etag = self.digest = None

    def failed(self) -> bool:
        """Note a failure; whether there were too many in a row to go on."""
        self.failures += 1
        self.sweep = None
        return self.failures >= MANY_FAILURES
