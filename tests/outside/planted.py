"""Bugs to be found: each breaks one thing about a platform that works."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    Break = Callable[["Answer"], "Answer"]


@dataclass(frozen=True)
class Answer:
    """What the platform would answer."""

    request: Scope
    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def content(self) -> Any:
        return json.loads(self.body)

    def saying(self, content: object) -> Answer:
        return replace(self, body=json.dumps(content).encode())

    async def give(self, send: Send) -> None:
        headers = self.headers | {b"content-length": str(len(self.body)).encode()}
        await send({"type": "http.response.start", "status": self.status, "headers": [*headers.items()]})
        await send({"type": "http.response.body", "body": self.body})


def answers_of(method: str, path: str, change: Break, *, status: int = 200) -> Callable[[ASGIApp], ASGIApp]:
    """Breaks the answers of one operation with one status; `path` is how it begins."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["method"] != method or not scope["path"].startswith(path):
                await app(scope, receive, send)
                return
            messages: list[Message] = []

            async def hold(message: Message) -> None:
                messages.append(message)

            await app(scope, receive, hold)
            body = b"".join(message.get("body", b"") for message in messages)
            given = Answer(scope, messages[0]["status"], dict(messages[0]["headers"]), body)
            await (change(given) if given.status == status else given).give(send)

        return answer

    return wrap


def requests_for(method: str, path: str, change: Callable[[Scope], Scope]) -> Callable[[ASGIApp], ASGIApp]:
    """Has the platform see other requests for one operation than it was sent."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            meant = scope["type"] == "http" and scope["method"] == method and scope["path"] == path
            await app(change(scope) if meant else scope, receive, send)

        return answer

    return wrap


def without_member(name: str) -> Break:
    def change(given: Answer) -> Answer:
        return given.saying({member: value for member, value in given.content.items() if member != name})

    return change


def with_member(name: str, value: object) -> Break:
    return lambda given: given.saying({**given.content, name: value})


def with_status(status: int) -> Break:
    return lambda given: replace(given, status=status)


def refusal(given: Answer) -> Answer:
    return replace(given, status=400).saying({"error": {"code": "invalid_request", "message": "No."}})


def without_header(name: bytes) -> Break:
    def change(given: Answer) -> Answer:
        return replace(given, headers={each: text for each, text in given.headers.items() if each != name})

    return change


def with_header(name: bytes, text: bytes) -> Break:
    return lambda given: replace(given, headers=given.headers | {name: text})


def failing_beyond_ascii(status: int) -> Break:
    """Fails where the query holds a character that is not ASCII."""

    def change(given: Answer) -> Answer:
        query = unquote(given.request["query_string"].decode())
        return given if query.isascii() else replace(given, status=status)

    return change


def failing_at(name: str, value: str, *, status: int) -> Break:
    """Fails where a parameter of the query has that value, such as the least or the most that it may have."""

    def change(given: Answer) -> Answer:
        pairs = parse_qsl(given.request["query_string"].decode(), keep_blank_values=True)
        return replace(given, status=status) if (name, value) in pairs else given

    return change


def without_parameter(name: str) -> Callable[[Scope], Scope]:
    def change(scope: Scope) -> Scope:
        pairs = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
        kept = [(each, value) for each, value in pairs if each != name]
        return {**scope, "query_string": urlencode(kept).encode()}

    return change


def with_token(token: str) -> Callable[[Scope], Scope]:
    """Lets everybody in."""

    def change(scope: Scope) -> Scope:
        headers = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
        return {**scope, "headers": [*headers, (b"authorization", f"Bearer {token}".encode())]}

    return change


def keeping_what_is_deleted(path: str) -> Callable[[ASGIApp], ASGIApp]:
    """Says that it deleted, and did nothing."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["method"] != "DELETE":
                await app(scope, receive, send)
                return
            messages: list[Message] = []

            async def hold(message: Message) -> None:
                messages.append(message)

            await app({**scope, "method": "GET"}, receive, hold)
            body = b"".join(message.get("body", b"") for message in messages)
            given = Answer(scope, messages[0]["status"], dict(messages[0]["headers"]), body)
            if given.status == 200:
                given = given.saying({"id": scope["path"].removeprefix(path), "deleted": True})
            await given.give(send)

        return answer

    return wrap
