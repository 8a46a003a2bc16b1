"""How long a token lives, as far as its answer tells."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.token import DEFAULT_LIFETIME, lifetime_of

NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z


def test_it_is_counted_from_the_answers_own_date() -> None:
    """A server whose clock is off tells both ends by it."""
    lifetime = lifetime_of(expires_at="2001-02-03T05:00:00Z", date="Sat, 03 Feb 2001 04:00:00 GMT", wall=NOON)
    assert lifetime == 3600


def test_a_token_may_live_for_a_second() -> None:
    assert lifetime_of(expires_at="2026-01-01T12:00:01Z", date=None, wall=NOON) == 1


def test_without_a_date_it_is_counted_from_this_machines_time() -> None:
    assert lifetime_of(expires_at="2026-01-01T12:10:00Z", date=None, wall=NOON) == 600


@pytest.mark.parametrize("date", ["", "yesterday", "2026-01-01T12:00:00Z"])
def test_a_date_that_is_none_counts_as_missing(date: str) -> None:
    assert lifetime_of(expires_at="2026-01-01T12:10:00Z", date=date, wall=NOON) == 600


@pytest.mark.parametrize(
    "expires_at",
    [
        "2026-01-01T12:10:00Z",
        "2026-01-01T12:10:00+00:00",
        "2026-01-01T14:10:00.000+02:00",
        "2026-01-01 12:10",
    ],
)
def test_every_usual_way_to_write_the_end_is_read(expires_at: str) -> None:
    assert lifetime_of(expires_at=expires_at, date=None, wall=NOON) == 600


@pytest.mark.parametrize("expires_at", [None, "", "soon", "3600", "9" * 400])
def test_an_end_that_is_none_yields_a_modest_guess(expires_at: str | None) -> None:
    assert lifetime_of(expires_at=expires_at, date=None, wall=NOON) == DEFAULT_LIFETIME


@pytest.mark.parametrize("expires_at", ["2026-01-01T11:59:59Z", "2026-01-01T12:00:00Z"])
def test_an_end_that_has_passed_yields_a_modest_guess(expires_at: str) -> None:
    """A fresh token that looks expired means that this machine's clock is wrong."""
    assert lifetime_of(expires_at=expires_at, date=None, wall=NOON) == DEFAULT_LIFETIME


@given(expires_at=st.none() | st.text() | st.datetimes().map(str), date=st.none() | st.text())
def test_whatever_an_answer_says_it_is_positive_and_finite(expires_at: str | None, date: str | None) -> None:
    lifetime = lifetime_of(expires_at=expires_at, date=date, wall=NOON)
    assert lifetime > 0
    assert math.isfinite(lifetime)
