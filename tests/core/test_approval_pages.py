"""What the schedule makes of pages of the list, on a machine that has run for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from memoram_async.core.approval_calls import ReadPage, Rest
from memoram_async.core.approval_page import ListPage

if TYPE_CHECKING:
    from memoram_async.core.approval_calls import Ticket
    from tests.core.test_approval_schedule import Scene


def page_of(*ids: str, **members: Any) -> ListPage:
    """A page with requests that are not decided, 100 octets each."""
    items = tuple((each, "pending", {"id": each}) for each in ids)
    told: dict[str, Any] = {"count": len(ids), "octets": 100 * len(ids), **members}
    return ListPage(items=items, **told)


def waited_for(scene: Scene) -> tuple[Ticket, ReadPage]:
    """One of three who wait, and a long poll on the list that they follow."""
    tickets = [scene.join(each) for each in "abc"]
    scene.taken(scene.page(tickets[0]), page_of("a", "b", "c", total=3, etag="v1"))
    page = scene.page(tickets[0])
    assert page.wait == 25
    return tickets[0], page


def test_a_page_that_was_read_is_over_and_counts(scene: Scene) -> None:
    tickets = [scene.join(each) for each in "abc"]
    board = scene.schedule.board
    board.list.failures = 2
    for number in (1, 2):
        scene.taken(scene.page(tickets[0]), page_of("a", "b", "c", total=3))
        assert (board.under_way, board.list.readings, board.list.failures) == ({}, number, 0)
        assert tickets[0].polls(board.list.readings) == number


@pytest.mark.parametrize(
    ("answer", "took", "waits"),
    [
        (ListPage(not_modified=True, applied=True), 12.5, True),
        (ListPage(not_modified=True, applied=True), 12.4, False),
        (ListPage(not_modified=True, applied=False), 25.0, False),
        (page_of("a", "b", "c", applied=True), 0.0, True),
        (page_of("a", "b", "c", applied=False), 25.0, False),
    ],
)
def test_a_long_poll_on_the_list_is_granted_if_it_brings_news_or_takes_half_its_time(
    scene: Scene, answer: ListPage, took: float, waits: bool
) -> None:
    _, page = waited_for(scene)
    assert scene.schedule.board.list.waits is None
    scene.taken(page, answer, took=took)
    assert scene.schedule.board.list.waits is waits


@pytest.mark.parametrize(
    "answer", [ListPage(not_modified=True), page_of("a", "b", "c", etag="v2")], ids=["old", "new"]
)
@pytest.mark.parametrize(("applied", "seconds"), [(True, 60.0), (False, 62.46)])
def test_after_a_long_poll_that_was_granted_the_next_one_comes_at_once_unless_less_was_asked_for(
    scene: Scene, answer: ListPage, applied: bool, seconds: float
) -> None:
    _, page = waited_for(scene)
    board = scene.schedule.board
    board.pace.slow_down = 60.0
    began = scene.now
    scene.now += 25
    scene.taken(page, attrs.evolve(answer, applied=applied), took=25)
    assert board.sweep_at - began == pytest.approx(seconds, abs=0.01)


def test_a_page_of_a_reading_that_was_given_up_is_taken_in_all_the_same(scene: Scene) -> None:
    tickets = [scene.join(each) for each in "abc"]
    page = scene.page(tickets[0])
    scene.schedule.board.list.sweep = None
    scene.now += 1
    scene.taken(page, page_of("a", "b", "c", total=3))
    assert scene.schedule.board.sweep_at == scene.now + 1
    assert scene.schedule.board.all_listed()


def test_pages_add_up(scene: Scene) -> None:
    tickets = [scene.join(each) for each in "abcdefg"]
    scene.taken(scene.page(tickets[0]), page_of("a", "b", "c", "d", total=7, next_cursor="2"))
    scene.taken(scene.page(tickets[0]), page_of("e", "f", "g", total=7))
    known = scene.schedule.board.list
    assert (known.pages, known.octets, known.is_whole) == (2, 700, True)


def test_how_many_pages_there_are_is_told_by_the_total(scene: Scene) -> None:
    tickets = [scene.join(each) for each in "abcdefghijkl"]
    known = scene.schedule.board.list
    scene.taken(scene.page(tickets[0]), page_of("a", "b", count=50, total=100, next_cursor="2"))
    assert known.pages == 2
    scene.taken(scene.page(tickets[0]), page_of("c", count=10, total=100, next_cursor="3"))
    assert known.pages == 4
    scene.taken(scene.page(tickets[0]), page_of(*"defghijkl", count=40, total=100, next_cursor="4"))
    assert (known.pages, known.sweep) == (4, None)


@pytest.mark.parametrize(
    ("owner", "pages", "goes_on"), [(b"key", 2, True), (b"key", 1, False), (None, 2, False)]
)
def test_who_takes_any_request_for_a_memory_key_has_all_pages_read(
    scene: Scene, owner: bytes | None, pages: int, goes_on: bool
) -> None:
    tickets = [scene.join(each, owner=owner) for each in "abcdef"]
    scene.schedule.board.list.pages = pages
    scene.taken(scene.page(tickets[0]), page_of(*"abcdef", next_cursor="2"))
    assert (scene.schedule.board.list.sweep is not None) is goes_on


def test_one_page_at_a_time_is_read_and_the_next_when_the_bucket_allows_it(scene: Scene) -> None:
    tickets = [scene.join(each) for each in "abcdef"]
    page = scene.page(tickets[0])
    scene.now += 1
    assert scene.step(tickets[1]) == Rest(120.0, keeps_alarm=True)
    scene.taken(page, page_of("a", "b", "c", next_cursor="2"))
    following = scene.step(tickets[1])
    assert isinstance(following, ReadPage)
    scene.taken(following, page_of("d", next_cursor="3"))
    rest = scene.step(tickets[1])
    assert isinstance(rest, Rest)
    assert rest.seconds == pytest.approx(0.2)


def test_no_reading_begins_before_the_bucket_allows_its_first_page(scene: Scene) -> None:
    tickets = [scene.join(each) for each in "abcd"]
    scene.taken(scene.page(tickets[0]), page_of("a", "b", "c", "d", octets=0))
    late = scene.join("e")
    rest = scene.step(late)
    assert isinstance(rest, Rest)
    assert rest.seconds == pytest.approx(0.2)
    assert scene.schedule.board.list.sweep is None


def test_only_the_first_page_is_asked_for_by_its_version(scene: Scene) -> None:
    tickets = [scene.join(each) for each in "abcde"]
    scene.taken(scene.page(tickets[0]), page_of("a", "b", "c", "d", "e", etag="v1"))
    first = scene.page(tickets[0])
    assert (first.number, first.cursor, first.etag) == (1, None, "v1")
    scene.taken(first, page_of("a", "b", next_cursor="2", etag="v2"))
    second = scene.page(tickets[0])
    assert (second.number, second.cursor, second.etag, second.wait) == (2, "2", None, None)
