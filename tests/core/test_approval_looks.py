"""What the schedule makes of looks and long polls, to the second, on a machine that has run for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memoram_async.core.approval_calls import Look, ReadPage, Rest
from memoram_async.core.approval_list import Sweep
from memoram_async.core.approval_page import ListPage
from memoram_async.core.approval_schedule import GRACE
from memoram_async.core.errors import (
    MemoramError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
)
from tests.core.test_approval_interrupts import CHANGES, SOON, Room
from tests.core.test_approval_schedule import HALF, Scene

if TYPE_CHECKING:
    from collections.abc import Callable


# --- what a look tells -------------------------------------------------------------------------


def test_a_look_keeps_what_it_found_and_when(scene: Scene) -> None:
    entry = scene.join("a").entries[0]
    entry.suspect = True
    scene.saw(Look(entry), "approved")
    assert (entry.status, entry.found, entry.looked_at) == ("approved", "approved", 1000.0)
    assert (entry.looks, entry.suspect) == (1, False)


def test_the_next_poll_comes_nearer_and_is_never_past(scene: Scene) -> None:
    ticket = scene.join("a")
    scene.saw(scene.look(ticket), "pending")
    left = list[float]()
    for _ in range(4):
        left.append(scene.schedule.next_poll(ticket, now=scene.now))
        scene.now += 0.75
    assert left == pytest.approx([2.0, 1.25, 0.5, 0.0])


@pytest.mark.parametrize(("asked", "seconds"), [(30.0, 30.0), (300.0, 120.0)])
def test_the_next_poll_is_no_sooner_than_the_service_allows(
    scene: Scene, asked: float, seconds: float
) -> None:
    ticket = scene.join("a")
    scene.failed(scene.look(ticket), RateLimitedError("slow", status=429, retry_after=asked))
    assert scene.schedule.next_poll(ticket, now=scene.now) == pytest.approx(seconds)


def test_looks_and_the_lists_since_one_joined_are_polls(scene: Scene) -> None:
    scene.schedule.board.list.readings = 3
    ticket = scene.join("a", "b")
    assert ticket.polls(3) == 0
    scene.saw(Look(ticket.entries[0]), "pending")
    scene.failed(Look(ticket.entries[1]), ServerError("no", status=500))
    assert ticket.polls(5) == 4


def test_a_service_that_asked_for_less_is_asked_less_often(scene: Scene) -> None:
    ticket = scene.join("a")
    scene.failed(scene.look(ticket), RateLimitedError("slow", status=429))
    scene.saw(scene.look(ticket), "pending")
    assert scene.schedule.next_poll(ticket, now=scene.now) == pytest.approx(2 + 5)


def test_only_what_the_list_leaves_out_is_looked_at_again(scene: Scene) -> None:
    tickets = [scene.join(each) for each in "abcdefg"]
    page = scene.page(tickets[0])
    scene.listed(page, ("a", "rejected"), *((each, "pending") for each in "bcdef"), total=6)
    dues = dict[str, float]()
    for _ in range(2):
        look = scene.look(tickets[0])
        scene.saw(look, "pending")
        dues[look.entry.id] = look.entry.due - scene.now
    assert dues == {"a": float("inf"), "g": pytest.approx(2)}


# --- long polls --------------------------------------------------------------------------------


def polled(scene: Scene, *, seconds: float = 600.0) -> Look:
    """A long poll, after a look that told what stood."""
    ticket = scene.join("a", seconds=seconds)
    scene.saw(scene.look(ticket), "pending")
    return scene.look(ticket)


@pytest.mark.parametrize(
    ("took", "status", "is_granted"),
    [
        (12.5, "pending", True),
        (12.4, "pending", False),
        (12.5, None, True),
        (12.4, None, False),
        (0.0, "under_review", True),
    ],
)
def test_a_long_poll_is_granted_if_it_brings_news_or_takes_half_its_time(
    scene: Scene, took: float, status: str | None, is_granted: bool
) -> None:
    scene.saw(polled(scene), status, applied=True, began=scene.now - took)
    assert scene.schedule.board.waits is is_granted


def test_a_long_poll_follows_another_at_once_but_no_sooner_than_two_seconds_after_it(scene: Scene) -> None:
    look = polled(scene)
    (ticket,) = look.entry.tickets
    scene.now += 0.5
    scene.saw(look, "under_review", applied=True, began=scene.now - 0.5)
    assert scene.schedule.next_poll(ticket, now=scene.now) == pytest.approx(1.5)
    look = scene.look(ticket)
    scene.now += 25
    scene.saw(look, "under_review", applied=True, began=scene.now - 25)
    assert scene.schedule.next_poll(ticket, now=scene.now) == 0


def test_the_last_long_poll_takes_a_second_at_least(scene: Scene) -> None:
    assert polled(scene, seconds=2.5).wait == 1


@pytest.mark.parametrize(("waiters", "wait"), [(4, 25), (5, None)])
def test_few_are_waited_for_one_by_one_where_the_list_is_too_long(
    scene: Scene, waiters: int, wait: int | None
) -> None:
    scene.schedule.learn_list(pages=100, octets=1, is_whole=True)
    tickets = [scene.join(f"request {number}") for number in range(waiters)]
    for _ in tickets:
        scene.saw(scene.look(tickets[0]), "pending")
    assert scene.look(tickets[0]).wait == wait


def test_what_the_list_leaves_out_is_not_waited_for(scene: Scene) -> None:
    tickets = [scene.join(each) for each in "abc"]
    scene.listed(scene.page(tickets[0]), ("a", "pending"), ("b", "pending"), total=2)
    scene.saw(scene.look(tickets[2]), "pending")
    scene.now += 2
    look = next(call for call in iter(lambda: scene.step(tickets[2]), None) if isinstance(call, Look))
    assert (look.entry.id, look.wait) == ("c", None)


def test_a_decision_that_was_known_is_no_reason_to_ask_again_at_once(scene: Scene) -> None:
    look = polled(scene)
    (ticket,) = look.entry.tickets
    scene.saw(look, "approved", applied=True)
    assert scene.schedule.next_poll(ticket, now=scene.now) == 0
    scene.saw(scene.look(ticket), "approved", applied=True)
    assert scene.schedule.next_poll(ticket, now=scene.now) == 2


def test_a_long_poll_on_the_list_is_no_longer_than_what_is_left(scene: Scene) -> None:
    tickets = [scene.join(each, seconds=7.5) for each in "abc"]
    items = tuple((each, "pending", {"id": each}) for each in "abc")
    scene.taken(scene.page(tickets[0]), ListPage(items=items, count=3, total=3, octets=9, etag="v1"))
    assert scene.page(tickets[0]).wait == 6


# --- failures ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waiting", "error", "pause"),
    [
        ("a", ServerError("no", status=500), 0.0),
        ("ab", ServerError("no", status=500), 1.5),
        ("ab", PermissionDeniedError("no", status=403), 0.0),
    ],
    ids=["one", "two", "refused"],
)
def test_failures_in_a_row_hold_everybody_back_where_there_are_several(
    scene: Scene, waiting: str, error: MemoramError, pause: float
) -> None:
    entries = [scene.join(each).entries[0] for each in waiting]
    for number in range(3):
        scene.failed(Look(entries[number % len(entries)]), error)
    held = max(0.0, scene.schedule.board.pace.not_before - scene.now)
    assert held == pytest.approx(pause)


def test_a_call_that_failed_is_under_way_no_longer(scene: Scene) -> None:
    ticket = scene.join("a")
    look = scene.look(ticket)
    assert list(scene.schedule.board.under_way) == [look]
    scene.failed(look, ServerError("no", status=500))
    assert scene.schedule.board.under_way == {}


def test_a_call_that_fails_after_it_was_given_up_for_lost_does_no_harm(scene: Scene) -> None:
    first, second = scene.join("a"), scene.join("a")
    lost = scene.look(first)
    scene.now += 10 + GRACE + 1
    assert isinstance(scene.step(second), Look)
    scene.failed(lost, ServerError("no", status=500))
    assert first.entries[0].failures == 1


# --- what is told of the list by somebody else -------------------------------------------------


def test_a_list_that_was_read_to_its_end_is_as_long_as_that(scene: Scene) -> None:
    scene.schedule.learn_list(pages=9, octets=5000, is_whole=True)
    scene.schedule.learn_list(pages=2, octets=700, is_whole=True)
    assert (scene.schedule.board.list.pages, scene.schedule.board.list.octets) == (2, 700)
    scene.schedule.learn_list(pages=1, octets=0, is_whole=True)
    assert (scene.schedule.board.list.pages, scene.schedule.board.list.octets) == (1, 0)


def test_a_list_that_was_read_in_part_is_no_shorter_than_before(scene: Scene) -> None:
    known = scene.schedule.board.list
    told = list[tuple[int, int]]()
    for pages, octets in ((3, 900), (2, 700), (4, 800)):
        scene.schedule.learn_list(pages=pages, octets=octets, is_whole=False)
        told.append((known.pages, known.octets))
    assert told == [(3, 900), (3, 900), (4, 900)]


# --- interrupts and forks ----------------------------------------------------------------------


def interrupt(_: object) -> str:
    """What Ctrl-C does while an item is read."""
    raise KeyboardInterrupt


def _read(room: Room) -> None:
    room.answered(ReadPage(Sweep(room.now)), "pending")


def _come(room: Room) -> None:
    room.join("new")


@pytest.mark.parametrize(
    "change",
    [*CHANGES, _read, _come],
    ids=["step", "answer", "fail", "429", "off", "join", "wake", "leave", "read", "come"],
)
def test_whatever_comes_first_after_an_interrupt_puts_things_in_order(
    change: Callable[[Room], object],
) -> None:
    room = Room("shared")
    room.pass_by(5.0, status="pending")
    room.call = room.due()
    page = ListPage(items=(("shared", "approved", {"id": "shared"}),), count=1)
    with pytest.raises(KeyboardInterrupt):
        room.schedule.saw_page(
            ReadPage(Sweep(room.now)),
            page,
            read=interrupt,
            digest=str.encode,
            began=room.now,
            now=room.now,
            jitter=HALF,
        )
    change(room)
    room.wake(room.schedule.leave(room.mine, now=room.now))
    room.pass_by(room.now + SOON, status="approved")
    assert room.undecided() == []


def test_a_fork_that_found_the_lock_taken_has_one_of_its_own(scene: Scene) -> None:
    held = scene.schedule._lock  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    with held:
        scene.schedule.after_fork()
        assert isinstance(scene.step(scene.join("a")), Look)


# --- a machine that was asleep -----------------------------------------------------------------


def test_who_notices_five_seconds_later_has_slept_again(scene: Scene) -> None:
    scene.join("a")
    moments = [scene.schedule.wake_up(now=scene.now + later) for later in (0.0, 4.9, 5.0, 9.9)]
    assert moments == [1000.0, 1000.0, 1005.0, 1005.0]


def test_what_was_seen_at_that_very_moment_is_known_since(scene: Scene) -> None:
    ticket = scene.join("a", "b")
    assert not ticket.knows_since(0.0)
    scene.saw(Look(ticket.entries[0]), "pending")
    assert not ticket.knows_since(0.0)
    scene.now += 1
    scene.saw(Look(ticket.entries[1]), "pending")
    assert ticket.knows_since(1000.0)
    assert not ticket.knows_since(1000.1)


@pytest.mark.parametrize(("later", "is_woken"), [(0.0, True), (30.0, True), (30.1, False)])
def test_who_slept_through_a_deadline_hears_of_looks_for_half_a_minute(
    scene: Scene, later: float, is_woken: bool
) -> None:
    first, second, alarm = (scene.join("a", seconds=seconds) for seconds in (100, 100, 900))
    scene.saw(scene.look(first), "pending")
    look = scene.look(first)
    for ticket in (alarm, second):
        assert isinstance(scene.step(ticket), Rest)
    scene.now = 1100.0
    scene.schedule.wake_up(now=scene.now)
    scene.now += later
    assert (second in scene.saw(look, "pending")) is is_woken


# --- who rests ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 90.0), (HALF, 120.0), (1.0, 150.0)])
def test_those_without_the_alarm_rest_for_two_minutes_more_or_less(
    scene: Scene, jitter: float, seconds: float
) -> None:
    alarm, other = scene.join("a"), scene.join("a")
    scene.saw(scene.look(alarm), "pending")
    rest = scene.step(alarm)
    assert isinstance(rest, Rest)
    assert rest.seconds == pytest.approx(2.0)
    assert rest.keeps_alarm
    step, woken = scene.schedule.step(other, now=scene.now, jitter=jitter)
    assert (step, woken) == (Rest(seconds), [])


def test_where_nothing_is_due_as_far_as_is_known_somebody_looks_after_two_minutes(scene: Scene) -> None:
    first, second = scene.join("a"), scene.join("a")
    scene.look(first)
    assert scene.step(second) == Rest(120.0, keeps_alarm=True)


def test_who_finds_that_something_is_due_sooner_takes_the_alarm(scene: Scene) -> None:
    first = scene.join("a")
    while scene.now < 1200:
        scene.saw(scene.look(first), "pending")
    alarm = scene.step(first)
    second = scene.join("b")
    scene.saw(scene.look(second), "pending")
    sooner = scene.step(second)
    assert isinstance(alarm, Rest)
    assert isinstance(sooner, Rest)
    assert (alarm.keeps_alarm, sooner.keeps_alarm) == (True, True)
    assert sooner.seconds < alarm.seconds


def test_an_alarm_that_rings_in_time_is_left_alone(scene: Scene) -> None:
    first, second = scene.join("a"), scene.join("b")
    scene.saw(scene.look(first), "pending")
    look = scene.look(second)
    assert isinstance(scene.step(first), Rest)
    assert scene.saw(look, "pending") == [second]


@pytest.mark.parametrize(("late", "takes_it"), [(GRACE, False), (GRACE + 0.1, True)])
def test_an_alarm_that_did_not_ring_is_taken_over_after_a_while(
    scene: Scene, late: float, takes_it: bool
) -> None:
    first, second, third = scene.join("a"), scene.join("a"), scene.join("b")
    scene.saw(scene.look(first), "pending")
    look = scene.look(third)
    assert isinstance(scene.step(first), Rest)
    scene.failed(look, RateLimitedError("slow", status=429, retry_after=300))
    scene.now += 2 + late
    step = scene.step(second)
    assert isinstance(step, Rest)
    assert step.keeps_alarm is takes_it


def test_nobody_asks_before_a_limit_allows_it_though_the_bucket_would(scene: Scene) -> None:
    first, second = scene.join("a"), scene.join("b")
    scene.failed(scene.look(first), RateLimitedError("slow", status=429, retry_after=30))
    scene.now += 29
    assert isinstance(scene.step(second), Rest)
    scene.now += 1
    assert isinstance(scene.step(second), Look)


def test_a_ninth_call_waits_for_one_of_the_eight(scene: Scene) -> None:
    scene.schedule.learn_list(pages=100, octets=1, is_whole=True)
    tickets = [scene.join(f"request {number}") for number in range(10)]
    looks = [scene.look(ticket) for ticket in tickets[:8]]
    scene.now += 5
    assert scene.step(tickets[8]) == Rest(120.0, keeps_alarm=True)
    scene.saw(looks[0], "pending")
    assert isinstance(scene.step(tickets[8]), Look)
