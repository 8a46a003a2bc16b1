"""Our requests as httpx knows them, put together from parts that were parsed once.

Parsing a URL and merging header fields costs httpx more than all the rest of an exchange. What this module
makes is an ordinary `httpx.Request` for those who look at one, mocks and recorders among them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import httpx

from memoram_async.core.http import HeaderFields, HTTPRequest

if TYPE_CHECKING:
    import httpcore

_NO_BODY: Final = httpx.ByteStream(b"")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

# What httpx sends as it is: percent-encoded already, and without segments that it would resolve.
_AS_IT_IS: Final = re.compile(r"/(?!.*/\.)(?!\.)[A-Za-z0-9/_.~%?&=+:,;@!$'()*-]*").fullmatch


class Destination:
    """The scheme, host and port that requests go to, parsed once.

    Attributes:
        text: All three as in the URLs of requests, such as `https://api.example.com`.
        base: The same, parsed.
        host_field: The value of the Host field.
    """

    __slots__ = ("base", "host_field", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.base = httpx.URL(text + "/")
        self.host_field = self.base.netloc

    @property
    def origin(self) -> httpcore.Origin:
        """The same as httpcore knows it."""
        import httpcore  # noqa: PLC0415 - it imports trio and more: for the first request, as in httpx

        base = self.base
        return httpcore.Origin(base.raw_scheme, base.raw_host, base.port or _DEFAULT_PORTS[base.scheme])


def split(url: str) -> tuple[str, str]:
    """A URL's destination and what follows it: `https://host:1`, `/path?query`."""
    path = url.find("/", url.find("://") + 3)
    return (url, "/") if path < 0 else (url[:path], url[path:])


class _LazyURL(httpx.URL):
    """A URL that sending needs no parsing for; it is parsed when somebody asks for anything else."""

    def __init__(self, base: httpx.URL, target: bytes, text: str) -> None:
        self._base = base
        self._target = target
        self._text = text

    @property
    def raw_scheme(self) -> bytes:
        return self._base.raw_scheme

    @property
    def raw_host(self) -> bytes:
        return self._base.raw_host

    @property
    def port(self) -> int | None:
        return self._base.port

    @property
    def raw_path(self) -> bytes:
        return self._target

    def __getattr__(self, name: str) -> Any:
        # httpx.URL keeps what it parsed under this one name, and all else of it reads from there.
        if name != "_uri_reference":
            raise AttributeError(name)
        self._uri_reference = httpx.URL(self._text)._uri_reference  # noqa: SLF001 - a test watches the name
        return self._uri_reference


def wire_request(
    request: HTTPRequest,
    destination: Destination,
    target: str,
    *,
    headers: Mapping[str, str],
    timeout: float,
) -> httpx.Request:
    """The request to hand to a transport of httpx's.

    Args:
        request: What to send.
        destination: Where to: the first part of the request's URL.
        target: The rest of the URL.
        headers: Header fields, credentials included, in place of the request's own.
        timeout: Seconds that connecting, each read and each write may take.
    """
    content = request.content
    made = httpx.Request(
        request.method,
        destination.base,
        headers=_wire_headers(headers, destination, request.method, content),
        stream=_NO_BODY if content is None else httpx.ByteStream(content),
        extensions={"timeout": {"connect": timeout, "read": timeout, "write": timeout, "pool": timeout}},
    )
    made.url = (
        _LazyURL(destination.base, target.encode("ascii"), request.url)
        if _AS_IT_IS(target) is not None
        else httpx.URL(request.url)
    )
    return made


def _wire_headers(
    fields: Mapping[str, str], destination: Destination, method: str, content: bytes | None
) -> httpx.Headers:
    """All header fields of a message; those of fields that are used again are made once."""
    if isinstance(fields, HeaderFields):
        kept = fields.wire
        if kept is None or kept[0] is not destination:
            kept = fields.wire = (destination, _with_host(fields, destination))
        headers: httpx.Headers = kept[1]
    else:
        headers = _with_host(fields, destination)
    if content is not None:
        return httpx.Headers([*headers.raw, (b"Content-Length", b"%d" % len(content))])
    if method in {"POST", "PUT", "PATCH"}:
        return httpx.Headers([*headers.raw, (b"Content-Length", b"0")])
    return headers


def _with_host(fields: Mapping[str, str], destination: Destination) -> httpx.Headers:
    return httpx.Headers([(b"Host", destination.host_field), *httpx.Headers(dict(fields)).raw])
