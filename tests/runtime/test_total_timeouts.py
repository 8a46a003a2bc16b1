"""A total timeout is kept to, to 50 ms, however slowly the service does whatever it does."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Self

import anyio
import anyio.to_thread
import pytest

from memoram_async import (
    APIConnectionError,
    APITimeoutError,
    ApprovalTimeout,
    MemoramError,
    OutcomeUnknownError,
    PoolTimeoutError,
)
from tests.raw_server import answer, read_request, serving
from tests.tls import TrustedServer, trusted_server
from tests.worlds import World, failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterator

pytestmark = [
    pytest.mark.anyio,
    # httpx reads through async generators, which trio reports when they are left before their end.
    pytest.mark.filterwarnings("ignore:Async generator .*:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TOKEN: Final = answer(b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}')
TIMEOUT: Final = 0.4
TOLERANCE: Final = 0.05
TRIES: Final = 5
TICK: Final = 0.005

LONGER: Final = 1.5
"""For what takes its time before anything is sent, such as writing megabytes of JSON."""

DRIP: Final = 0.02
LARGE: Final = {"content": "x" * (8 * 1024 * 1024)}
"""More than the kernel takes in for somebody who reads slowly."""


class Stalls:
    """How long this process could not run, because the machine had other things to do.

    Attributes:
        seconds: How long in all.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tick)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _tick(self) -> None:
        last = time.monotonic()
        while not self._over.wait(TICK):
            now = time.monotonic()
            self.seconds += max(0.0, now - last - 2 * TICK)
            last = now


async def in_time(
    call: Callable[[], Awaitable[Any]], kind: type[MemoramError], *, timeout: float = TIMEOUT
) -> Any:
    """The error that a call ends with when its time is up, and not later.

    What always ends late is late at each try, and what ends late by itself keeps nobody else from running.
    """
    late: list[float] = []
    while True:
        with Stalls() as stalls:
            began = time.monotonic()
            error = await failure(call(), kind)
            late.append(time.monotonic() - began - timeout)
        assert late[-1] >= -0.01
        if late[-1] - stalls.seconds <= TOLERANCE:
            return error
        assert len(late) < TRIES, f"each time it ended late by so many seconds: {late}"


def after_token(script: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """A script that begins when a request has come that is not for a token."""

    def play(connection: socket.socket) -> None:
        while request := read_request(connection):
            if b"/auth/token" not in request:
                script(connection)
                return
            connection.sendall(TOKEN)

    return play


def drip(connection: socket.socket, data: bytes) -> None:
    """Send the same again and again until nobody listens."""
    while True:
        connection.sendall(data)
        time.sleep(DRIP)


def dripping_header(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
    drip(connection, b"a")


def endless_informational(connection: socket.socket) -> None:
    drip(connection, b"HTTP/1.1 102 Processing\r\n\r\n")


def flood_of_informational(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)


def dripping_body(connection: socket.socket) -> None:
    connection.sendall(answer(b"", length=100_000))
    drip(connection, b" ")


def dripping_chunks(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    drip(connection, b"1\r\n \r\n")


def silence(connection: socket.socket) -> None:
    connection.recv(1)


SLOW_ANSWERS: Final = [
    dripping_header,
    endless_informational,
    flood_of_informational,
    dripping_body,
    dripping_chunks,
    silence,
]


@pytest.fixture(scope="module")
def tls() -> Iterator[TrustedServer]:
    with trusted_server() as server:
        yield server


@contextmanager
def trusting(server: TrustedServer) -> Generator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", server.certificate)
        yield


def hurried(client: Any, **options: Any) -> Any:
    """The client for one call with little time."""
    return client.with_options(timeout=TIMEOUT, **options)


def get(client: Any) -> Any:
    return client.tags.get("tag_1", user_id="u")


@pytest.mark.parametrize("secured", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("script", SLOW_ANSWERS)
async def test_a_slow_answer(
    world: World, script: Callable[[socket.socket], None], secured: bool, tls: TrustedServer
) -> None:
    play = after_token(script)
    with trusting(tls), serving(tls.over(play) if secured else play) as url:
        address = url.replace("http:", "https:") if secured else url
        async with world.real_client(api_key="mem_x", base_url=address) as client:
            await client.request("POST", "/auth/token")  # so that the time begins with a token
            error = await in_time(lambda: get(hurried(client, max_retries=5)), APITimeoutError)
    assert error.sent is True


async def test_an_upload_that_is_taken_in_slowly(world: World) -> None:
    def play(connection: socket.socket) -> None:
        while request := connection.recv(4096):
            if b"/auth/token" in request:
                connection.sendall(TOKEN)
            time.sleep(DRIP)

    with serving(play) as url:
        async with world.real_client(api_key="mem_x", base_url=url) as client:
            await client.request("POST", "/auth/token")
            slow = client.with_options(timeout=LONGER)
            await in_time(lambda: slow.request("POST", "/x", json=LARGE), OutcomeUnknownError, timeout=LONGER)


def silence_after_hello(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def dripping_handshake(connection: socket.socket) -> None:
    connection.recv(65536)
    for byte in b"\x16\x03\x03\x40\x00" + bytes(16384):
        connection.sendall(bytes([byte]))
        time.sleep(DRIP)


@pytest.mark.parametrize("script", [silence_after_hello, dripping_handshake])
async def test_a_handshake(world: World, script: Callable[[socket.socket], None]) -> None:
    with serving(script) as url:
        address = url.replace("http:", "https:")
        async with world.real_client(api_key="mem_x", base_url=address) as client:
            error = await in_time(lambda: get(hurried(client)), APITimeoutError)
    assert error.sent is False


@contextmanager
def unreachable() -> Generator[str]:
    """An address where nobody answers, because the queue of connections to accept is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            with suppress(BlockingIOError):
                each.connect(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for each in waiting:
            each.close()


async def test_connecting_to_where_nobody_answers(world: World) -> None:
    with unreachable() as url:
        async with world.real_client(api_key="mem_x", base_url=url, timeout=TIMEOUT) as client:
            error = await in_time(lambda: get(client), APITimeoutError)
    assert error.sent is False


async def test_waiting_for_a_turn(world: World) -> None:
    asked, over = threading.Event(), threading.Event()

    def hold(_: socket.socket) -> None:
        asked.set()
        over.wait(30)

    with serving(after_token(hold)) as url:
        client = world.real_client(api_key="mem_x", base_url=url, max_connections=1, max_retries=0)
        async with client, anyio.create_task_group() as group:
            await client.request("POST", "/auth/token")
            group.start_soon(occupy, world, client)
            await anyio.to_thread.run_sync(asked.wait, 10)
            error = await in_time(lambda: get(hurried(client)), PoolTimeoutError)
            assert error.sent is False
            assert "1 requests are under way" in str(error)
            over.set()


async def occupy(world: World, client: Any) -> None:
    """Make a call that ends without an answer, in a thread of its own in the blocking world."""
    if not world.is_sync:
        await failure(get(client), APIConnectionError)
        return

    def call() -> None:
        with pytest.raises(APIConnectionError):
            get(client._blocking)  # noqa: SLF001 - what is lifted

    await anyio.to_thread.run_sync(call)


async def test_waiting_for_approval_while_the_service_hangs(world: World) -> None:
    with serving(after_token(silence)) as url:
        async with world.real_client(api_key="mem_x", base_url=url) as client:
            await client.request("POST", "/auth/token")
            await in_time(lambda: client.access_requests.wait("req_1", timeout=TIMEOUT), ApprovalTimeout)


async def test_waiting_for_approval_that_does_not_come(world: World) -> None:
    def pending(connection: socket.socket) -> None:
        connection.sendall(answer(b'{"id": "req_1", "status": "pending"}'))
        while read_request(connection):
            connection.sendall(answer(b'{"id": "req_1", "status": "pending"}'))

    with serving(after_token(pending)) as url:
        async with world.real_client(api_key="mem_x", base_url=url) as client:
            await client.request("POST", "/auth/token")
            await in_time(lambda: client.access_requests.wait("req_1", timeout=TIMEOUT), ApprovalTimeout)
