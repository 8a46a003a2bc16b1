"""A platform and its fixtures in tests that freeze time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import freezegun
import pytest

from memoram_local import Clock
from memoram_local.controls.journal import RequestNotSeenError
from memoram_local.testing import Status

if TYPE_CHECKING:
    from memoram_async import AsyncMemoram
    from memoram_local import MemoramLocal


@pytest.fixture
def anyio_backend() -> str:
    """Trio's own clock stands still as well."""
    return "asyncio"


def frozen(date: str = "2101-05-01") -> Any:
    return freezegun.freeze_time(date, real_asyncio=True)


@pytest.mark.parametrize("date", ["2001-05-01", "2101-05-01"])
def test_what_is_waited_passes_while_the_time_of_day_stands_still(date: str) -> None:
    clock = Clock(scale=1000)
    with frozen(date):
        shown, began = clock.wall(), clock.monotonic()
        while clock.monotonic() == began:
            pass
        assert clock.wall() == shown
        clock.advance(60)
        assert clock.monotonic() >= began + 60
        assert clock.wall() == shown + 60


@pytest.mark.anyio
async def test_a_call_is_tried_again(memoram_local: MemoramLocal, memoram_client: AsyncMemoram) -> None:
    memoram_local.faults.add(Status(503), route="listAccessRequests", nth=1)
    memoram_local.clock.scale = 100
    with frozen():
        assert [request async for request in memoram_client.access_requests.list()] == []


@pytest.mark.anyio
async def test_the_journal_is_waited_for_no_longer_than_was_said(memoram_local: MemoramLocal) -> None:
    with frozen(), pytest.raises(RequestNotSeenError):
        await memoram_local.journal.wait_for_async("listTags", timeout=0.02)
