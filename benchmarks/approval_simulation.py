"""Users who decide, a service that lists, and the SDK's real schedule in between, on a virtual clock.

Discrete events: nothing is sent and nobody sleeps, so ten minutes with ten thousand waiting users take
seconds. What is simulated is the service (one answer half a round trip after it was asked, pages, entity
tags, long polls) and the callers, who do as `memoram_async.approvals.ApprovalHub` does.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import attrs

from memoram_async.core.approval_calls import Call, Look, ReadPage, Rest, Ticket
from memoram_async.core.approval_page import ListPage
from memoram_async.core.approval_schedule import ApprovalSchedule

if TYPE_CHECKING:
    from collections.abc import Callable

ROUND_TRIP: Final = 0.05
TIMEOUT: Final = 600.0
ITEM_OCTETS: Final = 350
SIGMA: Final = 1.1


@attrs.frozen(kw_only=True)
class Situation:
    """What is simulated.

    Attributes:
        waiters: Users whose decisions somebody waits for, a request each.
        page: Requests to a page of the list; None for all on one.
        others: Requests in the list that nobody waits for.
        long_polls: Whether the service grants them, and names versions.
        deciding: The share of users who decide at all.
        median: Seconds until half of those have decided; lognormal, with a sigma of 1.1.
        spread: Seconds over which the waits begin.
    """

    waiters: int
    page: int | None = None
    others: int = 0
    long_polls: bool = False
    deciding: float = 0.0
    median: float = 60.0
    spread: float = 0.0


@attrs.frozen(kw_only=True)
class Result:
    """What came of it.

    Attributes:
        calls: Requests that were sent.
        peak: The most in one second.
        latencies: Seconds from each decision until its waiter knew, ascending.
    """

    calls: int
    peak: int
    latencies: list[float] = attrs.field(repr=False)

    def latency(self, share: float) -> float:
        """The latency that this share of the waiters did not exceed."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


class Simulation:
    """One run of a situation."""

    def __init__(self, situation: Situation, *, seed: int = 1) -> None:
        self._situation = situation
        self._random = random.Random(seed)  # noqa: S311 - a simulation
        self._schedule = ApprovalSchedule()
        self._now = 0.0
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = 0
        self._sent: list[float] = []
        self._latencies: list[float] = []
        self._turns: dict[Ticket, int] = {}
        self._resting: set[Ticket] = set()
        self._parked: list[tuple[Ticket, Call, float]] = []
        ids = [f"request-{number}" for number in range(situation.waiters)]
        self._list = [f"other-{number}" for number in range(situation.others)] + ids
        self._decided: dict[str, float] = {}
        for number, request_id in enumerate(ids):
            begin = situation.spread * number / situation.waiters
            if self._random.random() < situation.deciding:
                delay = self._random.lognormvariate(math.log(situation.median), SIGMA)
                self._decided[request_id] = begin + delay
                self._at(begin + delay, self._news)
            self._at(begin, self._begin, request_id)

    def run(self) -> Result:
        """From the first wait to the end of the last."""
        while self._events:
            self._now, _, event, arguments = heapq.heappop(self._events)
            event(*arguments)
        return Result(
            calls=len(self._sent),
            peak=max(Counter(int(moment) for moment in self._sent).values()),
            latencies=sorted(self._latencies),
        )

    def _at(self, moment: float, event: Callable[..., None], *arguments: Any) -> None:
        self._numbers += 1
        heapq.heappush(self._events, (moment, self._numbers, event, arguments))

    # --- callers -------------------------------------------------------------------------------

    def _begin(self, request_id: str) -> None:
        ticket = Ticket((request_id,), began=self._now, ends=self._now + TIMEOUT)
        ticket.waiter = ticket
        self._turns[ticket] = 0
        self._schedule.join(ticket, now=self._now)
        self._at(self._now, self._turn, ticket)
        self._at(ticket.ends, self._end, ticket)

    def _end(self, ticket: Ticket) -> None:
        if ticket in self._turns:
            self._leave(ticket)

    def _leave(self, ticket: Ticket) -> None:
        del self._turns[ticket]
        self._resting.discard(ticket)
        self._wake(self._schedule.leave(ticket, now=self._now))

    def _wake(self, waiters: list[Any]) -> None:
        for ticket in waiters:
            self._schedule.rang(ticket)
            if ticket in self._resting:
                self._resting.discard(ticket)
                self._at(self._now, self._turn, ticket)

    def _turn(self, ticket: Ticket) -> None:
        if ticket not in self._turns:
            return
        (entry,) = ticket.entries
        if entry.status == "approved":
            self._latencies.append(self._now - self._decided[entry.id])
            self._leave(ticket)
            return
        step, waiters = self._schedule.step(ticket, now=self._now, jitter=self._random.random())
        self._turns[ticket] += 1
        self._wake(waiters)
        if isinstance(step, Rest):
            self._resting.add(ticket)
            self._at(self._now + step.seconds, self._rested, ticket, self._turns[ticket])
        else:
            self._sent.append(self._now)
            self._at(self._now + ROUND_TRIP / 2, self._serve, ticket, step, self._now)

    def _rested(self, ticket: Ticket, turn: int) -> None:
        if ticket in self._resting and self._turns[ticket] == turn:
            self._resting.discard(ticket)
            self._turn(ticket)

    # --- the service ---------------------------------------------------------------------------

    def _status(self, request_id: str) -> str:
        return "approved" if self._decided.get(request_id, math.inf) <= self._now else "pending"

    def _version(self) -> str:
        return str(sum(moment <= self._now for moment in self._decided.values()))

    def _serve(self, ticket: Ticket, call: Call, began: float) -> None:
        if self._situation.long_polls and call.wait and not self._is_news(call):
            self._parked.append((ticket, call, began))
            self._at(self._now + call.wait, self._patience_ends, call)
        else:
            self._answer(ticket, call, began)

    def _is_news(self, call: Call) -> bool:
        if isinstance(call, Look):
            return self._status(call.entry.id) != "pending"
        return call.etag != self._version()

    def _news(self) -> None:
        for parked in [parked for parked in self._parked if self._is_news(parked[1])]:
            self._parked.remove(parked)
            self._answer(*parked)

    def _patience_ends(self, call: Call) -> None:
        for parked in [parked for parked in self._parked if parked[1] is call]:
            self._parked.remove(parked)
            self._answer(*parked)

    def _answer(self, ticket: Ticket, call: Call, began: float) -> None:
        answer = self._status(call.entry.id) if isinstance(call, Look) else self._page(call)
        self._at(self._now + ROUND_TRIP / 2, self._back, ticket, call, began, answer)

    def _page(self, call: ReadPage) -> ListPage:
        applied = self._situation.long_polls and call.wait is not None
        etag = self._version() if self._situation.long_polls else None
        if etag is not None and call.etag == etag:
            return ListPage(applied=applied, not_modified=True)
        begin = int(call.cursor or 0)
        end = begin + (self._situation.page or len(self._list))
        ids = self._list[begin:end]
        return ListPage(
            items=tuple((each, self._status(each), {"id": each}) for each in ids),
            count=len(ids),
            total=len(self._list),
            next_cursor=str(end) if end < len(self._list) else None,
            octets=len(ids) * ITEM_OCTETS,
            etag=etag,
            applied=applied,
        )

    def _back(self, ticket: Ticket, call: Call, began: float, answer: Any) -> None:
        if isinstance(call, Look):
            waiters = self._schedule.saw(
                call,
                answer,
                answer,
                etag=None,
                applied=self._situation.long_polls and call.wait is not None,
                began=began,
                now=self._now,
                jitter=self._random.random(),
            )
        else:
            waiters = self._schedule.saw_page(
                call,
                answer,
                read=lambda item: item,
                digest=str.encode,
                began=began,
                now=self._now,
                jitter=self._random.random(),
            )
        self._wake(waiters)
        self._turn(ticket)
