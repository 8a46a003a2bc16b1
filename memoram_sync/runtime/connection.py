"""One blocking connection of our own, to a service or through a proxy."""

from __future__ import annotations

import ssl
from typing import Any

import httpcore
import httpx

from memoram_async.core.http import HTTPResponse
from memoram_async.runtime.answer_body import Body, plain_headers
from memoram_async.runtime.environment import credentials_of
from memoram_async.runtime.wire_request import Destination
from memoram_sync.runtime.connection_socket import ConnectionSocket
from memoram_sync.runtime.network_stream import NetworkBackend


class Connection(httpx.HTTPTransport):
    """httpx's transport over one connection of httpcore's instead of its pool.

    `handle_request` stays httpx's: that is where respx, pytest-httpx and OpenTelemetry hook in. The pool has
    locks that an interrupt can leave held, and searches all connections for each request.

    Attributes:
        socket: The socket, the only part that may be touched once a call was interrupted: the others have
            locks as well.
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
        # httpx's own constructor would make a pool and read the environment.
        self.socket = ConnectionSocket()
        self.used_at = 0.0
        layers = (destination.origin.scheme == b"https") + (proxy is not None and proxy.url.scheme == "https")
        backend = NetworkBackend(self.socket, layers=layers)
        self._pool: Any = (
            httpcore.HTTPConnection(destination.origin, ssl_context=tls, network_backend=backend)
            if proxy is None
            else _through(proxy, destination.origin, backend, tls)
        )

    @property
    def pool(self) -> Any:
        """The connection of httpcore's."""
        return self._pool

    def exchange(self, request: httpx.Request) -> HTTPResponse:
        """Send a request and read its answer to the end."""
        response = self.handle_request(request)
        headers = plain_headers(response.headers.raw)
        if response.is_stream_consumed:  # a mock that answers from memory
            return HTTPResponse(status=response.status_code, headers=headers, content=response.content)
        body = Body(headers, status=response.status_code)
        stream: Any = response.stream  # a blocking transport's, so not an async one
        for chunk in stream:
            body.add(chunk)
            del chunk  # a traceback may show what local variables hold
        stream.close()
        return HTTPResponse(status=response.status_code, headers=headers, content=body.content())


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
