"""When to send a request again: never so that a write could happen twice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final

import attrs

from memoram_async.core.dates import epoch_of_date
from memoram_async.core.rate_limit_fields import is_used_up, reset_of

FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 8.0
LONGEST_RETRY_AFTER: Final = 60.0
LONGEST_ASKED: Final = 1e9
"""Some thirty years: what any longer wish of a service is read as."""

_SECONDS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")

READING_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

# What a service cannot do at all, it did not do, and will not be able to do in a second.
_CANNOT_DO: Final = frozenset({501, 505})


class Safety(Enum):
    """What sending a request twice can do."""

    IDEMPOTENT = "idempotent"  # reading: as often as one likes
    ONCE = "once"  # a write: a second one makes a second thing, or undoes what came in between
    NEVER = "never"  # a one-use secret: a code or a rotating token must not leave twice


@attrs.frozen(eq=False, repr=False)
class NoAnswer:
    """An attempt that ended without an answer.

    Attributes:
        sent: Whether any part of the request may have arrived.
    """

    sent: bool


@attrs.frozen(eq=False, repr=False)
class ErrorAnswer:
    """An attempt that was answered with an error.

    Attributes:
        status: The HTTP status.
        retry_after: Seconds that the service asked to wait, None if it did not say.
    """

    status: int
    retry_after: float | None = None


@attrs.frozen(eq=False, repr=False)
class RetryPolicy:
    """How often and how fast to try again.

    Attributes:
        max_retries: Tries after the first one.
    """

    max_retries: int

    def decide(
        self,
        ended: NoAnswer | ErrorAnswer,
        *,
        retries: int,
        safety: Safety,
        jitter: float,
        acknowledged: bool = False,
    ) -> float | None:
        """Seconds to wait before sending again, or None to give up.

        429, and 503 with a time to wait, say that the request was not carried out. 408, the other 5xx, a bare
        503 (a gateway says it too, after the service behind it may have done its work) and an answer that
        never came leave that open, so they are followed only by a request that can do no harm: one that
        reads, or one that bears an idempotency key of which the service is known to take notice. 501 and 505
        are final.

        The wait is what the service asked for, if that is no more than a minute. Where it did not ask, chance
        has it anywhere between nothing and a step that doubles (full jitter).

        Args:
            ended: How the attempt ended.
            retries: Retries so far.
            safety: What sending twice can do.
            jitter: A random number in [0, 1).
            acknowledged: Whether the service honours the idempotency key that the request bears.
        """
        if retries >= self.max_retries or not _may_repeat(ended, safety, acknowledged=acknowledged):
            return None
        if isinstance(ended, NoAnswer) or ended.retry_after is None:
            return self._backoff(retries, jitter)
        return ended.retry_after if ended.retry_after <= LONGEST_RETRY_AFTER else None

    def _backoff(self, retries: int, jitter: float) -> float:
        return float(min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(retries, 10))) * jitter


def leaves_open(status: int, *, asked_to_wait: bool = False) -> bool:
    """Whether an HTTP status does not say if the request was carried out.

    Args:
        status: The status.
        asked_to_wait: Whether the answer has a usable Retry-After.
    """
    if status == 503:
        return not asked_to_wait
    return status == 408 or (500 <= status < 600 and status not in _CANNOT_DO)


def _may_repeat(ended: NoAnswer | ErrorAnswer, safety: Safety, *, acknowledged: bool) -> bool:
    harmless = safety is Safety.IDEMPOTENT or (safety is Safety.ONCE and acknowledged)
    if isinstance(ended, NoAnswer):
        return harmless or not ended.sent
    asked_to_wait = ended.retry_after is not None
    if ended.status == 429 or (ended.status == 503 and asked_to_wait):
        return safety is not Safety.NEVER
    return harmless and leaves_open(ended.status)


def parse_retry_after(headers: Mapping[str, str], *, wall: float) -> float | None:
    """Seconds that an answer asks to wait (RFC 9110 10.2.3: seconds or a date), None if it does not say.

    The RFC knows whole seconds alone; services send decimals as well, and mean them. Without Retry-After, an
    answer that leaves no request in its window asks to wait for the window's end.

    Args:
        headers: The answer's header fields, names in lower case.
        wall: The time now, in seconds since the epoch, if the answer has no Date of its own.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), LONGEST_ASKED)
    when = epoch_of_date(value)
    if when is None and is_used_up(headers):
        when = reset_of(headers, wall=wall)
    if when is None:
        return None
    sent = epoch_of_date(headers.get("date"))
    return min(max(0.0, when - (wall if sent is None else sent)), LONGEST_ASKED)
