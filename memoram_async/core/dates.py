"""Times as HTTP header fields and JSON members write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

_LONGEST: Final = len("2026-03-01T12:34:56.123456Z")
_FINER: Final = re.compile(r".{19}[.,][0-9]{6}([0-9])")
_LEAP_SECOND: Final = re.compile(r"(?<=[0-9]{2}:[0-9]{2}:)60")


def standard_datetime() -> type[datetime]:
    """The class that the standard library calls `datetime`.

    Test libraries that freeze time put a class of their own in its place, in every module that names it;
    what dispatches on the class itself asks here.
    """
    return next(kind for kind in datetime.__mro__ if kind.__module__ == "datetime")


def is_datetime(kind: object) -> bool:
    """Whether a type is `datetime`, or what stands in its place while time is frozen."""
    return isinstance(kind, type) and issubclass(kind, datetime)


# Bound once: every time of every memory goes through it.
_from_iso_format: Final = standard_datetime().fromisoformat


def epoch_of_date(text: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date (RFC 9110 5.6.7); None if it is missing or none."""
    try:
        moment = parsedate_to_datetime(text or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def parse_time(text: str) -> datetime | None:
    """An aware datetime from a time in any spelling of RFC 3339 or ISO 8601; None if it is no time.

    A time without an offset is read as UTC. A leap second, which `datetime` cannot hold, is read as the
    second after it, and what is finer than a microsecond is rounded.
    """
    if len(text) < _LONGEST or text[_LONGEST - 1] in "+-Z":
        try:
            moment = _from_iso_format(text)
        except ValueError:
            pass
        else:
            return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return _parse_unusual_time(text)


def _parse_unusual_time(text: str) -> datetime | None:
    spelt = text.upper()  # RFC 3339 5.6: "T" and "Z" may be lower case
    finer = _FINER.match(spelt)
    leap = _LEAP_SECOND.search(spelt) is not None
    try:
        moment = _from_iso_format(_LEAP_SECOND.sub("59", spelt))  # which cuts off what is finer
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        up = finer is not None and finer[1] >= "5"
        return aware + timedelta(seconds=leap, microseconds=up)
    except (ValueError, OverflowError):
        return None
