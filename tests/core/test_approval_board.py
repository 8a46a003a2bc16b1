"""Who waits for what, and when each request is to be looked at: the board behind the schedule."""

from __future__ import annotations

import math

import pytest

from memoram_async.core.approval_board import ApprovalBoard
from memoram_async.core.approval_calls import Entry, Look, ReadPage, Ticket, seconds_of
from memoram_async.core.approval_list import Sweep

NOW = 1000.0


def ticket(*ids: str, began: float = NOW, owner: bytes | None = None, knows: Entry | None = None) -> Ticket:
    """Somebody who waits for ten minutes."""
    return Ticket(ids, began=began, ends=began + 600, owner=owner, entries=[] if knows is None else [knows])


def joined(board: ApprovalBoard, *ids: str, now: float = NOW) -> Ticket:
    """Somebody who begins to wait now."""
    made = ticket(*ids, began=now)
    board.add(made, now=now)
    return made


def followed(*ids: str) -> ApprovalBoard:
    """A board whose list was read just now and has all of them."""
    board = ApprovalBoard()
    for each in ids:
        joined(board, each)
    board.list.began = NOW
    board.sweep_at = NOW + 2
    for entry in board.entries.values():
        entry.listed, entry.looked_at = True, NOW
    return board


# --- who comes ---------------------------------------------------------------------------------


def test_who_comes_first_is_looked_at_at_once() -> None:
    board = ApprovalBoard()
    entry = joined(board, "a").entries[0]
    assert (entry.id, entry.began, entry.due, entry.listed) == ("a", NOW, NOW, False)
    assert board.first_look() is entry


def test_who_comes_back_with_what_was_known_is_looked_at_when_it_is_time() -> None:
    board = ApprovalBoard()
    known = Entry(
        "a", began=NOW - 60, admitted=NOW - 60, due=math.inf, looked_at=NOW - 5, listed=True, under_way=True
    )
    again = ticket("a", began=NOW - 10, knows=known)
    board.add(again, now=NOW)
    assert again.entries == [known]
    assert (known.due, known.began) == (NOW - 5 + 6.0, NOW - 10)
    assert (known.listed, known.under_way) == (False, False)


def test_who_comes_late_to_a_request_is_told_of_it_within_two_seconds() -> None:
    board = ApprovalBoard()
    entry = joined(board, "a").entries[0]
    entry.looked_at = NOW + 100
    board.push(entry, NOW + 110)
    joined(board, "a", now=NOW + 100.5)
    assert entry.due == NOW + 102
    assert entry.began == NOW + 100.5


@pytest.mark.parametrize("trouble", ["under_way", "failures"])
def test_who_comes_late_hurries_nothing_that_is_under_way_or_fails(trouble: str) -> None:
    board = ApprovalBoard()
    entry = joined(board, "a").entries[0]
    board.push(entry, NOW + 110)
    setattr(entry, trouble, 1)
    joined(board, "a", now=NOW + 100)
    assert entry.due == NOW + 110


def test_what_was_looked_at_at_that_very_moment_needs_no_hurry() -> None:
    board = ApprovalBoard()
    entry = joined(board, "a").entries[0]
    entry.looked_at = NOW
    board.push(entry, NOW + 10)
    joined(board, "a")
    assert entry.due == NOW + 10


def test_what_is_due_sooner_stays_so() -> None:
    board = ApprovalBoard()
    entry = joined(board, "a").entries[0]
    entry.looked_at = NOW
    board.push(entry, NOW + 1)
    joined(board, "a", now=NOW + 0.5)
    assert entry.due == NOW + 1


def test_a_newcomer_among_few_who_follow_the_list_is_looked_at() -> None:
    board = followed("a", "b", "c")
    late = joined(board, "d", now=NOW + 0.5).entries[0]
    assert late.due == NOW + 0.5
    assert board.sweep_at == NOW + 2


def test_a_newcomer_among_many_waits_for_the_list_which_is_read_as_soon_as_it_may_be() -> None:
    board = followed("a", "b", "c", "d")
    board.sweep_at = NOW + 15
    late = joined(board, "e", now=NOW + 0.5).entries[0]
    assert late.due == math.inf
    assert board.sweep_at == NOW + 0.5  # sooner than usual, once in ten seconds
    board.sweep_at = NOW + 15
    joined(board, "x", now=NOW + 0.5)
    assert board.sweep_at == NOW + 2
    board.sweep_at = NOW + 15
    joined(board, "f", now=NOW + 7)
    assert board.sweep_at == NOW + 7


@pytest.mark.parametrize(("wait", "is_beside"), [(None, False), (25, True)])
def test_many_newcomers_do_not_wait_for_a_long_poll_on_the_list(wait: int | None, is_beside: bool) -> None:
    board = followed("a", "b", "c", "d")
    board.sweep_at = NOW + 15
    board.list.sweep = Sweep(NOW, under_way=True)
    board.under_way[ReadPage(board.list.sweep, wait=wait)] = (NOW + 65, next(iter(board.tickets)))
    assert joined(board, "e", now=NOW + 0.5).entries[0].due == math.inf
    assert (board.list.sweep is None) is is_beside
    assert board.sweep_at == NOW + (0.5 if is_beside else 15)


@pytest.mark.parametrize(("wait", "due"), [(None, math.inf), (25, NOW + 3)])
def test_a_newcomer_among_few_does_not_wait_for_one_either(wait: int | None, due: float) -> None:
    board = followed("a", "b", "c")
    board.list.sweep = Sweep(NOW, under_way=True)
    board.under_way[ReadPage(board.list.sweep, wait=wait)] = (NOW + 65, next(iter(board.tickets)))
    assert joined(board, "d", now=NOW + 3).entries[0].due == due


def test_who_takes_any_request_for_a_memory_key_wants_the_list_as_it_is() -> None:
    board = ApprovalBoard()
    board.list.etag = "v1"
    assert not board.wants_sweep()
    owner = ticket("a", owner=b"key")
    board.add(owner, now=NOW)
    assert board.owners == {b"key": {owner: None}}
    assert board.list.etag is None
    board.by_list = False
    assert board.wants_sweep()


# --- who leaves --------------------------------------------------------------------------------


def test_a_request_stays_as_long_as_somebody_waits_for_it() -> None:
    board = ApprovalBoard()
    first, second = joined(board, "a", "b"), joined(board, "b")
    board.list.sweep = Sweep(NOW, seen={"a", "b"})
    board.remove(first, now=NOW)
    assert list(board.entries) == ["b"]
    assert board.list.sweep.seen == {"b"}
    assert list(board.entries["b"].tickets) == [second]
    board.remove(first, now=NOW)
    board.remove(second, now=NOW)
    assert (board.entries, board.tickets, board.list.sweep.seen) == ({}, {}, set())


def test_who_names_a_request_twice_leaves_it_once() -> None:
    board = ApprovalBoard()
    twice = joined(board, "a", "a")
    board.remove(twice, now=NOW)
    assert (board.entries, board.tickets) == ({}, {})


def test_who_was_interrupted_on_the_way_in_can_leave() -> None:
    board = ApprovalBoard()
    owner = ticket("a", owner=b"key")
    board.add(owner, now=NOW)
    board.entries["a"].tickets.clear()
    board.owners.clear()
    board.remove(owner, now=NOW)
    assert (board.entries, board.tickets, board.owners) == ({}, {}, {})


def test_the_calls_of_who_leaves_are_due_again() -> None:
    board = ApprovalBoard()
    leaver, stayer = joined(board, "a"), joined(board, "a", "b")
    entry, other = stayer.entries
    mine, theirs = Look(entry), Look(other)
    entry.under_way = other.under_way = True
    entry.due = other.due = math.inf
    board.under_way = {mine: (NOW + 40, leaver), theirs: (NOW + 40, stayer)}
    board.remove(leaver, now=NOW + 3)
    assert list(board.under_way) == [theirs]
    assert (entry.under_way, entry.due) == (False, NOW + 3)
    assert (other.under_way, other.due) == (True, math.inf)


# --- calls that come to nothing ----------------------------------------------------------------


def test_a_call_is_lost_once_its_time_is_over() -> None:
    board = ApprovalBoard()
    maker = joined(board, "a")
    look = Look(maker.entries[0])
    maker.entries[0].under_way = True
    board.under_way[look] = (NOW + 40, maker)
    board.forget_the_lost(NOW + 40)
    assert board.under_way
    board.forget_the_lost(NOW + 40.1)
    assert board.under_way == {}
    assert (maker.entries[0].under_way, maker.entries[0].due) == (False, NOW + 40.1)


def test_a_long_poll_may_take_its_wait_and_ten_seconds() -> None:
    entry = joined(ApprovalBoard(), "a").entries[0]
    calls = Look(entry), Look(entry, 25), ReadPage(Sweep(NOW)), ReadPage(Sweep(NOW), wait=7)
    assert [seconds_of(call) for call in calls] == [10.0, 35.0, 10.0, 17.0]


def test_a_page_that_is_broken_off_is_read_again_by_somebody_else() -> None:
    board = followed("a", "b", "c")
    board.list.sweep = Sweep(NOW, under_way=True)
    page = ReadPage(board.list.sweep)
    board.under_way[page] = (NOW + 40, next(iter(board.tickets)))
    board.break_off(page, NOW)
    assert board.under_way == {}
    assert not board.list.sweep.under_way


# --- looks in their order ----------------------------------------------------------------------


def test_looks_come_in_the_order_of_their_moments_and_then_as_they_were_asked_for() -> None:
    board = ApprovalBoard()
    entries = {each: joined(board, each).entries[0] for each in "ab"}
    board.push(entries["a"], NOW + 5)
    board.push(entries["b"], NOW + 5)
    seen = list[str]()
    while (entry := board.first_look()) is not None:
        seen.append(entry.id)
        entry.due = math.inf
    assert seen == ["a", "b"]
    assert board.looks == []


def test_nobody_is_looked_at_for_whom_nobody_waits_or_who_is_looked_at_already() -> None:
    board = ApprovalBoard()
    gone, busy = joined(board, "gone"), joined(board, "busy")
    busy.entries[0].under_way = True
    board.remove(gone, now=NOW)
    assert board.first_look() is None
    board.push(gone.entries[0], NOW + 1)
    assert board.looks == []


# --- lists or looks ----------------------------------------------------------------------------


def test_three_are_followed_by_the_list_as_soon_as_it_may_be_read() -> None:
    board = ApprovalBoard()
    board.list.began = NOW - 1
    suspect = joined(board, "a").entries[0]
    suspect.suspect = True
    joined(board, "b")
    assert (board.by_list, board.sweep_at) == (False, 0.0)
    joined(board, "c")
    assert (board.by_list, board.sweep_at) == (True, NOW + 1)
    assert suspect.due == NOW
    assert (board.entries["b"].due, board.entries["c"].due) == (math.inf, NOW)


def test_two_are_looked_at_again_and_the_list_is_left_alone_for_a_minute() -> None:
    board = followed("a", "b", "c")
    busy = joined(board, "d").entries[0]
    busy.under_way, busy.due = True, math.inf
    entries = dict(board.entries)
    entries["a"].looked_at = None
    entries["b"].looked_at, entries["b"].began = NOW + 50, NOW - 50
    for each in list(board.tickets)[2:3]:
        board.remove(each, now=NOW + 60)
    assert board.by_list
    board.list.not_before = math.inf
    board.choose(NOW + 60)
    assert not board.by_list
    assert board.sweep_at == NOW + 60
    assert (entries["a"].due, entries["b"].due, busy.due) == (NOW + 60, NOW + 50 + 11, math.inf)


def test_a_list_that_was_never_read_is_left_alone_for_a_minute_from_now() -> None:
    board = ApprovalBoard()
    board.by_list = True
    board.choose(NOW)
    assert board.sweep_at == NOW + 60
    board.by_list = True
    board.sweep_at = NOW + 100
    board.choose(NOW)
    assert board.sweep_at == NOW + 100


def test_a_list_may_be_read_again_after_its_gap() -> None:
    board = ApprovalBoard()
    assert board.soonest_sweep(NOW) == NOW
    board.list.began = NOW - 1
    assert board.soonest_sweep(NOW) == NOW + 1
    assert board.soonest_sweep(NOW + 5) == NOW + 5


@pytest.mark.parametrize(("others", "seconds"), [(0, 10.0), (3, 8.977)])
def test_the_most_impatient_of_many_sets_the_pace(others: int, seconds: float) -> None:
    board = ApprovalBoard()
    joined(board, "youngest")
    for number in range(others):
        joined(board, f"older {number}", now=NOW - 50)
    assert board.shortest_wish(NOW + 100, jitter=0.5) == pytest.approx(seconds, abs=0.001)
    assert board.shortest_wish(NOW, jitter=0.0) == 2.0


def test_without_anybody_the_pace_is_the_fastest() -> None:
    assert ApprovalBoard().shortest_wish(NOW, jitter=1.0) == pytest.approx(2.3)


def test_all_are_listed_or_one_is_not() -> None:
    board = followed("a", "b", "c")
    assert board.all_listed()
    joined(board, "d")
    assert not board.all_listed()


@pytest.mark.parametrize(
    ("connector", "own", "is_ours"),
    [
        (None, None, True),
        (None, "mine", True),
        ("unknown", None, True),
        ("theirs", None, False),
        ("mine", "mine", True),
        ("unknown", "mine", False),
    ],
)
def test_a_request_is_ours_unless_it_is_known_to_be_anothers(
    connector: str | None, own: str | None, is_ours: bool
) -> None:
    board = ApprovalBoard()
    board.foreign, board.own = {"theirs"}, own
    assert board.is_ours(connector) is is_ours


# --- order after an interrupt, and beginning anew ----------------------------------------------


def test_mending_keeps_who_waits_and_what_they_do_and_drops_the_rest() -> None:
    board = ApprovalBoard()
    stayer, other = ticket("a", owner=b"key"), ticket("b", "c")
    for each in (stayer, other):
        board.add(each, now=NOW)
    gone = joined(board, "a", "d")
    busy = Look(other.entries[0])
    lost = Look(other.entries[1])
    busy.entry.under_way = lost.entry.under_way = True
    busy.entry.due = math.inf
    board.under_way = {busy: (NOW + 40, other), lost: (NOW + 40, gone)}
    board.list.sweep = Sweep(NOW, under_way=True)
    board.list.etag = "v1"
    board.owners = {b"other": {gone: None}}
    board.by_list = True
    del board.tickets[gone]  # as far as it came
    board.mend(NOW + 7)
    assert board.owners == {b"key": {stayer: None}}
    assert list(board.under_way) == [busy]
    assert set(board.entries) == {"a", "b", "c"}
    assert list(board.entries["a"].tickets) == [stayer]
    assert (busy.entry.under_way, busy.entry.due) == (True, math.inf)
    assert not lost.entry.under_way
    assert not board.list.sweep.under_way
    assert board.list.etag is None


def test_mending_looks_anew_at_whom_an_interrupt_may_have_lost() -> None:
    board = ApprovalBoard()
    lost, busy = joined(board, "lost").entries[0], joined(board, "busy")
    board.under_way[Look(busy.entries[0])] = (NOW + 40, busy)
    board.looks.clear()
    lost.due = busy.entries[0].due = math.inf
    board.mend(NOW + 7)
    assert (lost.due, busy.entries[0].due) == (NOW + 7, math.inf)
    assert board.first_look() is lost


def test_mending_reads_the_list_as_soon_as_it_may_be_read() -> None:
    board = followed("a", "b", "c")
    board.sweep_at = math.inf
    board.mend(NOW)
    assert (board.by_list, board.sweep_at) == (True, NOW + 2)
    assert {entry.due for entry in board.entries.values()} == {math.inf}


def test_mending_leaves_a_page_under_way_to_whoever_reads_it() -> None:
    board = followed("a", "b", "c")
    board.list.sweep = Sweep(NOW)
    board.under_way[ReadPage(board.list.sweep)] = (NOW + 40, next(iter(board.tickets)))
    board.mend(NOW)
    assert board.list.sweep.under_way


def test_mending_does_not_take_a_long_poll_for_the_reading_beside_it() -> None:
    board = followed("a", "b", "c")
    board.list.sweep = Sweep(NOW, under_way=True)
    board.under_way[ReadPage(Sweep(NOW - 9), wait=25)] = (NOW + 40, next(iter(board.tickets)))
    board.mend(NOW)
    assert not board.list.sweep.under_way


def test_beginning_anew_forgets_who_waits_and_not_what_is_known_of_the_service() -> None:
    board = followed("a", "b", "c")
    board.waits, board.own, board.list.waits = True, "mine", False
    board.list.sweep = Sweep(NOW)
    board.begin_anew()
    assert (board.entries, board.tickets, board.looks, board.by_list) == ({}, {}, [], False)
    assert board.list.sweep is None
    assert board.sweep_at == 0.0
    assert (board.waits, board.own, board.list.waits) == (True, "mine", False)
