"""The MCP server shows no secret: not in what it answers, nor in what it logs, nor in its own objects."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from mcp import Client

from memoram_async import AsyncMemoram, MemoryGrantStore
from memoram_async.core.secret import Secret
from memoram_async.integrations.mcp import ConnectedUsers, KeyHolder, MemoryServer
from memoram_async.integrations.mcp.issuer import Issuer
from memoram_async.integrations.mcp.link_pages import LinkPages
from memoram_async.integrations.mcp.sign_in import SignIn
from tests.secrecy.canaries import (
    API_KEY,
    CLIENT_SECRET,
    CONTENT,
    ECHO,
    MEMORY_KEY,
    SEALING_SECRET,
    TOKEN,
)
from tests.secrecy.hunt import Ear, shown_by_object, sightings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio
CALLS: Final[dict[str, dict[str, Any]]] = {
    "remember": {"content": CONTENT, "title": CONTENT, "tags": [CONTENT], "source": CONTENT},
    "recall": {"query": CONTENT},
    "list": {"tags": [CONTENT]},
    "get": {"id": "mem_1"},
    "update": {"id": "mem_1", "content": CONTENT},
    "forget": {"id": "mem_1"},
    "tags": {},
}


@pytest.fixture
def ear() -> Iterator[Ear]:
    """Whatever is logged at INFO and above; below, the official package logs whole messages."""
    root, ear = logging.getLogger(), Ear()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.INFO)
    yield ear
    root.removeHandler(ear)
    root.setLevel(level)


def service(status: int) -> httpx.AsyncClient:
    """A service that repeats every secret, in errors and in answers that have no place for it."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/token"):
            token = {"token": TOKEN, "expires_at": "2040-01-01T00:00:00Z", "token_type": "Bearer"}
            return httpx.Response(200, json=token)
        return httpx.Response(status, json={"error": ECHO, "message": ECHO, "code": "conflict"})

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


@pytest.mark.parametrize("status", [200, 400, 403, 404, 409, 500])
async def test_failing_tools_show_nothing(ear: Ear, status: int) -> None:
    shown: list[tuple[str, str]] = []
    async with (
        service(status) as http,
        AsyncMemoram(
            API_KEY,
            base_url="https://api.test/v1",
            auth_url="https://auth.test",
            max_retries=0,
            http_client=http,
        ) as memoram,
    ):
        server = MemoryServer(KeyHolder(memoram, MEMORY_KEY, reason="Remembers"))
        async with Client(server) as client:
            for tool, arguments in CALLS.items():
                result = await client.call_tool(tool, arguments)
                assert result.is_error
                shown.append((tool, repr(result)))
            for wrong in ({"content": [CONTENT]}, {"content": CONTENT, "importance": CONTENT}):
                result = await client.call_tool("remember", wrong)
                assert result.is_error
                shown.append(("a call with wrong arguments", repr(result)))
    assert sightings([*shown, *ear.heard]) == []


async def test_objects_show_nothing() -> None:
    async with AsyncMemoram(
        API_KEY,
        base_url="https://api.test/v1",
        auth_url="https://auth.test",
        client_id="client",
        client_secret=CLIENT_SECRET,
        secret=SEALING_SECRET,
    ) as memoram:
        connections = memoram.connections(
            MemoryGrantStore(), redirect_uri="https://app.test/back", reason="Remembers"
        )
        secrets = [Secret(SEALING_SECRET)]
        objects = [
            KeyHolder(memoram, MEMORY_KEY, reason="Remembers"),
            ConnectedUsers(memoram, connections),
            LinkPages(
                connections,
                link_url="https://app.test/link",
                callback_url="https://app.test/back",
                secrets=secrets,
                sign_in=None,
            ),
            SignIn(
                Issuer("https://id.test"),
                client_id="client",
                client_secret=Secret(CLIENT_SECRET),
                callback_url="https://app.test/in",
                secrets=secrets,
            ),
        ]
        assert sightings(each for thing in objects for each in shown_by_object(thing)) == []
