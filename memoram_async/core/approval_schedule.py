"""When to ask about whom: one schedule for all who wait for users' decisions through one client family.

The service pushes nothing, so it is asked, as seldom as is fair and as often as people are patient. There
is no task of its own behind it: each of those who wait asks the schedule what to do, makes the call that is
due, whomever it is about, and reports what came of it. One of those who rest keeps the alarm. Whoever is
cancelled hands over, and whoever vanishes without a word is taken over after a while. A key press may
interrupt a thread in the middle of a change: whoever comes next puts in order what it left.

No I/O and no clock: callers say what time it is.
"""

from __future__ import annotations

import heapq
import math
import threading
from collections.abc import Callable
from typing import Any, Final

from memoram_async.core.approval_board import ApprovalBoard
from memoram_async.core.approval_calls import (
    LONG_POLL_SECONDS,
    Call,
    Entry,
    Look,
    ReadPage,
    Rest,
    Ticket,
    Waiter,
    rank,
    seconds_of,
)
from memoram_async.core.approval_list import FEW, Sweep
from memoram_async.core.approval_pace import SHORTEST_INTERVAL, interval
from memoram_async.core.approval_page import ListPage
from memoram_async.core.approval_reports import (
    is_to_listen,
    list_read,
    look_failed,
    note_status,
    page_failed,
    sweep_done,
    take_items,
    was_waited,
)
from memoram_async.core.approval_verdicts import Meaning, meaning_of
from memoram_async.core.errors import MemoramError, RateLimitedError

MOST_UNDER_WAY: Final = 8
PATIENCE: Final = 120.0
"""Seconds after which somebody who rests looks whether the one with the alarm is still there."""
GRACE: Final = 30.0
JUST_AWAKE: Final = 5.0
"""Seconds in which those who notice that the machine was asleep do so together."""
LAST_LOOK_SECONDS: Final = 30.0
"""How long those who slept through their deadlines wait for what was decided meanwhile."""


class ApprovalSchedule:
    """What is due when, and who does it.

    Attributes:
        board: Who waits for what.
        unrung: Those who are to be woken and, as far as is known, have not been.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._home: object = None
        self.board = ApprovalBoard()
        self._begin()

    def _begin(self) -> None:
        self.board.begin_anew()
        self._resting: dict[Ticket, None] = {}
        self._alarm: Ticket | None = None
        self._alarm_at = math.inf
        self._awake_since = -math.inf
        self._is_whole = True
        self.unrung: dict[Waiter, None] = {}

    def _enter(self, now: float) -> None:
        """Begin a change; one that an interrupt left half done is made good first."""
        if not self._is_whole:
            self.board.mend(now)
            self._alarm, self._alarm_at = None, math.inf
            self.unrung.update(dict.fromkeys(ticket.waiter for ticket in self._resting))
        self._is_whole = False

    def _done(self, waiters: list[Waiter]) -> list[Waiter]:
        """End a change; those to wake are remembered until `rang`, in case an interrupt comes before."""
        self.unrung.update(dict.fromkeys(waiters))
        self._is_whole = True
        return waiters

    def rang(self, waiter: Waiter) -> None:
        """Note that somebody was woken."""
        self.unrung.pop(waiter, None)

    def settle(self, home: object) -> None:
        """Begin anew if this is another process or event loop than the last call's: callers stayed there."""
        with self._lock:
            if home != self._home:
                self._begin()
                self._home = home

    def after_fork(self) -> None:
        """Begin anew in a forked child: another thread may have held the lock."""
        self._lock = threading.Lock()
        self._begin()

    def join(self, ticket: Ticket, *, now: float) -> None:
        """Begin to wait; whatever comes of it, the call ends with `leave`, best in a `finally`."""
        with self._lock:
            self._enter(now)
            self.board.add(ticket, now=now)
            self._done([])

    def leave(self, ticket: Ticket, *, now: float) -> list[Waiter]:
        """Wait no longer; answers whom to wake. A second time makes sure of it."""
        with self._lock:
            self._enter(now)
            self._stir(ticket)
            self.board.remove(ticket, now=now)
            return self._done([*self.unrung, *self._call_for_alarm(now)])

    def _stir(self, ticket: Ticket) -> None:
        self._resting.pop(ticket, None)
        if self._alarm is ticket:
            self._alarm, self._alarm_at = None, math.inf

    def step(self, ticket: Ticket, *, now: float, jitter: float) -> tuple[Call | Rest, list[Waiter]]:
        """What one of those who wait should do now, and whom to wake.

        Args:
            ticket: Whose turn it is.
            now: The monotonic clock.
            jitter: A random number in [0, 1).
        """
        with self._lock:
            self._enter(now)
            self._stir(ticket)
            self.board.forget_the_lost(now)
            self.board.choose(now)
            call = self._due_call(ticket, now)
            if call is not None:
                self.board.under_way[call] = (now + seconds_of(call) + GRACE, ticket)
                return call, self._done(self._call_for_alarm(now))
            at = self._next_at(now)
            if self._alarm is None or at < self._alarm_at or now > self._alarm_at + GRACE:
                self._resting[ticket] = None
                self._alarm, self._alarm_at = ticket, at
                seconds = min(max(0.0, at - now), PATIENCE)
                return Rest(seconds, keeps_alarm=True), self._done([])
            self._resting[ticket] = None
            return Rest(PATIENCE * (0.75 + jitter / 2)), self._done([])

    def _due_call(self, ticket: Ticket, now: float) -> Call | None:
        if now < self.board.pace.not_before or len(self.board.under_way) >= MOST_UNDER_WAY:
            return None
        entry = self.board.first_look()
        if entry is not None and entry.due <= now and self.board.pace.looks.delay(now) <= 0:
            heapq.heappop(self.board.looks)
            self.board.pace.looks.take(now)
            entry.under_way, entry.due = True, math.inf
            return Look(entry, self._wait_of_look(entry, ticket, now))
        sweep = self.board.list.sweep
        if (
            sweep is None
            and self.board.wants_sweep()
            and now >= self.board.sweep_at
            and self.board.pace.pages.delay(now) <= 0
        ):
            sweep = self.board.list.sweep = Sweep(now)
            self.board.list.began = now
        if sweep is None or sweep.under_way or self.board.pace.pages.delay(now) > 0:
            return None
        self.board.pace.pages.take(now)
        sweep.under_way = True
        number = sweep.pages + 1
        if number > 1 or not self.board.all_listed():
            return ReadPage(sweep, sweep.cursor, number=number)
        etag, digest = self.board.list.etag, self.board.list.digest
        return ReadPage(sweep, None, etag, digest, self._wait_of_list(etag, ticket, now))

    def _wait_of_look(self, entry: Entry, ticket: Ticket, now: float) -> int | None:
        if (
            entry.status is None
            or self.board.waits is False
            or self.board.by_list
            or len(self.board.entries) > FEW
        ):
            return None
        return _whole_seconds(ticket.ends - now)

    def _wait_of_list(self, etag: str | None, ticket: Ticket, now: float) -> int | None:
        return None if etag is None or self.board.list.waits is False else _whole_seconds(ticket.ends - now)

    def _next_at(self, now: float) -> float:
        """When something will be due, as far as it is known."""
        if len(self.board.under_way) >= MOST_UNDER_WAY:
            return math.inf  # whoever comes back says what is next
        at = math.inf
        entry = self.board.first_look()
        if entry is not None:
            at = max(entry.due, now + self.board.pace.looks.delay(now))
        sweep = self.board.list.sweep
        if sweep is not None:
            page_at = math.inf if sweep.under_way else now
        else:
            page_at = self.board.sweep_at if self.board.wants_sweep() else math.inf
        at = min(at, max(page_at, now + self.board.pace.pages.delay(now)))
        return max(at, self.board.pace.not_before)

    def _call_for_alarm(self, now: float) -> list[Waiter]:
        """Whom to wake so that what is due next is done in time."""
        at = self._next_at(now)
        if at >= self._alarm_at or at == math.inf:
            return []
        chosen = self._alarm or next(iter(self._resting), None)
        return [] if chosen is None else [chosen.waiter]

    def _overdue(self, now: float) -> list[Waiter]:
        """Those who slept through their deadlines, and want to know what was decided meanwhile."""
        if now - self._awake_since > LAST_LOOK_SECONDS:
            return []
        return [ticket.waiter for ticket in self._resting if ticket.ends <= now]

    def next_poll(self, ticket: Ticket, *, now: float) -> float:
        """Seconds until the service is next asked about what a call waits for, as far as it is known."""
        with self._lock:
            at = min(entry.due for entry in ticket.entries)
            if self.board.wants_sweep():
                at = min(at, self.board.sweep_at)
            return max(0.0, min(max(at, self.board.pace.not_before) - now, PATIENCE))

    def wake_up(self, *, now: float) -> float:
        """Ask about everything now: the machine was asleep, and much may have happened.

        Answers since when it is awake: of many who notice, the first one sees to it.
        """
        with self._lock:
            if now - self._awake_since < JUST_AWAKE:
                return self._awake_since
            self._enter(now)
            self._awake_since = now
            self.board.list.forget()
            self.board.stop_listening()
            self.board.pace.not_before = min(self.board.pace.not_before, now)
            self.board.sweep_at = min(self.board.sweep_at, now)
            for entry in self.board.entries.values():
                if entry.due < math.inf:
                    self.board.push(entry, min(entry.due, now))
            self._done([])
            return now

    def saw(
        self,
        look: Look,
        status: str | None,
        found: object,
        *,
        etag: str | None,
        applied: bool,
        began: float,
        now: float,
        jitter: float,
    ) -> list[Waiter]:
        """Take in what a look brought; None for a status that has not changed. Answers whom to wake."""
        with self._lock:
            self._enter(now)
            self.board.under_way.pop(look, None)
            self.board.pace.answered()
            entry = look.entry
            entry.under_way = False
            if look.wait is not None:
                is_news = status not in {None, entry.status}
                self.board.waits = applied and (is_news or was_waited(look.wait, now - began))
            entry.etag = etag
            entry.suspect = False
            rose = status is not None and rank(status) > rank(entry.status)
            waiters = note_status(entry, status, found) if status is not None else []
            entry.looks += 1
            entry.looked_at = now
            entry.last_error, entry.failures, entry.refused_at = None, 0, None
            if applied and rose:
                self.board.push(entry, now)
            elif applied:
                self.board.push(entry, max(now, began + SHORTEST_INTERVAL))
            elif not self.board.by_list or not entry.listed:
                self.board.push(
                    entry, now + interval(now - entry.began, jitter=jitter) + self.board.pace.slow_down
                )
            return self._done(waiters + self._overdue(now) + self._call_for_alarm(now))

    def failed(self, call: Call, error: MemoramError, *, now: float, jitter: float) -> list[Waiter]:
        """Take in a call that brought nothing; answers whom to wake."""
        with self._lock:
            self._enter(now)
            self.board.under_way.pop(call, None)
            if isinstance(error, RateLimitedError):
                self.board.pace.limited(error.retry_after, now=now)
            elif meaning_of(error) is Meaning.PASSING and len(self.board.entries) > 1:
                # One request that is waited for has a pause of its own.
                self.board.pace.failed(now=now, jitter=jitter)
            if isinstance(call, Look):
                waiters = look_failed(self.board, call, error, now=now, jitter=jitter)
            else:
                waiters = page_failed(self.board, call, error, now=now, jitter=jitter)
            return self._done(waiters + self._call_for_alarm(now))

    def abandoned(self, call: Call, *, now: float) -> list[Waiter]:
        """A call was broken off, and says nothing: it is due again."""
        with self._lock:
            self._enter(now)
            if call in self.board.under_way:
                self.board.break_off(call, now)
            return self._done(self._call_for_alarm(now))

    def saw_page(
        self,
        page: ReadPage,
        answer: ListPage,
        *,
        read: Callable[[Any], Any],
        digest: Callable[[str], bytes],
        began: float,
        now: float,
        jitter: float,
    ) -> list[Waiter]:
        """Take in a page of the list; answers whom to wake.

        Args:
            page: Which.
            answer: What it has; an answer that nothing has changed has no items.
            read: Makes a request of an item; None for one that cannot be read.
            digest: Makes of a memory key what tickets hold of it.
            began: The monotonic clock when the call was made.
            now: The monotonic clock.
            jitter: A random number in [0, 1).
        """
        with self._lock:
            self._enter(now)
            self.board.under_way.pop(page, None)
            self.board.pace.answered()
            state = self.board.list
            state.readings += 1
            state.failures = 0
            if page.wait is not None:
                is_news = not answer.not_modified
                state.waits = answer.applied and (is_news or was_waited(page.wait, now - began))
            sweep = page.sweep
            sweep.under_way = False
            is_beside = state.sweep is not None and state.sweep is not sweep
            if answer.not_modified:
                state.sweep = state.sweep if is_beside else None
                for entry in self.board.entries.values():
                    if entry.listed:
                        entry.looked_at, entry.last_error = now, None
                sweep_done(
                    self.board,
                    sweep,
                    now=now,
                    jitter=jitter,
                    prompt=state.waits is True and page.wait is not None,
                )
                return self._done(self._call_for_alarm(now))
            waiters = take_items(self.board, sweep, answer.items, read=read, digest=digest, now=now)
            sweep.pages += 1
            sweep.items += answer.count
            sweep.octets += answer.octets
            if answer.total is not None and sweep.items:
                state.pages = max(state.pages, math.ceil(answer.total * sweep.pages / sweep.items))
            wanted = (
                len(self.board.entries) if not (self.board.owners and sweep.pages < state.pages) else math.inf
            )
            if is_beside:
                return self._done(waiters + self._call_for_alarm(now))
            if not sweep.goes_on(answer.next_cursor, wanted=wanted):
                state.sweep = None
                list_read(self.board, sweep, answer, now=now, jitter=jitter)
                prompt = is_to_listen(self.board, page, sweep, seconds=now - began)
                sweep_done(self.board, sweep, now=now, jitter=jitter, prompt=prompt)
            return self._done(waiters + self._overdue(now) + self._call_for_alarm(now))

    def credentials_in(self, *, now: float) -> float:
        """Seconds until credentials may be fetched; see `ApprovalBoard.credentials_in`."""
        with self._lock:
            return self.board.credentials_in(now)

    def learn_list(self, *, pages: int, octets: int, is_whole: bool) -> None:
        """What somebody who read the list for another purpose tells of it."""
        with self._lock:
            self.board.list.pages = pages if is_whole else max(self.board.list.pages, pages)
            self.board.list.octets = max(octets, 0 if is_whole else self.board.list.octets)


def _whole_seconds(left: float) -> int:
    return max(1, math.ceil(min(LONG_POLL_SECONDS, left)))
