"""What those who wait for users' decisions hold, and what the schedule tells them to do."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import attrs

from memoram_async.core.approval_list import Sweep
from memoram_async.core.errors import MemoramError

LONG_POLL_SECONDS: Final = 25
CALL_SECONDS: Final = 10.0

Waiter: TypeAlias = Any
"""The runtime's object for one waiting call; opaque here."""

_RANKS: Final = {"approved": 1, "rejected": 2, "revoked": 2}


def rank(status: str | None) -> int:
    """How final a status is: a request is never pending again once the user has decided."""
    return _RANKS.get(status or "", 0)


@attrs.define(eq=False)
class Entry:
    """One access request that somebody waits for.

    Attributes:
        id: The request.
        began: The monotonic clock when the youngest of those who wait began.
        admitted: The monotonic clock when it was put on the board: what was read before says nothing of it.
        due: When it is to be looked at by itself; infinity while the list is enough.
        status: The status seen last.
        found: The request as it was read then; opaque here.
        looks: How many looks at it alone there were.
        last_error: Why the latest look brought no status; None if it brought one.
        failure: Why waiting is in vain; None while it is not.
        failures: Looks in a row that brought nothing.
        refused_at: When the first of several refusals in a row came.
        etag: The version seen last, if the service names versions.
        looked_at: When it was looked at last, in the list or alone.
        suspect: Whether the list says something that a look must confirm.
        listed: Whether the newest list has it.
        under_way: Whether a look is under way.
        tickets: Those who wait.
    """

    id: str
    began: float
    admitted: float
    due: float
    status: str | None = None
    found: Any = None
    looks: int = 0
    last_error: MemoramError | None = None
    failure: MemoramError | None = None
    failures: int = 0
    refused_at: float | None = None
    etag: str | None = None
    looked_at: float | None = None
    suspect: bool = False
    listed: bool = False
    under_way: bool = False
    tickets: dict[Ticket, None] = attrs.field(factory=dict["Ticket", None], repr=False)


@attrs.define(eq=False)
class Ticket:
    """One call that waits.

    Attributes:
        ids: The requests that it waits for.
        began: The monotonic clock when it began.
        ends: When it gives up.
        owner: The digest of a memory key: any approved request for it will do. None if it must be these.
        waiter: What the runtime waits on; a fresh one before each turn.
        entries: What is known of its requests, in the order of `ids`.
        released: An approved request for the owner's memory key.
    """

    ids: tuple[str, ...]
    began: float
    ends: float
    owner: bytes | None = None
    waiter: Waiter = None
    entries: list[Entry] = attrs.field(factory=list[Entry])
    released: Any = None
    _lists_before: int = 0

    def joined(self, lists: int) -> None:
        """Note how many lists had been read when it joined."""
        self._lists_before = lists

    def knows_since(self, moment: float) -> bool:
        """Whether all of its requests were seen since that moment of the monotonic clock."""
        return all(
            entry.looked_at is not None and entry.looked_at >= moment and entry.last_error is None
            for entry in self.entries
        )

    def polls(self, lists: int) -> int:
        """How often the service was asked for this call, given how many lists were read so far."""
        return sum(entry.looks for entry in self.entries) + lists - self._lists_before


@attrs.frozen(eq=False)
class Look:
    """Read one request.

    Attributes:
        entry: Which.
        wait: Seconds that the service is asked to wait for news; None for none.
    """

    entry: Entry
    wait: int | None = None


@attrs.frozen(eq=False)
class ReadPage:
    """Read one page of the list.

    Attributes:
        sweep: The reading that it belongs to.
        cursor: Which; None for the first.
        etag: The version seen last, if it is enough to hear that nothing has changed.
        digest: The same, for services that do not name versions.
        wait: Seconds that the service is asked to wait for news; None for none.
        number: Which page of the sweep it is, from 1.
    """

    sweep: Sweep = attrs.field(repr=False)
    cursor: str | None = attrs.field(default=None, repr=False)
    etag: str | None = None
    digest: bytes | None = None
    wait: int | None = None
    number: int = 1


@attrs.frozen
class Rest:
    """Nothing is due yet: wait to be woken, at most this many seconds, and ask again.

    Attributes:
        seconds: How long.
        keeps_alarm: Whether this one makes sure that what is due next is done in time.
    """

    seconds: float
    keeps_alarm: bool = False


Call: TypeAlias = Look | ReadPage


def seconds_of(call: Call) -> float:
    """How long a call may take: a long poll its wait and 10 seconds, any other 10 seconds."""
    return CALL_SECONDS + (call.wait or 0)
