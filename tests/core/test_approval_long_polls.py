"""Long polls: news is heard within a round trip, and a service that answers at once is not hammered."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from memoram_async.core.approval_calls import ReadPage, Ticket
from memoram_async.core.approval_page import ListPage
from memoram_async.core.errors import RateLimitedError
from tests.core.test_approval_schedule import Scene

if TYPE_CHECKING:
    from collections.abc import Callable

ROUND_TRIP = 0.05


def page_of(states: dict[str, str], etag: str | None, *, octets: int = 9, applied: bool = True) -> ListPage:
    items = tuple((each, state, {"id": each}) for each, state in states.items())
    count = len(items)
    return ListPage(items=items, count=count, total=count, octets=octets, etag=etag, applied=applied)


def listening(scene: Scene, names: str = "abc", **options: Any) -> list[Ticket]:
    """Those wait, and a long poll on their list was granted."""
    tickets = [scene.join(each) for each in names]
    states = dict.fromkeys(names, "pending")
    scene.taken(scene.page(tickets[0]), page_of(states, "v0", applied=False, **options))
    poll = scene.page(tickets[0])
    scene.now += 25
    scene.taken(poll, ListPage(not_modified=True, applied=True), took=25)
    return tickets


def moments(
    scene: Scene, ticket: Ticket, answers: Callable[[ReadPage, int], ListPage], *, until: float
) -> list[float]:
    """When the list was asked for, of a service that answers everything at once."""
    asked: list[float] = []
    while scene.now < until:
        page = scene.page(ticket)
        asked.append(scene.now)
        scene.now += ROUND_TRIP
        scene.taken(page, answers(page, len(asked)), took=ROUND_TRIP)
    return asked


def test_after_news_the_service_is_asked_again_at_once() -> None:
    scene = Scene()
    tickets = listening(scene)
    poll = scene.page(tickets[0])
    scene.now += 7
    scene.taken(poll, page_of({"a": "approved", "b": "pending", "c": "pending"}, "v1"), took=7)
    before = scene.now
    following = scene.page(tickets[1])
    assert (following.etag, following.wait, scene.now) == ("v1", 25, before)


def test_news_in_a_row_is_heard_as_fast_as_the_bucket_allows() -> None:
    scene = Scene()
    names = [f"n{each}" for each in range(40)]
    tickets = [scene.join(each) for each in names]
    states = dict.fromkeys(names, "pending")
    scene.taken(scene.page(tickets[0]), page_of(states, "v0", applied=False))

    def decided(page: ReadPage, number: int) -> ListPage:
        states.update(dict.fromkeys(names[:number], "approved"))
        return page_of(states, f"v{number}", applied=page.wait is not None)

    asked = moments(scene, tickets[-1], decided, until=scene.now + 6)
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert min(gaps) == pytest.approx(0.2)
    assert max(gaps) == pytest.approx(0.2)


def test_a_large_list_is_not_read_faster_than_is_fair_for_news_either() -> None:
    scene = Scene()
    tickets = listening(scene, octets=1_000_000)
    poll = scene.page(tickets[0])
    began = scene.now
    scene.now += ROUND_TRIP
    news = page_of({"a": "approved", "b": "pending", "c": "pending"}, "v1", octets=1_000_000)
    scene.taken(poll, news, took=ROUND_TRIP)
    scene.page(tickets[1])
    assert scene.now - began == pytest.approx(2)


def test_a_service_that_always_has_news_of_others_is_not_asked_oftener_than_without_long_polls() -> None:
    scene = Scene()
    (ticket, *_) = listening(scene)
    states = dict.fromkeys("abc", "pending")
    asked = moments(scene, ticket, lambda _, number: page_of(states, f"v{number}"), until=625)
    assert len(asked) <= 75
    assert min(later - earlier for earlier, later in pairwise(asked)) >= 2


def test_a_status_that_flickers_is_no_news() -> None:
    scene = Scene()
    (ticket, *_) = listening(scene)

    def flickering(_: ReadPage, number: int) -> ListPage:
        return page_of({"a": f"state{number % 2}", "b": "pending", "c": "pending"}, f"v{number}")

    assert len(moments(scene, ticket, flickering, until=625)) <= 75


def test_a_service_that_grants_long_polls_and_answers_at_once_gets_none_any_more() -> None:
    scene = Scene()
    (ticket, *_) = listening(scene)
    waits: list[int | None] = []

    def at_once(page: ReadPage, _: int) -> ListPage:
        waits.append(page.wait)
        return ListPage(not_modified=True, applied=page.wait is not None)

    assert len(moments(scene, ticket, at_once, until=625)) <= 75
    assert waits == [25, *[None] * (len(waits) - 1)]


def test_an_id_that_the_list_leaves_out_keeps_nobody_reading() -> None:
    scene = Scene()
    (ticket, *_) = listening(scene)
    scene.join("left out")
    asked: list[float] = []
    while scene.now < 325:
        step = scene.call(ticket)
        if isinstance(step, ReadPage):
            asked.append(scene.now)
            scene.now += ROUND_TRIP
            scene.taken(step, page_of(dict.fromkeys("abc", "pending"), f"v{len(asked)}"), took=ROUND_TRIP)
        else:
            scene.saw(step, "pending")
    assert len(asked) <= 60


def test_a_reading_for_newcomers_is_followed_by_a_long_poll_at_once() -> None:
    scene = Scene()
    tickets = listening(scene, "abcde")
    poll = scene.page(tickets[0])
    scene.now += 3
    late = scene.join("f")
    page = scene.page(late)
    scene.taken(poll, ListPage(not_modified=True, applied=True), took=25)
    scene.taken(page, page_of(dict.fromkeys("abcdef", "pending"), "v1", applied=False))
    before = scene.now
    assert scene.page(late).wait == 25
    assert scene.now - before == pytest.approx(0.2)


def test_a_service_that_wants_to_be_asked_less_is_asked_less_for_news_too() -> None:
    scene = Scene()
    tickets = listening(scene)
    scene.failed(scene.page(tickets[0]), RateLimitedError("slow", status=429, retry_after=None))
    poll = scene.page(tickets[0])
    began = scene.now
    scene.taken(poll, page_of({"a": "approved", "b": "pending", "c": "pending"}, "v1"))
    scene.page(tickets[1])
    assert scene.now - began == pytest.approx(5, abs=0.01)


def test_news_of_one_request_is_followed_by_a_long_poll_at_once() -> None:
    scene = Scene()
    ticket = scene.join("a")
    scene.saw(scene.look(ticket), "pending")
    poll = scene.look(ticket)
    began = scene.now
    scene.now += 1
    scene.saw(poll, "approved", applied=True, began=began, etag="v2")
    before = scene.now
    assert scene.look(ticket).wait == 25
    assert scene.now == before
