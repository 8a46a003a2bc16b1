"""The life of the developer JWT, as a state machine: use the token, wait for one, or fetch one.

No I/O and no clock: callers say what time it is, and do what a decision tells them. Whoever is told
to `Lead` holds the lease until `succeed`, `fail` or `leave`. A leader that vanishes without a word
loses it after a while to whoever comes next.
"""

from __future__ import annotations

import threading
from typing import Any, Final, TypeAlias

import attrs

from memoram_async.core.dates import epoch_of_date, parse_time
from memoram_async.core.errors import MemoramError
from memoram_async.core.secret import Secret

LEASE_SECONDS: Final = 60.0
EARLY_SECONDS: Final = 60.0
BACK_OFF_SECONDS: Final = 5.0
DEFAULT_LIFETIME: Final = 300.0
JITTER: Final = 0.2

Waiter: TypeAlias = Any
"""The runtime's object for one waiting call; opaque here."""


@attrs.frozen(repr=False)
class Use:
    """Send with this token or key; say its generation when it is refused.

    Attributes:
        token: What to send.
        generation: Which one it is of those that came one after the other.
        header: The header field to send it in, in lower case.
        prefix: What stands before it there.
    """

    token: Secret
    generation: int
    header: str = "authorization"
    prefix: str = "Bearer "


@attrs.frozen(repr=False)
class Wait:
    """Somebody is fetching a token: wait to be woken, at most this many seconds, and ask again."""

    seconds: float


@attrs.frozen(repr=False)
class Lead:
    """Fetch a token, then say how it went with `succeed` or `fail`."""


@attrs.frozen(repr=False)
class Failed:
    """The fetch that this call waited for failed: raise a fresh error chained to this one."""

    error: MemoramError


@attrs.frozen(eq=False, repr=False)
class _Held:
    use: Use
    refresh_at: float  # monotonic
    expires_at: float  # monotonic
    wall_expires_at: float  # a suspended machine's monotonic clock may stand still


@attrs.define(eq=False, repr=False)
class Ticket:
    """One call's place: in the queue, or at its head with the lease.

    Attributes:
        waiter: What the runtime waits on; a fresh one before each turn.
        error: What the leader that this call waited for failed with.
        lease: The lease that this call holds, if it leads.
    """

    waiter: Waiter = None
    error: MemoramError | None = None
    lease: int | None = None


class TokenState:
    """One token, shared by every client of a family and every thread of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._generation = 0
        self._lease: int | None = None
        self._leases = 0
        self._lease_ends = 0.0
        self._not_before = 0.0
        self._queue: dict[Ticket, None] = {}
        self._home: object = None

    def peek(self, *, now: float, wall: float) -> Use | None:
        """The token, if it serves and nobody need refresh it yet: the common case, without ticket or lock."""
        held = self._held
        if held is None or now >= held.refresh_at or wall >= held.wall_expires_at:
            return None
        return held.use

    def latest(self) -> Use | None:
        """The token that came last, for a call that was given one a while ago; None if it was refused."""
        held = self._held
        return None if held is None else held.use

    def decide(self, ticket: Ticket, *, now: float, wall: float) -> Use | Wait | Lead | Failed:
        """What a call that needs a token should do.

        Whatever comes of it, the call ends with `leave`, best in a `finally`.

        Args:
            ticket: The call's place, the same in each turn of its loop.
            now: The monotonic clock.
            wall: Seconds since the epoch.
        """
        with self._lock:
            held = self._usable(now=now, wall=wall)
            leading = self._lease is not None and now < self._lease_ends
            if held is not None and (now < held.refresh_at or leading or now < self._not_before):
                return held.use
            if ticket.error is not None and held is None:
                return Failed(ticket.error)
            if leading:
                self._queue[ticket] = None
                return Wait(self._lease_ends - now)
            self._queue.pop(ticket, None)
            self._leases += 1
            ticket.lease = self._leases  # first, so that an interrupt in between loses nothing
            self._lease = self._leases
            self._lease_ends = now + LEASE_SECONDS
            return Lead()

    def succeed(
        self,
        ticket: Ticket,
        token: Secret,
        *,
        lifetime: float,
        asked_at: float,
        asked_wall: float,
        jitter: float,
    ) -> tuple[Use, list[Waiter]]:
        """Keep a fresh token; answers it and whom to wake.

        Args:
            ticket: The leader's.
            token: The token.
            lifetime: Seconds it lives, counted from when it was asked for.
            asked_at: The monotonic clock when the request was sent.
            asked_wall: Seconds since the epoch when the request was sent.
            jitter: A random number in [0, 1), which spreads refreshes of many processes.
        """
        early = early_seconds(lifetime, jitter=jitter)
        with self._lock:
            self._generation += 1
            self._held = _Held(
                use=Use(token, self._generation),
                refresh_at=asked_at + lifetime - early,
                expires_at=asked_at + lifetime,
                wall_expires_at=asked_wall + lifetime,
            )
            self._end_lease(ticket)
            # Even a leader that was taken over for its age brings a token that serves everyone.
            return self._held.use, self._waiters()

    def fail(
        self, ticket: Ticket, error: MemoramError, *, now: float, wall: float
    ) -> tuple[Use | None, list[Waiter]]:
        """End a lease that brought no token.

        Answers the old token if it still serves (the next refresh is tried after a pause), and whom to
        wake: those waiting share this one failure instead of each trying in turn.
        """
        with self._lock:
            held = self._usable(now=now, wall=wall)
            use = None if held is None else held.use
            if not self._end_lease(ticket):
                return use, []  # taken over for its age: how it goes is the new leader's to say
            if held is not None:
                self._not_before = now + BACK_OFF_SECONDS
            else:
                for waiting in self._queue:
                    waiting.error = error
            return use, self._waiters()

    def serves(self, *, now: float, wall: float) -> bool:
        """Whether there is a token that has not ended, even if it wants refreshing."""
        with self._lock:
            return self._usable(now=now, wall=wall) is not None

    def postpone(
        self, ticket: Ticket, *, now: float, wall: float, seconds: float
    ) -> tuple[Use | None, list[Waiter]]:
        """End a lease because another process refreshes the token; the old one serves meanwhile.

        Answers the old token, None if it has ended, in which case nothing changes; and whom to wake.

        Args:
            ticket: The leader's.
            now: The monotonic clock.
            wall: Seconds since the epoch.
            seconds: How long to wait before somebody leads again.
        """
        with self._lock:
            held = self._usable(now=now, wall=wall)
            if held is None:
                return None, []
            if self._end_lease(ticket):
                self._not_before = now + seconds
            return held.use, self._waiters()

    def leave(self, ticket: Ticket) -> list[Waiter]:
        """End a call, however it went; answers one waiter to wake if nobody leads.

        A leader that was cancelled or interrupted hands over in this way, and so does a waiter that was
        woken to lead and was cancelled itself. Leaving again does no harm. Whoever is still queued is
        woken by the one before it, so that a leader that was interrupted while it woke them loses nobody.
        """
        with self._lock:
            self._queue.pop(ticket, None)
            self._end_lease(ticket)
            first = next(iter(self._queue), None)
            return [] if self._lease is not None or first is None else [first.waiter]

    def _usable(self, *, now: float, wall: float) -> _Held | None:
        held = self._held
        return held if held is not None and now < held.expires_at and wall < held.wall_expires_at else None

    def _end_lease(self, ticket: Ticket) -> bool:
        """Take a ticket's lease from it; whether that was the one that holds."""
        led = ticket.lease is not None and ticket.lease == self._lease
        if led:
            self._lease = None  # first, so that an interrupt in between leaves nobody waiting
        ticket.lease = None
        return led

    def _waiters(self) -> list[Waiter]:
        """Whom to wake; they leave the queue by themselves."""
        return [waiting.waiter for waiting in self._queue]

    def invalidate(self, generation: int) -> None:
        """Drop the token of that generation, if it is still the one held: it was refused."""
        with self._lock:
            if self._held is not None and self._held.use.generation == generation:
                self._held = None

    def after_fork(self) -> None:
        """Begin anew in a forked child: another thread may have held the lock."""
        self._lock = threading.Lock()
        self.move()

    def settle(self, home: object) -> None:
        """Begin anew if this is another process or event loop than the last call's.

        Of many threads that come at once, only the first begins anew; it must not end a lease that one
        of the others has taken since.
        """
        with self._lock:
            if home != self._home:
                self._home = home
                self._forget_calls()

    def move(self) -> None:
        """Begin anew in another process or event loop."""
        with self._lock:
            self._forget_calls()

    def _forget_calls(self) -> None:
        """Leaders and waiters stayed behind; the token is as good as before."""
        self._lease = None
        self._queue = {}


def early_seconds(lifetime: float, *, jitter: float) -> float:
    """How long before its end a token is refreshed, in seconds.

    Args:
        lifetime: Seconds that the token lives in all.
        jitter: A random number in [0, 1), which spreads refreshes of many processes.
    """
    return min(EARLY_SECONDS, lifetime / 2) * (1 - JITTER * jitter)


def lifetime_of(*, expires_at: str | None, date: str | None, wall: float) -> float:
    """Seconds that a token lives, from the times that its answer told.

    A server whose clock is off tells both ends by the same wrong clock, so the end is counted from the
    answer's own date when it has one.

    Args:
        expires_at: The token's end as the service wrote it (ISO 8601), None if missing.
        date: The answer's Date field (RFC 9110 6.6.1), None if missing.
        wall: This machine's time in seconds since the epoch.

    Returns:
        The seconds; a modest guess where the answer told nothing usable, or an end that has passed.
    """
    end = parse_time(expires_at or "")
    if end is None:
        return DEFAULT_LIFETIME
    begin = epoch_of_date(date)
    seconds = end.timestamp() - (wall if begin is None else begin)
    return seconds if seconds > 0 else DEFAULT_LIFETIME
