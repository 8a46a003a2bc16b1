"""Those who begin to wait while others are waiting already: how soon they know, and what that costs."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from memoram_async.core.approval_calls import Look, ReadPage, Rest, Ticket
from memoram_async.core.approval_page import ListPage
from memoram_async.core.errors import APIConnectionError, RateLimitedError
from tests.core.test_approval_schedule import Scene

if TYPE_CHECKING:
    from collections.abc import Iterable


def answer(names: Iterable[str], *, etag: str | None = None, cursor: str | None = None) -> ListPage:
    """A page that has these, undecided."""
    items = tuple((each, "pending", {"id": each}) for each in names)
    return ListPage(items=items, count=len(items), total=None, octets=9, etag=etag, next_cursor=cursor)


def followed(scene: Scene, names: str, *, etag: str | None = None) -> list[Ticket]:
    """Those wait, and their list was just read."""
    tickets = [scene.join(each) for each in names]
    scene.taken(scene.page(tickets[0]), answer(names, etag=etag))
    return tickets


def listening(scene: Scene, names: str = "abcde") -> tuple[list[Ticket], ReadPage]:
    """Those wait, and a long poll on their list is under way."""
    tickets = followed(scene, names, etag="v1")
    page = scene.page(tickets[0])
    assert page.wait == 25
    return tickets, page


def test_newcomers_among_many_share_a_reading_at_once() -> None:
    scene = Scene()
    followed(scene, "abcd")
    late = [scene.join(each) for each in "efghij"]
    page = scene.page(late[0])
    assert scene.now == pytest.approx(0.2)  # what the bucket of pages allows
    scene.taken(page, answer("abcdefghij"))
    assert [ticket.entries[0].status for ticket in late] == ["pending"] * 6


def test_newcomers_who_keep_coming_have_the_list_read_hardly_oftener() -> None:
    scene = Scene()
    (first, *_), names, moments = followed(scene, "abcde"), "abcde", list[float]()
    for number in range(600):
        scene.join(f"n{number}")
        step = scene.step(first)
        if isinstance(step, ReadPage):
            moments.append(scene.now)
            scene.taken(step, answer([*names, *(f"n{each}" for each in range(number + 1))]))
        scene.now += 0.1
    assert len(moments) <= 60 / 2 + 60 / 10 + 2
    assert min(later - earlier for earlier, later in pairwise(moments)) > 0.19


def test_nobody_is_hurried_where_the_service_wants_to_be_asked_less() -> None:
    scene = Scene()
    first = scene.join("a")
    scene.failed(scene.look(first), RateLimitedError("slow", status=429, retry_after=2))
    early = [first, *(scene.join(each) for each in "bcdef")]
    scene.taken(scene.page(first), answer("abcdef"))
    began = scene.now
    late = scene.join("g")
    scene.page(late)
    assert scene.now - began >= 2
    assert len(early) == 6


def test_who_comes_during_a_reading_is_not_taken_for_absent() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abcdef"]
    page = scene.page(tickets[0])
    scene.now += 0.1
    late = [scene.join(f"late{each}") for each in range(20)]
    scene.taken(page, answer("abcdef"), took=0.1)
    assert isinstance(scene.step(late[0]), Rest)  # no looks, and the list is not given up
    page = scene.page(late[0])
    assert scene.now == pytest.approx(0.2)
    scene.taken(page, answer(["a", "b", "c", "d", "e", "f", *(f"late{each}" for each in range(20))]))
    assert all(ticket.entries[0].status == "pending" for ticket in late)


def test_who_is_still_left_out_by_the_next_reading_is_looked_at() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abcdef"]
    page = scene.page(tickets[0])
    scene.now += 0.1
    late = scene.join("late")
    scene.taken(page, answer("abcdef"), took=0.1)
    scene.taken(scene.page(late), answer("abcdef"))
    assert scene.look(late).entry.id == "late"


def test_a_request_that_the_list_has_is_looked_at_no_more_by_itself() -> None:
    scene = Scene()
    first = scene.join("a")
    second = scene.join("b")
    looks = [scene.look(first), scene.look(second)]
    third = scene.join("c")
    page = scene.page(third)
    fourth = scene.join("d")
    looks.append(scene.look(fourth))
    for look in looks:
        scene.saw(look, "pending")
    scene.taken(page, answer("abcd"))
    assert all(isinstance(scene.step(ticket), Rest) for ticket in (first, second, third, fourth))
    scene.page(first)
    assert scene.now == pytest.approx(2)
    assert [entry.due for entry in scene.schedule.board.entries.values()] == [math.inf] * 4


# --- while a long poll is under way ------------------------------------------------------------


def test_many_newcomers_share_a_reading_beside_a_long_poll() -> None:
    scene = Scene()
    tickets, poll = listening(scene)
    scene.now += 5
    late = [scene.join(f"late{each}") for each in range(30)]
    page = scene.step(late[0])
    assert isinstance(page, ReadPage)
    assert page.wait is None
    assert all(isinstance(scene.step(ticket), Rest) for ticket in late[1:])
    everybody = ["a", "b", "c", "d", "e", *(f"late{each}" for each in range(30))]
    scene.taken(page, answer(everybody, etag="v2"))
    assert all(ticket.entries[0].status == "pending" for ticket in late)

    scene.now += 10
    assert isinstance(scene.step(late[0]), Rest)  # one long poll is enough
    scene.taken(poll, ListPage(not_modified=True, applied=True), took=25)
    following = scene.page(tickets[0])
    assert (following.etag, following.wait) == ("v2", 25)


def test_a_long_poll_that_ends_while_newcomers_are_read_takes_nothing_from_them() -> None:
    scene = Scene()
    tickets, poll = listening(scene)
    scene.now += 5
    late = [scene.join(f"late{each}") for each in range(3)]
    page = scene.page(late[0])
    decided = ListPage(items=(("a", "approved", {"id": "a"}),), count=1, octets=9, etag="v2", applied=True)
    assert scene.taken(poll, decided, took=5) == [tickets[0]]
    everybody = ["a", "b", "c", "d", "e", *(f"late{each}" for each in range(3))]
    scene.taken(page, answer(everybody, etag="v2"))
    assert tickets[0].entries[0].status == "approved"
    assert all(ticket.entries[0].status == "pending" for ticket in late)
    assert scene.page(late[0]).wait == 25


def test_an_unchanged_list_that_is_heard_of_while_newcomers_are_read_ends_no_reading() -> None:
    scene = Scene()
    _, poll = listening(scene)
    scene.now += 5
    late = scene.join("late")
    page = scene.page(late)
    scene.now += 20
    scene.taken(poll, ListPage(not_modified=True, applied=True), took=25)
    assert scene.schedule.board.list.sweep is page.sweep
    scene.taken(page, answer("abcde"))
    assert scene.look(late).entry.id == "late"


def test_a_long_poll_that_fails_while_newcomers_are_read_disturbs_nobody() -> None:
    scene = Scene()
    _, poll = listening(scene)
    scene.now += 5
    late = scene.join("late")
    page = scene.page(late)
    scene.failed(poll, APIConnectionError("cut", sent=True))
    scene.taken(page, answer(["a", "b", "c", "d", "e", "late"], etag="v1"))
    assert late.entries[0].status == "pending"
    assert scene.schedule.board.list.failures == 0


def test_a_long_poll_whose_caller_leaves_is_made_anew_though_another_reading_came_between() -> None:
    scene = Scene()
    tickets, _ = listening(scene)
    scene.now += 5
    late = scene.join("late")
    scene.taken(scene.page(late), answer(["a", "b", "c", "d", "e", "late"], etag="v1"))
    assert isinstance(scene.step(late), Rest)
    before = scene.now
    scene.leave(tickets[0])
    assert scene.page(late).wait == 25
    assert scene.now - before == pytest.approx(0.2)  # what the bucket of pages allows


def test_a_long_poll_that_is_broken_off_leaves_the_reading_of_newcomers_alone() -> None:
    scene = Scene()
    tickets, _ = listening(scene)
    scene.now += 5
    late = scene.join("late")
    page = scene.page(late)
    scene.leave(tickets[0])
    assert page.sweep.under_way
    assert isinstance(scene.step(tickets[1]), Rest)


def test_a_long_poll_that_comes_back_between_two_pages_leaves_the_reading_alone() -> None:
    scene = Scene()
    _, poll = listening(scene)
    scene.now += 5
    late = scene.join("late")
    page = scene.page(late)
    scene.taken(page, answer("abcde", cursor="2"))
    scene.taken(poll, answer("abcde", etag="v1"), took=5)
    following = scene.page(late)
    assert (following.sweep, following.number, following.cursor) == (page.sweep, 2, "2")


def test_a_machine_that_was_asleep_does_not_trust_its_long_poll() -> None:
    scene = Scene()
    tickets, poll = listening(scene)
    scene.now += 3
    scene.schedule.wake_up(now=scene.now)
    page = scene.step(tickets[1])
    assert isinstance(page, ReadPage)
    assert (page.etag, page.wait) == (None, None)
    scene.failed(poll, APIConnectionError("cut", sent=True))
    scene.taken(page, answer("abcde", etag="v1"))
    assert scene.page(tickets[0]).wait == 25


def test_of_many_who_notice_that_the_machine_was_asleep_the_first_one_sees_to_it() -> None:
    scene = Scene()
    (ticket, *_) = followed(scene, "abcde")
    scene.now += 3600
    since = scene.schedule.wake_up(now=scene.now)
    assert not ticket.knows_since(since)
    scene.taken(scene.page(ticket), answer("abcde"))
    scene.now += 1
    assert scene.schedule.wake_up(now=scene.now) == since
    assert ticket.knows_since(since)
    assert isinstance(scene.step(ticket), Rest)


def test_a_failed_look_is_no_knowledge() -> None:
    scene = Scene()
    ticket = scene.join("a")
    scene.failed(scene.look(ticket), APIConnectionError("no network yet", sent=False))
    assert not ticket.knows_since(0.0)
    scene.saw(scene.look(ticket), "pending")
    assert ticket.knows_since(0.0)


def test_few_newcomers_are_looked_at_one_by_one_beside_a_long_poll() -> None:
    scene = Scene()
    listening(scene, "abc")
    scene.now += 5
    look = scene.step(scene.join("late"))
    assert isinstance(look, Look)
    assert look.wait is None


def test_those_who_slept_through_their_deadlines_are_told_what_the_last_look_saw() -> None:
    scene = Scene()
    tickets = [scene.join(each, seconds=600) for each in "abcde"]
    patient = scene.join("f", seconds=9000)
    scene.taken(scene.page(tickets[0]), answer("abcdef"))
    scene.now += 3600
    scene.schedule.wake_up(now=scene.now)
    page = scene.page(tickets[0])
    for ticket in (*tickets[1:], patient):
        scene.step(ticket)
    assert {*tickets[1:]} <= {*scene.taken(page, answer("abcdef"))} <= {*tickets}
