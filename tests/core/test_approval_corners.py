"""What seldom happens to the schedule of those who wait."""

from __future__ import annotations

import pytest

from memoram_async.core.approval_calls import Look, ReadPage, Rest
from memoram_async.core.approval_page import ListPage
from memoram_async.core.errors import APIConnectionError, PermissionDeniedError
from tests.core.test_approval_schedule import Scene


def granted(scene: Scene, *ids: str) -> None:
    """Those wait whose list has a version."""
    tickets = [scene.join(each) for each in ids]
    items = tuple((each, "pending", {"id": each}) for each in ids)
    answer = ListPage(items=items, count=len(ids), total=len(ids), octets=9, etag="v1")
    scene.taken(scene.page(tickets[0]), answer)


def test_a_long_poll_on_the_list_that_fails_is_not_tried_again() -> None:
    scene = Scene()
    granted(scene, "a", "b", "c")
    ticket = next(iter(scene.schedule.board.tickets))
    page = scene.page(ticket)
    assert page.wait == 25
    scene.failed(page, APIConnectionError("cut", sent=True))
    assert scene.page(ticket).wait is None


def test_an_old_copy_of_the_list_takes_nothing_back() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    scene.listed(scene.page(tickets[0]), ("a", "approved"), ("b", "pending"), ("c", "pending"), total=3)
    scene.listed(scene.page(tickets[0]), *((each, "pending") for each in "abc"), total=3)
    assert tickets[0].entries[0].status == "approved"


def test_a_verdict_of_the_list_about_one_who_is_looked_at_needs_no_second_look() -> None:
    scene = Scene()
    granted(scene, "a", "b", "c")
    first = next(iter(scene.schedule.board.tickets))
    late = scene.join("d")
    look = scene.step(late)
    assert isinstance(look, Look)
    page = scene.page(first)
    items = (*((each, "pending") for each in "abc"), ("d", "rejected"))
    scene.listed(page, *items, total=4)
    assert late.entries[0].under_way
    assert not late.entries[0].suspect
    scene.saw(look, "rejected")
    assert late.entries[0].status == "rejected"


def test_an_unchanged_list_says_nothing_of_one_who_came_meanwhile() -> None:
    scene = Scene()
    granted(scene, "a", "b", "c")
    first = next(iter(scene.schedule.board.tickets))
    page = scene.page(first)
    late = scene.join("d")
    scene.taken(page, ListPage(not_modified=True, applied=True), took=25)
    assert late.entries[0].looked_at is None
    assert isinstance(scene.step(late), Look)


def test_the_next_poll_is_that_of_the_list_where_it_is_read() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    scene.listed(scene.page(tickets[0]), *((each, "pending") for each in "abc"), total=3)
    assert 1 <= scene.schedule.next_poll(tickets[0], now=scene.now) <= 3


def test_a_machine_that_was_asleep_leaves_alone_what_is_followed_by_the_list() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    scene.listed(scene.page(tickets[0]), *((each, "pending") for each in "abc"), total=3)
    assert isinstance(scene.step(tickets[0]), Rest)
    scene.schedule.wake_up(now=scene.now)
    scene.page(tickets[0])
    assert scene.now < 1


def test_two_who_wait_for_one_memory_key_leave_one_by_one() -> None:
    scene = Scene()
    first, second = scene.join("a", owner=b"key"), scene.join("a", owner=b"key")
    scene.leave(first)
    assert list(scene.schedule.board.owners) == [b"key"]
    scene.leave(second)
    assert scene.schedule.board.owners == {}


def test_a_verdict_of_the_list_is_confirmed_at_once_for_few_as_well() -> None:
    scene = Scene()
    tickets = [scene.join("a", owner=b"key"), scene.join("b")]
    scene.listed(scene.page(tickets[0]), ("a", "rejected"), ("b", "pending"), total=2)
    assert tickets[0].entries[0].suspect
    assert isinstance(scene.step(tickets[0]), Look)


def test_a_look_that_is_under_way_goes_on_when_the_list_is_given_up() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    scene.listed(scene.page(tickets[0]), ("a", "pending"), ("b", "pending"), total=2)
    look = scene.look(tickets[2])
    scene.leave(tickets[0])
    assert look.entry.under_way
    assert look.entry.id == "c"
    scene.saw(look, "approved")
    assert tickets[2].entries[0].status == "approved"


@pytest.mark.parametrize("is_left", [True, False])
def test_a_page_that_is_broken_off_belongs_to_a_reading_or_to_none(*, is_left: bool) -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    page = scene.page(tickets[0])
    if is_left:
        scene.schedule.board.list.sweep = None
    scene.schedule.abandoned(page, now=scene.now)
    assert scene.page(tickets[1]).number == 1


def test_what_the_list_said_is_still_confirmed_when_the_list_is_read_again() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abcd"]
    scene.listed(scene.page(tickets[0]), ("a", "rejected"), *((each, "pending") for each in "bcd"), total=4)
    assert tickets[0].entries[0].suspect
    for ticket in tickets[2:]:  # too few for a list now
        scene.leave(ticket)
    assert not scene.schedule.board.by_list
    for each in "ef":
        scene.join(each)
    assert scene.schedule.board.by_list
    assert "a" in [scene.look(tickets[0]).entry.id for _ in range(3)]


def test_mending_leaves_those_alone_who_wait_for_one_request_and_those_who_wait_for_a_memory_key() -> None:
    scene = Scene()
    scene.join("a")
    scene.join("b", owner=b"key")
    scene.schedule.board.mend(scene.now)
    assert list(scene.schedule.board.owners) == [b"key"]
    assert {each.id for each in scene.schedule.board.entries.values()} == {"a", "b"}


def test_a_list_whose_trouble_passes_is_read_again_once_everybody_was_looked_at() -> None:
    scene = Scene()
    tickets = [scene.join(f"n{each}") for each in range(800)]
    for _ in range(3):
        scene.failed(scene.page(tickets[0]), APIConnectionError("cut", sent=True))
    looks, began = 0, scene.now
    while isinstance(call := scene.call(tickets[0]), Look):
        scene.saw(call, "pending")
        looks += 1
    assert 700 < looks < 1000
    assert scene.now - began < 50
    scene.listed(call, *((f"n{each}", "pending") for each in range(800)), total=800)
    assert isinstance(scene.call(tickets[0]), ReadPage)


def test_a_list_that_is_refused_is_left_alone_for_longer() -> None:
    scene = Scene()
    tickets = [scene.join(each) for each in "abc"]
    scene.failed(scene.page(tickets[0]), PermissionDeniedError("no", status=403))
    while isinstance(call := scene.call(tickets[0]), Look):
        scene.saw(call, "pending")
    assert scene.now >= 40
