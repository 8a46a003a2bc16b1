"""An answer that nobody asked for, or that comes before its time, is never another request's."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread
import pytest

from memoram_async import APIStatusError
from tests.raw_server import answer, read_request, serving
from tests.tls import TrustedServer, trusted_server
from tests.worlds import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.worlds import World

pytestmark = [
    pytest.mark.anyio,
    # httpx reads through async generators, which trio reports when they are left before their end.
    pytest.mark.filterwarnings("ignore:Async generator .*:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TOKEN: Final = answer(b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}')
STRAY: Final = answer(b'{"id": "somebody_elses"}')
LARGE: Final = "x" * (32 * 1024 * 1024)
PROMPTLY: Final = 15.0


@pytest.fixture(scope="module")
def tls() -> Iterator[TrustedServer]:
    with trusted_server() as server:
        yield server


class Service:
    """Answers each request for a tag with that tag, and adds something that was not asked for."""

    def __init__(self, after: Callable[[socket.socket, bytes], None]) -> None:
        self._after = after
        self.connections = 0
        self.added = threading.Semaphore(0)

    def __call__(self, connection: socket.socket) -> None:
        self.connections += 1
        while request := read_request(connection):
            if b"/auth/token" in request:
                connection.sendall(TOKEN)
                continue
            name = request.split(b"?")[0].rpartition(b"/")[2]
            self._after(connection, answer(b'{"id": "%b"}' % name))
            self.added.release()


def in_one_packet(connection: socket.socket, right: bytes) -> None:
    connection.sendall(right + STRAY)


def in_two_packets(connection: socket.socket, right: bytes) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(right)
    connection.sendall(STRAY)


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("after", [in_one_packet, in_two_packets])
async def test_two_answers_to_one_request(
    world: World,
    after: Callable[[socket.socket, bytes], None],
    secured: bool,
    tls: TrustedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", tls.certificate)
    service = Service(after)
    with serving(tls.over(service) if secured else service) as url:
        address = url.replace("http:", "https:") if secured else url
        async with world.real_client(api_key="mem_x", base_url=address) as client:
            for number in range(5):
                assert (await client.tags.get(f"tag_{number}", user_id="u")).id == f"tag_{number}"
                assert await anyio.to_thread.run_sync(service.added.acquire, True, PROMPTLY)
    assert service.connections == 5


class Refusal:
    """Answers once the header of a large request has come, and reads no further until it may go."""

    def __init__(self) -> None:
        self.may_go = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(1024)
            if b"/auth/token" in request and b"}" in request:
                connection.sendall(TOKEN)
                request = b""
        connection.sendall(answer(b'{"error": "too large"}', status=413))
        self.may_go.wait(PROMPTLY)


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "TLS"])
async def test_a_refusal_before_the_request_was_sent_whole(
    world: World, secured: bool, tls: TrustedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = Refusal()
    monkeypatch.setenv("SSL_CERT_FILE", tls.certificate)
    with serving(tls.over(refusal) if secured else refusal) as url:
        address = url.replace("http:", "https:") if secured else url
        async with world.real_client(api_key="mem_x", base_url=address, request_timeout=PROMPTLY) as client:
            error = await failure(
                client.memory_blobs.create(user_id="u", memory_key="mk", content=LARGE), APIStatusError
            )
        refusal.may_go.set()
    assert error.status == 413
