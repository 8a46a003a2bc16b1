"""The header fields in which services tell how an application stands with their rate limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from memoram_async.core.dates import epoch_of_date

_LEAST_EPOCH: Final = 1_000_000_000
"""A smaller number in X-RateLimit-Reset counts seconds from now: services do both."""

_MOST_DIGITS: Final = 11

_SAID: Final = frozenset({"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"})


def says_limit(headers: Mapping[str, str]) -> bool:
    """Whether there is any of the header fields that tell about a rate limit."""
    return not _SAID.isdisjoint(headers)


def reset_of(headers: Mapping[str, str], *, wall: float) -> float | None:
    """When the window ends, in seconds since the epoch; None if the service does not say."""
    number = whole_number(headers.get("x-ratelimit-reset"))
    if number is None or number >= _LEAST_EPOCH:
        return number
    sent = epoch_of_date(headers.get("date"))
    return (wall if sent is None else sent) + number


def is_used_up(headers: Mapping[str, str]) -> bool:
    """Whether no request is left in the window."""
    return whole_number(headers.get("x-ratelimit-remaining")) == 0


def whole_number(text: str | None) -> int | None:
    """The number that such a field holds; None if it holds none."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
