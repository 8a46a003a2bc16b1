"""Connections on a real socket: heads and bodies that are too large, too slow, or never come."""

from __future__ import annotations

import contextlib
import socket
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING

import httpx
import pytest

from memoram_local import Limits, MemoramLocal
from memoram_local.testing import Delay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memoram_local import LocalServer

HEAD = b"POST /api/v1/auth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
GET = b"GET /api/v1/tags HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture
def limits() -> Limits:
    return Limits(header_octets=2_000, header_fields=10, head_seconds=0.3, body_seconds=0.3, connections=3)


@pytest.fixture
def server(limits: Limits) -> Iterator[LocalServer]:
    with MemoramLocal(password_profile="fast", limits=limits) as local, local.serve() as running:
        yield running


@pytest.fixture
def connected(server: LocalServer) -> Iterator[Callable[[], socket.socket]]:
    with contextlib.ExitStack() as sockets:

        def connect() -> socket.socket:
            return sockets.enter_context(socket.create_connection((server.host, server.port), timeout=10))

        yield connect


def status_of_answer(connection: socket.socket) -> int:
    """The status of the next answer, which is read whole."""
    answer = HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    octets = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            octets += chunk
    return octets


@pytest.mark.parametrize(
    "head",
    [
        GET + b"X: " + b"x" * 2_000 + b"\r\n\r\n",
        GET + b"".join(b"X-%d: x\r\n" % number for number in range(10)) + b"\r\n",
        b"GET /" + b"x" * 2_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        # Never ends: it is not waited for.
        GET + b"X: " + b"x" * 4_000,
    ],
    ids=["octets", "fields", "line", "without an end"],
)
def test_a_head_that_is_too_large_is_met_with_431(
    connected: Callable[[], socket.socket], head: bytes
) -> None:
    connection = connected()
    connection.sendall(head)

    answer = read_all(connection)

    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b'"request_header_fields_too_large"' in answer


@pytest.mark.parametrize(
    "sent", [b"G", GET, HEAD + b"Content-Length: 100\r\n\r\n", HEAD + b"Content-Length: 9\r\n\r\n{"]
)
def test_what_does_not_go_on_is_met_with_408(connected: Callable[[], socket.socket], sent: bytes) -> None:
    connection = connected()
    connection.sendall(sent)

    assert read_all(connection).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_a_head_that_trickles_in_is_met_with_408_all_the_same(
    connected: Callable[[], socket.socket],
) -> None:
    connection = connected()
    began = time.monotonic()
    with contextlib.suppress(ConnectionError):
        for octet in GET + b"X: " + b"x" * 1_000:
            connection.sendall(bytes([octet]))
            time.sleep(0.01)

    assert time.monotonic() - began < 8
    assert b" 408 " in read_all(connection)


class TestABodyThatGoesOnSlowly:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(body_seconds=2)

    def test_it_is_waited_for(self, connected: Callable[[], socket.socket]) -> None:
        connection = connected()
        body = b'{"api_key": "nobody has this one"}'
        connection.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        # Longer in all than may pass without any progress.
        for start in range(0, len(body), 4):
            time.sleep(0.26)
            connection.sendall(body[start : start + 4])

        assert read_all(connection).startswith(b"HTTP/1.1 401 ")


def test_for_one_connection_more_the_one_that_was_idle_longest_is_closed(
    connected: Callable[[], socket.socket],
) -> None:
    def used() -> socket.socket:
        connection = connected()
        connection.sendall(GET + b"\r\n")
        assert status_of_answer(connection) == 401
        return connection

    first, second, third, fourth = (used() for _ in range(4))

    assert read_all(first) == b""
    for connection in (second, third, fourth):
        connection.sendall(GET + b"\r\n")
        assert status_of_answer(connection) == 401


def test_requests_that_follow_each_other_on_one_connection_have_limits_of_their_own(
    server: LocalServer,
) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        for _ in range(10):
            assert http.get("/api/v1/tags", headers={"x": "x" * 900}).status_code == 401


def test_requests_sent_all_at_once_are_all_answered(connected: Callable[[], socket.socket]) -> None:
    connection = connected()
    connection.sendall((GET + b"\r\n") * 4 + GET + b"Connection: close\r\n\r\n")

    assert read_all(connection).count(b"HTTP/1.1 401 ") == 5


def test_a_server_that_stops_while_an_answer_is_due_logs_no_fault(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memoram_local.process.server._GRACE_SECONDS", 0.05)
    with MemoramLocal(password_profile="fast") as local, socket.socket() as connection:
        local.faults.add(Delay(60), route="createToken")
        with local.serve() as server:
            connection.connect((server.host, server.port))
            connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
            local.wait_for_request("createToken", over=False)
        assert read_all(connection) == b""
    assert caplog.records == []
