"""Our requests as httpcore sends them, put together from parts that were made once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

import httpcore

from memoram_async.core.http import HeaderFields, HTTPRequest
from memoram_async.core.urls import DEFAULT_PORTS
from memoram_async.runtime.destination import Destination
from memoram_async.runtime.forking import no_fork

Fields: TypeAlias = list[tuple[bytes, bytes]]

# What is sent as it is: percent-encoded already, and without segments that would have to be resolved.
_AS_IT_IS: Final = re.compile(r"/(?!.*/\.)(?!\.)[A-Za-z0-9/_.~%?&=+:,;@!$'()*-]*").fullmatch


def origin_of(destination: Destination) -> httpcore.Origin:
    """A destination as httpcore knows it."""
    scheme = destination.scheme
    return httpcore.Origin(
        scheme.encode("ascii"), destination.host.encode("ascii"), destination.port or DEFAULT_PORTS[scheme]
    )


def wire_request(
    request: HTTPRequest,
    destination: Destination,
    target: str,
    *,
    headers: Mapping[str, str],
    timeout: float,
) -> httpcore.Request:
    """The request to hand to a connection of httpcore's.

    Args:
        request: What to send.
        destination: Where to: the first part of the request's URL.
        target: The rest of the URL.
        headers: Header fields, credentials included, in place of the request's own.
        timeout: Seconds that connecting, each read and each write may take.
    """
    content = request.content
    return httpcore.Request(
        request.method,
        httpcore.URL(
            scheme=destination.scheme,
            host=destination.host,
            port=destination.port,
            target=target if _AS_IT_IS(target) is not None else _normalized(request.url),
        ),
        headers=_wire_fields(headers, destination, request.method, content),
        content=content,
        extensions={"timeout": {"connect": timeout, "read": timeout, "write": timeout, "pool": timeout}},
    )


def _normalized(url: str) -> bytes:
    """What follows the destination in a URL of which something has to be encoded or resolved."""
    with no_fork():  # a child that is forked meanwhile would find the import's lock held for good
        import httpx  # noqa: PLC0415 - hardly ever needed, and slow to import
    return httpx.URL(url).raw_path


def _wire_fields(
    fields: Mapping[str, str], destination: Destination, method: str, content: bytes | None
) -> Fields:
    """All header fields of a message; those of fields that are used again are made once."""
    if isinstance(fields, HeaderFields):
        kept = fields.wire
        if kept is None or kept[0] is not destination:
            kept = fields.wire = (destination, _with_host(fields, destination))
        made: Fields = kept[1]
    else:
        made = _with_host(fields, destination)
    if content is not None:
        return [*made, (b"Content-Length", b"%d" % len(content))]
    if method in {"POST", "PUT", "PATCH"}:
        return [*made, (b"Content-Length", b"0")]
    return made


def _with_host(fields: Mapping[str, str], destination: Destination) -> Fields:
    encoded = [(name.encode("ascii"), value.encode("ascii")) for name, value in fields.items()]
    return [(b"Host", destination.host_field), *encoded]
