"""What the network streams of one connection ask while an exchange is under way."""

from __future__ import annotations

import math

from memoram_async.runtime.clock import steady


class ExchangeState:
    """The total deadline of the exchange on a connection, and whether any of its request was sent.

    The runtime sets both before it hands a request to the connection. Every network operation then asks
    how long it may take, so that no server can make an exchange last longer by answering little by little,
    and notes when bytes go out, so that an error tells truly whether the request may have arrived.

    Attributes:
        ends_at: The moment at which the exchange gives up, on `clock.steady`.
        sent: Whether a byte of the request may have left; what a tunnel through a proxy is made with is none.
        was_opened: Whether there was a connection at all; without one, a mock has answered.
    """

    __slots__ = ("__weakref__", "ends_at", "sent", "was_opened")

    def __init__(self) -> None:
        self.ends_at = math.inf
        self.sent = False
        self.was_opened = False

    def begin(self, ends_at: float) -> None:
        """Begin another exchange on the same connection."""
        self.ends_at = ends_at
        self.sent = False

    def left(self, timeout: float | None) -> float:
        """Seconds that one operation may take: its own timeout, or what is left; 0 or less if it is over."""
        left = self.ends_at - steady()
        return left if timeout is None or left < timeout else timeout

    @property
    def is_over(self) -> bool:
        """Whether the total deadline has come."""
        return self.ends_at <= steady()
