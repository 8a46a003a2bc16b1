"""What comes of looks and pages, whom it concerns, and when the next ones are due."""

from __future__ import annotations

import math
from typing import Any

import pytest

from memoram_async.core.approval_board import ApprovalBoard
from memoram_async.core.approval_calls import Entry, Look, ReadPage, Ticket
from memoram_async.core.approval_list import Sweep
from memoram_async.core.approval_page import ListPage
from memoram_async.core.approval_reports import (
    list_read,
    look_failed,
    note_status,
    page_failed,
    sweep_done,
    take_items,
)
from memoram_async.core.errors import (
    APIConnectionError,
    AuthenticationError,
    MemoramError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
)

NOW = 1000.0
DOWN = ServerError("down", status=503)
FORBIDDEN = PermissionDeniedError("no", status=403)
UNKNOWN = NotFoundError("no", status=404)
LIMITED = RateLimitedError("slow", status=429, retry_after=7)


def waiting(*ids: str, owner: bytes | None = None) -> ApprovalBoard:
    """A board with one who waits for each."""
    board = ApprovalBoard()
    for each in ids:
        ticket = Ticket((each,), began=NOW, ends=NOW + 600, owner=owner, waiter=f"who wants {each}")
        board.add(ticket, now=NOW)
    return board


def failed(board: ApprovalBoard, entry: Entry, error: MemoramError, *, at: float = NOW) -> list[Any]:
    """A look that brought nothing."""
    return look_failed(board, Look(entry), error, now=at, jitter=1.0)


# --- looks that failed -------------------------------------------------------------------------


def test_a_look_that_failed_is_over_and_counts() -> None:
    board = waiting("a")
    entry = board.entries["a"]
    entry.under_way = True
    failed(board, entry, DOWN, at=NOW + 3)
    assert (entry.under_way, entry.looks, entry.looked_at) == (False, 1, NOW + 3)
    assert type(entry.last_error) is ServerError
    assert entry.last_error is not DOWN


@pytest.mark.parametrize(
    ("wait", "before", "after"), [(25, None, False), (25, True, True), (None, None, None)]
)
def test_only_a_first_long_poll_that_fails_says_that_there_are_none(
    wait: int | None, before: bool | None, after: bool | None
) -> None:
    board = waiting("a")
    board.waits = before
    look_failed(board, Look(board.entries["a"], wait), DOWN, now=NOW, jitter=0.5)
    assert board.waits is after


def test_what_may_pass_is_tried_again_ever_later_and_told_of_at_the_third_time() -> None:
    board = waiting("a")
    entry = board.entries["a"]
    told, pauses = list[Any](), list[float]()
    for number in range(4):
        told.append(failed(board, entry, DOWN, at=NOW + number))
        pauses.append(entry.due - NOW - number)
    assert told == [[], [], ["who wants a"], []]
    assert pauses == [2.0, 4.0, 8.0, 16.0]
    assert entry.looks == 4
    assert entry.failure is None


def test_a_limit_is_no_failure_and_is_over_when_the_service_says_so() -> None:
    board = waiting("a")
    entry = board.entries["a"]
    entry.refused_at = NOW - 5
    board.pace.not_before = NOW + 7
    assert failed(board, entry, LIMITED) == []
    assert (entry.due, entry.failures) == (NOW + 7, 0)
    assert entry.refused_at is None
    board.pace.not_before = 0.0
    failed(board, entry, LIMITED, at=NOW + 9)
    assert entry.due == NOW + 9


def test_a_refusal_is_asked_again_after_two_seconds_and_then_believed() -> None:
    board = waiting("a")
    entry = board.entries["a"]
    assert failed(board, entry, FORBIDDEN) == []
    assert (entry.failure, entry.due, entry.refused_at, entry.failures) == (None, NOW + 2, NOW, 0)
    assert failed(board, entry, FORBIDDEN, at=NOW + 1.9) == []
    assert (entry.failure, entry.due, entry.refused_at) == (None, NOW + 3.9, NOW)
    assert failed(board, entry, FORBIDDEN, at=NOW + 2) == ["who wants a"]
    assert entry.failure is entry.last_error
    assert isinstance(entry.failure, PermissionDeniedError)


@pytest.mark.parametrize(("age", "is_final"), [(10.0, False), (10.1, True)])
def test_that_a_young_request_is_unknown_is_not_believed(age: float, is_final: bool) -> None:
    board = waiting("a")
    entry = board.entries["a"]
    entry.refused_at = NOW
    failed(board, entry, UNKNOWN, at=NOW + age)
    assert (entry.failure is not None) is is_final


def test_what_may_pass_between_two_refusals_makes_the_second_a_first() -> None:
    board = waiting("a")
    entry = board.entries["a"]
    failed(board, entry, FORBIDDEN)
    failed(board, entry, DOWN, at=NOW + 5)
    assert entry.refused_at is None
    failed(board, entry, FORBIDDEN, at=NOW + 10)
    assert entry.failure is None


def test_a_refused_key_ends_the_wait_of_everybody() -> None:
    board = waiting("a")
    entry = board.entries["a"]
    board.add(Ticket(("a",), began=NOW, ends=NOW + 600, waiter="another"), now=NOW)
    assert failed(board, entry, AuthenticationError("no", status=401)) == ["who wants a", "another"]
    assert entry.failure is entry.last_error


# --- pages that failed -------------------------------------------------------------------------


def test_a_page_that_failed_is_told_to_everybody_and_read_again_soon() -> None:
    board = waiting("a", "b", "c")
    board.list.sweep = Sweep(NOW)
    page = ReadPage(board.list.sweep)
    assert page_failed(board, page, DOWN, now=NOW + 1, jitter=1.0) == []
    assert (board.list.readings, board.list.failures) == (1, 1)
    assert board.list.sweep is None
    assert board.sweep_at == NOW + 1 + 2
    errors = [entry.last_error for entry in board.entries.values()]
    assert [type(error) for error in errors] == [ServerError] * 3
    assert len({id(error) for error in (*errors, DOWN)}) == 4
    page_failed(board, ReadPage(Sweep(NOW)), DOWN, now=NOW + 3, jitter=1.0)
    assert (board.list.readings, board.list.failures) == (2, 2)
    assert (board.sweep_at, board.by_list) == (NOW + 3 + 4, True)


@pytest.mark.parametrize(
    ("wait", "before", "after"), [(25, None, False), (25, True, True), (None, None, None)]
)
def test_only_a_first_long_poll_on_the_list_that_fails_says_that_there_are_none(
    wait: int | None, before: bool | None, after: bool | None
) -> None:
    board = waiting("a", "b", "c")
    board.list.waits = before
    page_failed(board, ReadPage(Sweep(NOW), wait=wait), DOWN, now=NOW, jitter=0.5)
    assert board.list.waits is after


@pytest.mark.parametrize(("failures", "error"), [(2, DOWN), (0, FORBIDDEN), (0, UNKNOWN)])
def test_a_list_that_fails_three_times_or_is_refused_once_gives_way_to_looks(
    failures: int, error: MemoramError
) -> None:
    board = waiting("a", "b", "c")
    board.list.failures = failures
    page_failed(board, ReadPage(Sweep(NOW)), error, now=NOW + 100, jitter=1.0)
    wish = 10.0 * 1.15
    assert board.list.not_before == pytest.approx(NOW + 100 + (30 if error is DOWN else 20 * wish))
    assert board.sweep_at >= board.list.not_before
    assert not board.by_list
    assert [entry.due for entry in board.entries.values()] == [NOW + 100] * 3


def test_a_limit_is_no_reason_to_give_the_list_up() -> None:
    board = waiting("a", "b", "c")
    board.list.failures = 2
    page_failed(board, ReadPage(Sweep(NOW)), LIMITED, now=NOW, jitter=1.0)
    assert (board.by_list, board.sweep_at) == (True, NOW + 8)


# --- what a page has ---------------------------------------------------------------------------


def taken(board: ApprovalBoard, sweep: Sweep, *items: tuple[str, str]) -> list[Any]:
    """The items of a page that was read five seconds later; those named odd cannot be read."""
    rows = [
        (each, status, {"id": each, "memoryKey": f"key of {each}", "aiConnectorId": "app"})
        for each, status in items
    ]
    return take_items(
        board,
        sweep,
        rows,
        read=lambda item: None if item["id"].startswith("odd") else item["id"],
        digest=str.encode,
        now=NOW + 5,
    )


def test_items_are_seen_and_only_changes_of_what_was_known_count() -> None:
    board = waiting("a", "b", "c", "d")
    for each in "bcd":
        board.entries[each].status = "pending"
    board.entries["a"].last_error = DOWN
    sweep = Sweep(NOW)
    rows = [("b", "approved"), ("c", "approved"), ("d", "pending"), ("a", "pending"), ("z", "approved")]
    woken = taken(board, sweep, *rows)
    assert woken == ["who wants b", "who wants c", "who wants a"]
    assert (sweep.seen, sweep.changed, sweep.news) == ({"a", "b", "c", "d"}, 2, 3)
    for each, status in rows[:-1]:
        entry = board.entries[each]
        assert (entry.status, entry.looked_at, entry.last_error) == (status, NOW + 5, None)
    assert board.entries["b"].found == "b"


@pytest.mark.parametrize(("name", "status"), [("a", "rejected"), ("a", "revoked"), ("odd", "approved")])
@pytest.mark.parametrize("is_looked_at", [True, False])
def test_what_must_be_confirmed_is_looked_at_at_once_unless_it_is_already(
    name: str, status: str, is_looked_at: bool
) -> None:
    board = waiting(name, "b", "c")
    entry = board.entries[name]
    entry.under_way, entry.due = is_looked_at, math.inf
    assert taken(board, Sweep(NOW), (name, status)) == []
    assert (entry.status, entry.found) == (None, None)
    assert (entry.suspect, entry.due) == ((False, math.inf) if is_looked_at else (True, NOW + 5))


def test_access_that_was_taken_back_must_be_confirmed_and_an_old_copy_need_not() -> None:
    board = waiting("a", "odd", "c")
    for entry in board.entries.values():
        entry.status = "approved"
    sweep = Sweep(NOW)
    assert taken(board, sweep, ("a", "revoked"), ("odd", "pending"), ("c", "pending")) == []
    assert sweep.news == 1
    board.entries["a"].status = "revoked"
    taken(board, sweep, ("a", "rejected"))
    assert sweep.news == 1
    board.entries["a"].status = "approved"
    assert [entry.suspect for entry in board.entries.values()] == [True, False, False]
    assert [entry.status for entry in board.entries.values()] == ["approved"] * 3


def test_an_approved_request_for_a_memory_key_serves_all_who_wait_for_the_key() -> None:
    board = ApprovalBoard()
    board.own = "app"
    owners = [
        Ticket((each,), began=NOW, ends=NOW + 600, owner=owner.encode(), waiter=each)
        for each, owner in (("a", "key of x"), ("b", "key of x"), ("c", "key of odd"))
    ]
    for each in owners:
        board.add(each, now=NOW)
    assert taken(board, Sweep(NOW), ("x", "pending"), ("odd", "approved"), ("y", "approved")) == []
    assert [each.released for each in owners] == [None] * 3
    sweep = Sweep(NOW)
    assert taken(board, sweep, ("a", "pending"), ("x", "approved")) == ["a", "a", "b"]
    assert sweep.news == 2
    assert [each.released for each in owners] == ["x", "x", None]
    board.own = "another"
    assert taken(board, Sweep(NOW), ("x", "approved")) == []


@pytest.mark.parametrize("key", [None, 7, ["key"]], ids=repr)
def test_a_memory_key_that_is_no_text_serves_nobody(key: object) -> None:
    board = waiting("a", owner=b"key")
    item = {"id": "x", "memoryKey": key}
    rows = [("x", "approved", item)]
    assert take_items(board, Sweep(NOW), rows, read=str, digest=str.encode, now=NOW) == []


def test_a_status_is_news_once() -> None:
    entry = waiting("a").entries["a"]
    assert note_status(entry, "pending", 1) == ["who wants a"]
    assert note_status(entry, "pending", 2) == []
    assert entry.found == 2
    assert note_status(entry, "approved", 3) == ["who wants a"]
    assert note_status(entry, "pending", 4) == []
    assert (entry.status, entry.found) == ("approved", 3)
    assert note_status(entry, "revoked", 5) == ["who wants a"]
    assert (entry.status, entry.found) == ("revoked", 5)


# --- what a reading tells of the list ----------------------------------------------------------


def was_read(
    board: ApprovalBoard, sweep: Sweep, *, cursor: str | None = None, total: int | None = None
) -> None:
    """A reading that went as far as it went."""
    answer = ListPage(next_cursor=cursor, total=total, etag="v1", digest=b"v1")
    list_read(board, sweep, answer, now=NOW, jitter=1.0)


@pytest.mark.parametrize(
    ("items", "total", "is_whole"), [(9, None, True), (9, 9, True), (10, 9, True), (8, 9, False)]
)
def test_a_list_is_whole_if_it_comes_to_its_total(items: int, total: int | None, is_whole: bool) -> None:
    board = waiting("a")
    board.list.pages = 5
    was_read(board, Sweep(NOW, pages=2, items=items, octets=70), total=total)
    assert (board.list.is_whole, board.list.pages, board.list.octets) == (is_whole, 2, 70)


@pytest.mark.parametrize(("known", "total", "pages"), [(1, None, 3), (7, None, 7), (1, 900, 1)])
def test_a_list_that_goes_on_has_as_many_pages_as_were_read_at_least(
    known: int, total: int | None, pages: int
) -> None:
    board = waiting("a")
    board.list.pages, board.list.is_whole = known, False
    was_read(board, Sweep(NOW, pages=3), cursor="4", total=total)
    assert (board.list.pages, board.list.is_whole) == (pages, False)


def test_a_version_is_kept_of_a_list_of_one_page_alone() -> None:
    board = waiting("a")
    was_read(board, Sweep(NOW, pages=1))
    assert (board.list.etag, board.list.digest) == ("v1", b"v1")
    was_read(board, Sweep(NOW, pages=2))
    assert (board.list.etag, board.list.digest) == (None, None)


@pytest.mark.parametrize(
    ("pages", "changed", "waiters", "rate"), [(2, 1, 100, 8.0), (2, 1, 101, 5.0), (1, 1, 3, 5.0)]
)
def test_a_list_of_several_pages_is_read_faster_while_one_of_a_hundred_decides(
    pages: int, changed: int, waiters: int, rate: float
) -> None:
    board = waiting(*map(str, range(waiters)))
    was_read(board, Sweep(NOW, pages=pages, changed=changed, seen=set(board.entries)))
    assert (board.pace.pages.full_rate, board.pace.pages.rate) == (rate, rate)


def test_a_service_that_complained_is_not_asked_faster_for_that() -> None:
    board = waiting("a", "b", "c")
    board.pace.limited(3, now=NOW)
    was_read(board, Sweep(NOW, pages=2, changed=1, seen={"a", "b", "c"}))
    assert (board.pace.pages.full_rate, board.pace.pages.rate) == (8.0, 2.5)


@pytest.mark.parametrize(("seen", "is_left"), [("ab", False), ("a", True)])
def test_a_list_that_lacks_more_than_half_is_left_alone(seen: str, is_left: bool) -> None:
    board = waiting("a", "b", "c", "d")
    was_read(board, Sweep(NOW, pages=1, seen=set(seen)))
    assert [entry.listed for entry in board.entries.values()] == [each in seen for each in "abcd"]
    assert board.list.not_before == (NOW + 20 * 2.3 if is_left else 0.0)


# --- when it is read again ---------------------------------------------------------------------


def done(board: ApprovalBoard, *, began: float = NOW, prompt: bool = False) -> None:
    """A reading that took a second."""
    sweep_done(board, Sweep(began), now=NOW + 1, jitter=0.5, prompt=prompt)


def test_without_a_list_it_is_read_once_a_minute() -> None:
    board = waiting("a")
    done(board)
    assert board.sweep_at == NOW + 60
    done(board, began=NOW - 100)
    assert board.sweep_at == NOW + 1


def listed(*ids: str, owner: bytes | None = None) -> ApprovalBoard:
    """Those whom the list has."""
    board = waiting(*ids, owner=owner)
    for entry in board.entries.values():
        entry.listed, entry.looked_at, entry.due = True, NOW, math.inf
    return board


def test_what_the_list_lacks_is_looked_at_when_its_time_has_come() -> None:
    board = listed("never", "before", "now", "busy", "due", "there")
    entries = board.entries
    for each in ("never", "before", "now", "busy", "due"):
        entries[each].listed = False
    entries["never"].looked_at = None
    entries["before"].looked_at = NOW - 50
    entries["before"].began = entries["now"].began = NOW - 49
    entries["busy"].under_way = True
    entries["due"].due = NOW + 9
    done(board)
    dues = {each: entry.due - NOW for each, entry in entries.items()}
    assert dues == {"never": 1, "before": 1, "now": 5, "busy": math.inf, "due": 9, "there": math.inf}


@pytest.mark.parametrize(
    ("prompt", "slow_down", "seconds"),
    [(False, 0.0, 2.0), (False, 5.0, 7.0), (True, 0.0, 1.0), (True, 5.0, 5.0)],
)
def test_many_read_the_list_as_often_as_the_most_impatient_wishes(
    prompt: bool, slow_down: float, seconds: float
) -> None:
    board = listed("a", "b", "c")
    board.pace.slow_down = slow_down
    done(board, prompt=prompt)
    assert board.sweep_at == NOW + seconds
    done(board, began=NOW - 50, prompt=prompt)
    assert board.sweep_at == NOW + 1
    assert {entry.due for entry in board.entries.values()} == {math.inf}


def test_a_long_list_is_read_no_oftener_than_its_gap() -> None:
    board = listed("a", "b", "c")
    board.list.octets = 10_000_000
    done(board)
    assert board.sweep_at == NOW + 20


def test_few_are_looked_at_between_two_readings() -> None:
    board = listed("a", "b", owner=b"key")
    board.entries["b"].suspect = True
    done(board)
    assert board.sweep_at == NOW + 4
    assert [entry.due for entry in board.entries.values()] == [NOW + 2, math.inf]
    board.entries["a"].due, board.entries["a"].under_way = math.inf, True
    done(board)
    assert board.entries["a"].due == math.inf


def test_few_whose_list_is_waited_for_need_no_looks_between() -> None:
    board = listed("a", "b", owner=b"key")
    board.list.waits = True
    done(board, prompt=True)
    assert board.sweep_at == NOW + 1
    assert [entry.due for entry in board.entries.values()] == [math.inf, math.inf]


def test_a_connection_that_broke_is_passing_for_the_list_too() -> None:
    board = waiting("a", "b", "c")
    page_failed(board, ReadPage(Sweep(NOW)), APIConnectionError("cut", sent=True), now=NOW, jitter=0.0)
    assert (board.by_list, board.sweep_at) == (True, NOW + 1)
