"""How often to ask about access requests, in figures."""

from __future__ import annotations

import pytest

from memoram_async.core.approval_pace import Bucket, Pace, back_off, interval
from memoram_async.core.approval_page import ListPage, read_list_page


@pytest.mark.parametrize(("age", "seconds"), [(0, 2.0), (20, 2.0), (50, 5.0), (150, 15.0), (10_000, 15.0)])
def test_the_interval_is_a_tenth_of_the_age_within_bounds(age: float, seconds: float) -> None:
    assert interval(age, jitter=0.5) == pytest.approx(seconds)
    assert interval(age, jitter=0.0) == pytest.approx(seconds * 0.85)
    assert interval(age, jitter=1.0) == pytest.approx(seconds * 1.15)


@pytest.mark.parametrize(
    ("failures", "most"), [(0, 1.0), (1, 2.0), (2, 4.0), (3, 8.0), (4, 16.0), (5, 30.0), (5000, 30.0)]
)
def test_backing_off_doubles_up_to_half_a_minute(failures: int, most: float) -> None:
    assert back_off(failures, jitter=0.0) == 1.0
    assert back_off(failures, jitter=1.0) == most
    assert back_off(failures, jitter=0.5) == pytest.approx((1.0 + most) / 2)


def test_a_bucket_has_some_calls_at_once_and_then_its_rate() -> None:
    bucket = Bucket(2.0, 3.0)
    for _ in range(3):
        assert bucket.delay(10.0) == 0.0
        bucket.take(10.0)
    assert bucket.delay(10.0) == pytest.approx(0.5)
    assert bucket.delay(10.25) == pytest.approx(0.25)
    assert bucket.delay(100.0) == 0.0


def test_a_clock_that_seems_to_go_back_takes_no_calls_away() -> None:
    bucket = Bucket(2.0, 3.0)
    bucket.take(10.0)
    bucket.take(10.0)
    assert bucket.delay(9.0) == 0.0
    bucket.take(9.0)
    assert bucket.delay(9.0) == pytest.approx(0.5)


def test_a_bucket_that_was_asked_too_often_is_halved_but_not_for_good() -> None:
    bucket = Bucket(8.0, 3.0)
    bucket.take(0.0)
    bucket.halve()
    assert (bucket.rate, bucket.delay(0.0)) == (4.0, 0.25)
    for _ in range(5):
        bucket.halve()
    assert bucket.rate == 1.0  # an eighth at least
    bucket.regrow()
    assert bucket.rate == pytest.approx(1.02)
    for _ in range(200):
        bucket.regrow()
    assert bucket.rate == 8.0


def test_two_failures_in_a_row_hold_nobody_back_and_a_third_does() -> None:
    pace = Pace()
    pace.failed(now=100.0, jitter=1.0)
    pace.failed(now=100.0, jitter=1.0)
    assert pace.not_before == 0.0
    pace.failed(now=100.0, jitter=1.0)
    assert pace.not_before == 102.0
    pace.failed(now=100.0, jitter=1.0)
    assert pace.not_before == 104.0
    pace.failed(now=50.0, jitter=0.0)
    assert pace.not_before == 104.0


def test_an_answer_ends_a_row_of_failures() -> None:
    pace = Pace()
    for _ in range(2):
        pace.failed(now=100.0, jitter=1.0)
    pace.answered()
    for _ in range(2):
        pace.failed(now=100.0, jitter=1.0)
    assert pace.not_before == 0.0
    pace.failed(now=100.0, jitter=1.0)
    assert pace.not_before == 102.0


def test_a_service_that_asks_for_less_gets_less_until_it_has_answered_five_times() -> None:
    pace = Pace()
    pace.limited(None, now=100.0)
    assert (pace.slow_down, pace.not_before, pace.is_calm) == (5.0, 107.0, False)
    for _ in range(4):
        pace.answered()
    assert pace.slow_down == 5.0
    pace.answered()
    assert pace.slow_down == 0.0


def test_each_step_of_slowing_down_wears_off_after_five_answers_of_its_own() -> None:
    pace = Pace()
    pace.limited(None, now=100.0)
    pace.limited(None, now=100.0)
    seen = list[float]()
    for _ in range(10):
        pace.answered()
        seen.append(pace.slow_down)
    assert seen == [10.0] * 4 + [5.0] * 5 + [0.0]


@pytest.mark.parametrize("complaint", ["limited", "failed"])
def test_a_complaint_starts_the_count_of_clean_answers_anew(complaint: str) -> None:
    pace = Pace()
    pace.limited(None, now=100.0)
    for _ in range(4):
        pace.answered()
    if complaint == "limited":
        pace.limited(1.0, now=100.0)
    else:
        pace.failed(now=100.0, jitter=0.0)
    for _ in range(4):
        pace.answered()
    assert pace.slow_down == 5.0
    pace.answered()
    assert pace.slow_down == 0.0


@pytest.mark.parametrize(("asked", "seconds"), [(0.5, 2.0), (10.0, 10.0), (1000.0, 300.0)])
def test_retry_after_is_kept_within_reason(asked: float, seconds: float) -> None:
    pace = Pace()
    pace.limited(asked, now=100.0)
    assert (pace.not_before, pace.slow_down) == (100.0 + seconds, 0.0)


def test_a_page_is_read_item_by_item() -> None:
    pending = {"id": "a", "status": "pending"}
    odd = [{"id": 7, "status": "pending"}, {"id": "b", "status": 5}, {"id": 7}, "odd"]
    body = {"items": [*odd, pending], "next_cursor": "more", "total": 9}
    page = read_list_page(body, octets=120, etag='"1"', applied=True, digest=b"1")
    assert page == ListPage(
        items=(("a", "pending", pending),),
        count=5,
        total=9,
        next_cursor="more",
        octets=120,
        etag='"1"',
        digest=b"1",
        applied=True,
    )


@pytest.mark.parametrize(("cursor", "total"), [("", "9"), (7, True), (None, None)])
def test_odd_members_of_a_page_are_none(cursor: object, total: object) -> None:
    body: dict[str, object] = {"items": [], "next_cursor": cursor, "total": total}
    assert read_list_page(body, octets=1, etag=None, applied=False) == ListPage(octets=1)


@pytest.mark.parametrize("body", [None, [], {}, {"items": {}}])
def test_what_has_no_items_is_no_page(body: object) -> None:
    assert read_list_page(body, octets=1, etag=None, applied=False) is None
