"""The socket of one connection: raw, and every operation of it asks the deadline of the exchange.

httpcore's own sockets give each operation the same timeout, so a service that answers little by little makes
a request last as long as it likes. They also keep TLS in `ssl.SSLSocket`, which takes a descriptor over from
another object: an interrupt between the two would have it closed twice, the second time perhaps when it is
another connection's. Here the descriptor has one owner from beginning to end, and TLS is done in memory.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from typing import Any, Final

from memoram_async.runtime.clock import steady
from memoram_async.runtime.exchange_state import ExchangeState

_LONGEST_WAIT: Final = 1_000_000.0
"""Seconds that the operating system is asked to wait at most; some take no more than 24 days."""


def _nothing() -> None:
    pass


class ConnectionSocket:
    """The socket of one connection, and the state of the exchange that is using it.

    Attributes:
        state: The exchange's deadline, and whether bytes of it left.
        close: Closes the socket; once there is one, a single C function that no interrupt can split. Nothing
            else of an interrupted connection may be touched: its other parts may be half changed.
    """

    __slots__ = ("__weakref__", "_arrivals", "_socket", "close", "state")

    def __init__(self) -> None:
        self.state = ExchangeState()
        self.close: Callable[[], None] = _nothing
        self._socket: socket.SocketType | None = None
        self._arrivals: Any = None

    @property
    def was_used(self) -> bool:
        """Whether there ever was a socket."""
        return self._socket is not None

    @property
    def is_closed(self) -> bool:
        """Whether there was a socket that is closed now."""
        return self._socket is not None and self._socket.fileno() < 0

    @property
    def raw(self) -> socket.SocketType:
        """The socket itself.

        Raises:
            OSError: Nothing was connected yet.
        """
        if self._socket is None:
            raise OSError("not connected")
        return self._socket

    def connect(self, host: str, port: int, *, timeout: float | None) -> None:
        """Connect to one of the host's addresses.

        Each address but the last gets its share of the time, so that one that does not answer leaves some
        for the others. The name's resolution is the operating system's and takes as long as it takes.

        Raises:
            OSError: No address could be connected to.
            TimeoutError: None answered in time.
        """
        # As bytes: for text, Python would import a codec in the midst of a call.
        found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
        ends_at = steady() + self.left(timeout)
        failure: OSError | None = None
        for tried, (family, kind, protocol, _, address) in enumerate(found):
            self.close()
            made = self._socket = socket.SocketType(family, kind, protocol)
            self.close = made.close
            left = self.left(ends_at - steady())
            try:
                made.settimeout(left / (len(found) - tried))
                made.connect(address)
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                made.settimeout(0)  # from here on what may have to wait asks first how long
            except OSError as error:
                failure = error
            else:
                if hasattr(select, "poll"):
                    self._arrivals = select.poll()
                    self._arrivals.register(made, select.POLLIN)
                return
        self.close()
        raise failure or OSError("the host has no address")

    def left(self, timeout: float | None) -> float:
        """Seconds that one operation may take.

        Raises:
            TimeoutError: None is left.
        """
        left = self.state.left(timeout)
        if left <= 0:
            raise TimeoutError
        return min(left, _LONGEST_WAIT)

    def receive(self, most: int, timeout: float | None) -> bytes:
        """What has arrived, once something has; empty at the end."""
        raw = self.raw
        while True:
            if not self._has_arrived(self.left(timeout)):
                raise TimeoutError
            try:
                return raw.recv(most)
            except BlockingIOError:
                continue  # the kernel thought better of it

    def _has_arrived(self, seconds: float) -> bool:
        """Wait until there is something to read, at most that long; whether there is."""
        if self._arrivals is None:
            readable, _ = _ready(self.raw, seconds, reading=True, writing=False)
            return readable
        return bool(self._arrivals.poll(seconds * 1000 + 1))

    def send(self, data: bytes, timeout: float | None, *, answered: Callable[[], bool] | None) -> bool:
        """Send all of it, unless the service answers before it has everything; whether all was sent.

        Args:
            data: The bytes.
            timeout: Seconds that each part may take.
            answered: Asked when something arrives while nothing can be sent: whether it is an answer. None
                to send everything whatever arrives.
        """
        raw = self.raw
        rest = memoryview(data)
        self.left(timeout)
        while True:
            try:
                sent = raw.send(rest)
            except BlockingIOError:
                pass
            else:
                if sent == len(rest):
                    return True
                rest = rest[sent:]
            free = False
            while not free:
                arrived, free = _ready(raw, self.left(timeout), reading=answered is not None, writing=True)
                if not (arrived or free):
                    raise TimeoutError
                if arrived and not free and answered is not None and answered():
                    return False

    def has_unread(self) -> bool:
        """Whether something has arrived that nobody read, the end of the connection included."""
        if self._arrivals is not None and not self.is_closed:
            return bool(self._arrivals.poll(0))
        try:
            self.raw.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True


def _ready(raw: socket.SocketType, seconds: float, *, reading: bool, writing: bool) -> tuple[bool, bool]:
    """Wait until something can be read, or sent; which of the two is so."""
    if not hasattr(select, "poll"):
        readable, writable, _ = select.select([raw] if reading else [], [raw] if writing else [], [], seconds)
        return bool(readable), bool(writable)
    poll = select.poll()
    poll.register(raw, (select.POLLIN if reading else 0) | (select.POLLOUT if writing else 0))
    happened = poll.poll(seconds * 1000 + 1)
    events = happened[0][1] if happened else 0
    return bool(events & select.POLLIN), bool(events & ~select.POLLIN)
