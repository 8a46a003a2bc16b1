"""Requests that are put together from parts are what httpx would have sent."""

from __future__ import annotations

from typing import Any

import httpcore
import httpx
import pytest

from memoram_async.core.http import HeaderFields, HTTPRequest
from memoram_async.runtime.destination import Destination, split
from memoram_async.runtime.intercepted import shown_request
from memoram_async.runtime.wire_request import origin_of, wire_request

BARE = "https://api.example.com"  # for the path of which httpx sends a slash, and shows none
URLS = [
    "https://api.example.com/api/v1/tags/tag_1?user_id=u",
    "https://api.example.com:8443/api/v1/tags/a%2Fb?q=a+b%26c&r=",
    "http://127.0.0.1:8000/x",
    "http://127.0.0.1:80/x",
    "http://[::1]:8000/x?y=1",
    "https://[2001:db8::1]/x",
    BARE,
    "https://api.example.com:/x",
    "https://api.example.com/a/../b",
    "https://api.example.com/a|b?c={d}",
    "https://EXAMPLE.com:443/x",
    "https://under_score.example.com./x",
]
FIELDS = {"accept": "application/json", "x-odd": "1"}


class Wire:
    """What httpx's transport hands requests to."""

    def __init__(self) -> None:
        self.requests: list[httpcore.Request] = []

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        self.requests.append(request)
        return httpcore.Response(204)


def made(url: str, *, content: bytes | None = None, method: str = "GET") -> httpcore.Request:
    fields = HeaderFields(FIELDS)
    request = HTTPRequest(method=method, url=url, headers=fields, content=content, timeout=7)
    place, target = split(url)
    return wire_request(request, Destination(place), target, headers=fields, timeout=3)


def sent_by_httpx(request: httpx.Request) -> httpcore.Request:
    transport: Any = httpx.HTTPTransport()
    wire = Wire()
    transport._pool = wire  # noqa: SLF001 - which another test watches
    transport.handle_request(request)
    return wire.requests[0]


def parts(request: httpcore.Request) -> dict[str, Any]:
    """Each part of a request, as it goes over the wire."""
    url, body = request.url, request.stream
    assert not isinstance(body, bytes)
    return {
        "method": request.method,
        "address": (url.scheme, url.host, url.port, url.target),
        "fields": sorted((name.lower(), value) for name, value in request.headers),
        "body": b"".join(body),  # type: ignore[arg-type]  # it can be read in either world
    }


every_kind = pytest.mark.parametrize(
    ("method", "content"), [("GET", None), ("POST", b"{}"), ("POST", None), ("PUT", b"")]
)


@pytest.mark.parametrize("url", URLS)
@every_kind
def test_a_request_is_what_httpx_would_send(url: str, method: str, content: bytes | None) -> None:
    theirs = httpx.Request(method, url, headers=FIELDS, content=content)
    assert parts(made(url, content=content, method=method)) == parts(sent_by_httpx(theirs))


@pytest.mark.parametrize("url", [url for url in URLS if url != BARE])
@every_kind
def test_whoever_hooks_in_is_shown_what_httpx_would_have_made(
    url: str, method: str, content: bytes | None
) -> None:
    ours: Any = made(url, content=content, method=method)
    shown, theirs = shown_request(ours), httpx.Request(method, url, headers=FIELDS, content=content)
    assert (shown.method, shown.url, str(shown.url)) == (theirs.method, theirs.url, str(theirs.url))
    assert sorted(shown.headers.items()) == sorted(theirs.headers.items())
    assert shown.read() == theirs.read()
    assert shown.extensions == ours.extensions
    assert parts(sent_by_httpx(shown)) == parts(ours)


@pytest.mark.parametrize("url", URLS)
def test_a_connection_leads_where_httpx_would_connect_to(url: str) -> None:
    theirs = sent_by_httpx(httpx.Request("GET", url)).url.origin
    assert origin_of(Destination(split(url)[0])) == theirs


def test_a_timeout_is_that_of_each_operation() -> None:
    ours: Any = made(URLS[0])
    assert set(ours.extensions["timeout"].values()) == {3}


def test_header_fields_are_made_ready_once_for_a_destination() -> None:
    fields = HeaderFields({"accept": "*/*"})
    request = HTTPRequest(method="GET", url=URLS[0], headers=fields, timeout=1)
    here, elsewhere = Destination(split(URLS[0])[0]), Destination("https://elsewhere.test")
    wire_request(request, here, "/", headers=fields, timeout=1)
    ready = fields.wire
    wire_request(request, here, "/", headers=fields, timeout=1)
    assert fields.wire is ready
    sent = wire_request(request, elsewhere, "/", headers=fields, timeout=1)
    assert (b"Host", b"elsewhere.test") in sent.headers
