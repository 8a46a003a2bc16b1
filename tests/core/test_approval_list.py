"""When the list of access requests beats looks, how fast it is read, and how far."""

from __future__ import annotations

import math
from typing import Any

import pytest

from memoram_async.core.approval_list import ListState, Sweep


@pytest.mark.parametrize(
    ("active", "pages", "is_better"),
    [(2, 1, False), (3, 1, True), (4, 1, True), (5, 2, False), (6, 2, True), (8, 3, False), (9, 3, True)],
)
def test_a_list_is_better_for_three_and_more_on_each_page(active: int, pages: int, is_better: bool) -> None:
    assert ListState(pages=pages).is_better(active=active, owners=0, now=100.0) is is_better


@pytest.mark.parametrize(
    ("owners", "known", "is_better"),
    [
        (0, {}, False),
        (1, {}, True),
        (1, {"octets": 128_000}, True),
        (1, {"octets": 128_001}, False),
        (1, {"pages": 2}, False),
        (1, {"is_whole": False}, False),
    ],
)
def test_whoever_takes_any_request_for_a_memory_key_is_served_by_a_short_list_that_is_whole(
    owners: int, known: dict[str, Any], is_better: bool
) -> None:
    assert ListState(**known).is_better(active=1, owners=owners, now=100.0) is is_better


def test_a_list_that_was_of_no_use_is_left_alone_for_twenty_readings() -> None:
    state = ListState(etag="v1", digest=b"v1", failures=2, octets=2_000_000)
    state.postpone(now=100.0, interval=3.0)
    assert (state.not_before, state.failures, state.etag, state.digest) == (180.0, 0, None, None)
    assert not state.is_better(active=3, owners=1, now=179.9)
    assert state.is_better(active=3, owners=1, now=180.0)
    state.postpone(now=200.0, interval=5.0)
    assert state.not_before == 300.0


@pytest.mark.parametrize(
    ("known", "seconds"),
    [
        ({}, 2.0),
        ({"octets": 2_000_000}, 4.0),
        ({"pages": 50}, 10.2),
        ({"pages": 50, "is_busy": True}, 6.375),
        ({"pages": 2}, 2.0),
    ],
)
def test_a_list_is_read_no_faster_than_is_fair(known: dict[str, Any], seconds: float) -> None:
    assert ListState(**known).gap() == pytest.approx(seconds)


def test_the_third_failure_in_a_row_is_one_too_many() -> None:
    state = ListState()
    told = list[bool]()
    for _ in range(3):
        state.sweep = Sweep(100.0)
        told.append(state.failed())
        assert state.sweep is None
    assert told == [False, False, True]


def test_pages_are_followed_until_all_is_found_or_a_cursor_comes_twice() -> None:
    sweep = Sweep(100.0)
    assert sweep.goes_on("2", wanted=2)
    assert sweep.cursor == "2"
    sweep.seen.add("a")
    assert sweep.goes_on("3", wanted=2)
    assert sweep.cursor == "3"
    assert not sweep.goes_on("2", wanted=2)
    assert not sweep.goes_on(None, wanted=math.inf)
    sweep.seen.add("b")
    assert not sweep.goes_on("4", wanted=2)
    assert sweep.goes_on("4", wanted=math.inf)
