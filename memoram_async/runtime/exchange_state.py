"""What the network streams of one connection ask while an exchange is under way."""

from __future__ import annotations

import math
from typing import Final, Protocol

from memoram_async.runtime.clock import steady

_NEAR: Final = 0.5
"""Seconds before the deadline from which on little is read at a time."""

_LITTLE: Final = 2048

_FAR: Final = 2.0
"""Seconds before the deadline up to which everything that has arrived may be read at once."""

_MODEST: Final = 65536


class Closable(Protocol):
    """What can be closed: a network stream of ours."""

    async def aclose(self) -> None:
        """Close it."""
        ...

    def end(self) -> None:
        """Close it without waiting, in the last steps of its event loop or when that is gone."""
        ...


def is_final(arrived: bytes) -> bool:
    """Whether what arrives in the midst of an upload ends it: an answer that is not informational."""
    return not arrived.startswith(b"HTTP/1.1 1")


class ExchangeState:
    """The total deadline of the exchange on a connection, and whether any of its request was sent.

    The runtime sets both before it hands a request to the connection. Every network operation then asks
    how long it may take, so that no server can make an exchange last longer by answering little by little,
    and notes when bytes go out, so that an error tells truly whether the request may have arrived.

    Attributes:
        ends_at: The moment at which the exchange gives up, on `clock.steady`.
        sent: Whether a byte of the request may have left; what a tunnel through a proxy is made with is none.
        opened: The stream to the service or its proxy, in async code; without one, a mock has answered.
    """

    __slots__ = ("__weakref__", "ends_at", "opened", "sent")

    def __init__(self) -> None:
        self.ends_at = math.inf
        self.sent = False
        self.opened: Closable | None = None

    def begin(self, ends_at: float) -> None:
        """Begin another exchange on the same connection."""
        self.ends_at = ends_at
        self.sent = False

    def left(self, timeout: float | None) -> float:
        """Seconds that one operation may take: its own timeout, or what is left; 0 or less if it is over."""
        left = self.ends_at - steady()
        return left if timeout is None or left < timeout else timeout

    def portion(self, most: int) -> int:
        """How many bytes to read at once, at most that many; 0 if it is over.

        Near the deadline they are few, because nobody looks at the clock while what was read is taken apart:
        thousands of informational answers fit into the 64 KiB that httpcore asks for.
        """
        left = self.ends_at - steady()
        if left <= 0:
            return 0
        if left >= _FAR:
            return most
        return min(most, _MODEST if left >= _NEAR else _LITTLE)

    @property
    def is_over(self) -> bool:
        """Whether the total deadline has come."""
        return self.ends_at <= steady()
