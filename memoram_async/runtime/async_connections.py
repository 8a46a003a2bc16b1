"""Connections of our own in the async world, each one of httpcore's.

httpx's client layer costs more than all the rest of a call, and its pool searches all connections for each
request and each waiter.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import anyio
import httpcore
import sniffio

from memoram_async.core.errors import APIConnectionError, MemoramError
from memoram_async.core.http import HTTPRequest, HTTPResponse
from memoram_async.runtime.answer_body import Body, plain_headers
from memoram_async.runtime.asyncio_streams import AsyncioBackend
from memoram_async.runtime.clock import steady
from memoram_async.runtime.connection_reuse import KEEPALIVE_SECONDS, is_reusable
from memoram_async.runtime.destination import Destination, split
from memoram_async.runtime.environment import TLS, credentials_of, proxy_for
from memoram_async.runtime.exchange_state import ExchangeState
from memoram_async.runtime.forking import no_fork
from memoram_async.runtime.httpx_adapter import error_from, timed_out
from memoram_async.runtime.interception import is_hooked
from memoram_async.runtime.wire_request import origin_of, wire_request

if TYPE_CHECKING:
    import httpx

    from memoram_async.runtime.trio_streams import TrioBackend

CLOSE_SECONDS: Final = 2.0


class _Connection:
    """One connection, opened by the first request that it is handed.

    Attributes:
        pool: The connection of httpcore's, or the pool of one that goes through a proxy.
        state: What its network streams ask and tell.
        idle_since: When it was given back last, on `clock.steady`.
    """

    def __init__(self, route: _Route) -> None:
        self.state = ExchangeState()
        self.idle_since = 0.0
        self.pool = route.connect(self.state)

    @property
    def is_reusable(self) -> bool:
        return is_reusable(self.pool)

    async def drop(self) -> None:
        """Close it, whatever state it is in and even in a call that is being cancelled."""
        # The stream itself as well: httpcore forgets it where negotiations with a SOCKS proxy fail.
        opened, self.state.opened = self.state.opened, None
        for closing in (self.pool, opened):
            if closing is not None:
                with anyio.move_on_after(CLOSE_SECONDS, shield=True), suppress(Exception):
                    await closing.aclose()


class _Route:
    """The way to one destination, and the idle connections to it, those used last at the end."""

    def __init__(self, place: str, *, trust_env: bool) -> None:
        self.destination = Destination(place)
        self.idle: deque[_Connection] = deque()
        self._proxy = proxy_for(self.destination) if trust_env else None
        self._tls = self._context(self.destination, trust_env=trust_env)
        self._proxy_tls = None if self._proxy is None else self._context(self._proxy.url, trust_env=trust_env)
        self._layers = (self._tls is not None) + (self._proxy_tls is not None)

    @staticmethod
    def _context(address: Destination | httpx.URL, *, trust_env: bool) -> ssl.SSLContext | None:
        return TLS.context(address.host, trust_env=trust_env) if address.scheme == "https" else None

    def connect(self, state: ExchangeState) -> Any:
        """A connection of httpcore's that is not open yet; the pool of one, if it goes through a proxy."""
        backend = _backend()(state, self._layers)
        proxy = self._proxy
        if proxy is None:
            return httpcore.AsyncHTTPConnection(
                origin_of(self.destination), ssl_context=self._tls, network_backend=backend
            )
        address = httpcore.URL(
            scheme=proxy.url.raw_scheme,
            host=proxy.url.raw_host,
            port=proxy.url.port,
            target=proxy.url.raw_path,
        )
        if proxy.url.scheme.startswith("socks5"):
            return httpcore.AsyncSOCKSProxy(
                address,
                proxy_auth=credentials_of(proxy),
                ssl_context=self._tls,
                max_connections=1,
                network_backend=backend,
            )
        return httpcore.AsyncHTTPProxy(
            address,
            proxy_auth=credentials_of(proxy),
            proxy_headers=proxy.headers.raw,
            ssl_context=self._tls,
            proxy_ssl_context=self._proxy_tls,
            max_connections=1,
            network_backend=backend,
        )


def _backend() -> type[AsyncioBackend | TrioBackend]:
    """What opens sockets in the loop that runs."""
    if sniffio.current_async_library() == "asyncio":
        return AsyncioBackend
    with no_fork():  # as for this module itself
        from memoram_async.runtime.trio_streams import TrioBackend
    return TrioBackend


class AsyncConnections:
    """The connections of one client in one event loop; how many are used at once is for the caller to bound.

    Args:
        most: How many may be open at once, idle ones included.
        trust_env: Whether the environment's proxies and certificates are used.
    """

    def __init__(self, most: int, *, trust_env: bool) -> None:
        self._most = most
        self._trust_env = trust_env
        self._routes: dict[str, _Route] = {}
        self._open = 0
        self._closed = False

    async def exchange(
        self, request: HTTPRequest, headers: Mapping[str, str], *, timeout: float, seconds: float
    ) -> HTTPResponse | MemoramError:
        """One request and its answer, or the error to raise where the HTTP library's own is out of sight.

        Args:
            request: What to send.
            headers: Header fields, credentials included, in place of the request's own.
            timeout: Seconds that connecting, each read and each write may take.
            seconds: Seconds that all of it may take.
        """
        ends_at = steady() + seconds
        place, target = split(request.url)
        route = self._routes.get(place)
        if route is None:
            route = self._routes[place] = _Route(place, trust_env=self._trust_env)
        connection = await self._take(route)
        state = connection.state
        is_whole = False
        try:
            state.begin(ends_at)
            made = wire_request(request, route.destination, target, headers=headers, timeout=timeout)
            answer = await _answer(connection.pool, made)
            is_whole = connection.is_reusable
        except Exception as error:
            failure = error_from(error, url=request.url)
            if failure is None:
                raise
            if isinstance(failure, APIConnectionError):
                if state.is_over:
                    failure = timed_out(place)
                if state.opened is not None:
                    failure.sent = state.sent
            return failure.with_traceback(None)  # the frames in it hold what was read
        else:
            return answer
        finally:
            if is_whole and not self._closed:
                await self._give_back(route, connection)
            else:
                await self._drop(connection)

    async def _take(self, route: _Route) -> _Connection:
        """An idle connection that is still good, or a new one."""
        while route.idle:
            connection = route.idle.pop()
            if connection.is_reusable and steady() - connection.idle_since < KEEPALIVE_SECONDS:
                return connection
            await self._drop(connection)
        self._open += 1  # before anything is awaited, so that nobody else counts on the same room
        try:
            if self._open > self._most:
                await self._drop_oldest()
            return _Connection(route)
        except BaseException:
            self._open -= 1
            raise

    async def _drop_oldest(self) -> None:
        """Close the connection that has been idle for longest, wherever it leads."""
        routes = [route for route in self._routes.values() if route.idle]
        if routes:
            await self._drop(min(routes, key=lambda route: route.idle[0].idle_since).idle.popleft())

    async def _drop(self, connection: _Connection) -> None:
        try:
            await connection.drop()
        finally:
            self._open -= 1

    async def _give_back(self, route: _Route, connection: _Connection) -> None:
        """Keep a connection for the next request, and let go of those that none has used for long."""
        now = connection.idle_since = steady()
        route.idle.append(connection)
        while route.idle and now - route.idle[0].idle_since >= KEEPALIVE_SECONDS:
            await self._drop(route.idle.popleft())

    def end(self) -> None:
        """Close idle connections at once: their event loop is about to end."""
        self._closed = True
        for route in self._routes.values():
            while route.idle:
                opened = route.idle.pop().state.opened
                if opened is not None:
                    opened.end()

    async def aclose(self) -> None:
        """Close idle connections now, others when their answers have come."""
        self._closed = True
        for route in self._routes.values():
            while route.idle:
                await self._drop(route.idle.pop())


async def _answer(pool: Any, request: httpcore.Request) -> HTTPResponse:
    if is_hooked("AsyncHTTPTransport", "handle_async_request"):
        with no_fork():  # as for this module itself
            from memoram_async.runtime.intercepted import handle
        response = await handle(pool, request)
    else:
        response = await pool.handle_async_request(request)
    try:
        headers = plain_headers(response.headers)
        body = Body(headers, status=response.status)
        stream: Any = response.stream  # an async connection's, so not a blocking one
        async for chunk in stream:
            body.add(chunk)
            del chunk  # a traceback may show what local variables hold
        return HTTPResponse(status=response.status, headers=headers, content=body.content())
    finally:
        await response.aclose()
