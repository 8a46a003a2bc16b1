"""The proxy that breaks TCP connections, between httpx and a server that only echoes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from memoram_local.testing import (
    BlackHole,
    Drip,
    FaultProxy,
    HalfClose,
    Lag,
    Mode,
    Pass,
    Reset,
    TruncateAfter,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memoram_local import LocalServer

ANSWER = b"0123456789" * 10


@pytest.fixture
def target() -> Iterator[socket.socket]:
    """A server that answers whatever comes with a hundred octets and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    if connection.recv(1024):
                        connection.sendall(ANSWER)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener
        # Closing a socket does not wake who waits in accept().
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def proxy(target: socket.socket) -> Iterator[FaultProxy]:
    with FaultProxy("127.0.0.1", target.getsockname()[1]) as proxy:
        yield proxy


def asked(proxy: FaultProxy, *, timeout: float = 5) -> socket.socket:
    connection = socket.create_connection((proxy.host, proxy.port), timeout=timeout)
    connection.sendall(b"?")
    return connection


def all_of(connection: socket.socket) -> bytes:
    received = b""
    with connection:
        while chunk := connection.recv(1024):
            received += chunk
    return received


def test_everything_passes_by_default(proxy: FaultProxy) -> None:
    assert all_of(asked(proxy)) == ANSWER
    assert proxy.connections == 1


@pytest.mark.parametrize("after", [None, 0, 30])
def test_a_connection_can_be_reset(proxy: FaultProxy, after: int | None) -> None:
    proxy.mode = Reset(after)
    with pytest.raises(ConnectionResetError):
        all_of(asked(proxy))


@pytest.mark.parametrize("octets", [0, 30])
def test_an_answer_can_end_too_soon(proxy: FaultProxy, octets: int) -> None:
    proxy.mode = TruncateAfter(octets)

    assert all_of(asked(proxy)) == ANSWER[:octets]


def test_one_direction_can_end_while_the_other_stays_open(proxy: FaultProxy) -> None:
    proxy.mode = HalfClose(30)
    with asked(proxy) as connection:
        received = b""
        while chunk := connection.recv(1024):
            received += chunk
        connection.sendall(b"still listening?")
        connection.sendall(b"!")

    assert received == ANSWER[:30]


def test_an_answer_can_trickle_in(proxy: FaultProxy) -> None:
    proxy.mode = Drip(1000)
    began = time.monotonic()

    assert all_of(asked(proxy)) == ANSWER
    assert time.monotonic() - began >= 0.05


def test_an_answer_can_lag(proxy: FaultProxy) -> None:
    proxy.mode = Lag(0.05)
    began = time.monotonic()

    assert all_of(asked(proxy)) == ANSWER
    assert time.monotonic() - began >= 0.05


def test_a_black_hole_swallows_everything(proxy: FaultProxy) -> None:
    proxy.mode = BlackHole()
    with asked(proxy, timeout=0.05) as connection, pytest.raises(TimeoutError):
        connection.recv(1024)


def test_each_connection_can_fare_in_its_own_way(proxy: FaultProxy) -> None:
    proxy.mode = TruncateAfter(1)
    proxy.on(2, Pass())

    assert [all_of(asked(proxy)) for _ in range(3)] == [ANSWER[:1], ANSWER, ANSWER[:1]]


def test_a_target_that_is_not_there_looks_like_one_that_hangs_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with FaultProxy("127.0.0.1", port) as proxy, contextlib.suppress(ConnectionError):
        assert all_of(asked(proxy)) == b""


@pytest.mark.parametrize("mode", [Pass(), BlackHole(), Lag(3600), Drip(0.001)])
def test_leaving_ends_connections_and_the_thread(target: socket.socket, mode: Mode) -> None:
    with FaultProxy("127.0.0.1", target.getsockname()[1], mode) as proxy:
        connection = asked(proxy)
    with contextlib.suppress(ConnectionError):
        assert ANSWER.startswith(all_of(connection))  # how far it came is up to the moment


def test_it_runs_in_an_event_loop_as_well(target: socket.socket) -> None:
    async def ask() -> bytes:
        async with FaultProxy("127.0.0.1", target.getsockname()[1], TruncateAfter(7)) as proxy:
            reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
            writer.write(b"?")
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(ask()) == ANSWER[:7]


def test_a_platform_can_stand_behind_it(memoram_server: LocalServer) -> None:
    with FaultProxy(memoram_server.host, memoram_server.port) as proxy:
        proxy.on(1, Reset())
        url = f"http://{proxy.host}:{proxy.port}/"
        with httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False) as http:
            with pytest.raises(httpx.TransportError):
                http.get(url)
            assert http.get(url).status_code == 200
