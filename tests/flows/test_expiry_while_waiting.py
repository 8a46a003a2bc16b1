"""The developer token expires while users make up their minds: one is fetched, and nothing is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tests.flows.hall import together

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.flows.hall import Hall
    from tests.worlds import World

pytestmark = pytest.mark.anyio


async def all_waited(hall: Hall, world: World, ids: list[str], meanwhile: Callable[[], None]) -> list[Any]:
    """What waiting for each comes to, in one client, while something happens."""
    if world.is_sync:
        with ThreadPoolExecutor(len(ids)) as pool, hall.blocking() as client:
            waits = [pool.submit(client.access_requests.wait, each, timeout=None) for each in ids]
            meanwhile()
            return [wait.result(timeout=60) for wait in waits]
    async with hall.client() as client:
        calls = [partial(client.access_requests.wait, each, timeout=None) for each in ids]
        *results, _ = await together([*calls, lambda: anyio.to_thread.run_sync(meanwhile)])
        return results


def until_asked(hall: Hall, calls: int) -> None:
    """Wait until so many polls were answered."""
    while hall.calls() < calls:
        hall.local.journal.wait_for(method="GET", count=len(hall.local.journal.entries(method="GET")) + 1)


def exchanges(hall: Hall) -> int:
    return len(hall.local.journal.entries("createToken"))


def refusals(hall: Hall) -> int:
    return len(hall.local.journal.entries(status=401))


@pytest.mark.parametrize("waiters", [1, 2, 20])
async def test_a_token_that_is_refused_in_the_middle_is_exchanged_once(
    hall: Hall, world: World, waiters: int
) -> None:
    ids = hall.requests(waiters)
    before = exchanges(hall)

    def expire() -> None:
        until_asked(hall, 4)
        hall.local.expire_tokens()
        until_asked(hall, hall.calls() + 2)
        for each in ids:
            hall.local.approve(each)

    results = await all_waited(hall, world, ids, expire)
    assert [result.id for result in results] == ids
    assert {result.status for result in results} == {"approved"}
    assert exchanges(hall) - before == 2
    assert 1 <= refusals(hall) <= 2


@pytest.mark.parametrize("waiters", [1, 2, 20])
async def test_a_token_whose_hour_is_over_is_exchanged_before_it_is_refused(
    hall: Hall, world: World, waiters: int
) -> None:
    ids = hall.requests(waiters)
    before = exchanges(hall)

    def two_hours_later() -> None:
        until_asked(hall, 4)
        hall.local.clock.advance(7200)
        until_asked(hall, hall.calls() + 2)
        for each in ids:
            hall.local.approve(each)

    results = await all_waited(hall, world, ids, two_hours_later)
    assert [result.id for result in results] == ids
    assert {result.status for result in results} == {"approved"}
    assert exchanges(hall) - before == 2
    assert refusals(hall) == 0
