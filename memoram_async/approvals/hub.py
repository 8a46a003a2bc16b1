"""Waiting until users decide: the shell around `core.approval_schedule.ApprovalSchedule`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from memoram_async.approvals.polls import ApprovalPolls
from memoram_async.core.approval_calls import Call, Entry, Look, Rest, Ticket, seconds_of
from memoram_async.core.approval_schedule import LAST_LOOK_SECONDS, ApprovalSchedule
from memoram_async.core.approval_verdicts import ApprovalProgress, timed_out, verdict
from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import APITimeoutError, ClientClosedError, MemoramError
from memoram_async.models.access import AccessRequest
from memoram_async.runtime.forking import reset_after_fork
from memoram_async.runtime.protocol import Runtime

T = TypeVar("T")

OVERSLEPT: Final = 5.0
"""Seconds beyond a deadline that only a machine that was asleep explains."""

MOST_TURNS: Final = 25
"""How often others are given way before the first call while ever more join."""


class ApprovalHub:
    """All waiting of a client family: who waits makes the calls that are due, for everybody else as well."""

    def __init__(self, runtime: Runtime, polls: ApprovalPolls) -> None:
        """A hub without a task or thread of its own.

        Args:
            runtime: The family's.
            polls: Makes the calls.
        """
        self._runtime = runtime
        self._polls = polls
        self.schedule = ApprovalSchedule()
        reset_after_fork(self.schedule)

    async def until_approved(
        self,
        request_id: str,
        *,
        timeout: float | None,
        on_status: Callable[[ApprovalProgress], object] | None,
        owner: bytes | None = None,
        known: AccessRequest | None = None,
    ) -> AccessRequest:
        """Wait until a request is approved; see `AsyncAccessRequests.wait`.

        Args:
            request_id: The request.
            timeout: Seconds; None for ever.
            on_status: Told of progress.
            owner: The digest of a memory key: any approved request of this application for it will do.
            known: The request as it is known already, of which `on_status` was told.
        """
        now = self._runtime.now()
        deadline = Deadline.after(timeout, now=now)
        ticket = Ticket((request_id,), began=now, ends=deadline.at, owner=owner)
        told = _Teller(self, ticket, on_status, None if known is None else known.status)

        def news() -> AccessRequest | None:
            entry = ticket.entries[0]
            told.of(entry)
            if ticket.released is not None:
                return _as_request(ticket.released)
            if entry.failure is not None:
                raise entry.failure.again() from entry.failure
            refusal = verdict(entry.status, request_id)
            if refusal is not None:
                raise refusal
            return _as_request(entry.found) if entry.status == "approved" else None

        found = await self.follow(ticket, deadline, news)
        if found is not None:
            return found
        entry = ticket.entries[0]
        raise timed_out(
            request_id,
            timeout=timeout or 0.0,
            last_status=entry.status,
            last_error=entry.last_error,
            polls=self.polls_of(ticket),
        )

    def polls_of(self, ticket: Ticket) -> int:
        """How often the service was asked for a call."""
        return ticket.polls(self.schedule.board.list.readings)

    def progress(self, ticket: Ticket, entry: Entry, status: str | None) -> ApprovalProgress:
        """Where a wait stands."""
        return ApprovalProgress(
            request_id=entry.id,
            status=status,
            polls=self.polls_of(ticket),
            next_poll=self.schedule.next_poll(ticket, now=self.now()),
            last_error=entry.last_error,
        )

    def now(self) -> float:
        """The monotonic clock."""
        return self._runtime.now()

    async def follow(self, ticket: Ticket, deadline: Deadline, news: Callable[[], T | None]) -> T | None:
        """Take part until there is news, or None at the deadline.

        Args:
            ticket: The call's, a fresh one.
            deadline: When it gives up.
            news: What there is to know; called whenever something may have changed.
        """
        runtime, schedule = self._runtime, self.schedule
        schedule.settle(runtime.home())
        ticket.waiter = runtime.waiter()  # first, because others may wake it as soon as it has joined
        awake_since: float | None = None
        try:
            schedule.join(ticket, now=runtime.now())
            await self._gather()
            while True:
                ticket.waiter = runtime.waiter()
                found = news()
                if found is not None:
                    return found
                now = runtime.now()
                if awake_since is not None and ticket.knows_since(awake_since):
                    return None
                if deadline.expired(now):
                    if awake_since is not None or now - deadline.at <= OVERSLEPT:
                        return None
                    # A machine that slept through the deadline has not seen what was decided meanwhile.
                    awake_since = schedule.wake_up(now=now)
                    deadline = Deadline.after(LAST_LOOK_SECONDS, now=now)
                step, waiters = schedule.step(ticket, now=now, jitter=runtime.random())
                self._wake(waiters)
                if isinstance(step, Rest):
                    await self._rest(ticket, step, deadline)
                else:
                    await self._make(step, deadline)
        finally:
            try:
                self._leave(ticket)
            finally:
                self._leave(ticket)  # a key press may have interrupted the first one

    async def _gather(self) -> None:
        """Let others who are about to join, or to decide, come first: the first call then serves them too."""
        tickets, joined, turns = self.schedule.board.tickets, 0, 0
        while len(tickets) > joined and turns < MOST_TURNS:
            joined, turns = len(tickets), turns + 1
            await self._runtime.give_way()

    async def _rest(self, ticket: Ticket, rest: Rest, deadline: Deadline) -> None:
        runtime = self._runtime
        began, wall = runtime.now(), runtime.wall()
        seconds = deadline.cap(rest.seconds, now=began)
        if rest.keeps_alarm:
            await runtime.sleep(seconds, unless=ticket.waiter)
        else:
            await runtime.wait(ticket.waiter, seconds)
        if max(runtime.now() - began, runtime.wall() - wall) > 2 * seconds + OVERSLEPT:
            self.schedule.wake_up(now=runtime.now())

    async def _make(self, call: Call, deadline: Deadline) -> None:
        """Make a call that is due, for whomever it may be, and report what came of it."""
        runtime, schedule = self._runtime, self.schedule
        began = runtime.now()
        limit = deadline.earlier(Deadline.after(seconds_of(call), now=began))
        try:
            if isinstance(call, Look):
                seen = await self._polls.look(call, limit)
                waiters = schedule.saw(
                    call,
                    None if seen.request is None else seen.request.status,
                    seen.request,
                    etag=seen.etag,
                    applied=seen.applied,
                    began=began,
                    now=runtime.now(),
                    jitter=runtime.random(),
                )
            else:
                page = await self._polls.page(call, limit)
                waiters = schedule.saw_page(
                    call,
                    page,
                    read=self._polls.read,
                    digest=self._polls.digest,
                    began=began,
                    now=runtime.now(),
                    jitter=runtime.random(),
                )
        except ClientClosedError:
            raise
        except MemoramError as error:
            now = runtime.now()
            if isinstance(error, APITimeoutError) and deadline.expired(now):
                waiters = schedule.abandoned(call, now=now)  # this caller's time was up, not the service's
            else:
                waiters = schedule.failed(call, error, now=now, jitter=runtime.random())
        self._wake(waiters)

    def _leave(self, ticket: Ticket) -> None:
        self._wake(self.schedule.leave(ticket, now=self._runtime.now()))

    def _wake(self, waiters: Iterable[object]) -> None:
        for waiter in waiters:
            self._runtime.wake(waiter)
            self.schedule.rang(waiter)


class _Teller:
    """Tells `on_status` what is new."""

    def __init__(
        self,
        hub: ApprovalHub,
        ticket: Ticket,
        on_status: Callable[[ApprovalProgress], object] | None,
        status: str | None,
    ) -> None:
        self._hub = hub
        self._ticket = ticket
        self._on_status = on_status
        self._told: tuple[str | None, bool] = (status, False)

    def of(self, entry: Entry) -> None:
        """Tell of a status that is new, and of trouble that lasts."""
        if self._on_status is None:
            return
        status = entry.status if self._ticket.released is None else "approved"
        troubled = entry.failures >= 3 and self._ticket.released is None
        if (status is None and not troubled) or (status or self._told[0], troubled) == self._told:
            return
        self._told = (status or self._told[0], troubled)
        self._on_status(self._hub.progress(self._ticket, entry, status))


class Transitions:
    """The changes of some requests, one after another; see `AsyncAccessRequests.watch`."""

    def __init__(self, hub: ApprovalHub, ids: Iterable[str]) -> None:
        """Follow some requests; nothing is sent."""
        self._hub = hub
        self._told: dict[str, set[str]] = {each: set() for each in ids}
        self._entries: list[Entry] = []
        self._began: float | None = None

    async def next(self) -> AccessRequest | None:
        """The next change; None once nothing more can change.

        Raises:
            MemoramError: One of the requests cannot be followed; the others go on with the next call.
        """
        if not self._told:
            return None
        self._began = self._hub.now() if self._began is None else self._began
        ticket = Ticket(tuple(self._told), began=self._began, ends=Deadline().at, entries=self._entries)
        try:
            return await self._hub.follow(ticket, Deadline(), lambda: self._news(ticket))
        finally:
            self._entries = [entry for entry in ticket.entries if entry.id in self._told]

    def _news(self, ticket: Ticket) -> AccessRequest | None:
        for entry in ticket.entries:
            told = self._told[entry.id]
            if entry.failure is not None:
                del self._told[entry.id]
                raise entry.failure.again() from entry.failure
            if entry.status is not None and entry.status not in told:
                told.add(entry.status)
                if verdict(entry.status, entry.id) is not None:
                    del self._told[entry.id]
                return _as_request(entry.found)
        return None


def _as_request(found: AccessRequest) -> AccessRequest:
    return found
