"""The developer token expires while users make up their minds: one is fetched, and nothing is lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from memoram_async import Hooks
from tests.flows.hall import together

if TYPE_CHECKING:
    from collections.abc import Callable

    from memoram_async import Attempt, Outcome
    from tests.flows.hall import Hall
    from tests.worlds import World

pytestmark = pytest.mark.anyio


class Traffic(Hooks):
    """Does something once, when the fourth poll was answered, and counts the polls that are under way.

    Attributes:
        then: How many others were under way in that moment.
        most: How many were under way at once.
    """

    def __init__(self, event: Callable[[], object]) -> None:
        self._event = event
        self._lock = threading.Lock()
        self._answered = self._under_way = 0
        self.then = self.most = 0

    def before_request(self, attempt: Attempt) -> None:
        if attempt.operation != "createToken":
            with self._lock:
                self._under_way += 1
                self.most = max(self.most, self._under_way)

    def after_response(self, attempt: Attempt, outcome: Outcome) -> None:
        if attempt.operation != "createToken":
            with self._lock:
                self._under_way -= 1
                self._answered += 1
                if self._answered == 4:
                    self.then = self._under_way
                    self._event()


async def approved_meanwhile(hall: Hall, world: World, traffic: Traffic, waiters: int) -> None:
    """So many wait in one client, through what happens meanwhile, until each is approved."""
    ids = hall.requests(waiters)
    before = exchanges(hall)

    def decide() -> None:
        until_asked(hall, hall.calls() + 6)  # two after what happens at the fourth
        for each in ids:
            hall.local.approve(each)

    results = await all_waited(hall, world, ids, traffic, decide)
    assert [result.id for result in results] == ids
    assert {result.status for result in results} == {"approved"}
    assert exchanges(hall) - before == 2


async def all_waited(
    hall: Hall, world: World, ids: list[str], hooks: Hooks, meanwhile: Callable[[], None]
) -> list[Any]:
    """What waiting for each comes to, in one client, while something happens."""
    if world.is_sync:
        with ThreadPoolExecutor(len(ids)) as pool, hall.blocking(hooks) as client:
            waits = [pool.submit(client.access_requests.wait, each, timeout=None) for each in ids]
            meanwhile()
            return [wait.result(timeout=60) for wait in waits]
    async with hall.client(hooks) as client:
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
    traffic = Traffic(hall.local.expire_tokens)
    await approved_meanwhile(hall, world, traffic, waiters)
    # Whatever was under way when the first one was refused may have been refused as well.
    assert 1 <= refusals(hall) <= traffic.most


@pytest.mark.parametrize("waiters", [1, 2, 20])
async def test_a_token_whose_hour_is_over_is_exchanged_before_it_is_refused(
    hall: Hall, world: World, waiters: int
) -> None:
    traffic = Traffic(lambda: hall.local.clock.advance(7200))
    await approved_meanwhile(hall, world, traffic, waiters)
    assert refusals(hall) <= traffic.then  # which is none where only one waits
