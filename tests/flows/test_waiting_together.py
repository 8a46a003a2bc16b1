"""Many who wait at once, over sockets, by a clock that platform and clients share."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from memoram_async import AccessRejected, ApprovalTimeout, ClientClosedError
from memoram_local.testing import AfterSeconds, Delay
from tests.cancellation.inside import inside
from tests.flows.hall import WHY, Hall, together

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.anyio,
    # trio and httpx: a request that is cancelled leaves the generator of its body to the collector.
    pytest.mark.filterwarnings("ignore:Async generator .*:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CROWD = 500


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_many_who_wait_ask_hardly_more_than_one(hall: Hall) -> None:
    ids = hall.requests(60)
    before = hall.calls()
    async with hall.client() as client:
        waits = [partial(client.access_requests.wait, each, timeout=120) for each in ids]
        results = await together(waits)
    assert all(isinstance(result, ApprovalTimeout) for result in results)
    assert hall.calls() - before <= 60  # by themselves, they would ask 1,400 times


async def test_those_who_begin_one_after_another_share_the_first_call(hall: Hall) -> None:
    ids = hall.requests(20)
    hall.local.clock.scale = 1
    hall.local.journal.clear()
    async with hall.client() as client, anyio.create_task_group() as group:

        async def one(number: int) -> None:
            if number + 1 < len(ids):
                group.start_soon(one, number + 1)
            await client.access_requests.wait(ids[number])

        group.start_soon(one, 0)
        await anyio.to_thread.run_sync(hall.local.wait_for_request, "listAccessRequests")
        group.cancel_scope.cancel()
    assert hall.local.journal.entries("getAccessRequest") == []
    assert len(hall.local.journal.entries("listAccessRequests")) == 1


async def test_every_decision_reaches_the_one_who_waits_for_it(hall: Hall) -> None:
    ids = hall.requests(30)
    async with hall.client() as client:

        async def decide() -> None:
            await anyio.sleep(0.2)
            for each in ids[::2]:
                await anyio.to_thread.run_sync(hall.local.approve, each)
            for each in ids[1::2]:
                await anyio.to_thread.run_sync(hall.local.reject, each)

        waits = [partial(client.access_requests.wait, each, timeout=None) for each in ids]
        *results, _ = await together([*waits, decide])
    assert [result.id for result in results[::2]] == ids[::2]
    assert [type(result) for result in results[1::2]] == [AccessRejected] * 15


async def test_cancelling_whoever_asks_again_and_again_loses_nobody(hall: Hall) -> None:
    ids = hall.requests(50)
    scopes: dict[int, anyio.CancelScope] = {}
    got: list[int] = []
    cancelled: set[int] = set()
    async with hall.client() as client, anyio.create_task_group() as group:
        schedule = inside(client, "_family.hub.schedule")

        async def one(number: int) -> None:
            with anyio.CancelScope() as scopes[number]:
                await client.access_requests.wait(ids[number % len(ids)], timeout=1e6 + number)
                got.append(number)

        def leaders() -> set[int]:
            """Those who keep the alarm or make a call; each is known by its deadline."""
            busy = [schedule._alarm, *(maker for _, maker in schedule.board.under_way.values())]  # noqa: SLF001
            return {round(ticket.ends - ticket.began - 1e6) for ticket in busy if ticket is not None}

        for number in range(CROWD):
            group.start_soon(one, number)
        while len(cancelled) < CROWD // 2:
            await anyio.sleep(0.005)
            for number in leaders():
                scopes[number].cancel()
                cancelled.add(number)
        for each in ids:
            await anyio.to_thread.run_sync(hall.local.approve, each)
    assert {*got} >= {*range(CROWD)} - cancelled


async def test_when_many_approve_at_once_each_gets_the_key_in_turn(hall: Hall) -> None:
    ids = hall.requests(40)
    keys = {request.id: request.memory_key for request in hall.local.access_requests()}
    async with hall.client() as client:

        async def decide() -> None:
            await anyio.to_thread.run_sync(hall.local.wait_for_request, "listAccessRequests")
            for each in ids:
                await anyio.to_thread.run_sync(hall.local.approve, each)

        connects = [partial(client.connect, keys[each], reason=WHY, request_id=each) for each in ids]
        *stores, _ = await together([*connects, decide])
    assert len({store.user_id for store in stores}) == 40
    assert len(hall.local.journal.entries("getAccessCredentials")) == 40


async def test_concurrent_connects_for_one_user_ask_once(hall: Hall) -> None:
    user = hall.local.create_user(email="ada@example.com", password="correct horse battery")
    async with hall.client() as client:

        async def decide() -> None:
            while not hall.local.access_requests():  # noqa: ASYNC110 - the platform is in other threads
                await anyio.sleep(0.01)
            await anyio.to_thread.run_sync(hall.local.approve, hall.local.access_requests()[0].id)

        connects: list[Callable[[], Any]] = [
            lambda: client.connect(user.memory_key, reason=WHY) for _ in range(10)
        ]
        *stores, _ = await together([*connects, decide])
    assert {store.user_id for store in stores} == {user.id}
    assert len(hall.local.access_requests()) == 1


async def test_a_client_and_its_clones_ask_one_user_once(hall: Hall) -> None:
    user = hall.local.create_user(email="ada@example.com", password="correct horse battery")
    hall.local.policy = AfterSeconds(20)
    async with hall.client() as client:
        clients = [client, client.with_options(max_retries=0), client.with_options(timeout=30)]
        connects = [partial(each.connect, user.memory_key, reason=WHY) for each in clients]
        stores = await together(connects)
    assert [store.user_id for store in stores] == [user.id] * 3
    assert len(hall.local.access_requests()) == 1
    assert len(hall.local.journal.entries("getAccessCredentials")) <= 3


async def test_lookups_of_many_connects_share_one_reading_of_the_list(hall: Hall) -> None:
    keys = hall.approved(20)
    hall.local.clock.scale = 1
    hall.local.faults.add(Delay(0.5), route="listAccessRequests")
    before = len(hall.local.journal.entries("listAccessRequests"))
    async with hall.client() as client:
        stores = await together([partial(client.connect, key, reason=WHY) for key in keys])
    assert len({store.user_id for store in stores}) == 20
    assert len(hall.local.journal.entries("listAccessRequests")) - before == 1


async def test_who_rests_alone_hears_what_newcomers_see(hall: Hall) -> None:
    ids = hall.requests(3)
    hall.local.clock.scale = 0.001  # nobody's own look is due in the time that this test takes
    async with hall.client() as client:
        waits = [partial(client.access_requests.wait, each, timeout=None) for each in ids]

        async def join() -> list[Any]:
            await hall.local.wait_for_request_async("getAccessRequest", timeout=30)
            for each in ids:
                await anyio.to_thread.run_sync(hall.local.approve, each)
            return await together(waits[1:])

        with anyio.fail_after(30):
            first, others = await together([waits[0], join])
    assert [result.id for result in (first, *others)] == ids


async def test_a_machine_that_slept_through_the_deadline_sees_what_was_decided(hall: Hall) -> None:
    hall.local.clock.scale = 1
    (request_id,) = hall.requests(1)
    async with hall.client() as client:

        async def decide() -> None:
            await anyio.sleep(0.3)
            await anyio.to_thread.run_sync(hall.local.approve, request_id)
            hall.local.clock.advance(3600)

        wait: Callable[[], Any] = lambda: client.access_requests.wait(request_id, timeout=600)  # noqa: E731
        result, _ = await together([wait, decide])
    assert result.status == "approved"


async def test_many_who_slept_through_their_deadlines_share_a_last_look(hall: Hall) -> None:
    hall.local.clock.scale = 1
    ids = hall.requests(40)
    before = 0
    async with hall.client() as client:

        async def sleep_on() -> None:
            nonlocal before
            await hall.local.wait_for_request_async("listAccessRequests", timeout=30)
            for each in ids[::2]:
                await anyio.to_thread.run_sync(hall.local.approve, each)
            before = hall.calls()
            hall.local.clock.advance(3600)

        waits = [partial(client.access_requests.wait, each, timeout=600) for each in ids]
        *results, _ = await together([*waits, sleep_on])
    assert [result.id for result in results[::2]] == ids[::2]
    assert {type(result) for result in results[1::2]} == {ApprovalTimeout}
    assert hall.calls() - before <= 4


async def test_closing_the_client_ends_all_waiting(hall: Hall) -> None:
    ids = hall.requests(5)
    client = hall.client()

    async def close() -> None:
        await anyio.sleep(0.1)
        await client.aclose()

    waits = [partial(client.access_requests.wait, each, timeout=None) for each in ids]
    *results, _ = await together([*waits, close])
    assert {type(result) for result in results} <= {ClientClosedError}


def test_threads_wait_together(hall: Hall) -> None:
    ids = hall.requests(20)
    before = hall.calls()
    with hall.blocking() as client, ThreadPoolExecutor(20) as pool:
        waits = [pool.submit(client.access_requests.wait, each, timeout=None) for each in ids]
        timer = threading.Timer(0.5, lambda: [hall.local.approve(each) for each in ids])
        timer.start()
        assert [wait.result().id for wait in waits] == ids
        timer.join()
    assert hall.calls() - before <= 60


def test_lookups_of_many_threads_share_one_reading_of_the_list(hall: Hall) -> None:
    keys = hall.approved(20)
    hall.local.clock.scale = 1
    hall.local.faults.add(Delay(0.5), route="listAccessRequests")
    before = len(hall.local.journal.entries("listAccessRequests"))
    with hall.blocking() as client, ThreadPoolExecutor(20) as pool:
        users = {store.user_id for store in pool.map(partial(client.connect, reason=WHY), keys)}
    assert len(users) == 20
    assert len(hall.local.journal.entries("listAccessRequests")) - before == 1


def test_threads_that_connect_for_one_user_ask_once(hall: Hall) -> None:
    user = hall.local.create_user(email="ada@example.com", password="correct horse battery")
    hall.local.policy = AfterSeconds(20)
    with hall.blocking() as client, ThreadPoolExecutor(10) as pool:
        stores = list(pool.map(partial(client.connect, reason=WHY), [user.memory_key] * 10))
    assert {store.user_id for store in stores} == {user.id}
    assert len(hall.local.access_requests()) == 1


def test_threads_whose_deadlines_pass_leave_the_others_waiting(hall: Hall) -> None:
    ids = hall.requests(12)
    with hall.blocking() as client, ThreadPoolExecutor(24) as pool:
        short = [pool.submit(client.access_requests.wait, each, timeout=4.0) for each in ids]
        long = [pool.submit(client.access_requests.wait, each, timeout=None) for each in ids]
        for wait in short:
            with pytest.raises(ApprovalTimeout):
                wait.result()
        for each in ids:
            hall.local.approve(each)
        assert [wait.result().id for wait in long] == ids


def test_whoever_asks_gives_up_again_and_again_and_no_other_thread_is_lost(hall: Hall) -> None:
    ids = hall.requests(50)
    with ThreadPoolExecutor(CROWD) as pool, hall.blocking() as client:

        def one(number: int) -> str:
            # Every other thread has a deadline, one soon after another, whatever it is at.
            seconds = 20 + number / 5 if number % 2 else None
            return client.access_requests.wait(ids[number % len(ids)], timeout=seconds).id

        waits = [pool.submit(one, number) for number in range(CROWD)]
        for wait in waits[1::2]:
            assert isinstance(wait.exception(timeout=120), ApprovalTimeout)
        for each in ids:
            hall.local.approve(each)
        heard = [wait.result(timeout=120) for wait in waits[::2]]
    assert heard == [ids[number % len(ids)] for number in range(0, CROWD, 2)]


def test_threads_that_slept_through_their_deadlines_share_a_last_look(hall: Hall) -> None:
    hall.local.clock.scale = 1
    ids = hall.requests(40)
    with ThreadPoolExecutor(40) as pool, hall.blocking() as client:
        waits = [pool.submit(client.access_requests.wait, each, timeout=600) for each in ids]
        hall.local.wait_for_request("listAccessRequests", timeout=30)
        schedule = inside(client, "_async._family.hub.schedule")
        while len(schedule.board.tickets) < len(ids):
            time.sleep(0.01)
        for each in ids[::2]:
            hall.local.approve(each)
        before = hall.calls()
        hall.local.clock.advance(3600)
        assert [wait.result(timeout=60).id for wait in waits[::2]] == ids[::2]
        assert {type(wait.exception(timeout=60)) for wait in waits[1::2]} == {ApprovalTimeout}
    assert hall.calls() - before <= 4


def test_closing_from_another_thread_ends_all_waiting(hall: Hall) -> None:
    ids = hall.requests(5)
    client = hall.blocking()
    with ThreadPoolExecutor(5) as pool:
        waits = [pool.submit(client.access_requests.wait, each, timeout=None) for each in ids]
        threading.Timer(0.2, client.close).start()
        for wait in waits:
            with pytest.raises(ClientClosedError):
                wait.result(timeout=60)
