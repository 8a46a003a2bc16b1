"""A web server inside a process that has other things to do, such as speaking on its standard output."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from collections.abc import Generator
from typing import Final, Literal

import anyio
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.server import ServerState

from memoram_async.integrations.mcp.consent import CONSENT_SECONDS

_GRACE_SECONDS: Final = int(CONSENT_SECONDS) + 15
"""For how long calls that are under way may go on when the server ends."""


class _Uvicorn(uvicorn.Server):
    """Leaves signals to whoever runs the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Streams:
    """An application whose event streams can be ended, for they have no end and would hold a server up."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._over = anyio.Event()

    def end(self) -> None:
        """End them, as if their clients had left. Calls go on."""
        self._over.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        # Who is cancelled was broken off, which uvicorn would log as a fault of the application.
        with contextlib.suppress(anyio.get_cancelled_exc_class()):
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        is_open = False

        async def noted(message: Message) -> None:
            nonlocal is_open
            is_open = message["type"] == "http.response.start" or message.get("more_body", False)
            await send(message)

        await self._app(scope, lambda: self._received(receive), noted)
        if is_open:
            await send({"type": "http.response.body", "body": b""})

    async def _received(self, receive: Receive) -> Message:
        message: Message = {"type": "http.disconnect"}
        async with anyio.create_task_group() as group:

            async def leave() -> None:
                await self._over.wait()
                group.cancel_scope.cancel()

            group.start_soon(leave)
            message = await receive()
            group.cancel_scope.cancel()
        return message


async def serve_until_told(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until the process is told to end: calls that are under way come to their end then.

    A second signal ends them, too.

    Raises:
        KeyboardInterrupt: It was told so by Ctrl-C.
    """
    streams = Streams(app)
    server = web_server(streams, lifespan="on")
    told: list[int] = []

    async def leave() -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for number in signals:
                told.append(number)
                if server.should_exit:
                    _break_off(server.server_state)
                server.should_exit = True
                streams.end()

    async with anyio.create_task_group() as group:
        if sys.platform != "win32":  # whose event loop knows no signals
            group.start_soon(leave)
        await server.serve([listener])
        group.cancel_scope.cancel()
    if signal.SIGINT in told:
        raise KeyboardInterrupt


def _break_off(state: ServerState) -> None:
    """End what is under way."""
    for connection in list(state.connections):
        connection.transport.abort()
    for task in list(state.tasks):
        task.cancel()


def web_server(app: ASGIApp, *, lifespan: Literal["on", "off"] = "off") -> uvicorn.Server:
    """A server that writes nothing: not where the protocol goes, and no addresses, which lead to accounts."""
    return _Uvicorn(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan=lifespan,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
