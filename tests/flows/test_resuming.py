"""A process that waits for a user is killed, and another one goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.flows.conftest import Stage

pytestmark = pytest.mark.anyio

WHY: Final = "Remembers your travel preferences"
BLOCKING: Final = """
import sys
from memoram_sync import Memoram
url, api_key, memory_key = sys.argv[1:]
with Memoram(api_key, base_url=f"{url}/api/v1", auth_url=url) as client:
    tell = lambda progress: print(progress.request_id, flush=True)
    client.connect(memory_key, reason="Plans", on_status=tell)
"""
ASYNC: Final = """
import asyncio, sys
from memoram_async import AsyncMemoram
async def main(url, api_key, memory_key):
    async with AsyncMemoram(api_key, base_url=f"{url}/api/v1", auth_url=url) as client:
        tell = lambda progress: print(progress.request_id, flush=True)
        await client.connect(memory_key, reason="Plans", on_status=tell)
asyncio.run(main(*sys.argv[1:]))
"""


BLOCKING_BY_ID: Final = """
import sys
from memoram_sync import Memoram
url, api_key, call, request_id = sys.argv[1:]
with Memoram(api_key, base_url=f"{url}/api/v1", auth_url=url) as client:
    requests = client.access_requests
    for each in requests.watch(request_id) if call == "watch" else [requests.wait(request_id, timeout=30)]:
        print(each.id, each.status, flush=True)
print("the end", flush=True)
"""
ASYNC_BY_ID: Final = """
import asyncio, sys
from memoram_async import AsyncMemoram
async def main(url, api_key, call, request_id):
    async with AsyncMemoram(api_key, base_url=f"{url}/api/v1", auth_url=url) as client:
        requests = client.access_requests
        if call == "watch":
            async for each in requests.watch(request_id):
                print(each.id, each.status, flush=True)
        else:
            each = await requests.wait(request_id, timeout=30)
            print(each.id, each.status, flush=True)
    print("the end", flush=True)
asyncio.run(main(*sys.argv[1:]))
"""


def elsewhere(stage: Stage, call: str, request_id: str) -> subprocess.Popen[str]:
    """Another process that knows no more of a request than its id."""
    program = BLOCKING_BY_ID if stage.world.is_sync else ASYNC_BY_ID
    return subprocess.Popen(  # noqa: S603 - our own words
        (sys.executable, "-c", program, stage.url, stage.app.api_key, call, request_id),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )


@pytest.fixture
def waiting(stage: Stage) -> Iterator[subprocess.Popen[str]]:
    """Another process that connects, and waits for the user."""
    program = BLOCKING if stage.world.is_sync else ASYNC
    process = subprocess.Popen(  # noqa: S603 - our own words
        (sys.executable, "-c", program, stage.url, stage.app.api_key, stage.user.memory_key),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    with process:
        yield process
        process.kill()


@pytest.mark.parametrize("by_id", [True, False])
async def test_whoever_comes_after_a_process_that_was_killed_goes_on_with_its_request(
    stage: Stage, waiting: subprocess.Popen[str], *, by_id: bool
) -> None:
    assert waiting.stdout is not None
    request_id = waiting.stdout.readline().strip()
    stage.local.wait_for_request("listAccessRequests", timeout=30)
    waiting.kill()
    assert waiting.wait(30) == -signal.SIGKILL
    stage.local.approve(request_id)
    async with stage.client() as client:
        if by_id:
            assert (await client.access_requests.wait(request_id, timeout=30)).status == "approved"
        known = {"request_id": request_id} if by_id else {}
        store = await client.connect(stage.user.memory_key, reason=WHY, timeout=30, **known)
        assert store.user_id == stage.user.id
    assert [each.id for each in stage.local.access_requests()] == [request_id]


async def asked(stage: Stage) -> str:
    """The id of a request that this process made."""
    async with stage.client() as client:
        request = await client.access_requests.create(stage.user.memory_key, reason=WHY)
        return str(request.id)


@pytest.mark.parametrize("early", [True, False])
async def test_another_process_waits_for_a_request_by_its_id_alone(stage: Stage, *, early: bool) -> None:
    request_id = await asked(stage)
    if early:
        stage.local.approve(request_id)
    with elsewhere(stage, "wait", request_id) as process:
        assert process.stdout is not None
        if not early:
            stage.local.wait_for_request("getAccessRequest", timeout=30)
            stage.local.approve(request_id)
        assert process.stdout.read().splitlines() == [f"{request_id} approved", "the end"]
    assert process.returncode == 0


async def test_another_process_goes_on_with_a_watch_by_id_alone_to_the_revocation(stage: Stage) -> None:
    request_id = await asked(stage)
    async with stage.client() as client:
        async for seen in client.access_requests.watch(request_id):
            assert seen.status == "pending"
            break
    with elsewhere(stage, "watch", request_id) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{request_id} pending\n"
        stage.local.approve(request_id)
        assert process.stdout.readline() == f"{request_id} approved\n"
        stage.local.revoke(request_id)
        assert process.stdout.read().splitlines() == [f"{request_id} revoked", "the end"]
    assert process.returncode == 0


async def test_a_process_that_watches_after_one_that_was_killed_hears_what_was_decided_meanwhile(
    stage: Stage,
) -> None:
    request_id = await asked(stage)
    with elsewhere(stage, "watch", request_id) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{request_id} pending\n"
        process.kill()
        assert process.wait(30) == -signal.SIGKILL
    stage.local.approve(request_id)
    with elsewhere(stage, "watch", request_id) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{request_id} approved\n"
        process.kill()
