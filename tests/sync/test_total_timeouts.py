"""A total timeout is kept to, however slowly the service does whatever it does."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import pytest

from memoram_sync import (
    APIConnectionError,
    APITimeoutError,
    ApprovalTimeout,
    Memoram,
    MemoramError,
    OutcomeUnknownError,
)
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from tests.raw_server import answer, read_request, serving
from tests.tls import TrustedServer, trusted_server

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

TOKEN: Final = answer(b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}')
TIMEOUT: Final = 1.0
TOLERANCE: Final = 0.5
"""The machine that runs the tests may be busy; what is guarded against is many times as long."""

DRIP: Final = 0.05
LARGE: Final = "x" * (16 * 1024 * 1024)
"""More than the kernel takes in for somebody who reads slowly."""


@contextmanager
def exactly(seconds: float) -> Generator[None]:
    """The block lasts that long."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert seconds - 0.01 <= took <= seconds + TOLERANCE


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
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    drip(connection, b"a")


def silence(connection: socket.socket) -> None:
    connection.recv(1)


SLOW_ANSWERS: Final = [dripping_header, endless_informational, flood_of_informational, dripping_body, silence]


def client_of(url: str) -> Memoram:
    return Memoram("mem_x", base_url=url, timeout=TIMEOUT)


def get(client: Memoram) -> object:
    return client.tags.get("tag_1", user_id="u")


@pytest.fixture(scope="module")
def tls() -> Iterator[TrustedServer]:
    with trusted_server() as server:
        yield server


@pytest.mark.parametrize("script", SLOW_ANSWERS)
def test_a_slow_answer(script: Callable[[socket.socket], None]) -> None:
    with serving(after_token(script)) as url, Memoram("mem_x", base_url=url) as client:
        client.request("GET", "/auth/token")  # so that the timeout begins with a token
        with exactly(TIMEOUT), pytest.raises(APITimeoutError) as caught:
            get(client.with_options(timeout=TIMEOUT, max_retries=5))
    assert caught.value.sent is True


@pytest.mark.parametrize("script", [dripping_header, flood_of_informational, dripping_body])
def test_a_slow_answer_under_tls(
    script: Callable[[socket.socket], None], tls: TrustedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", tls.certificate)
    with serving(tls.over(after_token(script))) as url, client_of(url.replace("http:", "https:")) as client:
        client.request("GET", "/auth/token")
        with exactly(TIMEOUT), pytest.raises(APITimeoutError):
            get(client)


def test_an_upload_that_is_taken_in_slowly() -> None:
    def play(connection: socket.socket) -> None:
        while request := connection.recv(65536):
            if b"/auth/token" in request:
                connection.sendall(TOKEN)
            time.sleep(DRIP)

    seconds = 3 * TIMEOUT  # some of which goes by before so much is written as JSON
    with serving(play) as url, Memoram("mem_x", base_url=url, timeout=seconds) as client:
        client.request("GET", "/auth/token")
        with exactly(seconds), pytest.raises(OutcomeUnknownError):
            client.memory_blobs.create(user_id="u", memory_key="mk", content=LARGE)


def test_a_handshake_that_is_never_answered() -> None:
    with (
        serving(silence_after_hello) as url,
        client_of(url.replace("http:", "https:")) as client,
        exactly(TIMEOUT),
        pytest.raises(APITimeoutError) as caught,
    ):
        get(client)
    assert caught.value.sent is False


def silence_after_hello(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def test_a_handshake_that_drips() -> None:
    def play(connection: socket.socket) -> None:
        connection.recv(65536)
        for byte in b"\x16\x03\x03\x40\x00" + bytes(16384):
            connection.sendall(bytes([byte]))
            time.sleep(DRIP)

    with (
        serving(play) as url,
        client_of(url.replace("http:", "https:")) as client,
        exactly(TIMEOUT),
        pytest.raises(APITimeoutError) as caught,
    ):
        get(client)
    assert caught.value.sent is False


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


def test_connecting_to_where_nobody_answers() -> None:
    with (
        unreachable() as url,
        client_of(url) as client,
        exactly(TIMEOUT),
        pytest.raises(APITimeoutError) as caught,
    ):
        get(client)
    assert caught.value.sent is False


def test_waiting_for_a_turn() -> None:
    asked = threading.Event()

    def hold(connection: socket.socket) -> None:
        asked.set()
        connection.recv(1)

    with serving(after_token(hold)) as url:
        runtime = BlockingRuntime(max_connections=1)
        with Memoram("mem_x", base_url=url, runtime=runtime, max_retries=0) as client:
            client.request("GET", "/auth/token")

            def occupy() -> None:
                with suppress(MemoramError):
                    get(client.with_options(timeout=10 * TIMEOUT))

            other = threading.Thread(target=occupy)
            other.start()
            assert asked.wait(10)
            with exactly(TIMEOUT), pytest.raises(APIConnectionError) as caught:
                get(client.with_options(timeout=TIMEOUT))
            client.close()
    other.join()
    assert caught.value.sent is False
    assert "1 requests are under way" in str(caught.value)


def test_waiting_for_approval_while_the_service_hangs() -> None:
    with serving(after_token(silence)) as url, Memoram("mem_x", base_url=url) as client:
        client.request("GET", "/auth/token")
        with exactly(3.0), pytest.raises(ApprovalTimeout):
            client.access_requests.wait("req_1", timeout=3)
