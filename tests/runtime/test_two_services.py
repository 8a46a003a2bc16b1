"""One client and two services: idle connections to one give way to those that the other needs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import pytest

from memoram_async.core.deadline import Deadline
from memoram_async.core.http import HTTPRequest
from memoram_async.runtime.anyio_runtime import AnyioRuntime
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from tests.raw_server import answer, read_request, serving

if TYPE_CHECKING:
    import socket

    from tests.worlds import World

pytestmark = pytest.mark.anyio

MOST: Final = 3


class Service:
    """A service that answers once all requests of a round are there, so that each has its connection."""

    def __init__(self) -> None:
        self.together = threading.Barrier(MOST)
        self.opened: list[object] = []
        self.left = threading.Semaphore(0)

    def __call__(self, connection: socket.socket) -> None:
        self.opened.append(connection)
        while read_request(connection):
            self.together.wait(10)
            connection.sendall(answer(b"{}"))
        self.left.release()


async def ask(runtime: Any, url: str) -> None:
    """As many requests at once as may be."""

    async def once(_: int) -> None:
        response = await runtime.send(HTTPRequest(method="GET", url=f"{url}/x", timeout=10), Deadline())
        assert response.status == 200

    await runtime.map_bounded(once, range(MOST), limit=MOST)


def runtime_of(world: World) -> Any:
    kind: Any = BlockingRuntime if world.is_sync else AnyioRuntime
    return kind(max_connections=MOST)


async def test_all_idle_connections_give_way_where_the_other_service_needs_as_many(world: World) -> None:
    one, other = Service(), Service()
    with serving(one) as first, serving(other) as second:
        runtime = runtime_of(world)
        await ask(runtime, first)
        await ask(runtime, second)
        for _ in range(MOST):
            assert one.left.acquire(timeout=3)
        assert not other.left.acquire(blocking=False)
        await runtime.aclose()


async def test_connections_that_are_kept_are_used_again(world: World) -> None:
    one = Service()
    with serving(one) as first:
        runtime = runtime_of(world)
        await ask(runtime, first)
        await ask(runtime, first)
        assert len(one.opened) == MOST
        await runtime.aclose()
