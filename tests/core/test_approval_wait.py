"""Waiting for the user's decision: what each answer means, and when to ask again."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.approval import (
    LONGEST_BACK_OFF,
    LONGEST_INTERVAL,
    LONGEST_RETRY_AFTER,
    SHORTEST_INTERVAL,
    UNTOLD_RETRY_AFTER,
    ApprovalWait,
)
from memoram_async.core.errors import (
    AccessError,
    AccessRejected,
    AccessRevoked,
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConflictError,
    InvalidArgumentError,
    MemoramError,
    NotFoundError,
    PermissionDeniedError,
    PoolTimeoutError,
    RateLimitedError,
    RedirectError,
    ServerError,
    UnprocessableError,
)

MISSING = NotFoundError("missing", status=404)
BROKEN = APIConnectionError("broken", sent=True)

PASSING: list[MemoramError] = [
    BROKEN,
    APITimeoutError("late", sent=True),
    PoolTimeoutError("busy", sent=False),
    APIResponseError("not JSON", status=200),
    ServerError("failed", status=500),
    ServerError("overloaded", status=503, retry_after=100),
    APIStatusError("slow", status=408),
    APIStatusError("early", status=425),
]
FINAL: list[MemoramError] = [
    AuthenticationError("refused", status=401),
    PermissionDeniedError("forbidden", status=403),
    BadRequestError("bad", status=400),
    ConflictError("conflict", status=409),
    UnprocessableError("unprocessable", status=422),
    APIStatusError("teapot", status=418),
    RedirectError("elsewhere", status=302),
    ClientClosedError("closed"),
    InvalidArgumentError("no id"),
]


def waiting(*, began: float = 0.0) -> ApprovalWait:
    return ApprovalWait(request_id="request", began=began)


# --- when to ask -------------------------------------------------------------------------------


def test_a_known_request_is_polled_at_once() -> None:
    assert waiting().first_delay(just_created=False) == 0


def test_a_new_request_is_given_a_moment() -> None:
    assert waiting().first_delay(just_created=True) == SHORTEST_INTERVAL


@pytest.mark.parametrize(
    ("age", "seconds"), [(0, 2), (10, 2), (20, 2), (30, 3), (100, 10), (150, 15), (600, 15)]
)
def test_the_interval_is_a_tenth_of_the_age_between_its_bounds(age: float, seconds: float) -> None:
    assert waiting(began=1000).interval(now=1000 + age, jitter=0.5) == pytest.approx(seconds)


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 8.5), (0.5, 10.0), (0.999999, 11.5)])
def test_the_interval_varies_by_15_percent(jitter: float, seconds: float) -> None:
    assert waiting().interval(now=100, jitter=jitter) == pytest.approx(seconds, rel=1e-5)


# --- statuses ----------------------------------------------------------------------------------


def test_an_approval_ends_the_wait() -> None:
    assert waiting().saw("approved", now=1, jitter=0.5) is None


def test_a_pending_request_is_asked_about_again() -> None:
    assert waiting().saw("pending", now=100, jitter=0.5) == pytest.approx(10)


@pytest.mark.parametrize("status", ["escalated", "APPROVED", ""])
def test_an_unknown_status_keeps_the_wait_going(status: str) -> None:
    assert waiting().saw(status, now=100, jitter=0.5) == pytest.approx(10)


@pytest.mark.parametrize(("status", "kind"), [("rejected", AccessRejected), ("revoked", AccessRevoked)])
def test_a_no_is_an_error_that_names_the_request(status: str, kind: type[AccessError]) -> None:
    with pytest.raises(kind) as caught:
        waiting().saw(status, now=1, jitter=0.5)
    assert caught.value.request_id == "request"


def test_statuses_are_counted_and_the_last_one_is_kept() -> None:
    wait = waiting()
    wait.saw("pending", now=1, jitter=0.5)
    wait.saw("escalated", now=2, jitter=0.5)
    assert (wait.polls, wait.last_status) == (2, "escalated")


# --- failures that may pass --------------------------------------------------------------------


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_a_failure_that_may_pass_does_not_end_the_wait(error: MemoramError) -> None:
    assert 1 <= waiting().failed(error, now=100, jitter=0.5) <= LONGEST_BACK_OFF


@pytest.mark.parametrize("error", FINAL, ids=repr)
def test_a_failure_that_waiting_cannot_mend_ends_it(error: MemoramError) -> None:
    with pytest.raises(type(error)) as caught:
        waiting().failed(error, now=100, jitter=0.5)
    assert caught.value is error


def test_failures_in_a_row_space_the_polls_out() -> None:
    wait = waiting()
    waits = [wait.failed(BROKEN, now=100, jitter=1.0) for _ in range(6)]
    assert waits == [2, 4, 8, 16, 30, 30]


def test_a_back_off_has_full_jitter_above_a_second() -> None:
    assert waiting().failed(BROKEN, now=100, jitter=0.0) == 1


def test_a_status_ends_a_row_of_failures() -> None:
    wait = waiting()
    for _ in range(5):
        wait.failed(BROKEN, now=100, jitter=1.0)
    wait.saw("pending", now=100, jitter=0.5)
    assert wait.failed(BROKEN, now=100, jitter=1.0) == 2


def test_an_outage_of_days_does_not_end_a_wait_without_a_deadline() -> None:
    wait = waiting()
    for _ in range(5_000):
        assert wait.failed(BROKEN, now=100, jitter=0.999) < LONGEST_BACK_OFF


def test_failures_are_counted_as_polls() -> None:
    wait = waiting()
    wait.failed(BROKEN, now=100, jitter=0.5)
    assert (wait.polls, wait.last_status) == (1, None)


# --- too many requests -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(None, UNTOLD_RETRY_AFTER), (0, SHORTEST_INTERVAL), (60, 60), (1e9, LONGEST_RETRY_AFTER)],
)
def test_too_many_requests_are_waited_out_as_asked(asked: float | None, seconds: float) -> None:
    error = RateLimitedError("slow down", status=429, retry_after=asked)
    assert waiting().failed(error, now=100, jitter=0.5) == seconds


# --- requests that are not there ---------------------------------------------------------------


def test_a_request_that_is_missing_once_is_asked_about_again() -> None:
    assert waiting().failed(MISSING, now=100, jitter=0.5) == SHORTEST_INTERVAL


def test_a_request_that_is_missing_twice_is_not_there() -> None:
    wait = waiting()
    wait.failed(MISSING, now=100, jitter=0.5)
    with pytest.raises(NotFoundError):
        wait.failed(MISSING, now=102, jitter=0.5)


def test_two_misses_within_a_moment_count_as_one() -> None:
    wait = waiting()
    wait.failed(MISSING, now=100, jitter=0.5)
    assert wait.failed(MISSING, now=101.9, jitter=0.5) == SHORTEST_INTERVAL
    with pytest.raises(NotFoundError):
        wait.failed(MISSING, now=102, jitter=0.5)


def test_a_young_request_may_be_missing_for_a_while() -> None:
    wait = waiting()
    for now in (0, 2, 4, 6, 8, 10):
        assert wait.failed(MISSING, now=now, jitter=0.5) == SHORTEST_INTERVAL
    with pytest.raises(NotFoundError):
        wait.failed(MISSING, now=10.1, jitter=0.5)


@pytest.mark.parametrize("between", [BROKEN, RateLimitedError("slow down", status=429)], ids=repr)
def test_a_miss_after_another_failure_is_a_first_one_again(between: MemoramError) -> None:
    wait = waiting()
    wait.failed(MISSING, now=100, jitter=0.5)
    wait.failed(between, now=102, jitter=0.5)
    assert wait.failed(MISSING, now=104, jitter=0.5) == SHORTEST_INTERVAL


def test_a_miss_after_a_status_is_a_first_one_again() -> None:
    wait = waiting()
    wait.failed(MISSING, now=100, jitter=0.5)
    wait.saw("pending", now=102, jitter=0.5)
    assert wait.failed(MISSING, now=104, jitter=0.5) == SHORTEST_INTERVAL


# --- the deadline ------------------------------------------------------------------------------


def test_a_wait_that_never_saw_a_status_says_so() -> None:
    error = waiting().timed_out()
    assert (error.request_id, error.last_status, error.last_error, error.polls) == (
        "request",
        None,
        None,
        0,
    )


def test_a_wait_that_timed_out_says_how_far_it_came() -> None:
    wait = waiting()
    wait.saw("pending", now=1, jitter=0.5)
    wait.failed(BROKEN, now=3, jitter=0.5)
    error = wait.timed_out()
    assert (error.last_status, error.polls) == ("pending", 2)
    assert isinstance(error.last_error, APIConnectionError)


def test_a_status_clears_the_last_error() -> None:
    wait = waiting()
    wait.failed(BROKEN, now=1, jitter=0.5)
    wait.saw("pending", now=3, jitter=0.5)
    assert wait.timed_out().last_error is None


def test_the_last_error_keeps_no_frame_alive() -> None:
    wait = waiting()
    try:
        raise BROKEN
    except APIConnectionError as error:
        wait.failed(error, now=1, jitter=0.5)
    assert wait.last_error is not None
    assert wait.last_error.__traceback__ is None


def test_a_timeout_pickles_with_its_last_error() -> None:
    wait = waiting()
    wait.failed(RateLimitedError("slow down", status=429, retry_after=9), now=1, jitter=0.5)
    error = pickle.loads(pickle.dumps(wait.timed_out()))  # noqa: S301 - our own
    assert isinstance(error.last_error, RateLimitedError)
    assert error.last_error.retry_after == 9


# --- whatever happens --------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*PASSING, MISSING, "pending", "unheard of"]),
            st.floats(0, 1000),
            st.floats(0, 1, exclude_max=True),
        )
    )
)
def test_the_pause_between_polls_stays_within_bounds(
    events: list[tuple[MemoramError | str, float, float]],
) -> None:
    wait = waiting()
    now = 0.0
    for event, passed, jitter in events:
        now += passed
        try:
            pause = (
                wait.saw(event, now=now, jitter=jitter)
                if isinstance(event, str)
                else wait.failed(event, now=now, jitter=jitter)
            )
        except NotFoundError:
            return
        assert pause is not None
        assert 1 <= pause <= max(LONGEST_BACK_OFF, LONGEST_INTERVAL * 1.15)
