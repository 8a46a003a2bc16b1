"""How an application stands with a service's rate limit, as the answers' header fields tell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import attrs

from memoram_async.core.dates import epoch_of_date

_LEAST_EPOCH: Final = 1_000_000_000
"""A smaller number in X-RateLimit-Reset counts seconds from now: services do both."""

_MOST_DIGITS: Final = 11

_SAID: Final = frozenset({"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"})


@attrs.frozen(kw_only=True)
class RateLimit:
    """One state of a rate limit.

    Attributes:
        limit: Requests in the window that is under way, if the service said.
        remaining: How many of them are left, if the service said.
        resets_at: When the window ends, if the service said.
    """

    limit: int | None = None
    remaining: int | None = None
    resets_at: datetime | None = None


def says_limit(headers: Mapping[str, str]) -> bool:
    """Whether there is any of the header fields that tell about a rate limit."""
    return not _SAID.isdisjoint(headers)


def rate_limit_of(headers: Mapping[str, str], *, wall: float) -> RateLimit | None:
    """What X-RateLimit-Limit, -Remaining and -Reset say; None if they say nothing.

    Args:
        headers: The answer's header fields, names in lower case.
        wall: The time now, in seconds since the epoch, if the answer has no Date of its own.
    """
    limit = _number(headers.get("x-ratelimit-limit"))
    remaining = _number(headers.get("x-ratelimit-remaining"))
    reset = reset_of(headers, wall=wall)
    if limit is None and remaining is None and reset is None:
        return None
    return RateLimit(
        limit=limit,
        remaining=remaining,
        resets_at=None if reset is None else datetime.fromtimestamp(reset, UTC),
    )


def reset_of(headers: Mapping[str, str], *, wall: float) -> float | None:
    """When the window ends, in seconds since the epoch; None if the service does not say."""
    number = _number(headers.get("x-ratelimit-reset"))
    if number is None or number >= _LEAST_EPOCH:
        return number
    sent = epoch_of_date(headers.get("date"))
    return (wall if sent is None else sent) + number


def is_used_up(headers: Mapping[str, str]) -> bool:
    """Whether no request is left in the window."""
    return _number(headers.get("x-ratelimit-remaining")) == 0


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
