"""An HTTP transport for httpx that calls a platform in process: no socket, no thread, no port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx

from memoram_local.controls.hang_up import ConnectionDropped

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class InProcessTransport(httpx.AsyncBaseTransport):
    """Calls an ASGI application, on asyncio or trio.

    A connection that the platform drops on purpose is a `RemoteProtocolError`, as on a socket. The read
    timeout of a request bounds all of its answer.

    Args:
        app: The application: `MemoramLocal.app`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request.

        Raises:
            httpx.ReadTimeout: The answer took too long.
            httpx.RemoteProtocolError: The platform dropped the connection.
        """
        timeouts: dict[str, Any] = request.extensions.get("timeout", {})
        with anyio.move_on_after(timeouts.get("read")):
            try:
                return await self._transport.handle_async_request(request)
            except ConnectionDropped as error:
                raise httpx.RemoteProtocolError(str(error), request=request) from error
        raise httpx.ReadTimeout("the platform did not answer in time", request=request)
