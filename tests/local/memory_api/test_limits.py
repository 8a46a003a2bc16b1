"""Limits: told on every answer, and refusals that say when to come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memoram_local.services.rate_limits import LimitReachedError, Limits, RateLimiter

if TYPE_CHECKING:
    from memoram_local import Clock, MemoramLocal
    from tests.local.memory_api.conftest import Caller


def test_every_answer_tells_how_the_caller_stands(local: MemoramLocal, caller: Caller) -> None:
    local.memory_api.limits = Limits(per_minute=10)

    answers = [caller.http.get("/account"), caller.http.get("/memories/mem_1"), caller.http.get("/usage")]

    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["9", "8", "7"]
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"10"}
    # Noon and a quarter of a second.
    assert {answer.headers["x-ratelimit-reset"] for answer in answers} == {"1905249660"}


def test_a_request_too_many_is_told_when_to_come_again(
    local: MemoramLocal, caller: Caller, clock: Clock
) -> None:
    local.memory_api.limits = Limits(per_minute=1)
    caller.data("GET", "/account")

    answer = caller.http.get("/account")

    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert answer.headers["retry-after"] == "60"
    assert answer.headers["x-ratelimit-remaining"] == "0"
    clock.advance(60)
    assert caller.data("GET", "/account")


def test_a_day_has_a_quota(local: MemoramLocal, caller: Caller, clock: Clock) -> None:
    local.memory_api.limits = Limits(per_minute=None, per_day=1)
    caller.data("GET", "/account")

    assert caller.refusal("GET", "/account") == (429, "DAILY_QUOTA_EXCEEDED")
    assert caller.http.get("/account").headers["retry-after"] == "43200"
    clock.advance(43_200)
    assert caller.data("GET", "/account")


def test_only_so_many_run_at_once(local: MemoramLocal, caller: Caller, clock: Clock) -> None:
    local.memory_api.limits = Limits(concurrent=0)
    assert caller.refusal("GET", "/account") == (429, "CONCURRENT_LIMIT_EXCEEDED")

    local.memory_api.limits = Limits(concurrent=1)
    for _ in range(3):
        assert caller.data("GET", "/account")


def test_what_is_under_way_holds_its_place_until_it_has_ended(clock: Clock) -> None:
    limiter = RateLimiter(Limits(per_minute=None, concurrent=1), clock=clock)

    assert limiter.enter("a") is None
    with pytest.raises(LimitReachedError):
        limiter.enter("a")
    limiter.enter("b")
    limiter.leave("a")
    limiter.enter("a")


def test_the_limit_that_ends_first_is_told(clock: Clock) -> None:
    limiter = RateLimiter(Limits(per_minute=5, per_day=3), clock=clock)

    standing = limiter.enter("a")

    assert standing is not None
    assert (standing.limit, standing.remaining) == (3, 2)


def test_one_organization_does_not_use_up_anothers(local: MemoramLocal, caller: Caller) -> None:
    local.memory_api.limits = Limits(per_minute=1)
    caller.data("GET", "/account")
    other = local.memory_api.sign_up()

    answer = caller.http.get("/account", headers={"authorization": f"Bearer {other.key}"})

    assert answer.status_code == 200


def test_a_reset_begins_to_count_anew(local: MemoramLocal, caller: Caller) -> None:
    local.memory_api.limits = Limits(per_minute=1)
    snapshot = local.snapshot()
    caller.data("GET", "/account")

    local.restore(snapshot)

    assert caller.data("GET", "/account")


@pytest.mark.parametrize("name", ["per_minute", "per_day", "concurrent"])
def test_a_limit_is_no_negative_number(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: -1})
