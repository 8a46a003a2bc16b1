"""What rate limit headers say, and when an answer asks to wait by them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memoram_async.core.rate_limit import RateLimit, rate_limit_of
from memoram_async.core.rate_limit_fields import says_limit
from memoram_async.core.retry import parse_retry_after

NOW = 1_800_000_000.0


def test_an_answer_without_such_headers_says_nothing() -> None:
    assert rate_limit_of({"retry-after": "5"}, wall=NOW) is None


@pytest.mark.parametrize("name", ["limit", "remaining", "reset"])
def test_one_such_header_field_is_enough_to_look_further(name: str) -> None:
    assert says_limit({"date": "today", f"x-ratelimit-{name}": "1"})
    assert not says_limit({"date": "today", f"ratelimit-{name}": "1"})


def test_what_an_answer_does_not_say_is_none() -> None:
    assert rate_limit_of({"x-ratelimit-limit": "60"}, wall=NOW) == RateLimit(limit=60)
    assert rate_limit_of({"x-ratelimit-remaining": "0"}, wall=NOW) == RateLimit(remaining=0)
    assert rate_limit_of({"x-ratelimit-limit": "9" * 11}, wall=NOW) == RateLimit(limit=99_999_999_999)


def test_limit_rest_and_reset_are_read() -> None:
    headers = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": " 7 ", "x-ratelimit-reset": "1800000030"}

    assert rate_limit_of(headers, wall=NOW) == RateLimit(
        limit=60, remaining=7, resets_at=datetime.fromtimestamp(NOW + 30, UTC)
    )


@pytest.mark.parametrize(
    ("headers", "reset"),
    [
        ({"x-ratelimit-reset": "30"}, NOW + 30),
        ({"x-ratelimit-reset": "999999999"}, NOW + 999_999_999),
        ({"x-ratelimit-reset": "1000000000"}, 1_000_000_000),
        ({"x-ratelimit-reset": "30", "date": "Fri, 15 Jan 2027 08:00:10 GMT"}, 1_800_000_010 + 30),
    ],
)
def test_a_small_number_counts_from_the_answer_and_a_large_one_is_a_moment(
    headers: dict[str, str], reset: float
) -> None:
    limit = rate_limit_of(headers, wall=NOW)

    assert limit is not None
    assert limit.resets_at == datetime.fromtimestamp(reset, UTC)


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "1" * 12, "\u0663"])
def test_what_is_no_number_says_nothing(text: str) -> None:
    names = ("limit", "remaining", "reset")
    assert rate_limit_of({f"x-ratelimit-{name}": text for name in names}, wall=NOW) is None


def test_a_window_without_a_request_left_asks_to_wait_for_its_end() -> None:
    used_up = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000009"}

    assert parse_retry_after(used_up, wall=NOW) == 9
    assert parse_retry_after(used_up | {"x-ratelimit-reset": "9"}, wall=NOW) == 9
    assert parse_retry_after(used_up | {"retry-after": "3"}, wall=NOW) == 3
    assert parse_retry_after(used_up | {"x-ratelimit-remaining": "1"}, wall=NOW) is None
    assert parse_retry_after({"x-ratelimit-remaining": "0"}, wall=NOW) is None
