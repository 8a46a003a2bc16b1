"""Reading how long a service asks to wait (RFC 9110 10.2.3)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.retry import LONGEST_ASKED, parse_retry_after

NOON = 1_767_268_800.0  # Thu, 01 Jan 2026 12:00:00 GMT


def asked(value: str, *, date: str | None = None) -> float | None:
    headers = {"retry-after": value} if date is None else {"retry-after": value, "date": date}
    return parse_retry_after(headers, wall=NOON)


def test_an_answer_without_the_field_asks_for_nothing() -> None:
    assert parse_retry_after({}, wall=NOON) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0), ("7", 7), (" 120 ", 120), ("000000000000005", 5), ("0.25", 0.25), ("1.5", 1.5)],
)
def test_seconds_are_read(value: str, seconds: float) -> None:
    assert asked(value) == seconds


@pytest.mark.parametrize("value", ["9" * 10, "9" * 30, "9" * 400, "9" * 10_000])
def test_more_seconds_than_anyone_waits_stay_finite(value: str) -> None:
    assert asked(value) == LONGEST_ASKED


def test_a_date_counts_from_the_answers_own() -> None:
    assert asked("Sat, 03 Feb 2001 04:00:30 GMT", date="Sat, 03 Feb 2001 04:00:00 GMT") == 30


def test_a_date_counts_from_now_if_the_answer_has_none() -> None:
    assert asked("Thu, 01 Jan 2026 12:00:30 GMT") == 30


def test_a_date_whose_zone_is_unknown_is_read_as_utc() -> None:
    assert asked("Thu, 01 Jan 2026 12:00:30 -0000") == 30


def test_a_date_that_has_passed_asks_for_no_wait() -> None:
    assert asked("Thu, 01 Jan 2026 11:00:00 GMT") == 0


def test_a_date_far_ahead_stays_within_the_longest() -> None:
    assert asked("Fri, 31 Dec 9999 23:59:59 GMT") == LONGEST_ASKED


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "soon",
        "-1",
        "+1",
        "1.5.0",
        ".5",
        "5.",
        "1e3",
        "٣",
        "²",
        "0x10",
        "12 34",
        "Thu, 99 Jan 2026 12:00:30",
    ],
)
def test_anything_else_asks_for_nothing(value: str) -> None:
    assert asked(value) is None


@given(value=st.text(), date=st.none() | st.text())
def test_no_value_whatsoever_breaks_it(value: str, date: str | None) -> None:
    seconds = asked(value, date=date)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))


@given(
    st.from_regex(r"[A-Z][a-z]{2}, ?\d{1,3} [A-Z][a-z]{2} \d{1,6} \d{1,3}:\d{1,3}(:\d{1,3})? ?[-+A-Z0-9]*")
)
def test_nothing_that_looks_like_a_date_breaks_it(value: str) -> None:
    seconds = asked(value, date=value)
    assert seconds is None or 0 <= seconds <= LONGEST_ASKED
