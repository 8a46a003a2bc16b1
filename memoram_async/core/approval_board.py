"""Who waits for what: the state behind `core.approval_schedule`, and how it is kept in order."""

from __future__ import annotations

import heapq
import math

from memoram_async.core.approval_calls import Call, Entry, Look, ReadPage, Ticket
from memoram_async.core.approval_list import FEW, FEWEST_FOR_LIST, OWNERS_INTERVAL, ListState
from memoram_async.core.approval_pace import SHORTEST_INTERVAL, Pace, interval


class ApprovalBoard:
    """Those who wait, the requests that they wait for, and when each is to be looked at.

    Attributes:
        pace: What holds everybody back.
        list: What is known of the list.
        waits: Whether the service grants long polls on one request; None while that is not known.
        foreign: Applications of the same account whose requests are not this one's.
        own: This application, once it is known.
        familiar: Applications whose open requests are found by their ids, as this one's are.
        entries: The requests that somebody waits for.
        tickets: Those who wait.
        owners: Those whom any approved request for a memory key will do for, by its digest.
        under_way: Calls that are being made: until when they should have come back, and who makes them.
        by_list: Whether the list is read rather than each request.
        sweep_at: When the list is to be read next.
    """

    def __init__(self) -> None:
        self.pace = Pace()
        self.list = ListState()
        self.waits: bool | None = None
        self.foreign: set[str] = set()
        self.own: str | None = None
        self.familiar: set[str] = set()
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget all who wait; what is known of the service stays."""
        self.entries: dict[str, Entry] = {}
        self.tickets: dict[Ticket, None] = {}
        self.owners: dict[bytes, dict[Ticket, None]] = {}
        self.under_way: dict[Call, tuple[float, Ticket]] = {}
        self.looks: list[tuple[float, int, Entry]] = []
        self._pushed = 0
        self.by_list = False
        self.sweep_at = 0.0
        self.list.sweep = None

    def add(self, ticket: Ticket, *, now: float) -> None:
        """Somebody begins to wait."""
        self.tickets[ticket] = None
        ticket.joined(self.list.readings)
        known = {entry.id: entry for entry in ticket.entries}
        ticket.entries = [self.admit(ticket, each, known.get(each), now) for each in ticket.ids]
        if ticket.owner is not None:
            self.owners.setdefault(ticket.owner, {})[ticket] = None
            self.list.forget()  # what it had for others may be what this one waits for
        self.choose(now)
        unseen = [each for each in ticket.entries if each.looked_at is None or each.looked_at < ticket.began]
        if unseen:
            self.hurry(unseen, now)

    def hurry(self, unseen: list[Entry], now: float) -> None:
        """Let requests be known soon that were not looked at since somebody began to wait for them.

        A user may have decided already. Many newcomers share a reading of the list; among few, a look costs
        no more than that.
        """
        if self.by_list and len(self.entries) > FEW:
            self.hurry_sweep(now)
            return
        if self.by_list and not self.listens():
            soonest = self.soonest_sweep(now)
            self.sweep_at = min(self.sweep_at, soonest)
            if soonest <= now:
                return
        for entry in unseen:
            at = now if entry.looked_at is None else max(now, entry.looked_at + SHORTEST_INTERVAL)
            is_spared = entry.under_way or entry.failures or (self.by_list and entry.looked_at is not None)
            if at < entry.due and not is_spared:
                self.push(entry, at)

    def hurry_sweep(self, now: float) -> None:
        """Read the list for newcomers: at once now and then, and else as soon as is fair."""
        if self.list.sweep is not None and not self.stop_listening():
            return  # it may have them; whoever is not in it is thought of at its end
        at_once = self.soonest_sweep(now, at_least=0.0)
        at = self.soonest_sweep(now)
        if at_once < min(at, self.sweep_at) and self.pace.is_calm and not self.pace.hurried.delay(now):
            self.pace.hurried.take(now)
            at = at_once
        self.sweep_at = min(self.sweep_at, at)

    def stop_listening(self) -> bool:
        """Let a long poll on the list go on beside other readings; whether there was one."""
        sweep = self.list.sweep
        if not any(
            isinstance(call, ReadPage) and call.wait and call.sweep is sweep for call in self.under_way
        ):
            return False
        self.list.sweep = None
        return True

    def remove(self, ticket: Ticket, *, now: float) -> None:
        """Somebody waits no longer; a second time does nothing."""
        if ticket not in self.tickets:
            return
        del self.tickets[ticket]
        for call in [call for call, (_, maker) in self.under_way.items() if maker is ticket]:
            self.break_off(call, now)
        for entry in [self.entries[each] for each in ticket.ids if each in self.entries]:
            entry.tickets.pop(ticket, None)
            if not entry.tickets:
                self._drop(entry)
        if ticket.owner is not None:
            mine = self.owners.get(ticket.owner, {})
            mine.pop(ticket, None)
            if not mine:
                self.owners.pop(ticket.owner, None)
        self.choose(now)

    def _drop(self, entry: Entry) -> None:
        self.entries.pop(entry.id, None)
        if self.list.sweep is not None:
            self.list.sweep.seen.discard(entry.id)

    def credentials_in(self, now: float) -> float:
        """Seconds until somebody whose wait is over may fetch credentials.

        When many users approve at once these go out as slowly as looks do; among few nobody is held up.
        """
        if len(self.tickets) < FEWEST_FOR_LIST:
            return 0.0
        seconds = self.pace.fetches.delay(now)
        self.pace.fetches.take(now)  # in advance, so that each has a turn of its own
        return seconds

    def mend(self, now: float) -> None:
        """Put in order what an interrupt left half done; who waits stands, and which calls they make."""
        self.under_way = {call: by for call, by in self.under_way.items() if by[1] in self.tickets}
        self.owners = {}
        for ticket in self.tickets:
            if ticket.owner is not None:
                self.owners.setdefault(ticket.owner, {})[ticket] = None
        looked_at = {call.entry for call in self.under_way if isinstance(call, Look)}
        for entry in list(self.entries.values()):
            entry.tickets = {ticket: None for ticket in entry.tickets if ticket in self.tickets}
            if not entry.tickets:
                self._drop(entry)
            entry.under_way = entry in looked_at
            if not entry.under_way:
                self.push(entry, now)
        if self.list.sweep is not None:
            self.list.sweep.under_way = any(
                isinstance(call, ReadPage) and call.sweep is self.list.sweep for call in self.under_way
            )
        self.list.forget()
        self.by_list = False
        self.choose(now)

    def admit(self, ticket: Ticket, request_id: str, known: Entry | None, now: float) -> Entry:
        """One request of somebody's."""
        entry = self.entries.get(request_id)
        if entry is None:
            entry = known or Entry(request_id, began=ticket.began, admitted=now, due=math.inf)
            self.entries[request_id] = entry
            entry.admitted, entry.listed, entry.under_way = now, False, False
            if not self.by_list:
                at = (
                    now
                    if entry.looked_at is None
                    else entry.looked_at + interval(now - entry.began, jitter=0.5)
                )
                self.push(entry, at)
        entry.began = max(entry.began, ticket.began)
        entry.tickets[ticket] = None
        return entry

    def choose(self, now: float) -> None:
        """Change between reading the list and looking at each request, if the other is better."""
        by_list = self.list.is_better(active=len(self.entries), owners=len(self.owners), now=now)
        if by_list == self.by_list:
            return
        self.by_list = by_list
        if by_list:
            self.sweep_at = self.soonest_sweep(now)
            for entry in self.entries.values():
                if not entry.suspect:
                    entry.due = math.inf
            return
        self.sweep_at = max(
            self.sweep_at, (now if self.list.began is None else self.list.began) + OWNERS_INTERVAL
        )
        for entry in self.entries.values():
            if not entry.under_way:
                at = (
                    now
                    if entry.looked_at is None
                    else entry.looked_at + interval(now - entry.began, jitter=0.5)
                )
                self.push(entry, at)

    def soonest_sweep(self, now: float, *, at_least: float = SHORTEST_INTERVAL) -> float:
        """When the list may be read again."""
        return (
            now if self.list.began is None else max(now, self.list.began + self.list.gap(at_least=at_least))
        )

    def listens(self) -> bool:
        """Whether a long poll on the list is under way, which newcomers need not wait for."""
        return any(isinstance(call, ReadPage) and call.wait for call in self.under_way)

    def shortest_wish(self, now: float, *, jitter: float) -> float:
        """Seconds until the most impatient wants to know more."""
        youngest = max((entry.began for entry in self.entries.values()), default=now)
        # Everybody has a wish of their own, and the shortest holds: of many it is near the least possible.
        shortest = 1.0 - (1.0 - jitter) ** (1.0 / max(1, len(self.entries)))
        return max(SHORTEST_INTERVAL, interval(now - youngest, jitter=shortest))

    def push(self, entry: Entry, at: float) -> None:
        """Look at a request by itself at that moment."""
        if entry.id not in self.entries:
            return
        entry.due = at
        self._pushed += 1
        heapq.heappush(self.looks, (at, self._pushed, entry))

    def first_look(self) -> Entry | None:
        """The request whose look is due first; what is out of date is dropped."""
        looks = self.looks
        while looks:
            at, _, entry = looks[0]
            if entry.due == at and not entry.under_way and self.entries.get(entry.id) is entry:
                return entry
            heapq.heappop(looks)
        return None

    def break_off(self, call: Call, now: float) -> None:
        """Forget a call that says nothing; it is due again."""
        del self.under_way[call]
        if isinstance(call, Look):
            call.entry.under_way = False
            self.push(call.entry, now)
        elif self.list.sweep is call.sweep:
            call.sweep.under_way = False
        elif self.list.sweep is None:
            self.sweep_at = min(self.sweep_at, now)

    def forget_the_lost(self, now: float) -> None:
        """Calls whose makers vanished without a word."""
        for call in [call for call, (until, _) in self.under_way.items() if now > until]:
            self.break_off(call, now)

    def wants_sweep(self) -> bool:
        """Whether the list is to be read at all."""
        return self.by_list or bool(self.owners)

    def all_listed(self) -> bool:
        """Whether the newest list has every request that somebody waits for."""
        return all(entry.listed for entry in self.entries.values())

    def is_ours(self, connector: object) -> bool:
        """Whether a request may be this application's: the list has those of the whole account."""
        if connector is None or self.own is None:
            return connector not in self.foreign
        return connector == self.own
