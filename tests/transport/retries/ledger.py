"""A small honest service that keeps what it was told, with faults that strike before or after it does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import attrs
import httpx

from tests.mocked_network import RawBody

TOKEN: Final = {"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}

UNREADABLE: Final[dict[str, dict[str, Any]]] = {
    "html": {"text": "<html>a proxy's page</html>"},
    "empty": {"content": b""},
    "cut": {"content": b'{"id": "mem_1", "sta'},
    "shape": {"json": {"blob": {"id": "mem_1"}}},
    "list": {"json": ["mem_1"]},
    "garbage": {"stream": RawBody(b"no gzip"), "headers": {"content-encoding": "gzip"}},
}
"""Answers of success that make no sense, after the service has done its work."""

Fault: TypeAlias = str
"""What becomes of one request: `ok`, `lost before`, `lost after`, `503 before`, `gateway after` and so on."""


def _never() -> str:
    return "ok"


@attrs.define
class Ledger:
    """Carries out every write and remembers which mark it bore and how often.

    A mark is a text that the caller puts somewhere into a write, so that a test can tell writes apart.

    Attributes:
        idempotent: Whether a key that was seen before gets its first answer again.
        fault: Draws what becomes of the next write.
        done: How often the write of each mark was carried out.
        keys: The keys that came with each mark, one for each request.
        answers: The first answer to each key.
    """

    idempotent: bool
    fault: Callable[[], Fault] = _never
    done: Counter[str] = attrs.field(factory=Counter[str])
    keys: dict[str, list[str | None]] = attrs.field(factory=dict[str, "list[str | None]"])
    answers: dict[str, httpx.Response] = attrs.field(factory=dict[str, httpx.Response])

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/token"):
            return httpx.Response(200, json=TOKEN)
        key = request.headers.get("idempotency-key")
        mark = _mark(request)
        self.keys.setdefault(mark, []).append(key)
        fault, _, when = self.fault().partition(" ")
        if when == "before":
            return _fail(fault)
        answer = self._carry_out(request, key, mark)
        if fault in UNREADABLE:
            return httpx.Response(200, **UNREADABLE[fault])
        return _fail(fault) if when == "after" else answer

    def _carry_out(self, request: httpx.Request, key: str | None, mark: str) -> httpx.Response:
        if self.idempotent and key in self.answers:
            first = self.answers[key]
            replayed = {**first.headers, "idempotency-replayed": "true"}
            return httpx.Response(first.status_code, headers=replayed, content=first.content)
        self.done[mark] += 1
        answer = _answer(request)
        if self.idempotent and key is not None:
            answer.headers["idempotency-key"] = key
            self.answers[key] = answer
        return answer


def _mark(request: httpx.Request) -> str:
    """The mark of a write: in its body, else the last segment of its path."""
    body: dict[str, Any] = json.loads(request.content or b"{}")
    return str(body.get("title") or body.get("reason") or request.url.path.rpartition("/")[2])


def _answer(request: httpx.Request) -> httpx.Response:
    status = {"POST": 201, "DELETE": 204}.get(request.method, 200)
    if status == 204:
        return httpx.Response(204)
    made = request.url.path.rpartition("/")[2] if request.method == "PATCH" else "made"
    return httpx.Response(status, json={"id": made, "status": "pending", "reason": "x"})


def _fail(fault: Fault) -> httpx.Response:
    if fault == "lost":
        raise httpx.RemoteProtocolError("the connection was closed without an answer")
    if fault == "unreachable":
        raise httpx.ConnectError("refused")
    # A service that did nothing says how long to wait; a gateway's bare 503 is called `gateway` here.
    headers = {"retry-after": "0"} if fault == "503" else {}
    return httpx.Response(503 if fault == "gateway" else int(fault), headers=headers)
