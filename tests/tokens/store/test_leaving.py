"""Leaders that are cancelled or interrupted give their lease back."""

from __future__ import annotations

import threading
import types
from typing import TYPE_CHECKING

import anyio
import anyio.from_thread
import anyio.lowlevel
import pytest

from memoram_async.core.deadline import Deadline
from memoram_async.runtime.anyio_runtime import AnyioRuntime
from memoram_async.tokens.provider import TokenProvider
from memoram_async.tokens.shared import SharedTokens
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from tests.tokens.store.issuer import SEAL, Scene

if TYPE_CHECKING:
    from collections.abc import Generator

    import httpx

    from memoram_async.core.http import HTTPResponse
    from tests.worlds import World

pytestmark = pytest.mark.anyio

ASYNC = pytest.mark.parametrize("world", ["asyncio", "trio"], indirect=True)


async def cancelled(scene: Scene, when: str) -> None:
    """A call that is cancelled while the store is asked, or while the exchange is under way."""
    begun = anyio.Event()

    async def hang(request: httpx.Request) -> httpx.Response:
        begun.set()
        await anyio.sleep_forever()
        raise AssertionError

    client = scene.world.client(hang, time=scene.time, token_store=scene.store)
    async with anyio.create_task_group() as group:
        if when != "exchange":
            scene.store.after[when] = lambda: anyio.from_thread.run_sync(group.cancel_scope.cancel)
        group.start_soon(lambda: client.request("GET", "/ping"))
        await begun.wait()
        group.cancel_scope.cancel()


@ASYNC
@pytest.mark.parametrize("when", ["exchange", "lease"])
async def test_a_cancelled_leader_gives_its_lease_back(scene: Scene, when: str) -> None:
    await cancelled(scene, when)
    assert scene.store.asked[-1] == "release"
    assert not scene.is_leased()


@ASYNC
async def test_a_leader_that_was_cancelled_before_it_asked_gives_nothing_back(scene: Scene) -> None:
    await cancelled(scene, "get")
    assert "release" not in scene.store.asked


@ASYNC
async def test_the_waiter_of_a_cancelled_leader_exchanges(scene: Scene) -> None:
    begun = anyio.Event()

    async def hang_once(request: httpx.Request) -> httpx.Response:
        if not begun.is_set():
            begun.set()
            await anyio.sleep_forever()
        return scene.issuer(request)

    client = scene.world.client(hang_once, time=scene.time, token_store=scene.store)
    async with anyio.create_task_group() as group:
        leader = anyio.CancelScope()

        async def lead() -> None:
            with leader:
                await client.request("GET", "/ping")

        group.start_soon(lead)
        await begun.wait()
        group.start_soon(lambda: client.request("GET", "/ping"))
        await anyio.wait_all_tasks_blocked()
        leader.cancel()
    assert scene.issuer.came_with == ["token-1"]
    assert scene.time.slept == []  # the lease was free for it
    assert not scene.is_leased()


@pytest.mark.parametrize("world", ["sync"], indirect=True)
@pytest.mark.parametrize("when", ["lease", "exchange", "put"])
async def test_an_interrupted_leader_gives_its_lease_back(scene: Scene, when: str) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    if when == "exchange":
        scene.issuer.during = interrupt
    else:
        scene.store.before[when] = interrupt
    with pytest.raises(KeyboardInterrupt):
        await scene.call(scene.client())
    assert not scene.is_leased()


@types.coroutine
def suspended() -> Generator[None, None, None]:
    """Suspends as no runtime would."""
    yield


async def test_a_leader_whose_coroutine_is_thrown_away_says_nothing(scene: Scene) -> None:
    """As its loop ends; nothing can be awaited then, so the lease is left to its time."""

    async def exchange(deadline: Deadline) -> HTTPResponse:
        await suspended()
        raise AssertionError

    runtime = BlockingRuntime()
    tokens = TokenProvider(runtime, exchange, SharedTokens(runtime, scene.store, SEAL))
    call = tokens.get(Deadline())
    call.send(None)
    call.close()
    assert scene.is_leased()
    assert "release" not in scene.store.asked


# --- the seam ----------------------------------------------------------------------------------


@ASYNC
async def test_what_is_shielded_runs_in_a_cancelled_call(world: World) -> None:
    done: list[bool] = []

    async def work() -> None:
        await anyio.lowlevel.checkpoint()
        done.append(True)

    with anyio.CancelScope() as scope:
        scope.cancel()
        await AnyioRuntime().shielded(work(), seconds=60)
    assert done == [True]


@ASYNC
async def test_what_is_shielded_ends_in_time(world: World) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await AnyioRuntime().shielded(anyio.sleep_forever(), seconds=0.01)
    assert scope.cancel_called


@ASYNC
async def test_a_cancelled_call_leaves_blocking_code_to_itself(world: World) -> None:
    go_on = threading.Event()
    with anyio.move_on_after(0.01) as scope:
        await AnyioRuntime().run_blocking(lambda: go_on.wait(60))
    assert scope.cancelled_caught
    go_on.set()
