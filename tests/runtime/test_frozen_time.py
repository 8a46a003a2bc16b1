"""Time that a test library has frozen holds nobody up: what is waited is real."""

from __future__ import annotations

import subprocess
import sys
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
    from pathlib import Path

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


# In an interpreter of its own, for what classes are called is found out once, when they are first needed.
READING = """
import sys
import freezegun
import httpx

if {without_fast}:
    sys.modules |= dict.fromkeys(("msgspec", "pybase64"))

TAG = {{"id": "tag_1", "name": "n", "created_at": "2026-01-01T00:00:00Z"}}
BLOB = {{"id": "blob_1", "user_id": "u", "created_at": "2026-01-01T00:00:00Z"}}

def play(request):
    if request.method == "POST":
        return httpx.Response(200, json={{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}})
    return httpx.Response(200, json={{"memoryBlobs": [BLOB]}} if "blobs" in request.url.path else TAG)

def read():
    from memoram_sync import Memoram, MemoryBlob
    from pydantic import TypeAdapter
    with httpx.Client(transport=httpx.MockTransport(play)) as http, Memoram("mem_x", http_client=http) as it:
        tag, (blob,) = it.tags.get("tag_1", user_id="u"), it.memory_blobs.list(user_id="u")
    schema = TypeAdapter(MemoryBlob).json_schema(mode="serialization")
    assert "date-time" in str(schema["properties"]["created_at"]), schema
    print(tag.created_at.timestamp(), blob.created_at.timestamp())

{before}
with freezegun.freeze_time("2026-05-01"):
    {frozen}
read()
"""
MODULES = "import memoram_async.models.converter, memoram_async.models.blob_pages_fast"


@pytest.mark.parametrize(("before", "frozen"), [(MODULES, "read()"), ("", "read()"), ("", MODULES)])
@pytest.mark.parametrize("without_fast", [False, True])
def test_models_are_read_in_frozen_time_and_after_it(before: str, frozen: str, *, without_fast: bool) -> None:
    code = READING.format(before=before, frozen=frozen, without_fast=without_fast)
    done = subprocess.run(  # noqa: S603 - our own words
        (sys.executable, "-c", code), capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert set(done.stdout.split()) == {"1767225600.0"}


# In an interpreter of its own: what stands in a clock's place when a module is loaded would stay there.
GRANTS = """
import asyncio, sys
import freezegun

async def link():
    from memoram_async import MemoryGrantStore, MemoryTokenStore, SQLGrantStore
    grants = [MemoryGrantStore(), SQLGrantStore("sqlite:///" + sys.argv[1])]
    for store in grants:
        assert await asyncio.to_thread(store.swap, "a", None, b"flow", ttl=600)
        assert store.get("a") == b"flow", store
    tokens = MemoryTokenStore()
    await asyncio.to_thread(tokens.put, "a", b"token", ttl=600)
    assert tokens.get("a") == b"token"
    return grants

with freezegun.freeze_time("{date}", real_asyncio=True):
    grants = asyncio.run(link())
assert [store.get("a") for store in grants] == [b"flow", b"flow"]
"""


@pytest.mark.parametrize("date", ["2001-05-01", "2101-05-01"])
def test_what_is_kept_in_frozen_time_stays_there(date: str, tmp_path: Path) -> None:
    code = GRANTS.format(date=date)
    done = subprocess.run(  # noqa: S603 - our own words
        (sys.executable, "-c", code, str(tmp_path / "grants.db")), capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
