"""Who may have a request under way: so many calls at once, the others in the order in which they came.

There is no lock. An interrupt can end a call between any two steps, also while it gives its place back, so
what is shared is one dictionary, and each step that matters is a single operation of it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Final, TypeAlias

from memoram_async.runtime.clock import steady
from memoram_sync.runtime.bell import Bell

GLANCE: Final = 0.1
"""Seconds after which a waiting call looks by itself: an interrupted one may have left without a word."""


class Ticket:
    """One call's claim to a turn. A call that is torn away loses it, and with it its place in the row."""

    __slots__ = ("__weakref__", "bell")

    def __init__(self) -> None:
        self.bell: Bell | None = None


Place: TypeAlias = weakref.ref[Ticket]


class Turns:
    """The row in which calls stand: the first so many of them have a turn.

    A call takes its place with `row[place] = None`, asks `wait` if the row is longer than `limit`, and leaves
    with `leave(place, None)` as the first thing in a `finally`, which no interrupt comes before. Then it
    calls `wake_next`.

    Attributes:
        limit: How many have a turn at once.
        row: The calls, in the order in which they came.
        leave: Takes a place out of the row, in one step; `row.pop`.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.row: dict[Place, None] = {}
        self.leave: Callable[[Place, None], None] = self.row.pop

    def wait(self, place: Place, ticket: Ticket, *, seconds: float, give_up: Callable[[], bool]) -> bool:
        """Wait for a turn, at most that many real seconds; whether it came.

        Args:
            place: The call's place in the row.
            ticket: What the place refers to.
            seconds: How long.
            give_up: Whether waiting is of no use any more; asked whenever the call is woken.
        """
        ends_at = steady() + seconds
        while not give_up():
            bell = ticket.bell = Bell()  # before the look, so that no ring after it is missed
            first = list(self.row)[: self.limit]
            if place in first:
                ticket.bell = None
                return True
            for other in first:
                if other() is None:
                    self.leave(other, None)
            left = ends_at - steady()
            if left <= 0:
                break
            bell.wait(min(left, GLANCE))
        return False

    def wake_next(self) -> None:
        """Wake those that have a turn and still wait for it."""
        if len(self.row) >= self.limit:
            for place in list(self.row)[: self.limit]:
                _ring(place)

    def wake_all(self) -> None:
        """Wake every call that waits."""
        for place in list(self.row):
            _ring(place)


def _ring(place: Place) -> None:
    ticket = place()
    bell = None if ticket is None else ticket.bell
    if bell is not None:
        bell.ring()
