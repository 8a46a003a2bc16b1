"""On real sockets the HTTP stack logs too, at every level, and shows no secret either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_async import NotFoundError
from tests.raw_server import answer, read_request, serving
from tests.secrecy.calls import APPLICATION, CALLS, good
from tests.secrecy.canaries import API_KEY, CONTENT, MEMORY_KEY
from tests.secrecy.hunt import listening, sightings
from tests.worlds import failure, items

if TYPE_CHECKING:
    import socket

    from tests.worlds import World

pytestmark = pytest.mark.anyio


def play(connection: socket.socket) -> None:
    """Answer every request of a connection as a sound service does."""
    while request := read_request(connection):
        head, _, body = request.partition(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode().split()
        reply = good(httpx.Request(method, f"http://service.test{target}", content=body))
        status = 404 if target.endswith("missing") else reply.status_code
        connection.sendall(answer(reply.content, status=status))


def client_of(world: World, url: str) -> Any:
    return world.real_client(api_key=API_KEY, base_url=url, auth_url=url, **APPLICATION)


SEND_NOTHING = {"connections.begin", "connections.tokens", "connections.disconnect"}
SENDING = {name: call for name, call in CALLS.items() if name not in SEND_NOTHING}


@pytest.mark.parametrize("call", SENDING.values(), ids=SENDING.keys())
async def test_no_logger_shows_a_secret(world: World, call: Any) -> None:
    with serving(play) as url, listening() as ear:
        async with client_of(world, url) as client:
            await call(client)
    assert {"memoram", "httpcore.http11", "httpcore.connection"} <= ear.loggers
    assert not any(name.startswith(("hpack", "h2")) for name in ear.loggers)
    assert sightings(ear.heard) == []


async def test_no_logger_shows_what_is_searched_for(world: World) -> None:
    with serving(play) as url, listening() as ear:
        async with client_of(world, url) as client:
            await items(client.memory_blobs.list(user_id="u", search=CONTENT, tags=[MEMORY_KEY]))
            await client.request("GET", "/notes", params={"key": MEMORY_KEY})
            await failure(client.request("GET", "/missing"), NotFoundError)
    assert {"memoram", "httpcore.http11"} <= ear.loggers
    assert sightings(ear.heard) == []


async def test_what_is_searched_for_is_sent_all_the_same(world: World) -> None:
    asked: list[bytes] = []

    def noting(connection: socket.socket) -> None:
        while request := read_request(connection):
            asked.append(request.split(b"\r\n")[0])
            connection.sendall(answer(b'{"token": "eyJ.e.s", "memoryBlobs": []}'))

    with serving(noting) as url:
        async with client_of(world, url) as client:
            await items(client.memory_blobs.list(user_id="u", search="window seats"))
    assert asked[-1] == b"GET /memory-blobs?user_id=u&searchQuery=window+seats HTTP/1.1"
