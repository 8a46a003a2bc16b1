"""One call that many wait for: who leads it, who shares its outcome, and who takes over.

No I/O and no clock, like `core.token`: callers say what time it is. A leader that is cancelled hands over
to one of those who wait; one that vanishes without a word loses its lead to whoever comes next.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Any, Final, Generic, TypeAlias, TypeVar

import attrs

from memoram_async.core.errors import MemoramError

LEASE_SECONDS: Final = 90.0

T = TypeVar("T")
Waiter: TypeAlias = Any
"""The runtime's object for one waiting call; opaque here."""


@attrs.frozen
class Lead:
    """Make the call, then say how it went with `land`."""


@attrs.frozen
class Wait:
    """Somebody is making the call: wait to be woken, at most this many seconds, and ask again."""

    seconds: float


@attrs.frozen
class Landed(Generic[T]):
    """The call was made.

    Attributes:
        value: What came of it, if it went well.
        error: What it failed with: raise a fresh error chained to this one.
    """

    value: T | None = attrs.field(default=None, repr=False)
    error: MemoramError | None = None


@attrs.define(eq=False)
class Seat(Generic[T]):
    """One caller's place.

    Attributes:
        waiter: What the runtime waits on; a fresh one before each turn.
        landed: How the flight went that this caller waited for.
    """

    waiter: Waiter = None
    landed: Landed[T] | None = None


@attrs.define(eq=False)
class _Flight(Generic[T]):
    leader: Seat[T] | None = None
    lease_ends: float = 0.0
    seats: dict[Seat[T], None] = attrs.field(factory=dict[Seat[T], None])


class Flights(Generic[T]):
    """The calls under way, each with those who wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight[T]] = {}
        self._home: object = None

    def board(self, key: Hashable, seat: Seat[T], *, now: float) -> Lead | Wait | Landed[T]:
        """What a caller should do; whatever comes of it, the caller ends with `leave`, best in a `finally`.

        Args:
            key: Which call; equal keys share one.
            seat: The caller's, the same in each turn of its loop.
            now: The monotonic clock.
        """
        with self._lock:
            if seat.landed is not None:
                return seat.landed
            flight = self._flights.setdefault(key, _Flight())
            flight.seats[seat] = None
            if flight.leader is None or flight.leader is seat or now >= flight.lease_ends:
                flight.leader = seat
                flight.lease_ends = now + LEASE_SECONDS
                return Lead()
            return Wait(flight.lease_ends - now)

    def land(self, key: Hashable, seat: Seat[T], landed: Landed[T]) -> list[Waiter]:
        """End a flight; answers whom to wake. One that was taken over for its age changes nothing."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is None or flight.leader is not seat:
                return []
            del self._flights[key]
            others = [other for other in flight.seats if other is not seat]
            for other in others:
                other.landed = landed
            return [other.waiter for other in others]

    def leave(self, key: Hashable, seat: Seat[T]) -> list[Waiter]:
        """Give up a seat, and the lead with it; answers whom to wake, one of whom takes over."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                return []
            flight.seats.pop(seat, None)
            if flight.leader is seat:
                flight.leader = None
            if not flight.seats:
                del self._flights[key]
                return []
            return [other.waiter for other in flight.seats] if flight.leader is None else []

    def settle(self, home: object) -> None:
        """Begin anew if this is another process or event loop than the last call's: callers stayed there."""
        with self._lock:
            if home != self._home:
                self._home = home
                self._flights = {}

    def after_fork(self) -> None:
        """Begin anew in a forked child: another thread may have held the lock."""
        self._lock = threading.Lock()
        self._flights = {}
