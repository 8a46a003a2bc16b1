"""When a shared token is taken over, and how long another process is waited for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.secret import Secret
from memoram_async.core.shared_token import SharedToken, look_delay, patience

JITTERS = st.floats(0, 1, exclude_max=True)


def token(*, lifetime: float = 3600.0) -> SharedToken:
    return SharedToken(token=Secret("t"), issued=1000.0, lifetime=lifetime)


def test_a_token_is_fresh_until_the_first_process_would_refresh_it() -> None:
    assert token().is_fresh(1000 + 3539)
    assert not token().is_fresh(1000 + 3540)


def test_a_short_token_is_fresh_for_half_its_life() -> None:
    assert token(lifetime=10).is_fresh(1004.9)
    assert not token(lifetime=10).is_fresh(1005)


def test_a_token_ends_with_its_lifetime() -> None:
    assert token().remaining(1000 + 3599) == 1
    assert token().remaining(1000 + 3600) == 0


def test_to_a_clock_that_is_behind_a_token_is_new_and_lives_no_longer_than_that() -> None:
    assert (token().age(-5000), token().remaining(-5000)) == (0, 3600)


def test_a_token_shows_itself_in_no_repr() -> None:
    assert "canary" not in repr(SharedToken(token=Secret("canary"), issued=0, lifetime=1))


@given(remaining=st.floats(0, allow_infinity=True, allow_nan=False), jitter=JITTERS)
def test_patience_leaves_half_of_the_time_for_an_exchange(remaining: float, jitter: float) -> None:
    assert 0 <= patience(remaining, jitter=jitter) <= min(10, remaining / 2)


def test_patience_is_shorter_for_who_has_little_time() -> None:
    assert [patience(left, jitter=0.0) for left in (0.0, 4.0, 20.0, 21.0)] == [0.0, 1.0, 5.0, 5.0]


def test_patience_differs_from_process_to_process() -> None:
    assert [patience(60, jitter=jitter) for jitter in (0, 0.5)] == [5, 7.5]


@given(looks=st.integers(1, 10_000), jitter=JITTERS)
def test_looks_are_neither_hectic_nor_late(looks: int, jitter: float) -> None:
    assert 0.03 < look_delay(looks, jitter=jitter) < 0.32


def test_looks_become_rarer() -> None:
    assert [round(look_delay(looks, jitter=0.5), 3) for looks in (1, 2, 4, 9)] == [0.05, 0.075, 0.169, 0.25]


def test_looks_are_spread_by_a_quarter_to_both_sides() -> None:
    assert [look_delay(9, jitter=jitter) for jitter in (0.0, 1.0)] == [0.1875, 0.3125]
