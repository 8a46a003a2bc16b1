"""Requests that are put together from parts are what httpx would have made of them."""

from __future__ import annotations

import httpx
import pytest

from memoram_async.core.http import HeaderFields, HTTPRequest
from memoram_async.runtime.wire_request import Destination, split, wire_request

URLS = [
    "https://api.example.com/api/v1/tags/tag_1?user_id=u",
    "https://api.example.com:8443/api/v1/tags/a%2Fb?q=a+b%26c&r=",
    "http://127.0.0.1:8000/x",
    "http://[::1]:8000/x?y=1",
    "https://api.example.com",
    "https://api.example.com/a/../b",
    "https://api.example.com/a|b?c={d}",
    "https://EXAMPLE.com:443/x",
]


def made(url: str, *, content: bytes | None = None, method: str = "GET") -> httpx.Request:
    fields = HeaderFields({"accept": "application/json", "x-odd": "1"})
    request = HTTPRequest(method=method, url=url, headers=fields, content=content, timeout=7)
    place, target = split(url)
    return wire_request(request, Destination(place), target, headers=fields, timeout=3)


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize(
    ("method", "content"), [("GET", None), ("POST", b"{}"), ("POST", None), ("PUT", b"")]
)
def test_a_request_is_as_httpx_makes_it(url: str, method: str, content: bytes | None) -> None:
    ours = made(url, content=content, method=method)
    theirs = httpx.Request(method, url, headers={"accept": "application/json", "x-odd": "1"}, content=content)
    assert (ours.method, ours.url, str(ours.url)) == (theirs.method, theirs.url, str(theirs.url))
    for part in ("raw_scheme", "raw_host", "port", "raw_path", "host", "params", "netloc"):
        assert getattr(ours.url, part) == getattr(theirs.url, part), part
    assert sorted(ours.headers.items()) == sorted(theirs.headers.items())
    assert ours.read() == theirs.read()
    assert ours.url.copy_with(query=None) == theirs.url.copy_with(query=None)


def test_a_timeout_is_that_of_each_operation() -> None:
    assert set(made(URLS[0]).extensions["timeout"].values()) == {3}


def test_header_fields_are_made_ready_once_for_a_destination() -> None:
    fields = HeaderFields({"accept": "*/*"})
    request = HTTPRequest(method="GET", url=URLS[0], headers=fields, timeout=1)
    here, elsewhere = Destination(split(URLS[0])[0]), Destination("https://elsewhere.test")
    wire_request(request, here, "/", headers=fields, timeout=1)
    ready = fields.wire
    wire_request(request, here, "/", headers=fields, timeout=1)
    assert fields.wire is ready
    assert (
        wire_request(request, elsewhere, "/", headers=fields, timeout=1).headers["host"] == "elsewhere.test"
    )
