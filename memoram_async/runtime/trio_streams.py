"""The network as httpcore wants it, on trio, through httpcore's own streams.

Every operation asks the `ExchangeState` of its connection how long it may take.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any, Final, cast

import httpcore
from httpcore import SOCKET_OPTION

from memoram_async.runtime.exchange_state import ExchangeState

_WRITE_SIZE: Final = 256 * 1024


class TrioStream(httpcore.AsyncNetworkStream):
    """A connection of trio's."""

    def __init__(self, inner: httpcore.AsyncNetworkStream, state: ExchangeState, layers: int) -> None:
        self._inner = inner
        self._state = state
        self._layers = layers

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has arrived, or arrives in time; nothing at the end."""
        return await self._inner.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send, at the pace that the other side reads; the timeout is that of each part."""
        for start in range(0, len(buffer), _WRITE_SIZE):
            left = self._left(timeout, httpcore.WriteTimeout)
            if self._layers == 0:
                self._state.sent = True
            await self._inner.write(buffer[start : start + _WRITE_SIZE], left)

    async def aclose(self) -> None:
        """Close."""
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> TrioStream:
        """The same connection, encrypted."""
        left = self._left(timeout, httpcore.ConnectTimeout)
        inner = await self._inner.start_tls(ssl_context, server_hostname, left)
        return TrioStream(inner, self._state, self._layers - 1)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore and tools ask of a connection."""
        return self._inner.get_extra_info(info)

    def _left(self, timeout: float | None, error: type[Exception]) -> float:
        left = self._state.left(timeout)
        if left <= 0:
            raise error
        return left


class TrioBackend(httpcore.AsyncNetworkBackend):
    """Opens connections on trio.

    Args:
        state: What the streams ask and tell.
        layers: How many layers of TLS have to be laid before what is written can reach the service.
    """

    def __init__(self, state: ExchangeState, layers: int) -> None:
        # Its type depends on whether trio is installed, which it is where this runs.
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.TrioBackend())
        self._state = state
        self._layers = layers

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> TrioStream:
        """A connection to the first address of a host that answers."""
        left = self._state.left(timeout)
        if left <= 0:
            raise httpcore.ConnectTimeout
        inner = await self._inner.connect_tcp(host, port, left, local_address, socket_options)
        self._state.opened = stream = TrioStream(inner, self._state, self._layers)
        return stream
