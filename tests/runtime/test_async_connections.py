"""Connections of our own, on asyncio and on trio: turns, closing, and who sees what is sent."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

import anyio
import httpx
import pytest
import respx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from memoram_async import (
    APITimeoutError,
    AsyncMemoram,
    ClientClosedError,
)
from memoram_async.core.deadline import Deadline
from memoram_async.core.http import HTTPRequest
from memoram_async.runtime.anyio_runtime import AnyioRuntime
from tests.raw_server import answer, read_request, serving
from tests.worlds import World

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from pytest_httpx import HTTPXMock

pytestmark = [
    pytest.mark.anyio,
    # httpx reads through async generators, which trio reports when they are left before their end.
    pytest.mark.filterwarnings("ignore:Async generator .*:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TOKEN: Final = answer(b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}')
TAG: Final = answer(b'{"id": "tag_1"}')
ISSUED: Final = {"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}
API: Final = "https://api.test/api/v1"


@pytest.fixture(params=["asyncio", "uvloop", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return World("asyncio", on_uvloop=True).backend if request.param == "uvloop" else request.param


class Silence:
    """A service that takes a request and says nothing until the test is over."""

    def __init__(self) -> None:
        self._over = threading.Event()

    def __call__(self, _: socket.socket) -> None:
        self._over.wait(20)

    def end(self) -> None:
        self._over.set()


# --- turns -------------------------------------------------------------------------------------


async def test_no_more_connections_are_opened_than_may_be() -> None:
    opened: list[object] = []

    def play(connection: socket.socket) -> None:
        opened.append(connection)
        while request := read_request(connection):
            connection.sendall(TOKEN if b"/auth/token" in request else TAG)

    with serving(play) as url:
        client = AsyncMemoram("mem_x", base_url=url, max_connections=3)
        async with client, anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(get, client)
    assert len(opened) == 3


async def get(client: AsyncMemoram) -> None:
    assert (await client.tags.get("tag_1", user_id="u")).id == "tag_1"


async def test_calls_that_waited_with_a_refused_token_are_not_refused_too() -> None:
    seen: Counter[str] = Counter()
    issued: list[int] = []

    def play(connection: socket.socket) -> None:
        while request := read_request(connection):
            if b"/auth/token" in request:
                issued.append(0)
                name = b"eyJ.a.s" if len(issued) == 1 else b"eyJ.b.s"
                connection.sendall(TOKEN.replace(b"eyJ.e.s", name))
            elif b"eyJ.a.s" in request:
                seen["refused"] += 1
                connection.sendall(answer(b"{}", status=401))
            else:
                seen["answered"] += 1
                connection.sendall(TAG)

    with serving(play) as url:
        client = AsyncMemoram("mem_x", base_url=url, max_connections=4)
        async with client, anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(get, client)
    assert seen["answered"] == 100
    assert seen["refused"] <= 4
    assert len(issued) == 2


# --- closing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["sleep", "wait", "turn"])
async def test_closing_ends_whatever_is_waited_for(what: str) -> None:
    silence = Silence()
    ended: list[str] = []
    with serving(silence) as url:
        runtime = AnyioRuntime(max_connections=1)
        request = HTTPRequest(method="GET", url=url, timeout=20)

        waits: dict[str, Callable[[], Awaitable[object]]] = {
            "sleep": lambda: runtime.sleep(20),
            "wait": lambda: runtime.wait(runtime.waiter(), 20),
            "turn": lambda: runtime.send(request, Deadline()),
        }

        async def waiting() -> None:
            with pytest.raises(ClientClosedError):
                await waits[what]()
            ended.append(what)

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                if what == "turn":
                    group.start_soon(runtime.send, request, Deadline())
                    await anyio.wait_all_tasks_blocked()
                group.start_soon(waiting)
                await anyio.wait_all_tasks_blocked()
                await runtime.aclose()
                await anyio.wait_all_tasks_blocked()
                group.cancel_scope.cancel()
        silence.end()
    assert ended == [what]


async def test_idle_connections_are_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = threading.Semaphore(0)

    def play(connection: socket.socket) -> None:
        while request := read_request(connection):
            connection.sendall(TOKEN if b"/auth/token" in request else TAG)
        gone.release()

    with serving(play) as url:
        async with AsyncMemoram("mem_x", base_url=url, max_connections=5) as client:
            async with anyio.create_task_group() as group:
                for _ in range(30):
                    group.start_soon(get, client)
            monkeypatch.setattr("memoram_async.runtime.async_connections.KEEPALIVE_SECONDS", 0.0)
            await get(client)
            for _ in range(5):
                assert await anyio.to_thread.run_sync(gone.acquire, True, 5)


# --- who sees what is sent ---------------------------------------------------------------------


async def test_respx_sees_every_request_whole() -> None:
    with respx.mock(assert_all_called=True) as mock:
        exchange = mock.post(f"{API}/auth/token").respond(json=ISSUED)
        tag = mock.get(f"{API}/tags/tag_1", params={"user_id": "a=b&c"}).respond(json={"id": "tag_1"})
        async with AsyncMemoram("mem_x", base_url=API) as client:
            for _ in range(3):
                assert (await client.tags.get("tag_1", user_id="a=b&c")).id == "tag_1"
    assert (exchange.call_count, tag.call_count) == (1, 3)
    seen = tag.calls.last.request
    assert seen.headers["authorization"] == "Bearer eyJ.e.s"
    assert str(seen.url) == f"{API}/tags/tag_1?user_id=a%3Db%26c"


async def test_pytest_httpx_sees_every_request(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(method="POST", url=f"{API}/auth/token", json=ISSUED)
    httpx_mock.add_response(url=f"{API}/tags/tag_1?user_id=u", json={"id": "tag_1"})
    async with AsyncMemoram("mem_x", base_url=API) as client:
        await get(client)
    assert [request.method for request in httpx_mock.get_requests()] == ["POST", "GET"]


async def test_opentelemetrys_instrumentation_sees_every_request() -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    seen: list[bytes] = []

    def play(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            connection.sendall(TOKEN if b"/auth/token" in request else TAG)

    try:
        with serving(play) as url:
            async with AsyncMemoram("mem_x", base_url=url) as client:
                await get(client)
    finally:
        instrumentor.uninstrument()
    assert [span.name for span in spans.get_finished_spans()] == ["POST", "GET"]
    assert all(b"traceparent" in request.lower() for request in seen)


async def test_what_a_mock_raises_means_what_the_network_would() -> None:
    with respx.mock() as mock:
        mock.post(f"{API}/auth/token").respond(json=ISSUED)
        mock.get(url__startswith=f"{API}/tags").mock(side_effect=httpx.ReadTimeout("no"))
        async with AsyncMemoram("mem_x", base_url=API, max_retries=0) as client:
            with pytest.raises(APITimeoutError) as caught:
                await get(client)
    assert caught.value.sent is True
