"""Exchanges that others see: through the method of httpx's transport that they have taken the place of."""

from __future__ import annotations

from typing import Any

import httpcore
import httpx

from memoram_async.runtime.intercepted import shown_request


class _Transport(httpx.HTTPTransport):
    """httpx's transport over one connection of httpcore's."""

    def __init__(self, pool: Any) -> None:
        # Not httpx's own, which makes a pool; a test notices when its methods want more than this.
        self._pool = pool


def handle(pool: Any, request: httpcore.Request) -> httpcore.Response:
    """Hand over a request; the answer, whose body is still to be read."""
    response = _Transport(pool).handle_request(shown_request(request))
    return httpcore.Response(response.status_code, headers=response.headers.raw, content=response.stream)
