"""The official MCP clients for JavaScript remember and recall, and their users hear where to decide."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import attrs
import httpx2
import pytest
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from tests.integrations.mcp.command import (
    PROGRAM,
    environment,
    free_port,
    link,
    over_http,
    url_in,
    with_callback,
)
from tests.integrations.mcp.conftest import DASHBOARD, staged
from tests.integrations.mcp.id_provider import CLIENT_ID, id_provider

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.integrations.mcp.conftest import Stage

pytestmark = [pytest.mark.anyio, pytest.mark.service("node", "tests/outside/mcp/node_modules")]
HERE: Final = Path(__file__).parent / "mcp"

of_every_client = pytest.mark.parametrize("client", ["client auto", "client legacy", "sdk"])
SHOWS_URLS: Final[dict[str, Any]] = {"elicitation": {"url": {}}}
SHOWS_FORMS: Final[dict[str, Any]] = {"elicitation": {}}  # what Claude Code and Cursor declare
with_and_without_urls = pytest.mark.parametrize(
    "capabilities",
    [SHOWS_URLS, SHOWS_FORMS, {}],
    ids=["shows URLs", "shows forms", "shows nothing"],
)


@pytest.fixture
def anyio_backend() -> str:
    """Which loop waits for Node says nothing about it."""
    return "asyncio"


@attrs.define
class Agent:
    """The script, while it runs."""

    process: Process
    _unread: str = ""

    async def says(self) -> dict[str, Any]:
        """Its next line."""
        assert self.process.stdout is not None
        with anyio.fail_after(60):
            async for text in TextReceiveStream(self.process.stdout):
                self._unread += text
                if "\n" in text:
                    break
        line, _, self._unread = self._unread.partition("\n")
        found: dict[str, Any] = json.loads(line)
        return found

    async def hears(self, line: str) -> None:
        """A line for it."""
        assert self.process.stdin is not None
        await self.process.stdin.send(f"{line}\n".encode())

    async def answers(self) -> dict[str, Any]:
        """What the tools answered in the end."""
        answers: dict[str, Any] = (await self.says())["answers"]
        assert await self.process.wait() == 0
        return answers


@asynccontextmanager
async def agent(client: str, server: dict[str, Any], capabilities: dict[str, Any]) -> AsyncGenerator[Agent]:
    """The script on one of the clients, connected to a server."""
    command = ["node", "agent.mjs", client]
    async with await anyio.open_process(command, cwd=HERE, stderr=subprocess.DEVNULL) as process:
        it = Agent(process)
        await it.hears(json.dumps({"server": server, "capabilities": capabilities}))
        try:
            yield it
        finally:
            if process.returncode is None:
                process.kill()


def check(answers: dict[str, Any]) -> None:
    """Whether it remembered and recalled in every way there is."""
    assert set(answers["tools"]) == {"remember", "recall", "list", "get", "update", "forget", "tags"}
    assert not answers["remembered"]["isError"]
    assert answers["tags"]["structuredContent"]["count"] == 1
    for seen in (answers["recalled"]["text"], answers["prompt"], answers["resource"]):
        assert "Prefers window seats" in seen


@of_every_client
@with_and_without_urls
async def test_on_stdio_the_user_approves_in_the_middle_of_a_call_or_between_two(
    client: str, capabilities: dict[str, Any]
) -> None:
    with staged() as stage:
        known = environment(stage, MEMORAM_MEMORY_KEY=stage.user.memory_key)
        server = {"command": sys.executable, "args": PROGRAM, "env": known}
        async with agent(client, server, capabilities) as it:
            said = await it.says()
            # Its user decides only now, while the call waits, or before the next one.
            (request,) = stage.local.access_requests()
            stage.local.approve(request.id)
            if capabilities == SHOWS_URLS:
                assert said == {"shown": DASHBOARD}
            else:
                assert url_in(said["told"]) == DASHBOARD
                await it.hears("done")
            check(await it.answers())


@of_every_client
@with_and_without_urls
async def test_over_http_the_user_of_a_token_links_an_account_and_approves(
    client: str, capabilities: dict[str, Any], tmp_path: Path
) -> None:
    port = free_port()
    with staged() as fresh, id_provider() as provider:
        stage = with_callback(fresh, f"http://127.0.0.1:{port}/memoram/callback")
        known = environment(
            stage, MEMORAM_SIGN_IN_CLIENT_ID=CLIENT_ID, MEMORAM_SIGN_IN_CLIENT_SECRET="known to both"
        )
        grants = f"sqlite:///{tmp_path / 'grants.db'}"
        arguments = ("--issuer", provider.url, "--audience", "memories", "--grants", grants)
        token = provider.token("ada", audience="memories")
        server = {"url": f"http://127.0.0.1:{port}/mcp", "token": token}
        async with (
            over_http(known, *arguments, port=port),
            agent(client, server, capabilities) as it,
        ):
            said = await it.says()
            await links(said["shown"] if capabilities == SHOWS_URLS else url_in(said["told"]), stage)
            if capabilities != SHOWS_URLS:
                await it.hears("linked")
                assert url_in((await it.says())["told"]) == DASHBOARD
            stage.approve()
            if capabilities != SHOWS_URLS:
                await it.hears("approved")
            check(await it.answers())
        assert len(list(stage.local.access_requests())) == 1


async def links(page: str, stage: Stage) -> None:
    """The user opens the page that links an account."""
    async with httpx2.AsyncClient() as browser:
        answer = await link(page, stage, stage.user, http=browser)
    assert answer.headers["location"] == DASHBOARD
