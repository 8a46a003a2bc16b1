"""Who asks about whom, and when: the schedule of all who wait, without a service and without a clock."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from memoram_async.core.approval_calls import Call, Look, ReadPage, Rest, Ticket
from memoram_async.core.approval_page import ListPage, read_list_page
from memoram_async.core.approval_schedule import GRACE, ApprovalSchedule
from memoram_async.core.errors import (
    APIConnectionError,
    APIResponseError,
    AuthenticationError,
    ConflictError,
    MemoramError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
)

HALF = 0.5


class Scene:
    """One schedule, driven by hand."""

    def __init__(self) -> None:
        self.schedule = ApprovalSchedule()
        self.now = 0.0

    def join(self, *ids: str, owner: bytes | None = None, seconds: float = 600.0) -> Ticket:
        ticket = Ticket(ids, began=self.now, ends=self.now + seconds, owner=owner)
        ticket.waiter = ticket
        self.schedule.join(ticket, now=self.now)
        return ticket

    def step(self, ticket: Ticket) -> Call | Rest:
        step, waiters = self.schedule.step(ticket, now=self.now, jitter=HALF)
        self.woken(waiters)
        return step

    def call(self, ticket: Ticket) -> Call:
        """The call that is due next, as late as it is."""
        for _ in range(20):
            step = self.step(ticket)
            if not isinstance(step, Rest):
                return step
            self.now += step.seconds
        raise AssertionError("nothing is due")

    def look(self, ticket: Ticket) -> Look:
        call = self.call(ticket)
        assert isinstance(call, Look)
        return call

    def page(self, ticket: Ticket) -> ReadPage:
        call = self.call(ticket)
        assert isinstance(call, ReadPage)
        return call

    def saw(self, look: Call, status: str | None, **changes: Any) -> list[Any]:
        assert isinstance(look, Look)
        options: dict[str, Any] = {"etag": None, "applied": False, "began": self.now, **changes}
        return self.woken(self.schedule.saw(look, status, status, now=self.now, jitter=HALF, **options))

    def failed(self, call: Call, error: MemoramError) -> list[Any]:
        return self.woken(self.schedule.failed(call, error, now=self.now, jitter=HALF))

    def leave(self, ticket: Ticket) -> list[Any]:
        return self.woken(self.schedule.leave(ticket, now=self.now))

    def woken(self, waiters: list[Any]) -> list[Any]:
        for waiter in waiters:
            self.schedule.rang(waiter)
        return waiters

    def listed(self, page: Call, *items: tuple[str, str], **changes: Any) -> list[Any]:
        assert isinstance(page, ReadPage)
        body = [{"id": each, "status": status, "memoryKey": f"key of {each}"} for each, status in items]
        answer = read_list_page({"items": body, **changes}, octets=1000, etag=None, applied=False)
        assert answer is not None
        return self.taken(page, answer)

    def taken(self, page: ReadPage, answer: ListPage, *, took: float = 0.0) -> list[Any]:
        return self.woken(
            self.schedule.saw_page(
                page,
                answer,
                read=lambda item: None if "odd" in item["id"] else item,
                digest=str.encode,
                began=self.now - took,
                now=self.now,
                jitter=HALF,
            )
        )


# --- one request -------------------------------------------------------------------------------


def test_the_first_look_comes_at_once() -> None:
    scene = Scene()
    assert isinstance(scene.step(scene.join("a")), Look)


def test_looks_grow_rarer_from_2_to_15_seconds() -> None:
    scene = Scene()
    ticket = scene.join("a")
    moments: list[float] = []
    while scene.now < 600:
        scene.saw(scene.look(ticket), "pending")
        moments.append(scene.now)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps[0] == pytest.approx(2)
    assert gaps[-1] == pytest.approx(15)
    assert all(later >= earlier - 1e-6 for earlier, later in pairwise(gaps))
    assert ticket.polls(0) == len(moments) <= 65


def test_a_status_that_is_new_wakes_those_who_wait_for_it() -> None:
    scene = Scene()
    first, second, other = scene.join("a"), scene.join("a"), scene.join("b")
    assert scene.saw(scene.look(first), "approved") == [first, second]
    assert first.entries[0].status == "approved"
    assert other.entries[0].status is None


def test_a_request_that_was_decided_is_never_pending_again() -> None:
    scene = Scene()
    ticket = scene.join("a")
    scene.saw(scene.look(ticket), "approved")
    assert scene.saw(scene.look(ticket), "pending") == []
    assert ticket.entries[0].status == "approved"


def test_who_comes_later_does_not_wait_as_long_as_those_who_are_used_to_it() -> None:
    scene = Scene()
    first = scene.join("a")
    while scene.now < 300:
        scene.saw(scene.look(first), "pending")
    scene.now += 5
    second = scene.join("a")
    assert isinstance(scene.step(second), Look)


def test_many_who_come_for_one_request_ask_no_oftener_than_one() -> None:
    scene = Scene()
    ticket, moments = scene.join("a"), list[float]()
    while scene.now < 20:
        scene.join("a")
        step = scene.step(ticket)
        if isinstance(step, Look):
            moments.append(scene.now)
            scene.saw(step, "pending")
        scene.now += 0.5
    assert min(later - earlier for earlier, later in pairwise(moments)) >= 2


def test_who_comes_for_a_request_that_fails_does_not_ask_sooner() -> None:
    scene = Scene()
    ticket = scene.join("a")
    for _ in range(5):
        scene.failed(scene.look(ticket), ServerError("no", status=500))
    scene.now += 3
    assert isinstance(scene.step(scene.join("a")), Rest)


def test_one_call_at_a_time_is_made_about_one_request() -> None:
    scene = Scene()
    first, second = scene.join("a"), scene.join("a")
    assert isinstance(scene.step(first), Look)
    assert isinstance(scene.step(second), Rest)


def test_a_version_that_is_known_is_no_change() -> None:
    scene = Scene()
    ticket = scene.join("a")
    scene.saw(scene.look(ticket), "pending", etag="v1")
    assert ticket.entries[0].etag == "v1"
    assert scene.saw(scene.look(ticket), None, etag="v1") == []
    assert ticket.entries[0].status == "pending"


# --- long polls --------------------------------------------------------------------------------


def test_a_long_poll_is_tried_and_kept_where_it_is_granted() -> None:
    scene = Scene()
    ticket = scene.join("a")
    first = scene.look(ticket)
    assert first.wait is None  # what stands is to be known at once
    scene.saw(first, "pending")
    second = scene.look(ticket)
    assert second.wait == 25
    began = scene.now
    scene.now += 25
    scene.saw(second, "pending", applied=True, began=began)
    third = scene.step(ticket)
    assert isinstance(third, Look)
    assert third.wait == 25


@pytest.mark.parametrize(("applied", "took"), [(False, 0.0), (True, 1.0)])
def test_a_long_poll_that_is_not_granted_is_not_tried_again(applied: bool, took: float) -> None:
    scene = Scene()
    ticket = scene.join("a")
    scene.saw(scene.look(ticket), "pending")
    look = scene.look(ticket)
    scene.saw(look, "pending", applied=applied, began=scene.now - took)
    assert scene.look(ticket).wait is None


def test_a_long_poll_that_fails_is_not_tried_again() -> None:
    scene = Scene()
    ticket = scene.join("a")
    scene.saw(scene.look(ticket), "pending")
    scene.failed(scene.look(ticket), APIConnectionError("cut", sent=True))
    assert scene.look(ticket).wait is None


def test_a_long_poll_is_no_longer_than_what_is_left() -> None:
    scene = Scene()
    ticket = scene.join("a", seconds=7.5)
    scene.saw(scene.look(ticket), "pending")
    assert scene.look(ticket).wait == 6


# --- trouble -----------------------------------------------------------------------------------

PASSING = [
    APIConnectionError("gone", sent=True),
    APIResponseError("not JSON", status=200),
    ServerError("no", status=500),
    ServerError("no", status=501),
]


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_may_pass_is_never_final(error: MemoramError) -> None:
    scene = Scene()
    ticket = scene.join("a")
    woken = [scene.failed(scene.look(ticket), error) for _ in range(30)]
    assert ticket.entries[0].failure is None
    assert [bool(waiters) for waiters in woken].index(True) == 2  # the third tells of it
    assert type(ticket.entries[0].last_error) is type(error)
    assert scene.saw(scene.look(ticket), "approved") == [ticket]
    assert ticket.entries[0].last_error is None


REFUSING = [
    PermissionDeniedError("no", status=403),
    ConflictError("no", status=409),
    NotFoundError("no", status=404),
]


@pytest.mark.parametrize("error", REFUSING, ids=repr)
def test_a_refusal_has_to_come_twice(error: MemoramError) -> None:
    scene = Scene()
    ticket = scene.join("a")
    scene.now = 20
    scene.failed(scene.look(ticket), error)
    scene.saw(scene.look(ticket), "pending")
    scene.failed(scene.look(ticket), error)
    assert ticket.entries[0].failure is None
    assert scene.failed(scene.look(ticket), error) == [ticket]
    assert isinstance(ticket.entries[0].failure, type(error))


def test_a_request_that_was_just_made_may_be_unknown_for_10_seconds() -> None:
    scene = Scene()
    ticket = scene.join("a")
    while ticket.entries[0].failure is None:
        scene.failed(scene.look(ticket), NotFoundError("no", status=404))
    assert 10 < scene.now <= 14


def test_a_refused_key_is_final() -> None:
    scene = Scene()
    ticket = scene.join("a")
    assert scene.failed(scene.look(ticket), AuthenticationError("no", status=401)) == [ticket]
    assert isinstance(ticket.entries[0].failure, AuthenticationError)


@pytest.mark.parametrize(("asked", "pause"), [(30.0, 30.0), (1000.0, 300.0), (0.0, 2.0), (None, 7.0)])
def test_nobody_asks_before_a_limit_allows_it(asked: float | None, pause: float) -> None:
    scene = Scene()
    first, second = scene.join("a"), scene.join("b")
    scene.failed(scene.look(first), RateLimitedError("slow", status=429, retry_after=asked))
    step = scene.step(second)
    assert isinstance(step, Rest)
    assert step.seconds == pytest.approx(min(pause, 120))


def test_a_slow_down_without_a_number_wears_off() -> None:
    scene = Scene()
    ticket = scene.join("a")
    scene.failed(scene.look(ticket), RateLimitedError("slow", status=429))
    assert scene.schedule.board.pace.slow_down == 5
    for _ in range(6):
        scene.saw(scene.look(ticket), "pending")
    assert scene.schedule.board.pace.slow_down == 0


def test_a_service_that_is_down_is_not_hammered_by_many() -> None:
    scene = Scene()
    tickets = [scene.join(f"request {number}") for number in range(2)]
    calls = 0
    while scene.now < 600:
        scene.failed(scene.call(tickets[calls % 2]), ServerError("down", status=503))
        calls += 1
    assert calls <= 120


def test_one_that_fails_holds_up_nobody_else() -> None:
    scene = Scene()
    bad, good = scene.join("bad"), scene.join("good")
    seen = 0
    while scene.now < 60:
        look = scene.look(good)
        if look.entry.id == "bad":
            scene.failed(look, ServerError("no", status=500))
        else:
            scene.saw(look, "pending")
            seen += 1
    assert seen >= 12
    assert bad.entries[0].failure is None


# --- many --------------------------------------------------------------------------------------


def test_three_are_followed_by_the_list() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    page = scene.page(tickets[0])
    assert scene.listed(page, ("a", "pending"), ("b", "approved"), ("c", "pending"), total=3) == tickets
    scene.listed(scene.page(tickets[0]), ("a", "approved"), ("b", "approved"), ("c", "pending"), total=3)
    assert [ticket.entries[0].status for ticket in tickets] == ["approved", "approved", "pending"]


def test_a_newcomer_among_few_is_looked_at_though_the_list_was_only_just_read() -> None:
    scene = Scene()
    for name in "ab":
        ticket = scene.join(name, owner=b"key")
        call = scene.step(ticket)
        assert isinstance(call, ReadPage if name == "a" else Look)
        scene.listed(call, (name, "approved")) if name == "a" else scene.saw(call, "approved")
        scene.leave(ticket)
    assert scene.now == 0


def test_who_comes_to_wait_for_what_others_follow_changes_nothing() -> None:
    scene = Scene()
    early = [scene.join(each) for each in "abc"]
    scene.listed(scene.page(early[0]), *((each, "pending") for each in "abc"), total=3)
    assert isinstance(scene.step(scene.join("a")), Rest)


def test_what_the_list_leaves_out_is_looked_at() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    scene.listed(scene.page(tickets[0]), ("a", "pending"), ("b", "pending"), total=2)
    assert scene.look(tickets[0]).entry.id == "c"


def test_a_list_that_leaves_out_most_is_left_alone_for_a_while() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    scene.listed(scene.page(tickets[0]), ("a", "pending"), total=100)
    began = scene.now
    while isinstance(call := scene.call(tickets[0]), Look):
        scene.saw(call, "pending")
    assert 39 <= scene.now - began <= 60


def test_a_verdict_of_the_list_is_confirmed_by_a_look() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    page = scene.page(tickets[0])
    scene.listed(page, ("a", "rejected"), ("b", "revoked"), ("c", "pending"), total=3)
    assert tickets[0].entries[0].status is None
    look = scene.step(tickets[0])
    assert isinstance(look, Look)
    assert look.entry.id == "a"
    scene.saw(look, "pending")
    assert tickets[0].entries[0].status == "pending"
    look = scene.step(tickets[1])
    scene.saw(look, "revoked") if isinstance(look, Look) else None
    assert tickets[1].entries[0].status == "revoked"


def test_an_odd_item_spoils_nobody_elses_wait() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in ("a", "b", "odd")]
    body: dict[str, list[Any]] = {
        "items": [7, None, {"id": []}, {"id": "a", "status": 5}, {"id": "b", "status": "approved"}]
    }
    answer = read_list_page(body, octets=1, etag=None, applied=False)
    assert answer is not None
    assert answer.count == 5
    scene.taken(scene.page(tickets[0]), answer)
    assert tickets[1].entries[0].status == "approved"


def test_an_approval_that_cannot_be_read_in_the_list_is_looked_at() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in ("a", "b", "odd")]
    scene.listed(scene.page(tickets[0]), ("a", "pending"), ("b", "pending"), ("odd", "approved"), total=3)
    assert scene.look(tickets[0]).entry.id == "odd"


def test_pages_are_read_until_all_are_found() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abcdef"]
    first = scene.page(tickets[0])
    scene.listed(first, ("a", "pending"), ("b", "pending"), ("c", "pending"), next_cursor="2", total=6)
    second = scene.page(tickets[0])
    assert (second.cursor, second.number) == ("2", 2)
    scene.listed(second, ("d", "pending"), ("e", "pending"), ("f", "approved"), next_cursor="3", total=6)
    assert tickets[5].entries[0].status == "approved"
    assert scene.schedule.board.list.sweep is None


def test_a_circle_of_pages_ends() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abcdef"]
    for _ in range(2):
        scene.listed(scene.page(tickets[0]), ("a", "pending"), next_cursor="2")
    assert scene.schedule.board.list.sweep is None


def test_a_list_that_fails_again_and_again_is_replaced_by_looks() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    for _ in range(3):
        scene.failed(scene.page(tickets[0]), ServerError("no", status=500))
    assert isinstance(scene.call(tickets[0]), Look)


@pytest.mark.parametrize("status", [403, 405])
def test_a_list_that_is_refused_is_replaced_by_looks(status: int) -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    scene.failed(scene.page(tickets[0]), PermissionDeniedError("no", status=status))
    assert isinstance(scene.call(tickets[0]), Look)


def test_a_list_that_has_not_changed_costs_no_reading() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    items = tuple((each, "pending", {"id": each}) for each in "abc")
    scene.taken(scene.page(tickets[0]), ListPage(items=items, count=3, total=3, octets=9, etag="v1"))
    second = scene.page(tickets[0])
    assert (second.etag, second.wait) == ("v1", 25)
    scene.now += 25
    scene.taken(second, ListPage(not_modified=True, applied=True), took=25)
    third = scene.step(tickets[0])
    assert isinstance(third, ReadPage)
    assert third.wait == 25


def test_content_that_is_known_is_not_read_again_where_versions_have_no_names() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    items = tuple((each, "pending", {"id": each}) for each in "abc")
    scene.taken(scene.page(tickets[0]), ListPage(items=items, count=3, total=3, octets=9, digest=b"v1"))
    second = scene.page(tickets[0])
    assert (second.etag, second.digest, second.wait) == (None, b"v1", None)
    scene.failed(second, RateLimitedError("slow", status=429, retry_after=3))
    third = scene.page(tickets[0])
    scene.taken(third, ListPage(not_modified=True))
    assert [ticket.entries[0].last_error for ticket in tickets] == [None] * 3
    scene.saw(scene.look(scene.join("new")), "pending")
    assert scene.page(tickets[0]).digest is None


def test_whoever_waits_for_another_request_reads_a_known_list_once_more() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    items = tuple((each, "pending", {"id": each}) for each in "abc")
    scene.taken(scene.page(tickets[0]), ListPage(items=items, count=3, total=3, octets=9, digest=b"v1"))
    late = scene.join("a", owner=b"key of other")
    page = scene.page(tickets[0])
    assert page.digest is None
    scene.listed(page, *((each, "pending") for each in "abc"), ("other", "approved"), total=4)
    assert late.released["id"] == "other"


def test_a_newcomer_is_looked_at_while_a_long_poll_is_under_way() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    items = tuple((each, "pending", {"id": each}) for each in "abc")
    scene.taken(scene.page(tickets[0]), ListPage(items=items, count=3, total=3, octets=9, etag="v1"))
    assert scene.page(tickets[0]).wait == 25
    look = scene.step(scene.join("new"))
    assert isinstance(look, Look)
    assert look.entry.id == "new"


# --- any request for a memory key --------------------------------------------------------------


def test_any_approved_request_for_the_memory_key_will_do() -> None:
    scene = Scene()
    ticket = scene.join("mine", owner=b"key of other")
    page = scene.page(ticket)
    assert scene.listed(page, ("mine", "pending"), ("other", "approved")) == [ticket, ticket]
    assert ticket.released["id"] == "other"


def test_the_request_of_another_application_will_not_do() -> None:
    scene = Scene()
    scene.schedule.board.foreign.add("theirs")
    ticket = scene.join("mine", owner=b"key")
    body = {"items": [{"id": "x", "status": "approved", "memoryKey": "key", "aiConnectorId": "theirs"}]}
    answer = read_list_page(body, octets=1, etag=None, applied=False)
    assert answer is not None
    scene.taken(scene.page(ticket), answer)
    assert ticket.released is None
    assert scene.schedule.board.is_ours("ours")
    scene.schedule.board.own = "mine"
    assert not scene.schedule.board.is_ours("ours")


def test_without_a_list_of_one_page_it_is_read_once_a_minute() -> None:
    scene = Scene()
    scene.schedule.learn_list(pages=50, octets=10_000, is_whole=True)
    ticket = scene.join("mine", owner=b"key")
    readings: list[float] = []
    while scene.now < 300:
        call = scene.call(ticket)
        if isinstance(call, ReadPage):
            readings.append(scene.now)
            scene.listed(call, ("mine", "pending"), total=5000)
        else:
            scene.saw(call, "pending")
    assert [later - earlier >= 60 for earlier, later in pairwise(readings)] == [True] * (len(readings) - 1)
    assert 4 <= len(readings) <= 6


# --- who does it -------------------------------------------------------------------------------


def test_who_leaves_in_the_middle_of_a_call_hands_it_over() -> None:
    scene = Scene()
    first, second = scene.join("a"), scene.join("b")
    assert isinstance(scene.step(first), Look)
    assert isinstance(scene.step(second), Look)
    third = scene.join("b")
    assert isinstance(scene.step(third), Rest)
    assert scene.leave(second) == [third]
    look = scene.step(third)
    assert isinstance(look, Look)
    assert look.entry.id == "b"


def test_a_call_that_was_broken_off_is_due_again() -> None:
    scene = Scene()
    ticket = scene.join("a")
    look = scene.look(ticket)
    scene.schedule.abandoned(look, now=scene.now)
    scene.schedule.abandoned(look, now=scene.now)
    assert isinstance(scene.step(ticket), Look)


def test_a_page_that_was_broken_off_is_due_again() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    scene.schedule.abandoned(scene.page(tickets[0]), now=scene.now)
    assert isinstance(scene.call(tickets[1]), ReadPage)


def test_a_caller_that_vanished_is_taken_over_after_a_while() -> None:
    scene = Scene()
    first, second = scene.join("a"), scene.join("a")
    assert isinstance(scene.step(first), Look)
    scene.now += 10 + GRACE + 1
    assert isinstance(scene.step(second), Look)


def test_one_keeps_the_alarm_and_the_others_rest() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    scene.listed(scene.page(tickets[0]), *((each, "pending") for each in "abc"), total=3)
    alarm, other = scene.step(tickets[0]), scene.step(tickets[1])
    assert isinstance(alarm, Rest)
    assert isinstance(other, Rest)
    assert alarm.seconds < 3
    assert other.seconds > 60
    assert scene.leave(tickets[0]) == [tickets[1]]


def test_leaving_twice_does_nothing() -> None:
    scene = Scene()
    ticket = scene.join("a")
    scene.leave(ticket)
    assert scene.leave(ticket) == []


def test_at_most_eight_calls_are_under_way() -> None:
    scene = Scene()
    scene.schedule.learn_list(pages=100, octets=1, is_whole=True)
    tickets = [scene.join(f"request {number}") for number in range(20)]
    steps = [scene.step(ticket) for ticket in tickets]
    assert sum(isinstance(step, Look) for step in steps) == 8


def test_another_event_loop_or_a_fork_begins_anew() -> None:
    scene = Scene()
    scene.schedule.settle("here")
    ticket = scene.join("a")
    scene.step(ticket)
    scene.schedule.settle("here")
    assert scene.schedule.board.entries
    scene.schedule.settle("there")
    assert not scene.schedule.board.entries
    scene.join("a")
    scene.schedule.after_fork()
    assert not scene.schedule.board.entries


def test_a_machine_that_was_asleep_asks_at_once() -> None:
    scene = Scene()
    ticket = scene.join("a")
    scene.failed(scene.look(ticket), RateLimitedError("slow", status=429, retry_after=300))
    assert isinstance(scene.step(ticket), Rest)
    scene.schedule.wake_up(now=scene.now)
    scene.look(ticket)
    assert scene.now < 1


def test_what_is_no_list_is_none() -> None:
    assert read_list_page([], octets=1, etag=None, applied=False) is None
    assert read_list_page({"items": {}}, octets=1, etag=None, applied=False) is None


def test_next_poll_says_when() -> None:
    scene = Scene()
    ticket = scene.join("a")
    scene.saw(scene.look(ticket), "pending")
    assert scene.schedule.next_poll(ticket, now=scene.now) == pytest.approx(2)
