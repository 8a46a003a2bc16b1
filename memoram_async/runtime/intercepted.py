"""Exchanges that others see: through the method of httpx's transport that they have taken the place of."""

from __future__ import annotations

from typing import Any

import httpcore
import httpx


class _Transport(httpx.AsyncHTTPTransport):
    """httpx's transport over one connection of httpcore's."""

    def __init__(self, pool: Any) -> None:
        # Not httpx's own, which makes a pool; a test notices when its methods want more than this.
        self._pool = pool


async def handle(pool: Any, request: httpcore.Request) -> httpcore.Response:
    """Hand over a request; the answer, whose body is still to be read."""
    response = await _Transport(pool).handle_async_request(shown_request(request))
    return httpcore.Response(response.status_code, headers=response.headers.raw, content=response.stream)


def shown_request(request: httpcore.Request) -> httpx.Request:
    """A request of ours as whoever has hooked in knows it."""
    url = request.url
    untyped: Any = request
    return httpx.Request(
        request.method.decode("ascii"),
        httpx.URL(
            scheme=url.scheme.decode("ascii"),
            host=url.host.decode("ascii"),
            port=url.port,
            raw_path=url.target,
        ),
        headers=request.headers,
        stream=httpx.ByteStream(b"".join(untyped.stream)),
        extensions=untyped.extensions,
    )
