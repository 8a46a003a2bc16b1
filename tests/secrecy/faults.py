"""What can go wrong on the way and in the service, each time with every secret in it."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Final

import httpx

from memoram_async import Secret
from memoram_async.crypto import EncryptionKey, encrypt
from tests.mocked_network import RawBody
from tests.secrecy.calls import good
from tests.secrecy.canaries import CONTENT, ECHO, SECRETS, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    Fault = Callable[[httpx.Request], httpx.Response]

HEADERS: Final = {
    "x-request-id": "req-7",
    "location": f"https://evil.test/?{SECRETS['the code']}",
    "x-echo": ECHO,
    "www-authenticate": f"Bearer {TOKEN}",
}


def _status(status: int, body: bytes) -> Fault:
    return lambda _: httpx.Response(status, headers=HEADERS, content=body)


def _raising(kind: type[Exception], message: str) -> Fault:
    def fail(request: httpx.Request) -> httpx.Response:
        raise kind(message)

    return fail


def _answer(content: bytes, **headers: str) -> Fault:
    return lambda _: httpx.Response(200, headers={**HEADERS, **headers}, stream=RawBody(content))


def _json(value: object) -> Fault:
    return _answer(json.dumps(value).encode())


def _echo(request: httpx.Request) -> httpx.Response:
    """A debugging service: it sends back all that it got, and says that it failed."""
    told = {"message": f"{request.headers.raw} {request.content!r}", "code": TOKEN}
    return httpx.Response(400, headers=HEADERS, json={"error": told})


def _in_place_of_content(content: str) -> Fault:
    def answer(request: httpx.Request) -> httpx.Response:
        body = good(request).json()
        for blob in body.get("memoryBlobs", [body]):
            blob["content"] = content
        return httpx.Response(200, json=body)

    return answer


def _undecided(status: str) -> Fault:
    """A service whose access requests have that status, and which lets nobody in."""
    request = {"id": "req-1", "status": status, "memoryKey": SECRETS["the memory key"], "reason": ECHO}

    def answer(asked: httpx.Request) -> httpx.Response:
        if asked.url.path.endswith("/credentials"):
            return httpx.Response(403)
        one = asked.method == "POST" or not asked.url.path.endswith("s")
        return httpx.Response(200, json=request if one else {"items": [request]})

    return answer


def _other_header(**members: str) -> str:
    """Content whose header says something else."""
    header, _, rest = encrypt(_OTHER_KEY, CONTENT).partition(".")
    told = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))) | members
    return f"{base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip('=')}.{rest}"


_OTHER_KEY: Final = EncryptionKey.from_hex(Secret("ab" * 32), version=1)
_LATER_KEY: Final = EncryptionKey.from_hex(Secret("ab" * 32), version=9)
_SHAPES: Final = {
    "an error object": {"error": {"code": TOKEN, "message": ECHO}},
    "an OAuth error": {"error": "invalid_grant", "error_description": ECHO},
    "an error that is the echo": {"error": ECHO},
}

FAULTS: Final[dict[str, Fault]] = {
    **{
        f"{status} with {name}": _status(status, json.dumps(shape).encode())
        for status in (400, 401, 403, 404, 409, 418, 422, 429, 500, 503)
        for name, shape in _SHAPES.items()
    },
    **{f"{status} with a page": _status(status, f"<p>{ECHO}</p>".encode()) for status in (307, 400, 502)},
    "all that it got": _echo,
    "text": _answer(ECHO.encode()),
    "JSON that is cut short": _answer(json.dumps({"token": TOKEN, "content": ECHO})[:-2].encode()),
    "no UTF-8": _answer(ECHO.encode() + b"\xff"),
    "a list": _json([ECHO]),
    "members of other types": _json(
        {"id": [ECHO], "token": [ECHO], "items": ECHO, "memoryBlobs": [{"id": "a", "tags": ECHO}]}
    ),
    "a bad date": _json(
        {"id": "a", "created_at": ECHO, "createdAt": ECHO, "items": [{"id": "a", "created_at": ECHO}]}
    ),
    "no gzip": _answer(ECHO.encode(), **{"content-encoding": "gzip"}),
    "half of a gzip": _answer(gzip.compress(ECHO.encode())[:-9], **{"content-encoding": "gzip"}),
    "an unknown encoding": _answer(ECHO.encode(), **{"content-encoding": ECHO}),
    "a token that no header can carry": _json({"token": f"{TOKEN}\n", "id": "a"}),
    "plaintext": _in_place_of_content(CONTENT),
    "another key's content": _in_place_of_content(encrypt(_OTHER_KEY, CONTENT)),
    "a later key's content": _in_place_of_content(encrypt(_LATER_KEY, CONTENT)),
    "another algorithm's content": _in_place_of_content(_other_header(enc="A128CBC-HS256")),
    "another field's content": _in_place_of_content(_other_header(typ="memoram-envelope+jwe")),
    "another program's content": _in_place_of_content("gAAAAA" + base64.b64encode(ECHO.encode()).decode()),
    "the same cursor again": _json({"items": [], "memoryBlobs": [], "next_cursor": "again"}),
    "a request that is pending": _undecided("pending"),
    "a request that was rejected": _undecided("rejected"),
    "a request that was revoked": _undecided("revoked"),
    "a request of a status to come": _undecided("postponed"),
    "half of a JWE": _in_place_of_content(encrypt(_OTHER_KEY, CONTENT)[:-30]),
    **{
        name: _raising(kind, f"Illegal header value b'Bearer {TOKEN}' {ECHO}")
        for name, kind in {
            "no connection": httpx.ConnectError,
            "a slow answer": httpx.ReadTimeout,
            "no room in the pool": httpx.PoolTimeout,
            "a broken connection": httpx.ReadError,
            "a request that cannot be written": httpx.LocalProtocolError,
            "an answer that is not HTTP": httpx.RemoteProtocolError,
            "a proxy that refuses": httpx.ProxyError,
            "an operating system that refuses": OSError,
        }.items()
    },
}  # fmt: skip
