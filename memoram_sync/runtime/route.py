"""The way to one service: where it is, what it is reached through, and the connections that are idle."""

from __future__ import annotations

import ssl
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from memoram_async.runtime.clock import steady
from memoram_async.runtime.connection_reuse import KEEPALIVE_SECONDS, is_reusable
from memoram_async.runtime.destination import Destination
from memoram_async.runtime.environment import TLS, proxy_for
from memoram_sync.runtime.connection import Connection

if TYPE_CHECKING:
    import httpx


class Route:
    """The way to one scheme, host and port.

    Attributes:
        destination: Where it leads.
        idle: Connections that nobody uses, those used last on the right. Whoever takes one out owns it.
    """

    def __init__(self, where: str, *, trust_env: bool) -> None:
        """A way that the environment's settings were looked up for.

        Args:
            where: Scheme, host and port, such as `https://api.example.com`.
            trust_env: Whether to look at the environment.

        Raises:
            ConfigurationError: The environment has a proxy or certificates that cannot be used.
        """
        self.destination = Destination(where)
        self.idle: deque[Connection] = deque()
        host = self.destination.host
        self._proxy: httpx.Proxy | None = proxy_for(self.destination) if trust_env else None
        schemes = {self.destination.scheme, "" if self._proxy is None else self._proxy.url.scheme}
        self._tls: ssl.SSLContext | None = (
            TLS.context(host, trust_env=trust_env) if "https" in schemes else None
        )

    def connection(self) -> Connection:
        """A new connection, which belongs to the caller."""
        return Connection(self.destination, proxy=self._proxy, tls=self._tls)

    def take(self) -> Connection | None:
        """An idle connection, which now belongs to the caller; None if there is none that can be used."""
        while self.idle:
            try:
                connection = self.idle.pop()
            except IndexError:  # another thread was faster
                break
            if not _is_stale(connection) and is_reusable(connection.pool):
                return connection
            connection.socket.close()
        return None

    def close_stale(self) -> None:
        """Close connections that have been idle for too long."""
        while self.idle:
            try:
                connection = self.idle.popleft()
            except IndexError:
                break
            if not _is_stale(connection):
                self.idle.appendleft(connection)
                break
            connection.socket.close()

    @property
    def idle_since(self) -> float | None:
        """Since when the connection has been idle that was used longest ago; None if none is idle."""
        try:
            return self.idle[0].used_at
        except IndexError:
            return None

    def close_oldest(self) -> None:
        """Close the connection that was used longest ago, unless another thread was faster."""
        with suppress(IndexError):
            self.idle.popleft().socket.close()

    def close_idle(self) -> None:
        """Close all connections that nobody uses."""
        while self.idle:
            try:
                connection = self.idle.pop()
            except IndexError:
                break
            connection.socket.close()


def _is_stale(connection: Connection) -> bool:
    return steady() - connection.used_at > KEEPALIVE_SECONDS
