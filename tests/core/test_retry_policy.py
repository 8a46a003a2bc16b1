"""When a request is sent again: never so that a write could happen twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.retry import (
    LONGEST_DELAY,
    LONGEST_RETRY_AFTER,
    ErrorAnswer,
    NoAnswer,
    RetryPolicy,
    Safety,
    leaves_open,
)

POLICY = RetryPolicy(max_retries=2)
OPEN = [408, 500, 502, 504, 507, 520, 524, 529, 599]
JITTER = st.floats(0, 1, exclude_max=True)


def after_status(
    status: int,
    safety: Safety,
    *,
    retries: int = 0,
    retry_after: float | None = None,
    acknowledged: bool = False,
) -> float | None:
    return POLICY.decide(
        ErrorAnswer(status, retry_after),
        retries=retries,
        safety=safety,
        jitter=0.5,
        acknowledged=acknowledged,
    )


@pytest.mark.parametrize("status", [*OPEN, 429, 503])
def test_reading_is_tried_again_after_a_status_that_may_pass(status: int) -> None:
    assert after_status(status, Safety.IDEMPOTENT) is not None


@pytest.mark.parametrize(("status", "retry_after"), [(429, None), (429, 1.0), (503, 1.0), (503, 0.0)])
def test_a_write_is_tried_again_after_an_answer_that_says_it_was_not_done(
    status: int, retry_after: float | None
) -> None:
    assert after_status(status, Safety.ONCE, retry_after=retry_after) is not None


def test_a_bare_503_may_be_a_gateways_whose_service_did_its_work() -> None:
    assert after_status(503, Safety.ONCE) is None
    assert leaves_open(503)
    assert not leaves_open(503, asked_to_wait=True)


@pytest.mark.parametrize("status", OPEN)
def test_a_write_is_not_tried_again_after_a_status_that_leaves_it_open(status: int) -> None:
    assert after_status(status, Safety.ONCE) is None


@pytest.mark.parametrize("status", [*OPEN, 429, 503])
def test_a_write_whose_key_the_service_honours_is_tried_again_like_a_read(status: int) -> None:
    assert after_status(status, Safety.ONCE, acknowledged=True) is not None


@pytest.mark.parametrize("status", [*OPEN, 429, 503])
def test_a_one_use_secret_stays_one_whatever_the_service_honours(status: int) -> None:
    assert after_status(status, Safety.NEVER, acknowledged=True) is None


@pytest.mark.parametrize("status", [*OPEN, 429, 503])
def test_a_one_use_secret_never_leaves_twice_after_an_answer(status: int) -> None:
    assert after_status(status, Safety.NEVER) is None


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 409, 418, 422, 501, 505, 600, 999])
def test_other_statuses_are_final(status: int) -> None:
    assert after_status(status, Safety.IDEMPOTENT) is None


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 429, 501, 505, 600])
def test_other_statuses_say_whether_the_request_was_carried_out(status: int) -> None:
    assert not leaves_open(status)


@pytest.mark.parametrize("status", OPEN)
def test_a_timeout_and_a_failure_of_the_service_leave_that_open(status: int) -> None:
    assert leaves_open(status)


@pytest.mark.parametrize(("retries", "again"), [(0, True), (1, True), (2, False), (3, False)])
def test_trying_again_ends(retries: int, again: bool) -> None:
    assert (after_status(503, Safety.IDEMPOTENT, retries=retries) is not None) is again


def test_without_retries_nothing_is_tried_again() -> None:
    policy = RetryPolicy(max_retries=0)
    assert policy.decide(NoAnswer(sent=False), retries=0, safety=Safety.IDEMPOTENT, jitter=0) is None


def test_the_wait_that_the_service_asks_for_is_kept_to() -> None:
    assert after_status(429, Safety.ONCE, retry_after=7) == 7


def test_a_service_may_ask_for_no_wait_at_all() -> None:
    assert after_status(503, Safety.ONCE, retry_after=0) == 0


def test_a_wait_of_over_a_minute_means_giving_up() -> None:
    assert after_status(429, Safety.IDEMPOTENT, retry_after=LONGEST_RETRY_AFTER) == LONGEST_RETRY_AFTER
    assert after_status(429, Safety.IDEMPOTENT, retry_after=LONGEST_RETRY_AFTER + 1) is None


@pytest.mark.parametrize(("retries", "step"), [(0, 0.5), (1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (9, 8.0)])
def test_the_step_doubles_up_to_a_limit(retries: int, step: float) -> None:
    policy = RetryPolicy(max_retries=100)
    wait = policy.decide(NoAnswer(sent=False), retries=retries, safety=Safety.IDEMPOTENT, jitter=0.5)
    assert wait == step / 2


@given(retries=st.integers(0, 10_000), jitter=JITTER)
def test_a_wait_is_anything_between_nothing_and_the_longest(retries: int, jitter: float) -> None:
    policy = RetryPolicy(max_retries=100_000)
    wait = policy.decide(NoAnswer(sent=True), retries=retries, safety=Safety.IDEMPOTENT, jitter=jitter)
    assert wait is not None
    assert 0 <= wait < LONGEST_DELAY


@pytest.mark.parametrize("safety", Safety)
def test_what_was_not_sent_is_always_tried_again(safety: Safety) -> None:
    assert POLICY.decide(NoAnswer(sent=False), retries=0, safety=safety, jitter=0.5) is not None


@pytest.mark.parametrize(("safety", "again"), [("idempotent", True), ("once", False), ("never", False)])
def test_what_may_have_arrived_is_tried_again_only_if_it_reads(safety: str, again: bool) -> None:
    wait = POLICY.decide(NoAnswer(sent=True), retries=0, safety=Safety(safety), jitter=0.5)
    assert (wait is not None) is again


@pytest.mark.parametrize(("safety", "again"), [("idempotent", True), ("once", True), ("never", False)])
def test_what_may_have_arrived_is_tried_again_if_the_service_honours_its_key(
    safety: str, again: bool
) -> None:
    wait = POLICY.decide(NoAnswer(sent=True), retries=0, safety=Safety(safety), jitter=0.5, acknowledged=True)
    assert (wait is not None) is again
