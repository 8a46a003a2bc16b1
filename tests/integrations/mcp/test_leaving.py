"""`memoram-mcp --http` told to end: calls under way come to their end, and nothing else holds it up."""

from __future__ import annotations

import contextlib
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from memoram_local.testing import Delay
from tests.integrations.mcp.command import environment, free_port, link, over_http, url_in, with_callback
from tests.integrations.mcp.conftest import ERAS, text_of
from tests.integrations.mcp.id_provider import CLIENT_ID, id_provider

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.integrations.mcp.conftest import Stage

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="a process is told nothing there: it is ended"),
]

NOTE: Final = {"content": "Prefers window seats"}


@pytest.fixture
def anyio_backend() -> str:
    """The command runs on asyncio."""
    return "asyncio"


@asynccontextmanager
async def with_access(
    stage: Stage, tmp_path: Path, era: Any
) -> AsyncGenerator[tuple[subprocess.Popen[str], Client]]:
    """The command and the client of a user who has let it in."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    stage = with_callback(stage, f"http://127.0.0.1:{port}/memoram/callback")
    known = environment(
        stage, MEMORAM_SIGN_IN_CLIENT_ID=CLIENT_ID, MEMORAM_SIGN_IN_CLIENT_SECRET="known to both"
    )
    with id_provider() as provider:
        provider.signed_in = "ada"
        headers = {"Authorization": f"Bearer {provider.token('ada', audience='memories')}"}
        arguments = ("--issuer", provider.url, "--audience", "memories")
        grants = ("--grants", f"sqlite:///{tmp_path / 'grants.db'}")
        async with (
            over_http(known, *arguments, *grants, port=port) as process,
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            httpx2.AsyncClient() as browser,
            Client(streamable_http_client(url, http_client=http), mode=era) as client,
        ):
            page = url_in(text_of(await client.call_tool("remember", NOTE)))
            await link(page, stage, stage.user, http=browser)
            stage.approve()
            assert not (await client.call_tool("list", {})).is_error
            yield process, client


async def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """How a process ends, and what it says."""
    with anyio.fail_after(15):  # a call may take four times as long
        output, errors = await anyio.to_thread.run_sync(process.communicate, abandon_on_cancel=True)
    return process.returncode, output, errors


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("told", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_calls_come_to_their_end(
    stage: Stage, tmp_path: Path, era: Any, told: signal.Signals, status: int
) -> None:
    stage.local.faults.add(Delay(1.5), route="createMemoryBlob")
    async with with_access(stage, tmp_path, era) as (process, client):
        async with anyio.create_task_group() as group:

            async def call() -> None:
                assert not (await client.call_tool("remember", NOTE)).is_error

            group.start_soon(call)
            await stage.local.journal.wait_for_async("createMemoryBlob", over=False)
            process.send_signal(told)
        assert await ended(process) == (status, "", "")


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_only_listens_holds_nothing_up(stage: Stage, tmp_path: Path, era: Any) -> None:
    async with with_access(stage, tmp_path, era) as (process, _):
        process.terminate()
        assert await ended(process) == (0, "", "")


async def test_who_is_told_twice_waits_for_no_call(stage: Stage, tmp_path: Path) -> None:
    stage.local.faults.add(Delay(30), route="createMemoryBlob")
    found = None
    with contextlib.suppress(ExceptionGroup):  # how the client says that its server has gone
        async with (
            with_access(stage, tmp_path, ERAS[0]) as (process, client),
            anyio.create_task_group() as group,
        ):

            async def call() -> None:
                with contextlib.suppress(MCPError):
                    await client.call_tool("remember", NOTE)

            group.start_soon(call)
            await stage.local.journal.wait_for_async("createMemoryBlob", over=False)
            with anyio.CancelScope(shield=True):  # from the client's trouble
                process.terminate()
                await anyio.sleep(0.5)  # two of the same at once are one
                process.terminate()
                found = await ended(process)
    assert found is not None
    assert found[:2] == (0, "")
    assert "Traceback" not in found[2]
