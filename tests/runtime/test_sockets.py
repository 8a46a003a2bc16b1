"""What a real network does to a request."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from memoram_async import (
    APIConnectionError,
    APIResponseError,
    APITimeoutError,
    NotFoundError,
    OutcomeUnknownError,
)
from tests.raw_server import answer, read_request, reset, serving
from tests.worlds import Time, failure

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from tests.worlds import World

pytestmark = pytest.mark.anyio

TOKEN = answer(b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}')


def after_token(script: Callable[[socket.socket, bytes], None]) -> Callable[[socket.socket], None]:
    """A script for everything but the token exchange, which is answered."""

    def play(connection: socket.socket) -> None:
        while request := read_request(connection):
            if b"/auth/token" in request:
                connection.sendall(TOKEN)
            else:
                script(connection, request)
                return

    return play


def client_of(world: World, url: str, **options: Any) -> Any:
    """A client of that service; with a clock of the test's own it need not wait before it tries again."""
    settings: dict[str, Any] = {"api_key": "mem_x", "base_url": url, "max_retries": 0, **options}
    return world.real_client(**settings)


def get(client: Any) -> Any:
    return client.tags.get("tag_1", user_id="u")


def create(client: Any) -> Any:
    return client.memory_blobs.create(user_id="u", memory_key="mk", content="x")


def cut_short(connection: socket.socket, _: bytes) -> None:
    connection.sendall(answer(b'{"id": "tag', length=500))


def no_answer(connection: socket.socket, _: bytes) -> None:
    connection.close()


def broken(connection: socket.socket, _: bytes) -> None:
    reset(connection)


def not_http(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"220 mail.example.com ESMTP\r\n")


@pytest.mark.parametrize("fault", [cut_short, no_answer, broken, not_http])
async def test_a_broken_answer_to_a_read_is_a_connection_error(world: World, fault: Any) -> None:
    with serving(after_token(fault)) as url:
        async with client_of(world, url) as client:
            error = await failure(get(client), APIConnectionError)
    assert error.sent is True
    assert url in str(error)


@pytest.mark.parametrize("fault", [cut_short, no_answer, broken, not_http])
async def test_a_broken_answer_to_a_write_leaves_the_outcome_unknown(world: World, fault: Any) -> None:
    with serving(after_token(fault)) as url:
        async with client_of(world, url, max_retries=5) as client:
            await failure(create(client), OutcomeUnknownError)


async def test_a_service_that_is_not_there_is_named(world: World) -> None:
    with serving(lambda _: None) as url:
        pass
    async with client_of(world, url, time=Time()) as client:
        error = await failure(get(client), APIConnectionError)
    assert error.sent is False
    assert url in str(error)
    assert "refused" in str(error)


async def test_a_host_that_has_no_address_is_named(world: World) -> None:
    async with client_of(world, "https://no-such-host.invalid", time=Time()) as client:
        error = await failure(get(client), APIConnectionError)
    assert "could not be resolved" in str(error)


async def test_silence_ends_with_the_request_timeout(world: World) -> None:
    done = threading.Event()

    def hang(_: socket.socket, __: bytes) -> None:
        done.wait(30)

    with serving(after_token(hang)) as url:
        try:
            async with client_of(world, url, request_timeout=0.2) as client:
                began = time.monotonic()
                error = await failure(get(client), APITimeoutError)
        finally:
            done.set()
    assert error.sent is True
    assert time.monotonic() - began < 5


async def test_a_dripping_answer_ends_with_the_total_timeout(world: World) -> None:
    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(answer(b"", length=1000))
        while True:
            connection.sendall(b" ")
            time.sleep(0.02)

    with serving(after_token(drip)) as url:
        async with client_of(world, url, timeout=0.3) as client:
            began = time.monotonic()
            await failure(get(client), APITimeoutError)
            assert time.monotonic() - began < 5


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, br"])
async def test_an_answer_that_is_not_in_its_encoding_cannot_be_understood(
    world: World, encoding: str
) -> None:
    def lie(connection: socket.socket, _: bytes) -> None:
        connection.sendall(answer(b"not compressed", headers=f"Content-Encoding: {encoding}\r\n"))

    with serving(after_token(lie)) as url:
        async with client_of(world, url) as client:
            error = await failure(get(client), APIResponseError)
    assert "encoding" in str(error)


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
async def test_a_compressed_answer_is_read(world: World, compress: Any) -> None:
    def squeeze(connection: socket.socket, request: bytes) -> None:
        assert b"accept-encoding: gzip, deflate" in request.lower()
        name = "gzip" if compress is gzip.compress else "deflate"
        connection.sendall(answer(compress(b'{"id": "tag_1"}'), headers=f"Content-Encoding: {name}\r\n"))

    with serving(after_token(squeeze)) as url:
        async with client_of(world, url) as client:
            assert (await get(client)).id == "tag_1"


async def test_a_compressed_answer_does_not_blow_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memoram_async.runtime.answer_body.LARGEST_ANSWER", 100_000)
    bomb = gzip.compress(b" " * 10_000_000)

    def explode(connection: socket.socket, _: bytes) -> None:
        connection.sendall(answer(bomb, headers="Content-Encoding: gzip\r\n"))

    with serving(after_token(explode)) as url:
        async with client_of(world, url) as client:
            error = await failure(get(client), APIResponseError)
    assert "larger" in str(error)


async def test_an_answer_that_is_announced_as_too_large_is_not_read(world: World) -> None:
    with serving(after_token(lambda c, _: c.sendall(answer(b"x", length=10**12)))) as url:
        async with client_of(world, url) as client:
            error = await failure(get(client), APIResponseError)
    assert "larger" in str(error)


# httpx reads through async generators, which trio reports when they are left before their end.
@pytest.mark.filterwarnings("ignore:Async generator .*:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_answer_without_end_is_cut_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memoram_async.runtime.answer_body.LARGEST_ANSWER", 100_000)

    def flood(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")

    with serving(after_token(flood)) as url:
        async with client_of(world, url) as client:
            error = await failure(get(client), APIResponseError)
    assert "larger" in str(error)


async def test_cookies_are_not_kept(world: World) -> None:
    requests: list[bytes] = []

    def play(connection: socket.socket) -> None:
        while request := read_request(connection):
            requests.append(request)
            body = TOKEN if b"/auth/token" in request else answer(b"{}", status=404)
            connection.sendall(body.replace(b"\r\n\r\n", b"\r\nSet-Cookie: who=ada; Path=/\r\n\r\n", 1))

    with serving(play) as url:
        async with client_of(world, url) as client:
            await failure(get(client), NotFoundError)
            await failure(get(client), NotFoundError)
    assert len(requests) == 3
    assert all(b"cookie" not in request.lower() for request in requests)


async def test_a_connection_is_used_again(world: World) -> None:
    connections: list[object] = []

    def play(connection: socket.socket) -> None:
        connections.append(connection)
        while request := read_request(connection):
            connection.sendall(TOKEN if b"/auth/token" in request else answer(b'{"id": "tag_1"}'))

    with serving(play) as url:
        async with client_of(world, url) as client:
            for _ in range(5):
                await get(client)
    assert len(connections) == 1


async def test_a_request_to_this_machine_goes_never_through_a_proxy(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(connection: socket.socket, _: bytes) -> None:
        connection.sendall(answer(b'{"id": "tag_1"}'))

    with serving(lambda _: None) as nobody:
        pass
    monkeypatch.setenv("HTTP_PROXY", nobody)
    monkeypatch.setenv("ALL_PROXY", nobody)
    with serving(after_token(play)) as url:
        async with client_of(world, url) as client:
            assert (await get(client)).id == "tag_1"


async def test_other_requests_go_through_the_proxy_of_the_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(answer(b"", status=502))

    with serving(proxy) as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
        async with client_of(world, "https://api.example.com", time=Time()) as client:
            error = await failure(get(client), APIConnectionError)
    assert requests[0].startswith(b"CONNECT api.example.com:443")
    assert error.sent is False
    assert "the proxy refused" in str(error)


async def test_an_answer_in_an_unknown_encoding_names_its_operation(world: World) -> None:
    def script(connection: socket.socket, request: bytes) -> None:
        connection.sendall(answer(b"?", headers="Content-Encoding: br\r\n"))

    with serving(after_token(script)) as url:
        async with client_of(world, url) as client:
            error = await failure(get(client), APIResponseError)
    assert str(error).startswith("getTag: the service's answer has a content encoding that was not asked for")
    assert error.status == 200


async def test_a_refusal_in_an_unknown_encoding_is_what_its_status_says(world: World) -> None:
    def script(connection: socket.socket, request: bytes) -> None:
        connection.sendall(answer(b"?", status=404, headers="Content-Encoding: br\r\n"))

    with serving(after_token(script)) as url:
        async with client_of(world, url) as client:
            error = await failure(get(client), NotFoundError)
    assert error.status == 404
