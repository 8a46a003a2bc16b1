"""Time that a test library has frozen holds nobody up: what is waited is real."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import freezegun
import pytest

from memoram_async import APITimeoutError
from memoram_async.runtime.anyio_runtime import AnyioRuntime
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from tests.raw_server import answer, read_request, serving
from tests.worlds import World, failure

if TYPE_CHECKING:
    import socket

pytestmark = pytest.mark.anyio

TOKEN = answer(b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}')


@pytest.fixture(params=["asyncio", "sync"])  # trio's own clock stands still as well
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def frozen() -> Any:
    return freezegun.freeze_time("2026-05-01 12:00:00", real_asyncio=True)


async def test_a_wait_is_over_when_it_was_waited(world: World) -> None:
    runtime: Any = BlockingRuntime() if world.is_sync else AnyioRuntime()
    began = time.perf_counter()
    with frozen():
        await runtime.sleep(0.05)
        assert not await runtime.wait(runtime.waiter(), 0.05)
    assert 0.1 <= time.perf_counter() - began < 5


async def test_a_request_is_sent_again_after_its_pause(world: World) -> None:
    seen: list[bytes] = []

    def play(connection: socket.socket) -> None:
        while request := read_request(connection):
            if b"/auth/token" in request:
                connection.sendall(TOKEN)
                continue
            seen.append(request)
            busy = answer(b"{}", status=503, headers="Retry-After: 0.05\r\n")
            connection.sendall(busy if len(seen) == 1 else answer(b'{"id": "tag_1"}'))

    with serving(play) as url, frozen():
        async with world.real_client(api_key="mem_x", base_url=url) as client:
            assert (await client.tags.get("tag_1", user_id="u")).id == "tag_1"
    assert len(seen) == 2


async def test_a_total_timeout_is_kept_to(world: World) -> None:
    def play(connection: socket.socket) -> None:
        while request := read_request(connection):
            if b"/auth/token" in request:
                connection.sendall(TOKEN)
            else:
                connection.recv(1)

    with serving(play) as url, frozen():
        async with world.real_client(api_key="mem_x", base_url=url, timeout=0.3, max_retries=0) as client:
            await failure(client.tags.get("tag_1", user_id="u"), APITimeoutError)
