"""Serves an application on a loopback address from a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import uvicorn

from memoram_local.controls.hang_up import EXTENSION
from memoram_local.errors import AddressError
from memoram_local.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from starlette.types import ASGIApp, Receive, Scope, Send

_BACKLOG = 2048
# Longer than clients keep idle connections, so that they are the ones to close them.
_KEEP_ALIVE_SECONDS = 75
# Answers under way get this long when the server stops.
_GRACE_SECONDS = 0.5
_STEP_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A running server.

    Attributes:
        url: Its origin, such as `http://127.0.0.1:8765`.
        host: The address it listens on.
        port: The port it listens on.
        listener: The listening socket.
    """

    url: str
    host: str
    port: int
    listener: socket.socket

    @property
    def api_url(self) -> str:
        """The API's base URL: what `MEMORAM_BASE_URL` is set to."""
        return f"{self.url}/api/v1"

    @property
    def memory_api_url(self) -> str:
        """The base URL of Memory API, the second service: what `MEMORY_API_BASE_URL` is set to."""
        return f"{self.url}/v1"

    @property
    def auth_url(self) -> str:
        """The authorization server's base URL: what `MEMORAM_AUTH_URL` is set to."""
        return self.url


class _Uvicorn(uvicorn.Server):
    """Tells when it answers, and comes and goes in milliseconds.

    uvicorn looks every 0.1 s whether it should stop, and again whether all connections are closed. Tests that
    have a server each cannot wait for that.
    """

    def __init__(self, config: uvicorn.Config, *, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked_to_stop = asyncio.Event()
        self.settled = threading.Event()
        self.failure: BaseException | None = None

    async def _serve(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn's own tells the user's log of server processes that start and finish.
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup(sockets)
        if not self.should_exit:
            await self.main_loop()
        await self.shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.settled.set()

    async def main_loop(self) -> None:
        await self._asked_to_stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        del sockets
        # What this wakes runs after the connections were told to close, so nobody comes back to wait again.
        self._on_stop()
        for server in self.servers:
            server.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        loop = asyncio.get_running_loop()
        until = loop.time() + _GRACE_SECONDS
        # The protocols tell nobody when they are done.
        while (state.connections or state.tasks) and loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(_STEP_SECONDS)
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # so that uvicorn knows that nobody is left to answer
        for task in state.tasks:
            task.cancel()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=_GRACE_SECONDS)
        for server in self.servers:
            await server.wait_closed()

    def run_in_thread(self, listener: socket.socket) -> None:
        try:
            self.run([listener])
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self.failure = error
        finally:
            self.settled.set()

    def ask_to_stop(self) -> None:
        """Make it stop, or not begin; from any thread."""
        self.should_exit = True
        if self._loop is not None:
            # It may have ended by itself.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._asked_to_stop.set)


class _HangingUp:
    """Lets an application close the connection of a request, which ASGI has no word for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn's `send` is a method of the exchange, which knows its connection.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is not None:
            scope.setdefault("extensions", {})[EXTENSION] = transport.close
        # Only a server that stops cancels anything, and uvicorn would log it as a fault of the application.
        with contextlib.suppress(asyncio.CancelledError):
            await self._app(scope, receive, send)


def _nothing() -> None: ...


@contextlib.contextmanager
def serving(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    on_stop: Callable[[], None] = _nothing,
    limits: Limits | None = None,
) -> Generator[LocalServer]:
    """Serve an application; it answers when this yields, and its thread is gone when this returns.

    Args:
        app: The ASGI application.
        host: `localhost` or a loopback address.
        port: 0 for any free one.
        on_stop: Called in the server's thread when it stops, so that answers that wait for something end.
        limits: Of its connections.

    Raises:
        AddressError: The host is not on this machine alone, or the port is taken.
    """
    listener = listen(host, port)
    config = uvicorn.Config(
        _HangingUp(app),
        http=_protocol(limits or Limits()),
        lifespan="off",
        ws="none",
        # Nothing is logged for a request: its URL can hold codes.
        log_config=None,
        access_log=False,
        server_header=False,
        # The application says the date of its own clock.
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    server = _Uvicorn(config, on_stop=on_stop)
    thread = threading.Thread(
        target=server.run_in_thread, args=(listener,), name="memoram-server", daemon=True
    )
    try:
        thread.start()
        server.settled.wait()
        if server.failure is not None:
            raise server.failure
        bound_host, bound_port = listener.getsockname()[:2]
        shown = f"[{bound_host}]" if ":" in bound_host else bound_host
        yield LocalServer(f"http://{shown}:{bound_port}", bound_host, bound_port, listener)
    finally:
        server.ask_to_stop()
        thread.join()
        listener.close()


def _protocol(limits: Limits) -> type[asyncio.Protocol] | Literal["auto"]:
    try:
        from memoram_local.process.connections import bounded_by  # noqa: PLC0415 - its parser may be missing
    except ModuleNotFoundError:
        # As on PyPy, where uvicorn parses by itself.
        return "auto"
    return bounded_by(limits)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on a loopback address.

    Its protocol is named on purpose: asyncio switches Nagle's algorithm off only for sockets that say TCP,
    and with it every request on a kept connection waits some 40 ms for a delayed acknowledgement.

    Raises:
        AddressError: The host is not on this machine alone, or the port is taken.
    """
    address = _loopback(host)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((str(address), port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else error
        raise AddressError(f"cannot listen on {host} port {port}: {reason}; choose another port") from error
    return listener


def _loopback(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise AddressError(
            f"{host} is refused: this platform holds keys and serves only this machine "
            "(localhost, 127.0.0.1 or ::1)"
        )
    return address
