"""The network as httpcore wants it, on trio, through httpcore's own streams.

Every operation asks the `ExchangeState` of its connection how long it may take.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final, cast

import anyio
import httpcore
from httpcore import SOCKET_OPTION

from memoram_async.runtime.exchange_state import ExchangeState, is_final

_WRITE_SIZE: Final = 256 * 1024
_SENT_AT_ONCE: Final = 16 * 1024
"""Bytes that find room in the operating system's buffers, so that sending them waits for nobody."""


class TrioStream(httpcore.AsyncNetworkStream):
    """A connection of trio's.

    Args:
        inner: httpcore's stream.
        state: What it asks and tells.
        layers: How many layers of TLS have to be laid before what is written can reach the service.
        below: The stream that it is a layer of TLS over.
    """

    def __init__(
        self,
        inner: httpcore.AsyncNetworkStream,
        state: ExchangeState,
        layers: int,
        below: TrioStream | None = None,
    ) -> None:
        self._inner = inner
        self._state = state
        self._layers = layers
        self._below = below
        self._early: bytes | None = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has arrived, or arrives in time; nothing at the end."""
        left = self._left(timeout, httpcore.ReadTimeout)
        if self._early is not None:
            early, self._early = self._early, None
            return early
        return await self._inner.read(self._state.portion(max_bytes) or 1, left)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send, at the pace that the other side reads; the timeout is that of each part."""
        for start in range(0, len(buffer), _WRITE_SIZE):
            left = self._left(timeout, httpcore.WriteTimeout)
            if self._layers == 0:
                self._state.sent = True
            part = buffer[start : start + _WRITE_SIZE]
            if len(part) <= _SENT_AT_ONCE:
                await self._inner.write(part, left)
            else:
                await self._write_and_listen(part, left)

    async def _write_and_listen(self, part: bytes, timeout: float) -> None:
        """Send, unless the service answers before it has everything.

        httpcore reads on after a WriteError, which finds the answer.
        """
        whole = False
        fault: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._listen, group.cancel_scope)
            try:
                await self._inner.write(part, timeout)
                whole = True
            except Exception as error:  # noqa: BLE001 - raised below: the group would wrap it
                fault = error
            group.cancel_scope.cancel()
        if fault is not None:
            raise fault
        if not whole:
            raise httpcore.WriteError

    async def _listen(self, sending: anyio.CancelScope) -> None:
        """End the sending when an answer arrives."""
        try:
            while self._early is None or not is_final(self._early):
                arrived = await self._inner.read(_SENT_AT_ONCE)
                self._early = (self._early or b"") + arrived
                if not arrived:
                    break
        except httpcore.ReadError:
            return  # which the sending meets too
        sending.cancel()

    async def aclose(self) -> None:
        """Close."""
        await self._inner.aclose()

    def end(self) -> None:
        """Close, in the last steps of the event loop or when it is gone."""
        with suppress(RuntimeError):  # it is gone
            self._inner.get_extra_info("socket").close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> TrioStream:
        """The same connection, encrypted."""
        left = self._left(timeout, httpcore.ConnectTimeout)
        inner = await self._inner.start_tls(ssl_context, server_hostname, left)
        return TrioStream(inner, self._state, self._layers - 1, below=self)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore and tools ask of a connection."""
        if info == "is_readable" and self._has_unread():
            return True
        return self._inner.get_extra_info(info)

    def _has_unread(self) -> bool:
        """Whether something has arrived that nobody read, but is no longer on the socket."""
        below = self._below
        if below is None:
            return self._early is not None
        try:  # what is in memory already; nothing is waited for
            self._inner.get_extra_info("ssl_object").read(1)
        except ssl.SSLWantReadError:
            return self._early is not None or below._has_unread()  # noqa: SLF001 - one of our own
        except ssl.SSLError:
            return True  # the end
        return True

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
