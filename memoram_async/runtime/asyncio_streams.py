"""The network as httpcore wants it, on asyncio's own transports: no cancel scope and no checkpoint a read.

Every operation asks the `ExchangeState` of its connection how long it may take.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain, zip_longest
from typing import Any, Final, NoReturn, cast

import anyio
import httpcore
from httpcore import SOCKET_OPTION

from memoram_async.core.urls import is_address
from memoram_async.runtime.exchange_state import ExchangeState, is_final

_MOST_BUFFERED: Final = 256 * 1024
_PIECE: Final = 64 * 1024
_WRITE_SIZE: Final = 256 * 1024
_NEXT_ADDRESS_SECONDS: Final = 0.25
"""How long one address of a host is tried before the next is tried beside it (RFC 8305 5)."""


class _Receiver(asyncio.Protocol):
    """What has arrived on a connection, and who waits for more of it or for room to write."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.chunks: list[bytes] = []
        self.size = 0
        self.at_end = False
        self.is_lost = False
        self.fault: Exception | None = None
        self.is_full = False
        self.waiting: asyncio.Future[bool] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # No isinstance: uvloop's transports have the methods of asyncio's, and not its class.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.chunks.append(data)
        self.size += len(data)
        if self.size > _MOST_BUFFERED and self.transport is not None:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self.at_end = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.at_end = self.is_lost = True
        self.fault = exc
        self._wake()

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False
        self._wake()

    def _wake(self) -> None:
        if self.waiting is not None:
            _settle(self.waiting, change=True)

    async def changes(self, seconds: float) -> bool:
        """Wait until something has happened, at most that long; whether it has."""
        loop = asyncio.get_running_loop()
        self.waiting = loop.create_future()
        timer = loop.call_later(seconds, _settle, self.waiting)
        try:
            return await self.waiting
        finally:
            timer.cancel()
            self.waiting = None

    def take(self, most: int) -> bytes:
        """The bytes that came first."""
        data = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        rest = data[most:]
        self.chunks = [rest] if rest else []
        was_too_much = self.size > _MOST_BUFFERED
        self.size = len(rest)
        if was_too_much and not self.at_end and self.transport is not None:
            self.transport.resume_reading()
        return data[:most] if rest else data


def _settle(future: asyncio.Future[bool], *, change: bool = False) -> None:
    if not future.done():
        future.set_result(change)


def _fail(error: Exception, fault: Exception | None) -> NoReturn:
    """Raise an error for what the network did.

    That is its context as well as its cause: httpcore's pool, which proxies are spoken to through, takes the
    cause away from errors that pass.
    """
    error.__context__ = fault
    raise error from fault


class AsyncioStream(httpcore.AsyncNetworkStream):
    """A connection of asyncio's."""

    def __init__(
        self, transport: asyncio.Transport, receiver: _Receiver, state: ExchangeState, layers: int
    ) -> None:
        self._transport = transport
        self._receiver = receiver
        self._state = state
        self._layers = layers

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has arrived, or arrives in time; nothing at the end.

        Of an answer, for which httpcore asks by 64 KiB, it may be more than was asked for: it costs less to
        take apart in one go what has arrived.
        """
        receiver = self._receiver
        while not receiver.chunks:
            if receiver.fault is not None:
                _fail(httpcore.ReadError(), receiver.fault)
            if receiver.at_end:
                return b""
            await self._wait(timeout, httpcore.ReadTimeout)
        most = self._state.portion(max_bytes if max_bytes < _PIECE else _MOST_BUFFERED)
        if not most:  # a server that always has another byte is never waited for
            raise httpcore.ReadTimeout
        return receiver.take(most)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send, at the pace that the other side reads; the timeout is that of each part."""
        view = memoryview(buffer)
        for start in range(0, len(buffer), _WRITE_SIZE):
            part = buffer if len(buffer) <= _WRITE_SIZE else view[start : start + _WRITE_SIZE]
            await self._write(part, timeout)

    async def _write(self, part: bytes | memoryview, timeout: float | None) -> None:
        receiver = self._receiver
        # httpcore reads on after a WriteError: a service that takes no more may have answered.
        if receiver.at_end or self._transport.is_closing():
            _fail(httpcore.WriteError(), receiver.fault)
        if self._layers == 0:
            self._state.sent = True
        self._transport.write(part)
        while receiver.is_full:
            if receiver.at_end:
                _fail(httpcore.WriteError(), receiver.fault)
            if receiver.chunks and is_final(receiver.chunks[0]):
                raise httpcore.WriteError  # answered before it had everything
            await self._wait(timeout, httpcore.WriteTimeout)

    async def _wait(self, timeout: float | None, error: type[Exception]) -> None:
        left = self._state.left(timeout)
        if left <= 0 or not await self._receiver.changes(left):
            raise error

    async def aclose(self) -> None:
        """Close at once: an answer that nobody waits for and TLS's farewell are not worth waiting for."""
        self._abort()

    def _abort(self) -> None:
        if not self._receiver.is_lost:  # asyncio's transport has no loop any more then
            self._transport.abort()

    def end(self) -> None:
        """Close, in the last steps of the event loop or when it is gone."""
        with suppress(RuntimeError):  # it is gone
            self._abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> AsyncioStream:
        """The same connection, encrypted."""
        if self._receiver.at_end:  # a handshake on a closed transport of asyncio's never ends
            _fail(httpcore.ConnectError(), self._receiver.fault)
        receiver = _Receiver()
        transport: asyncio.Transport | None = None
        fault: Exception | None = None
        try:
            with anyio.move_on_after(self._state.left(timeout)):
                transport = await asyncio.get_running_loop().start_tls(
                    self._transport, receiver, ssl_context, server_hostname=server_hostname
                )
        except (OSError, ValueError, TypeError) as error:
            # ssl.SSLError is an OSError; a name may be none for TLS; Python 3.11 stumbles where a handshake
            # inside another layer of TLS fails.
            fault = error
        finally:
            if transport is None:
                self._abort()
        if fault is not None:
            _fail(httpcore.ConnectError(), fault)
        if transport is None:
            raise httpcore.ConnectTimeout
        receiver.transport = transport
        return AsyncioStream(transport, receiver, self._state, self._layers - 1)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore and tools ask of a connection."""
        match info:
            case "is_readable":  # the loop reads all the time, so no system call is needed to know
                return bool(self._receiver.chunks) or self._receiver.at_end
            case "ssl_object" | "socket":
                return self._transport.get_extra_info(info)
            case "client_addr":
                return self._transport.get_extra_info("sockname")
            case "server_addr":
                return self._transport.get_extra_info("peername")
            case _:
                return None


class AsyncioBackend(httpcore.AsyncNetworkBackend):
    """Opens connections on asyncio.

    Args:
        state: What the streams ask and tell.
        layers: How many layers of TLS have to be laid before what is written can reach the service.
    """

    def __init__(self, state: ExchangeState, layers: int) -> None:
        self._state = state
        self._layers = layers

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - httpcore's signature
        socket_options: Iterable[SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> AsyncioStream:
        """A connection to the first address of a host that answers."""
        race = _Race(port)
        try:
            with anyio.move_on_after(self._state.left(timeout)):
                await race.run(host)
        except (OSError, UnicodeError) as error:  # the latter for a host with a label that is too long
            race.faults.append(error)
        except BaseException:
            race.abort()
            raise
        if race.won is not None:
            transport, receiver = race.won
            self._state.opened = stream = AsyncioStream(transport, receiver, self._state, self._layers)
            return stream
        if race.faults:
            _fail(httpcore.ConnectError(), race.faults[-1])
        raise httpcore.ConnectTimeout


class _Race:
    """Attempts at the addresses of a host, each begun when the one before has failed or hesitates."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.won: tuple[asyncio.Transport, _Receiver] | None = None
        self.faults: list[Exception] = []

    async def run(self, host: str) -> None:
        """Connect; `won` or `faults` say how it went."""
        addresses = [host] if is_address(host) else await _addresses(host, self._port)
        if len(addresses) == 1:
            await self._attempt(addresses[0])
            return
        async with anyio.create_task_group() as group:
            for address in addresses:
                failed = anyio.Event()
                group.start_soon(self._compete, address, failed, group.cancel_scope)
                with anyio.move_on_after(_NEXT_ADDRESS_SECONDS):
                    await failed.wait()

    async def _compete(self, address: str, failed: anyio.Event, scope: anyio.CancelScope) -> None:
        try:
            await self._attempt(address)
        except OSError as error:
            self.faults.append(error)
            failed.set()
        else:
            scope.cancel()

    async def _attempt(self, address: str) -> None:
        transport, receiver = await asyncio.get_running_loop().create_connection(
            _Receiver, address, self._port
        )
        if self.won is None:
            self.won = (transport, receiver)
        else:
            transport.abort()

    def abort(self) -> None:
        """Close a connection that nobody will use."""
        if self.won is not None:
            self.won[0].abort()


async def _addresses(host: str, port: int) -> list[str]:
    """A host's addresses, of IPv6 and IPv4 by turns (RFC 8305 4), in the order of the system's preference."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    families: dict[int, dict[str, None]] = {}
    for family, _, _, _, address in found:
        families.setdefault(family, {})[str(address[0])] = None
    turns = chain.from_iterable(zip_longest(*families.values()))
    return [address for address in turns if address is not None]
