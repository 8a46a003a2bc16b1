"""The two implementations of the seam, side by side."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from memoram_async import APITimeoutError, ClientClosedError
from memoram_async.core.deadline import Deadline
from memoram_async.core.http import HTTPRequest
from memoram_async.runtime.anyio_runtime import AnyioRuntime
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from tests.worlds import failure

if TYPE_CHECKING:
    from memoram_async.runtime.protocol import Runtime
    from tests.worlds import World

pytestmark = pytest.mark.anyio


@pytest.fixture
def runtime(world: World) -> Runtime:
    return BlockingRuntime() if world.is_sync else AnyioRuntime()


async def test_a_waiter_is_woken(runtime: Runtime, world: World) -> None:
    waiter = runtime.waiter()
    if world.is_sync:
        timer = threading.Timer(0.05, runtime.wake, [waiter])
        timer.start()
        assert await runtime.wait(waiter, 10)
        timer.join()
    else:
        async with anyio.create_task_group() as group:
            group.start_soon(runtime.wait, waiter, 10)
            runtime.wake(waiter)
            assert await runtime.wait(waiter, 10)


async def test_a_waiter_that_was_woken_before_does_not_wait(runtime: Runtime) -> None:
    waiter = runtime.waiter()
    runtime.wake(waiter)
    assert await runtime.wait(waiter, 0)


async def test_waiting_ends_without_a_wake(runtime: Runtime) -> None:
    assert not await runtime.wait(runtime.waiter(), 0.01)


async def test_whoever_gives_way_lets_others_come_first(runtime: Runtime, world: World) -> None:
    order: list[str] = []
    if world.is_sync:
        began = time.perf_counter()
        await runtime.give_way()
        assert time.perf_counter() - began >= 0.004  # long enough to start another thread
        return

    async def one() -> None:
        order.append("other")

    async with anyio.create_task_group() as group:
        group.start_soon(one)
        await runtime.give_way()
        order.append("this")
    assert order == ["other", "this"]


async def test_map_bounded_keeps_order_and_bound(runtime: Runtime) -> None:
    lock = threading.Lock()
    running = 0
    most = 0

    async def work(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        while most < 7:  # all that may run side by side do so, however slow the machine is
            await runtime.sleep(0.001)
        with lock:
            running -= 1
        return number * 2

    assert await runtime.map_bounded(work, range(50), limit=7) == [number * 2 for number in range(50)]
    assert most == 7


async def test_map_bounded_raises_the_first_failure_and_starts_nothing_more(runtime: Runtime) -> None:
    started: list[int] = []

    async def work(number: int) -> int:
        started.append(number)
        await runtime.sleep(0.001)
        if number == 3:
            raise LookupError("three")
        return number

    with pytest.raises(LookupError, match="three"):
        await runtime.map_bounded(work, range(1000), limit=4)
    assert len(started) < 100


async def test_map_bounded_of_nothing_is_nothing(runtime: Runtime) -> None:
    async def work(number: int) -> int:
        return number

    assert await runtime.map_bounded(work, [], limit=3) == []


async def test_blocking_code_runs(runtime: Runtime) -> None:
    assert await runtime.run_blocking(lambda: 7) == 7


async def test_within_answers_what_the_work_answers(runtime: Runtime) -> None:
    async def work() -> int:
        return 7

    assert await runtime.within(Deadline(), work(), doing="test") == 7


async def test_within_ends_the_work_at_the_deadline(world: World) -> None:
    if world.is_sync:
        # A thread cannot be cancelled: the deadline is checked where a request is sent.
        runtime: Any = BlockingRuntime()
        request = HTTPRequest(method="GET", url="http://127.0.0.1:9/", timeout=5)
        await failure(runtime.send(request, Deadline(runtime.now() - 1)), APITimeoutError)
        return
    runtime = AnyioRuntime()
    error = await failure(
        runtime.within(Deadline.after(0.02, now=runtime.now()), anyio.sleep_forever(), doing="test"),
        APITimeoutError,
    )
    assert "test" in str(error)


async def test_a_closed_runtime_sends_nothing(runtime: Runtime) -> None:
    await runtime.aclose()
    await runtime.aclose()
    request = HTTPRequest(method="GET", url="http://127.0.0.1:9/", timeout=5)
    await failure(runtime.send(request, Deadline()), ClientClosedError)
    with pytest.raises(ClientClosedError):
        runtime.home()


@pytest.mark.parametrize("kind", [AnyioRuntime, BlockingRuntime])
def test_chance_is_its_own_however_the_application_seeds_python(kind: type[Any]) -> None:
    state = random.getstate()
    try:
        random.seed(7)
        untouched = random.getstate()
        first = [kind().random() for _ in range(8)]
        assert random.getstate() == untouched
        random.seed(7)
        assert [kind().random() for _ in range(8)] != first
    finally:
        random.setstate(state)
    assert all(0 <= number < 1 for number in first)
