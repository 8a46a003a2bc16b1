"""Whoever takes the place of httpx's transport methods sees our requests; otherwise httpx stays out of it."""

from __future__ import annotations

import functools
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import httpx
import pytest

from memoram_async import NotFoundError
from tests.raw_server import answer, read_request, serving
from tests.worlds import World, failure

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

TOKEN: Final = answer(b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}')
THING: Final = answer(b'{"id": "tag_1"}')
API: Final = "https://api.test/api/v1"


class Service:
    """Answers every request with a tag, and counts connections."""

    def __init__(self) -> None:
        self.connections = 0

    def play(self, connection: socket.socket) -> None:
        self.connections += 1
        while request := read_request(connection):
            connection.sendall(TOKEN if b"/auth/token" in request else THING)


def place(world: World) -> tuple[type[Any], str]:
    """Where requests of a world pass through httpx."""
    if world.is_sync:
        return httpx.HTTPTransport, "handle_request"
    return httpx.AsyncHTTPTransport, "handle_async_request"


def recorder(world: World, seen: list[httpx.Request]) -> Callable[..., Any]:
    """What notes requests and lets them pass, under the name of what it stands before."""
    kind, method = place(world)
    passed = getattr(kind, method)

    @functools.wraps(passed)
    def blocking(transport: object, request: httpx.Request) -> Any:
        seen.append(request)
        return passed(transport, request)

    @functools.wraps(passed)
    async def suspending(transport: object, request: httpx.Request) -> Any:
        seen.append(request)
        return await passed(transport, request)

    return blocking if world.is_sync else suspending


async def test_a_recorder_sees_requests_while_it_is_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[httpx.Request] = []
    service = Service()
    with serving(service.play) as url:
        async with world.real_client(api_key="mem_x", base_url=url) as client:
            await client.tags.get("tag_1", user_id="u")
            with monkeypatch.context() as patching:
                patching.setattr(*place(world), recorder(world, seen))
                assert (await client.tags.get("tag_1", user_id="a&b")).id == "tag_1"
                await client.request("POST", "/things", json={"content": "x"})
            await client.tags.get("tag_1", user_id="u")
    assert [(each.method, str(each.url).removeprefix(url)) for each in seen] == [
        ("GET", "/tags/tag_1?user_id=a%26b"),
        ("POST", "/things"),
    ]
    assert seen[1].read() == b'{"content":"x"}'
    assert {each.headers["authorization"] for each in seen} == {"Bearer eyJ.e.s"}
    assert service.connections == 1


async def test_a_mock_answers_in_our_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def play(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/token"):
            return httpx.Response(200, json={"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"})
        return httpx.Response(404, json={})

    kind: Any = mock.Mock if world.is_sync else mock.AsyncMock
    monkeypatch.setattr(*place(world), kind(side_effect=play))
    async with world.real_client(api_key="mem_x", base_url=API) as client:
        await failure(client.tags.get("tag_1", user_id="u"), NotFoundError)


PROGRAMS: Final = {
    "async": """
import asyncio, sys
from memoram_async import AsyncMemoram
async def main():
    async with AsyncMemoram("mem_x", base_url=sys.argv[1], auth_url=sys.argv[1]) as client:
        print((await client.tags.get("tag_1", user_id="u")).id)
asyncio.run(main())
""",
    "sync": """
import sys
from memoram_sync import Memoram
with Memoram("mem_x", base_url=sys.argv[1], auth_url=sys.argv[1]) as client:
    print(client.tags.get("tag_1", user_id="u").id)
""",
}


@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_program_of_one_call_loads_no_httpx(kind: str) -> None:
    told = "print([name for name in ('httpx', 'http.cookiejar', 'urllib.request') if name in sys.modules])"
    with serving(Service().play) as url:
        done = subprocess.run(  # noqa: S603 - our own words
            (sys.executable, "-c", PROGRAMS[kind] + told, url), capture_output=True, text=True, check=False
        )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["tag_1", "[]"]
