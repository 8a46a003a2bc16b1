"""Times as HTTP header fields write them."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime


def epoch_of_date(text: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date (RFC 9110 5.6.7); None if it is missing or none."""
    try:
        moment = parsedate_to_datetime(text or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
