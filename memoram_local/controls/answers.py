"""Answers that are caught on their way out, to be changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    Attributes:
        status: The HTTP status.
        headers: As ASGI has them.
        body: All of it.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header field, named in lower case."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def with_header(self, name: bytes, value: bytes) -> Answer:
        """The same answer with one header field replaced."""
        kept = tuple((key, old) for key, old in self.headers if key.lower() != name)
        return Answer(self.status, (*kept, (name, value)), self.body)

    def with_body(self, body: bytes, *, content_type: str | None = None) -> Answer:
        """The same answer with another body, and a Content-Length that fits it."""
        answer = Answer(self.status, self.headers, body).with_header(b"content-length", b"%d" % len(body))
        if content_type is not None:
            answer = answer.with_header(b"content-type", content_type.encode("latin-1"))
        return answer

    async def send(self, send: Send, *, octets: int | None = None) -> None:
        """Send it, or only so many octets of its body, after which the server expects more."""
        await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers)})
        body = self.body if octets is None else self.body[:octets]
        await send({"type": "http.response.body", "body": body, "more_body": octets is not None})


async def caught(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """What an application answers."""
    status = 500
    headers: tuple[tuple[bytes, bytes], ...] = ()
    chunks: list[bytes] = []

    async def catch(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], tuple(message["headers"])
        elif message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))

    await app(scope, receive, catch)
    return Answer(status, headers, b"".join(chunks))
