"""Many users over one server: told apart by their tokens, over streamable HTTP, mounted and alone.

Most of it runs on asyncio alone. uvicorn, which serves on sockets, knows no other loop, and of each answer
that is an event stream the official client (mcp 2.3.0) leaves async generators to the garbage collector, of
which trio warns. So on trio the application is called in process, and answers in JSON.
"""

from __future__ import annotations

import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import anyio
import attrs
import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError, UrlElicitationRequiredError

from memoram_async import AsyncConnections, MemoryGrantStore
from memoram_async.integrations.mcp import (
    AccessToken,
    AuthSettings,
    ConnectedUsers,
    MemoryServer,
    TransportSecuritySettings,
    token_user,
)
from tests.integrations.mcp.conftest import DASHBOARD, ERAS, Person, Stage, text_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from memoram_local import User

pytestmark = pytest.mark.anyio
in_both_eras = pytest.mark.parametrize("era", ERAS)

ISSUER: Final = "https://id.test"
LINK: Final = "https://app.test/connect"
NOTE: Final = {"content": "Prefers window seats"}


@pytest.fixture
def anyio_backend() -> str:
    """See above."""
    return "asyncio"


@attrs.frozen
class Tokens:
    """A host's verifier, whose tokens are the subjects themselves."""

    url: str

    async def verify_token(self, token: str) -> AccessToken | None:
        if token == "expired":
            return None
        subject = None if token == "of a program" else token
        return AccessToken(
            token=token,
            client_id="agent",
            scopes=[],
            subject=subject,
            resource=self.url,
            claims={"iss": ISSUER},
        )


def id_of(subject: str) -> str:
    """The user of a token."""
    return token_user(issuer=ISSUER, subject=subject)


@attrs.frozen
class Host:
    """An application that serves memories, and the connections of its users.

    Attributes:
        transport: How it is reached, if not over a socket.
    """

    url: str
    connections: AsyncConnections
    stage: Stage
    transport: httpx2.AsyncBaseTransport | None = None

    @property
    def metadata(self) -> str:
        """Where clients learn who issues tokens."""
        return self.url.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")

    async def let_in(self, subject: str, user: User | None = None) -> None:
        """The user links an account and approves."""
        await self.connections.link(id_of(subject), (user or self.stage.user).memory_key)
        self.stage.approve()

    @asynccontextmanager
    async def http(self, token: str | None, **headers: str) -> AsyncGenerator[httpx2.AsyncClient]:
        """An HTTP client with that token."""
        if token is not None:
            headers = {"Authorization": f"Bearer {token}", **headers}
        async with httpx2.AsyncClient(headers=headers, timeout=30, transport=self.transport) as http:
            yield http

    @asynccontextmanager
    async def agent(self, token: str, era: Any, **options: Any) -> AsyncGenerator[Client]:
        """The MCP client of a user."""
        async with (
            self.http(token) as http,
            Client(streamable_http_client(self.url, http_client=http), mode=era, **options) as client,
        ):
            yield client


@asynccontextmanager
async def hosted(stage: Stage, *, mounted: bool = False, **options: Any) -> AsyncGenerator[Host]:
    """An application for many users, alone or mounted in FastAPI."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        async with assembled(stage, address, mounted=mounted, **options) as (app, connections):
            uvicorn_server = uvicorn.Server(uvicorn.Config(app, log_config=None))
            async with anyio.create_task_group() as group:
                group.start_soon(uvicorn_server.serve, [listener])
                yield Host(f"http://{address}/mcp", connections, stage)
                uvicorn_server.should_exit = True


@asynccontextmanager
async def assembled(
    stage: Stage, address: str, *, mounted: bool, **options: Any
) -> AsyncGenerator[tuple[Any, AsyncConnections]]:
    """The application that will answer at an address, which brings its own lifespan."""
    url = f"http://{address}/mcp"
    async with stage.memoram() as memoram:
        connections = memoram.connections(
            MemoryGrantStore(), redirect_uri="https://app.test/callback", reason="Remembers", link_url=LINK
        )
        server = MemoryServer(
            ConnectedUsers(memoram, connections),
            consent_seconds=10,
            token_verifier=Tokens(url),
            auth=AuthSettings.model_validate(
                {"issuer_url": ISSUER, "resource_server_url": url, "validate_token_resource": True}
            ),
        )
        app: Any = server.streamable_http_app(
            transport_security=TransportSecuritySettings(
                allowed_hosts=[address], allowed_origins=[f"http://{address}"]
            ),
            **options,
        )
        if not mounted:
            yield app, connections
            return

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
            async with server.session_manager.run():
                yield

        outer = FastAPI(lifespan=lifespan)
        outer.mount("/", app)
        yield outer, connections


async def two_users_live(host: Host, era: Any) -> None:
    """Two users remember and recall at the same time, and neither sees anything of the other."""
    bob = host.stage.local.create_user(email="bob@example.com", password="correct horse battery")
    await host.let_in("ada")
    await host.let_in("bob", bob)
    seen: dict[str, str] = {}

    async def lives(name: str) -> None:
        async with host.agent(name, era) as client:
            for number in range(5):
                result = await client.call_tool("remember", {"content": f"{name}'s secret {number}"})
                assert not result.is_error, text_of(result)
            for tool, arguments in (("recall", {"query": "secret"}), ("list", {})):
                seen[name] = seen.get(name, "") + text_of(await client.call_tool(tool, arguments))

    async with anyio.create_task_group() as group:
        for name in ("ada", "bob"):
            group.start_soon(lives, name)
    assert all(f"ada's secret {number}" in seen["ada"] for number in range(5))
    assert all(f"bob's secret {number}" in seen["bob"] for number in range(5))
    assert "bob's" not in seen["ada"]  # a name alone may be part of a random id
    assert "ada's" not in seen["bob"]

    async with host.agent("ada", era) as client:
        mine = (await client.call_tool("list", {"limit": 1})).structured_content
        assert mine is not None
    async with host.agent("bob", era) as client:
        for tool in ("get", "update", "forget"):
            result = await client.call_tool(tool, {"id": mine["memories"][0]["id"]})
            assert "no memory with this id" in text_of(result)
        with pytest.raises(MCPError, match="no memory with this id"):
            await client.read_resource(f"memory://{mine['memories'][0]['id']}")


@in_both_eras
async def test_two_users_over_one_server_never_meet(stage: Stage, era: Any) -> None:
    async with hosted(stage) as host:
        await two_users_live(host, era)


@pytest.mark.parametrize("anyio_backend", ["trio"])
@in_both_eras
async def test_on_trio_two_users_never_meet_either(stage: Stage, era: Any) -> None:
    address = "127.0.0.1:8000"
    async with (
        assembled(stage, address, mounted=False, json_response=True) as (app, connections),
        app.router.lifespan_context(app),
    ):
        host = Host(f"http://{address}/mcp", connections, stage, httpx2.ASGITransport(app))
        await two_users_live(host, era)


async def test_a_session_belongs_to_the_user_who_began_it(stage: Stage) -> None:
    async with hosted(stage) as host:
        await host.let_in("ada")
        sessions: list[str] = []

        async def note(response: httpx2.Response) -> None:
            sessions.extend(response.headers.get_list("mcp-session-id"))

        async with host.http("ada") as http:
            http.event_hooks = {"response": [note]}
            async with Client(streamable_http_client(host.url, http_client=http), mode="legacy") as client:
                await client.call_tool("remember", NOTE)
                async with host.http("bob") as other:
                    answer = await other.post(
                        host.url,
                        headers={
                            "Accept": "application/json, text/event-stream",
                            "Mcp-Session-Id": sessions[0],
                            "MCP-Protocol-Version": "2025-11-25",
                        },
                        json={"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "list"}},
                    )
        assert answer.status_code in {403, 404}
        assert "window" not in answer.text


@in_both_eras
async def test_an_account_is_linked_at_the_applications_own_page_in_the_middle_of_a_call(
    stage: Stage, era: Any
) -> None:
    async with hosted(stage) as host:
        async with host.agent("ada", era) as client:
            refused = await client.call_tool("remember", NOTE)
            assert f"link it at this URL: {LINK}\n" in text_of(refused)

        async def told(progress: float, total: float | None, message: str | None) -> None:
            await host.let_in("ada")

        person = Person()
        async with host.agent("ada", era, elicitation_callback=person) as client:
            result = await client.call_tool("remember", NOTE, progress_callback=told)
            assert not result.is_error, text_of(result)
        assert person.shown == [LINK]


async def test_a_user_who_takes_the_approval_back_is_sent_to_the_page_that_links_again(stage: Stage) -> None:
    async with hosted(stage) as host, host.agent("ada", "2026-07-28") as client:
        await host.let_in("ada")
        assert not (await client.call_tool("remember", NOTE)).is_error
        (request,) = stage.local.access_requests()
        stage.local.revoke(request.id)
        assert "took the approval back" in text_of(await client.call_tool("list", {}))
        for _ in range(2):
            assert f"link it at this URL: {LINK}\n" in text_of(await client.call_tool("list", {}))
        assert len(list(stage.local.access_requests())) == 1
        await host.let_in("ada")
        assert "window" in text_of(await client.call_tool("list", {}))


async def test_without_a_way_back_a_client_with_a_handshake_gets_the_protocols_error(stage: Stage) -> None:
    async with hosted(stage, json_response=True) as host:
        await host.connections.link(id_of("ada"), stage.user.memory_key)
        person = Person()
        async with host.agent("ada", "legacy", elicitation_callback=person) as client:
            with pytest.raises(MCPError) as raised:
                await client.call_tool("remember", NOTE)
        (asked,) = UrlElicitationRequiredError.from_error(raised.value.error).elicitations
        assert (asked.url, person.shown) == (DASHBOARD, [])
        async with host.agent("ada", "2026-07-28", elicitation_callback=Person(does=stage.approve)) as client:
            assert not (await client.call_tool("remember", NOTE)).is_error


async def test_a_server_without_sessions_tells_the_agent(stage: Stage) -> None:
    async with hosted(stage, stateless_http=True) as host:
        await host.connections.link(id_of("ada"), stage.user.memory_key)
        async with host.agent("ada", "legacy", elicitation_callback=Person()) as client:
            assert DASHBOARD in text_of(await client.call_tool("remember", NOTE))


async def test_who_has_no_good_token_is_told_where_tokens_come_from(stage: Stage) -> None:
    async with hosted(stage) as host:
        for token in (None, "expired"):
            async with host.http(token) as http:
                answer = await http.post(host.url, json={})
                assert answer.status_code == 401
                where = host.metadata
                assert f'resource_metadata="{where}"' in answer.headers["www-authenticate"]
                metadata = (await http.get(where)).json()
                assert metadata["authorization_servers"] == [ISSUER]
        async with host.agent("of a program", "2026-07-28") as client:
            result = await client.call_tool("list", {})
            assert "names no user" in text_of(result)


@in_both_eras
async def test_it_can_be_mounted_in_fastapi(stage: Stage, era: Any) -> None:
    async with hosted(stage, mounted=True) as host:
        await host.let_in("ada")
        async with host.agent("ada", era) as client:
            assert not (await client.call_tool("remember", NOTE)).is_error
        async with host.http("ada") as http:
            assert (await http.get(host.metadata)).status_code == 200
            renamed = await http.post(host.url, json={}, headers={"Host": "evil.test"})
            assert renamed.status_code == 421
            foreign = await http.post(host.url, json={}, headers={"Origin": "https://evil.test"})
            assert foreign.status_code == 403


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_an_answer_is_an_event_stream_on_either_loop(stage: Stage) -> None:
    address = "127.0.0.1:8000"
    async with (
        assembled(stage, address, mounted=False, stateless_http=True) as (app, connections),
        app.router.lifespan_context(app),
    ):
        host = Host(f"http://{address}/mcp", connections, stage, httpx2.ASGITransport(app))
        await host.let_in("ada")
        accepted = {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2025-11-25",
        }
        call = {"name": "remember", "arguments": NOTE}
        async with host.http("ada") as http:
            answer = await http.post(
                host.url,
                headers=accepted,
                json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
            )
    assert answer.headers["content-type"].startswith("text/event-stream")
    (said,) = [json.loads(line[5:]) for line in answer.text.splitlines() if line.startswith("data:")]
    assert said["id"] == 1
    assert not said["result"].get("isError")
