"""One blocking connection of our own, to a service or through a proxy."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpcore

from memoram_async.core.http import HTTPRequest, HTTPResponse
from memoram_async.runtime.answer_body import Body, plain_headers
from memoram_async.runtime.destination import Destination
from memoram_async.runtime.environment import credentials_of
from memoram_async.runtime.forking import no_fork
from memoram_async.runtime.interception import is_hooked
from memoram_async.runtime.wire_request import origin_of, wire_request
from memoram_sync.runtime.connection_socket import ConnectionSocket
from memoram_sync.runtime.network_stream import NetworkBackend

if TYPE_CHECKING:
    import httpx


class Connection:
    """One connection of httpcore's instead of its pool.

    The pool has locks that an interrupt can leave held, and searches all connections for each request.

    Attributes:
        socket: The socket, the only part that may be touched once a call was interrupted: the others have
            locks as well.
        pool: The connection of httpcore's.
        used_at: When its last exchange ended, on `clock.steady`.
    """

    def __init__(
        self, destination: Destination, *, proxy: httpx.Proxy | None, tls: ssl.SSLContext | None
    ) -> None:
        """A connection that is made when it first sends.

        Args:
            destination: The service.
            proxy: What it is reached through.
            tls: How the service, and a proxy that speaks TLS itself, are trusted.
        """
        self.socket = ConnectionSocket()
        self._destination = destination
        self.used_at = 0.0
        layers = (destination.scheme == "https") + (proxy is not None and proxy.url.scheme == "https")
        backend = NetworkBackend(self.socket, layers=layers)
        origin = origin_of(destination)
        self.pool: Any = (
            httpcore.HTTPConnection(origin, ssl_context=tls, network_backend=backend)
            if proxy is None
            else _through(proxy, origin, backend, tls)
        )

    def exchange(
        self, request: HTTPRequest, target: str, headers: Mapping[str, str], *, timeout: float
    ) -> HTTPResponse:
        """Send a request and read its answer to the end; see `wire_request` for the arguments."""
        made = wire_request(request, self._destination, target, headers=headers, timeout=timeout)
        response = self._handle(made)
        fields = plain_headers(response.headers)
        body = Body(fields, status=response.status)
        stream: Any = response.stream  # a blocking connection's, so not an async one
        for chunk in stream:
            body.add(chunk)
            del chunk  # a traceback may show what local variables hold
        response.close()
        return HTTPResponse(status=response.status, headers=fields, content=body.content())

    def _handle(self, request: httpcore.Request) -> httpcore.Response:
        if not is_hooked("HTTPTransport", "handle_request"):
            answered: httpcore.Response = self.pool.handle_request(request)
            return answered
        with no_fork():  # as for this module itself
            from memoram_sync.runtime.intercepted import handle  # noqa: PLC0415 - it imports httpx
        return handle(self.pool, request)


class _Proxied:
    """The one connection that goes through a proxy.

    Args:
        pool: What made it. A mock that has taken the place of its method, as respx does, gets the request.
        origin: The service.
    """

    def __init__(self, pool: httpcore.ConnectionPool, origin: httpcore.Origin) -> None:
        self._pool = pool
        self._connection = pool.create_connection(origin)

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        pool = self._pool
        is_mocked = not pool.handle_request.__module__.startswith("httpcore.")
        return (pool if is_mocked else self._connection).handle_request(request)

    def is_idle(self) -> bool:
        return self._connection.is_idle()

    def has_expired(self) -> bool:
        return self._connection.has_expired()


def _through(
    proxy: httpx.Proxy,
    origin: httpcore.Origin,
    backend: httpcore.NetworkBackend,
    tls: ssl.SSLContext | None,
) -> _Proxied:
    """A single connection through a proxy."""
    address = httpcore.URL(
        scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=proxy.url.raw_path
    )
    if proxy.url.scheme.startswith("socks5"):
        socks = httpcore.SOCKSProxy(
            address, proxy_auth=credentials_of(proxy), ssl_context=tls, network_backend=backend
        )
        return _Proxied(socks, origin)
    pool = httpcore.HTTPProxy(
        address,
        proxy_auth=credentials_of(proxy),
        proxy_headers=proxy.headers.raw,
        ssl_context=tls,
        proxy_ssl_context=tls if proxy.url.scheme == "https" else None,
        network_backend=backend,
    )
    return _Proxied(pool, origin)
