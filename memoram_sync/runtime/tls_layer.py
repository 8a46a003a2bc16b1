"""TLS in memory, over a socket or over another TLS as on the way through an HTTPS proxy."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from memoram_async.runtime.clock import steady

_CHUNK: Final = 65_536


class Layer(Protocol):
    """What carries bytes to the other side. Every operation raises OSError, TimeoutError being one."""

    def receive(self, most: int, timeout: float | None) -> bytes:
        """What has arrived, once something has; empty at the end."""
        ...

    def send(self, data: bytes, timeout: float | None, *, answered: Callable[[], bool] | None) -> bool:
        """Send all of it, unless the service answers before it has everything; whether all was sent."""
        ...

    def has_unread(self) -> bool:
        """Whether something has arrived that nobody read, the end of the connection included."""
        ...


class TLSLayer:
    """TLS over another layer."""

    def __init__(self, below: Layer, context: ssl.SSLContext, server_hostname: str | None) -> None:
        self._below = below
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._early = b""
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)

    def handshake(self, timeout: float | None) -> None:
        """Agree on keys, within that many seconds in all.

        Raises:
            OSError: The other side is not trusted, speaks no TLS, or broke off.
            TimeoutError: It took too long.
        """
        ends_at = None if timeout is None else steady() + timeout
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                left = None if ends_at is None else max(ends_at - steady(), 0.0)
                self._flush(left)
                self._fetch(left)
            except ssl.SSLError:
                with suppress(OSError):  # the other side may be told why, if it still listens
                    self._flush(timeout)
                raise
            else:
                self._flush(timeout)
                return

    def receive(self, most: int, timeout: float | None) -> bytes:
        """What has arrived, once something has; empty at the end."""
        if self._early:
            arrived, self._early = self._early[:most], self._early[most:]
            return arrived
        while True:
            if self._incoming.pending or self._incoming.eof or self.tls.pending():
                try:
                    return self.tls.read(most)
                except ssl.SSLWantReadError:
                    self._flush(timeout)
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    return b""
            self._fetch(timeout)

    def send(self, data: bytes, timeout: float | None, *, answered: Callable[[], bool] | None) -> bool:
        """Send all of it, unless the service answers before it has everything; whether all was sent."""

        def is_answer() -> bool:
            return self._has_answer(timeout) and answered is not None and answered()

        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self.tls.write(rest[:_CHUNK]) :]
            except ssl.SSLWantReadError:
                self._flush(timeout)
                self._fetch(timeout)
            whole = self._below.send(
                self._outgoing.read(), timeout, answered=None if answered is None else is_answer
            )
            if not whole:
                return False
        return True

    def has_unread(self) -> bool:
        """Whether something has arrived that nobody read, the end of the connection included."""
        return bool(self._early or self._incoming.pending or self.tls.pending()) or self._below.has_unread()

    def _has_answer(self, timeout: float | None) -> bool:
        """Whether what has arrived is more than TLS's own messages; asked when there is something to read."""
        self._fetch(timeout)
        try:
            self._early += self.tls.read(_CHUNK)
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError:
            return True  # the end, or a fault: whoever reads finds out
        return True

    def _flush(self, timeout: float | None) -> None:
        if self._outgoing.pending:
            self._below.send(self._outgoing.read(), timeout, answered=None)

    def _fetch(self, timeout: float | None) -> None:
        arrived = self._below.receive(_CHUNK, timeout)
        if arrived:
            self._incoming.write(arrived)
        else:
            self._incoming.write_eof()
