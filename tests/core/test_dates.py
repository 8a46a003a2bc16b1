"""Times as header fields and JSON members write them, to the microsecond."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from memoram_async.core.dates import epoch_of_date, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)


@pytest.fixture(autouse=True)
def another_time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own time zone, which must not matter."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "epoch"),
    [
        ("Sun, 01 Mar 2026 12:34:56 GMT", NOON.timestamp()),
        ("Sun, 01 Mar 2026 12:34:56 -0000", NOON.timestamp()),
        ("Sun, 01 Mar 2026 13:34:56 +0100", NOON.timestamp()),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_of_http_is_a_moment(text: str | None, epoch: float | None) -> None:
    assert epoch_of_date(text) == epoch


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("2026-03-01T12:34:56.123456Z", 123456),
        ("2026-03-01T12:34:56.1234564Z", 123456),
        ("2026-03-01T12:34:56.1234565Z", 123457),
        ("2026-03-01T12:34:56.12345649Z", 123456),
        ("2026-03-01t12:34:56.1234569z", 123457),
        ("2026-03-01T12:34:56.1234565", 123457),
        ("2026-03-01T13:34:56.1234565+01:00", 123457),
        ("2026-03-01T12:34:56.123456", 123456),
        ("2026-03-01T12:34:56,1234565Z", 123457),
        ("2026-03-01T12:34:56.123456499999999999Z", 123456),
        ("2026-03-01T12:34:56.9999995Z", 1_000_000),
    ],
)
def test_what_is_finer_than_a_microsecond_is_rounded(text: str, microseconds: int) -> None:
    assert parse_time(text) == NOON + timedelta(microseconds=microseconds)


@pytest.mark.parametrize(
    "text",
    ["2026-03-01T12:34:56Z", "2026-03-01T12:34:56", "2026-03-01T13:34:56+01:00", "2026-03-01t07:34:56-05:00"],
)
def test_a_time_is_a_moment_wherever_it_was_written(text: str) -> None:
    moment = parse_time(text)
    assert moment is not None
    assert moment == NOON
    assert moment.tzinfo is not None


def test_a_leap_second_is_the_second_after_it() -> None:
    assert parse_time("2016-12-31T23:59:60Z") == datetime(2017, 1, 1, tzinfo=UTC)
    assert parse_time("2016-12-31T23:59:60.5000005Z") == datetime(2017, 1, 1, 0, 0, 0, 500001, tzinfo=UTC)
