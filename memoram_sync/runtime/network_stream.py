"""The blocking world's sockets as httpcore wants to see them."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any, Final

import httpcore

from memoram_sync.runtime.connection_socket import ConnectionSocket
from memoram_sync.runtime.tls_layer import Layer, TLSLayer

_MOST: Final = 16_384
"""Bytes that are read at once: as many as a record of TLS holds."""


class NetworkStream(httpcore.NetworkStream):
    """A connection, with so many layers of TLS between this stream and the one that reaches the service."""

    def __init__(self, connection: ConnectionSocket, layer: Layer, *, layers_above: int) -> None:
        self._connection = connection
        self._layer = layer
        self._layers_above = layers_above

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has arrived, once something has; empty at the end."""
        most = self._connection.state.portion(min(max_bytes, _MOST))
        if not most:  # what lies decrypted already is no reason to go on
            raise httpcore.ReadTimeout
        try:
            return self._layer.receive(most, timeout)
        except TimeoutError:
            raise httpcore.ReadTimeout from None
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it.

        Raises:
            httpcore.WriteError: The connection broke, or the service answered before it had everything.
                httpcore then goes on to read the answer.
        """
        if not buffer:
            return
        if self._layers_above == 0:
            self._connection.state.sent = True
        try:
            whole = self._layer.send(buffer, timeout, answered=lambda: True)
        except TimeoutError:
            raise httpcore.WriteTimeout from None
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error
        if not whole:
            raise httpcore.WriteError("answered before the whole request was sent")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> NetworkStream:
        """The same connection under TLS."""
        layer = TLSLayer(self._layer, ssl_context, server_hostname)
        try:
            layer.handshake(timeout)
        except TimeoutError:
            self._connection.close()
            raise httpcore.ConnectTimeout from None
        except OSError as error:
            self._connection.close()
            raise httpcore.ConnectError(str(error)) from error
        return NetworkStream(self._connection, layer, layers_above=self._layers_above - 1)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore and others ask for by name."""
        match info:
            case "is_readable":
                return self._layer.has_unread()
            case "ssl_object":
                return self._layer.tls if isinstance(self._layer, TLSLayer) else None
            case "socket":
                return self._connection.raw
            case "client_addr":
                return self._connection.raw.getsockname()
            case "server_addr":
                return self._connection.raw.getpeername()
            case _:
                return None


class NetworkBackend(httpcore.NetworkBackend):
    """Connects one connection."""

    def __init__(self, connection: ConnectionSocket, *, layers: int) -> None:
        """A backend for one connection.

        Args:
            connection: What is to be connected.
            layers: How many layers of TLS lie between the socket and the service.
        """
        self._connection = connection
        self._layers = layers

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        """Connect to a host, which may be a proxy."""
        del local_address, socket_options  # nothing here asks for any
        try:
            self._connection.connect(host, port, timeout=timeout)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return NetworkStream(self._connection, self._connection, layers_above=self._layers)
