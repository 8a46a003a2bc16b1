"""Connections that cannot be held open for nothing, nor fill the memory before a request is even complete.

uvicorn bounds neither how long the head of a request may take nor how large it may get.
"""

from __future__ import annotations

import json
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from memoram_local.behaviour import behaviour

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Receive, Scope, Send
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from memoram_local.limits import Limits

_PHRASES: Final = {
    408: ("Request Timeout", "request_timeout", "The request did not come in time."),
    431: (
        "Request Header Fields Too Large",
        "request_header_fields_too_large",
        "The head of the request is too large.",
    ),
    503: ("Service Unavailable", "too_many_connections", "Too many connections are open: try again."),
}


def _body(status: int) -> bytes:
    _, code, message = _PHRASES[status]
    return json.dumps({"error": {"code": code, "message": message}}).encode()


def _octets(status: int) -> bytes:
    body = _body(status)
    head = (
        f"HTTP/1.1 {status} {_PHRASES[status][0]}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


async def _too_large(_scope: Scope, _receive: Receive, send: Send) -> None:
    body = _body(431)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 431, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class BoundedConnection(HttpToolsProtocol):
    """A connection with limits.

    Attributes:
        limits: Which ones; set by a subclass.
    """

    limits: Limits

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_in_head = False
        self._is_in_body = False
        self._head_octets = 0
        self._octets_come = 0
        self._overdue: asyncio.TimerHandle | None = None
        self._idle_since = 0.0

    @behaviour(
        "connections.number",
        "invented",
        "1,000 connections are kept at a time; for one more the one that was idle longest is closed.",
    )
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it when too many are at work."""
        super().connection_made(transport)
        self._idle_since = monotonic()  # finer than the time of a loop's turn
        # One that never says anything ends like one that says nothing more.
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
        if len(self.connections) > self.limits.connections:
            others = cast("set[BoundedConnection]", self.connections)
            idle = [each for each in others if each is not self and each.is_idle]
            if idle:
                min(idle, key=lambda each: each._idle_since).transport.close()  # noqa: SLF001 - its own kind
            else:
                self._refuse(503)

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return self.timeout_keep_alive_task is not None and not self.transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of it."""
        self._end_waiting()
        super().connection_lost(exc)

    @behaviour(
        "connections.time",
        "invented",
        "The head of a request must have come within 10 s, and some of its body every 30 s: else 408.",
    )
    def data_received(self, data: bytes) -> None:
        """Take in what came, and see to it that the rest comes too."""
        if not self._is_in_body:
            self._head_octets += len(data)
        self._octets_come += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            self._end_waiting()
        elif self._is_in_head and self._head_octets > self.limits.header_octets:
            self._refuse(431)
        elif self._overdue is None and (self._is_in_head or self._is_in_body):
            self._wait_for_more()

    def on_message_begin(self) -> None:
        """The first octet of a request came."""
        super().on_message_begin()
        self._is_in_head = True

    @behaviour(
        "connections.head",
        "invented",
        "The head of a request has at most 64 KiB and 100 header fields: else 431.",
    )
    def on_headers_complete(self) -> None:
        """The head of a request is whole."""
        self._is_in_head, self._is_in_body = False, True
        self._end_waiting()
        octets = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        app = self.app
        if octets > self.limits.header_octets or len(self.headers) > self.limits.header_fields:
            self.app = _too_large
        try:
            super().on_headers_complete()
        finally:
            self.app = app

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._is_in_body = False
        self._head_octets = 0
        self._end_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A request is answered."""
        self._idle_since = monotonic()  # finer than the time of a loop's turn
        super().on_response_complete()

    def _wait_for_more(self) -> None:
        if self._is_in_head:
            self._overdue = self.loop.call_later(self.limits.head_seconds, self._refuse, 408)
        else:
            self._overdue = self.loop.call_later(
                self.limits.body_seconds, self._see_progress, self._octets_come
            )

    def _see_progress(self, octets_before: int) -> None:
        self._overdue = None
        # Nothing can come while the platform itself does not read.
        if self._octets_come == octets_before and not self.flow.read_paused:
            self._refuse(408)
        else:
            self._wait_for_more()

    def _end_waiting(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _refuse(self, status: int) -> None:
        self._end_waiting()
        if not self.transport.is_closing():
            # Unless an answer has begun: it would be mistaken for a part of that.
            cycle = cast("RequestResponseCycle | None", self.cycle)
            if cycle is None or cycle.response_complete or not cycle.response_started:
                self.transport.write(_octets(status))
            self.transport.close()


def bounded_by(limits: Limits) -> type[BoundedConnection]:
    """Connections with these limits, as uvicorn makes them."""
    return type("BoundedConnection", (BoundedConnection,), {"limits": limits})
