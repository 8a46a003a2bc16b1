"""How an application stands with a service's rate limit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import attrs

from memoram_async.core.rate_limit_fields import reset_of, whole_number


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


def rate_limit_of(headers: Mapping[str, str], *, wall: float) -> RateLimit | None:
    """What X-RateLimit-Limit, -Remaining and -Reset say; None if they say nothing.

    Args:
        headers: The answer's header fields, names in lower case.
        wall: The time now, in seconds since the epoch, if the answer has no Date of its own.
    """
    limit = whole_number(headers.get("x-ratelimit-limit"))
    remaining = whole_number(headers.get("x-ratelimit-remaining"))
    reset = reset_of(headers, wall=wall)
    if limit is None and remaining is None and reset is None:
        return None
    return RateLimit(
        limit=limit,
        remaining=remaining,
        resets_at=None if reset is None else datetime.fromtimestamp(reset, UTC),
    )
