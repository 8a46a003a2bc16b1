"""When to send a request again: never so that a write could happen twice."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

import attrs

from memoram_async.core.dates import epoch_of_date

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 8.0
LONGEST_RETRY_AFTER: Final = 60.0
LONGEST_ASKED: Final = 1e9
"""Some thirty years: what any longer wish of a service is read as."""

READING_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_SAID_NOT_DONE: Final = frozenset({429, 503})
LEAVES_OPEN: Final = frozenset({408, 500, 502, 504})
"""Statuses that do not say whether the request was carried out."""


class Safety(Enum):
    """What sending a request twice can do."""

    IDEMPOTENT = "idempotent"  # reading: as often as one likes
    ONCE = "once"  # a write: a second one makes a second thing, or undoes what came in between
    NEVER = "never"  # a one-use secret: a code or a rotating token must not leave twice


@attrs.frozen
class RetryPolicy:
    """How often and how fast to try again.

    Attributes:
        max_retries: Tries after the first one.
    """

    max_retries: int

    def after_status(
        self,
        status: int,
        *,
        retries: int,
        safety: Safety,
        retry_after: float | None,
        jitter: float,
        acknowledged: bool = False,
    ) -> float | None:
        """Seconds to wait before sending again after an error status, or None to give up.

        429 and 503 say that the request was not carried out. The other 5xx and 408 leave that open, so
        they are followed only by a request that can do no harm: one that reads, or one that bears an
        idempotency key of which the service is known to take notice.

        Args:
            status: The HTTP status.
            retries: Retries so far.
            safety: What sending twice can do.
            retry_after: Seconds the service asked for; longer than a minute means giving up.
            jitter: A random number in [0, 1).
            acknowledged: Whether the service honours the idempotency key that the request bears.
        """
        repeatable = (status in _SAID_NOT_DONE and safety is not Safety.NEVER) or (
            status in LEAVES_OPEN and _harmless(safety, acknowledged=acknowledged)
        )
        if not repeatable or retries >= self.max_retries:
            return None
        if retry_after is None:
            return self._backoff(retries, jitter)
        return retry_after if retry_after <= LONGEST_RETRY_AFTER else None

    def after_failure(
        self, *, sent: bool, retries: int, safety: Safety, jitter: float, acknowledged: bool = False
    ) -> float | None:
        """Seconds to wait before sending again after no answer came, or None to give up.

        Args:
            sent: Whether any part of the request may have arrived.
            retries: Retries so far.
            safety: What sending twice can do.
            jitter: A random number in [0, 1).
            acknowledged: Whether the service honours the idempotency key that the request bears.
        """
        if retries >= self.max_retries or (sent and not _harmless(safety, acknowledged=acknowledged)):
            return None
        return self._backoff(retries, jitter)

    def _backoff(self, retries: int, jitter: float) -> float:
        """Full jitter: anything between nothing and the doubled step."""
        return float(min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(retries, 10))) * jitter


def _harmless(safety: Safety, *, acknowledged: bool) -> bool:
    """Whether a request that may have been carried out can be sent again."""
    return safety is Safety.IDEMPOTENT or (safety is Safety.ONCE and acknowledged)


def parse_retry_after(headers: Mapping[str, str], *, wall: float) -> float | None:
    """Seconds that an answer asks to wait (RFC 9110 10.2.3: seconds or a date), None if it does not say.

    Args:
        headers: The answer's header fields, names in lower case.
        wall: The time now, in seconds since the epoch, if the answer has no Date of its own.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_ASKED)
    when = epoch_of_date(value)
    if when is None:
        return None
    sent = epoch_of_date(headers.get("date"))
    return min(max(0.0, when - (wall if sent is None else sent)), LONGEST_ASKED)
