"""A TCP proxy that breaks connections in the ways in which networks do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 65536
# SO_LINGER with no time left makes closing send RST.
_NO_LINGER = struct.pack("ii", 1, 0)
_DRIPS_PER_SECOND = 20


class Mode:
    """How one connection fares. The direction that matters is the one from the target to the client."""

    async def answer(self, way: Way) -> None:
        """Pass on what the target says."""
        await way.pass_on()


@dataclass(frozen=True, slots=True)
class Pass(Mode):
    """Everything passes."""


@dataclass(frozen=True, slots=True)
class Reset(Mode):
    """The client's connection is reset (RST): at once, or where the answer goes on after so many octets."""

    after: int | None = None

    async def answer(self, way: Way) -> None:
        """Pass some on, then reset."""
        if self.after is not None:
            await way.pass_some_on(self.after)
        way.reset()


@dataclass(frozen=True, slots=True)
class HalfClose(Mode):
    """Where the answer goes on after so many octets, it ends (FIN), while the client may go on sending."""

    after: int = 0

    async def answer(self, way: Way) -> None:
        """Pass some on, end it, and stay."""
        await way.pass_some_on(self.after)
        way.end()
        await way.stay()


@dataclass(frozen=True, slots=True)
class TruncateAfter(Mode):
    """Where the answer goes on after so many octets, both directions are closed."""

    octets: int

    async def answer(self, way: Way) -> None:
        """Pass some on, then close."""
        await way.pass_some_on(self.octets)


@dataclass(frozen=True, slots=True)
class Drip(Mode):
    """The answer trickles in, so many octets a second."""

    octets_per_second: float

    async def answer(self, way: Way) -> None:
        """Pass it on bit by bit."""
        size = max(1, round(self.octets_per_second / _DRIPS_PER_SECOND))
        await way.pass_on(size=size, pause=size / self.octets_per_second)


@dataclass(frozen=True, slots=True)
class Lag(Mode):
    """Nothing comes for so many seconds, then everything passes."""

    seconds: float

    async def answer(self, way: Way) -> None:
        """Wait, then pass everything on."""
        await asyncio.sleep(self.seconds)
        await way.pass_on()


@dataclass(frozen=True, slots=True)
class BlackHole(Mode):
    """The connection is accepted, what the client sends is passed on, and nothing ever comes back."""

    async def answer(self, way: Way) -> None:
        """Stay, and say nothing."""
        await way.stay()


@dataclass(frozen=True, slots=True)
class Way:
    """The way from one end of a connection to the other."""

    source: socket.socket
    sink: socket.socket
    client_is_done: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_on(self, *, octets: int | None = None, size: int = _CHUNK, pause: float = 0) -> None:
        """Pass on so many octets, or all there are."""
        loop = asyncio.get_running_loop()
        left = octets
        while left != 0:
            chunk = await loop.sock_recv(self.source, size if left is None else min(size, left))
            if not chunk:
                return
            left = None if left is None else left - len(chunk)
            await loop.sock_sendall(self.sink, chunk)
            if pause:
                await asyncio.sleep(pause)

    async def pass_some_on(self, octets: int) -> None:
        """Pass on so many octets, and return when there would be more: the source has answered by then."""
        await self.pass_on(octets=octets)
        await asyncio.get_running_loop().sock_recv(self.source, 1)

    def end(self) -> None:
        """Say that nothing more comes."""
        self.sink.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Have the connection end with a reset when it is closed."""
        self.sink.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)

    async def stay(self) -> None:
        """Keep the connection as it is until the client or the proxy ends it."""
        await self.client_is_done.wait()


@dataclass(slots=True)
class FaultProxy:
    """Stands between clients and a server on this machine, and breaks their connections as it is told.

    `async with` runs it in the asyncio loop at hand, `with` in a thread of its own, which suits blocking code
    and trio. Clients then connect to `host` and `port`. Tell it what to do before they connect; each
    connection keeps the mode that it began with.

    Attributes:
        target_host: Where the server listens.
        target_port: Where the server listens.
        mode: How connections fare that `on` says nothing about.
        host: Where the proxy listens.
        port: Where the proxy listens; known when it runs.
        connections: How many connections there were so far.

    Example:
        >>> from memoram_local.testing import FaultProxy, Reset
        >>> with FaultProxy("127.0.0.1", 9) as proxy:
        ...     proxy.on(1, Reset())
        ...     proxy.port > 0
        True
    """

    target_host: str
    target_port: int
    mode: Mode = field(default_factory=Pass)
    host: str = field(default="127.0.0.1", init=False)
    port: int = field(default=0, init=False)
    connections: int = field(default=0, init=False)
    _modes: dict[int, Mode] = field(default_factory=dict[int, Mode], init=False)
    _sockets: set[socket.socket] = field(default_factory=set[socket.socket], init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"], init=False)
    _accepting: asyncio.Task[None] | None = field(default=None, init=False)
    _is_over: bool = field(default=False, init=False)
    _stop: Callable[[], None] | None = field(default=None, init=False)

    def on(self, nth: int, mode: Mode) -> None:
        """Say how the nth connection fares, counted from 1 since the proxy began."""
        self._modes[nth] = mode

    async def __aenter__(self) -> Self:
        self._is_over, self.connections = False, 0
        listener = socket.create_server((self.host, 0))
        self._sockets.add(listener)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self._accepting = asyncio.create_task(self._accept(listener))
        return self

    async def __aexit__(self, *_exception: object) -> None:
        # Cancelling could lose a connection that is just being accepted, so a last one ends it instead.
        self._is_over = True
        with socket.socket() as last:
            last.setblocking(False)
            await asyncio.get_running_loop().sock_connect(last, (self.host, self.port))
            if self._accepting is not None:
                await self._accepting
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Those of tasks that never began, too.
        for left in self._sockets:
            left.close()
        self._sockets.clear()

    def __enter__(self) -> Self:
        ready: Future[Callable[[], None]] = Future()
        thread = threading.Thread(target=self._run, args=(ready,), name="memoram-proxy", daemon=True)
        thread.start()
        stop = ready.result()

        def stop_and_join() -> None:
            stop()
            thread.join()

        self._stop = stop_and_join
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._stop is not None:
            self._stop()

    def _run(self, ready: Future[Callable[[], None]]) -> None:
        async def run() -> None:
            asked, loop = asyncio.Event(), asyncio.get_running_loop()
            async with self:

                def stop() -> None:
                    loop.call_soon_threadsafe(asked.set)

                ready.set_result(stop)
                await asked.wait()

        try:
            asyncio.run(run())
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            if not ready.done():
                ready.set_exception(error)

    async def _accept(self, listener: socket.socket) -> None:
        while not self._is_over:
            client, _ = await asyncio.get_running_loop().sock_accept(listener)
            self._sockets.add(client)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            task = asyncio.create_task(self._serve(client, self._modes.get(self.connections, self.mode)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: socket.socket, mode: Mode) -> None:
        target = socket.socket()
        self._sockets.add(target)
        target.setblocking(False)
        # Broken connections are this module's trade.
        with contextlib.suppress(OSError), contextlib.ExitStack() as sockets:
            for opened in (client, target):
                sockets.callback(self._sockets.discard, opened)
                sockets.enter_context(opened)
            await asyncio.get_running_loop().sock_connect(target, (self.target_host, self.target_port))
            await self._relay(client, target, mode)

    async def _relay(self, client: socket.socket, target: socket.socket, mode: Mode) -> None:
        way = Way(target, client)

        async def ask() -> None:
            asking = Way(client, target)
            with contextlib.suppress(OSError):
                await asking.pass_on()
                asking.end()
            way.client_is_done.set()

        asking = asyncio.create_task(ask())
        try:
            await mode.answer(way)
        finally:
            # Nobody may wait for a socket that is closed next.
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
