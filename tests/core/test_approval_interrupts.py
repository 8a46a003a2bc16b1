"""A key press at any line of a change to the schedule: whoever comes next puts it in order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from memoram_async.core.approval_calls import Call, Look, Rest, Ticket
from memoram_async.core.approval_page import ListPage
from memoram_async.core.approval_schedule import ApprovalSchedule
from memoram_async.core.errors import RateLimitedError, ServerError
from tests.cancellation.at_each_line import interrupted, walk

if TYPE_CHECKING:
    from collections.abc import Callable

JITTER = 0.5
SOON = 20.0


class Room:
    """One who is interrupted, and others who wait, some of them for the same."""

    def __init__(self, *others: str) -> None:
        self.schedule = ApprovalSchedule()
        self.now = 0.0
        self.rests: dict[Ticket, float] = {}
        self.mine = self.join("mine", "shared")
        self.others = [self.join(each) for each in others]
        self.call: Call | None = None

    def join(self, *ids: str) -> Ticket:
        ticket = Ticket(ids, began=self.now, ends=math.inf, owner=ids[0].encode())
        ticket.waiter = ticket
        self.schedule.join(ticket, now=self.now)
        self.rests[ticket] = self.now
        return ticket

    def wake(self, waiters: list[Ticket]) -> None:
        for ticket in waiters:
            self.schedule.rang(ticket)
            self.rests[ticket] = min(self.rests.get(ticket, math.inf), self.now)

    def answered(self, call: Call, status: str) -> list[Ticket]:
        """What comes of a call."""
        if isinstance(call, Look):
            return self.schedule.saw(
                call, status, status, etag=None, applied=False, began=self.now, now=self.now, jitter=JITTER
            )
        names = {entry for ticket in (self.mine, *self.others) for entry in ticket.ids}
        items = tuple((each, status, {"id": each, "memoryKey": each}) for each in sorted(names))
        return self.schedule.saw_page(
            call,
            ListPage(items=items, count=len(items), total=len(items), octets=100),
            read=lambda item: item,
            digest=str.encode,
            began=self.now,
            now=self.now,
            jitter=JITTER,
        )

    def pass_by(self, until: float, *, status: str) -> None:
        """Let time pass, for those who rest as for those who are woken."""
        while (waiting := self.undecided()) and (at := min(self.rests[each] for each in waiting)) <= until:
            self.now = max(self.now, at)
            ticket = min(waiting, key=lambda each: self.rests[each])
            step, waiters = self.schedule.step(ticket, now=self.now, jitter=JITTER)
            self.wake(waiters)
            if isinstance(step, Rest):
                self.rests[ticket] = self.now + step.seconds
            else:
                self.wake(self.answered(step, status))

    def undecided(self) -> list[Ticket]:
        """The others who have not heard yet, and may be at it."""
        return [
            each for each in self.others if each.entries[0].status != "approved" and each.released is None
        ]

    def due(self) -> Call:
        """A call that whoever will be interrupted makes."""
        for _ in range(20):
            step, waiters = self.schedule.step(self.mine, now=self.now, jitter=JITTER)
            self.wake(waiters)
            if not isinstance(step, Rest):
                return step
            self.now += step.seconds
        raise AssertionError("nothing is due")


def _step(room: Room) -> None:
    room.schedule.step(room.mine, now=room.now, jitter=JITTER)


def _answer(room: Room) -> None:
    assert room.call is not None
    room.answered(room.call, "approved")


def _fail(room: Room) -> None:
    assert room.call is not None
    room.schedule.failed(room.call, ServerError("no", status=500), now=room.now, jitter=JITTER)


def _slow_down(room: Room) -> None:
    assert room.call is not None
    error = RateLimitedError("slow", status=429, retry_after=3)
    room.schedule.failed(room.call, error, now=room.now, jitter=JITTER)


def _break_off(room: Room) -> None:
    assert room.call is not None
    room.schedule.abandoned(room.call, now=room.now)


def _join(room: Room) -> None:
    room.schedule.leave(room.mine, now=room.now)
    room.mine = Ticket(("new", "shared"), began=room.now, ends=math.inf, owner=b"new")
    room.schedule.join(room.mine, now=room.now)


CHANGES: list[Callable[[Room], object]] = [
    _step,
    _answer,
    _fail,
    _slow_down,
    _break_off,
    _join,
    lambda room: room.schedule.wake_up(now=room.now),
    lambda room: room.schedule.leave(room.mine, now=room.now),
]
OTHERS = [("shared",), ("shared", "b"), ("shared", "b", "c", "d", "e")]


@pytest.mark.parametrize("others", OTHERS, ids=len)
@pytest.mark.parametrize(
    "change", CHANGES, ids=["step", "answer", "fail", "429", "off", "join", "wake", "leave"]
)
def test_an_interrupt_at_any_line_loses_nobody(
    change: Callable[[Room], object], others: tuple[str, ...]
) -> None:
    def step(at: int) -> str:
        room = Room(*others)
        room.pass_by(5.0, status="pending")
        if change is not _step:
            room.call = room.due()
        where = interrupted(lambda: change(room), at)
        room.wake(room.schedule.leave(room.mine, now=room.now))
        room.wake(room.schedule.leave(room.mine, now=room.now))
        room.pass_by(room.now + SOON, status="approved")
        assert room.undecided() == [], where
        board = room.schedule.board
        assert set(board.tickets) == {*room.others}, where
        for ticket in room.others:
            room.wake(room.schedule.leave(ticket, now=room.now))
        assert (board.entries, board.owners, board.under_way) == ({}, {}, {}), where
        return where

    assert walk(step) > 5
