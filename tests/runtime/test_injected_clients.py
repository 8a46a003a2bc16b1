"""Clients of httpx and of httpx2 can be injected; what they raise means the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
import httpx2
import pytest

from memoram_async import (
    APIConnectionError,
    APITimeoutError,
    AsyncMemoram,
    NotFoundError,
    OutcomeUnknownError,
    PoolTimeoutError,
)
from memoram_local import MemoramLocal
from memoram_sync import Memoram
from tests.raw_server import answer, read_request, reset, serving
from tests.worlds import API, API_KEY, AUTH, TOKEN, Lifted, failure, items

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from tests.worlds import World

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("library", [httpx, httpx2])]

ISSUED: Final = {"token": TOKEN, "expires_at": "2040-01-01T00:00:00Z"}


def injected(
    world: World,
    library: Any,
    transport: Any = None,
    *,
    api_key: str = API_KEY,
    url: str = API,
    auth_url: str = AUTH,
) -> tuple[Any, Any]:
    """A client over an HTTP client of that library, and the latter."""
    settings: dict[str, Any] = {"base_url": url, "auth_url": auth_url, "max_retries": 0}
    if world.is_sync:
        http = library.Client(transport=transport)
        return Lifted(Memoram(api_key, http_client=http, **settings)), http
    http = library.AsyncClient(transport=transport)
    return AsyncMemoram(api_key, http_client=http, **settings), http


async def close(http: Any) -> None:
    """Close an HTTP client of either kind."""
    if hasattr(http, "aclose"):
        await http.aclose()
    else:
        http.close()


def service(library: Any, answer_with: Callable[[Any], Any]) -> Any:
    """A transport that issues tokens and has a function answer everything else."""

    def handler(request: Any) -> Any:
        if request.url.path.endswith("/auth/token"):
            return library.Response(200, json=ISSUED)
        return answer_with(request)

    return library.MockTransport(handler)


async def test_calls_and_pages(world: World, library: Any) -> None:
    def lists(request: Any) -> Any:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        second = request.url.params.get("cursor") == "more"
        page = {"items": [{"id": "tag_2" if second else "tag_1"}], "next_cursor": None if second else "more"}
        return library.Response(200, json=page)

    client, http = injected(world, library, service(library, lists))
    assert [tag.id for tag in await items(client.tags.list(user_id="u"))] == ["tag_1", "tag_2"]
    await close(http)


@pytest.mark.parametrize(
    ("raised", "meant", "sent"),
    [
        ("ConnectError", APIConnectionError, False),
        ("ConnectTimeout", APITimeoutError, False),
        ("PoolTimeout", PoolTimeoutError, False),
        ("ReadError", APIConnectionError, True),
        ("ReadTimeout", APITimeoutError, True),
        ("RemoteProtocolError", APIConnectionError, True),
        ("ProxyError", APIConnectionError, False),
    ],
)
async def test_errors_mean_the_same(
    world: World, library: Any, raised: str, meant: type[APIConnectionError], *, sent: bool
) -> None:
    def fail(request: Any) -> Any:
        raise getattr(library, raised)("no")

    client, http = injected(world, library, service(library, fail))
    error = await failure(client.tags.get("tag_1", user_id="u"), meant)
    assert (type(error), error.sent) == (meant, sent)
    assert (error.__cause__, error.__context__) == (None, None)
    await close(http)


async def test_a_refusal_has_its_status(world: World, library: Any) -> None:
    transport = service(library, lambda _: library.Response(404, headers={"X-Request-Id": "r1"}))
    client, http = injected(world, library, transport)
    error = await failure(client.tags.get("tag_1", user_id="u"), NotFoundError)
    assert (error.status, error.request_id) == (404, "r1")
    await close(http)


async def test_a_hook_that_raises_for_a_status_is_a_refusal(world: World, library: Any) -> None:
    def raise_for_status(response: Any) -> None:
        response.raise_for_status()

    async def raise_in_async_code(response: Any) -> None:
        response.raise_for_status()

    transport = service(library, lambda _: library.Response(404, headers={"X-Request-Id": "r1"}))
    client, http = injected(world, library, transport)
    http.event_hooks = {"response": [raise_for_status if world.is_sync else raise_in_async_code]}
    error = await failure(client.tags.get("tag_1", user_id="u"), NotFoundError)
    assert (error.status, error.request_id) == (404, "r1")
    assert (error.__cause__, error.__context__) == (None, None)
    await close(http)


async def test_a_lost_answer_to_a_write_is_in_doubt(world: World, library: Any) -> None:
    def play(connection: socket.socket) -> None:
        while request := read_request(connection):
            if b"/auth/token" not in request:
                reset(connection)
                return
            connection.sendall(answer(b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}'))

    with serving(play) as url:
        client, http = injected(world, library, url=url)
        await failure(
            client.memory_blobs.create(user_id="u", memory_key="mk", content="x"), OutcomeUnknownError
        )
        await close(http)


async def test_a_whole_platform_through_real_sockets(world: World, library: Any) -> None:
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Planner")
        user = local.create_user(email="ada@example.com", password="correct horse battery")
        client, http = injected(
            world, library, api_key=app.api_key, url=server.api_url, auth_url=server.auth_url
        )
        async with client:
            request = await client.access_requests.create(user.memory_key, reason="Plans journeys")
            local.approve(request.id)
            store = await client.connect(user.memory_key, reason="Plans journeys")
            made = await store.create("Prefers window seats")
            assert [memory.content for memory in await items(store.list())] == ["Prefers window seats"]
            await store.delete(made.id)
        assert not http.is_closed
        await close(http)
