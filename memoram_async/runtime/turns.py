"""Taking turns: so many requests at once, the others in the order in which they came."""

from __future__ import annotations

from collections import deque

import anyio

from memoram_async.core.errors import ClientClosedError, PoolTimeoutError


class _Place:
    """One call's place in the queue."""

    __slots__ = ("bell", "has_turn", "is_given_up")

    def __init__(self) -> None:
        self.bell = anyio.Event()
        self.has_turn = False
        self.is_given_up = False


class Turns:
    """The turns of one event loop's calls; whoever has one gives it back, however the call ends.

    Args:
        number: How many calls may have a turn at once.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._free = number
        self._queue: deque[_Place] = deque()
        self._closed = False

    @property
    def taken(self) -> int:
        """How many calls have a turn."""
        return self._number - self._free

    def take_at_once(self) -> bool:
        """Take a turn if one is free and nobody waits for it; whether it was taken."""
        if self._free:  # then nobody waits: a turn that comes free goes to who does
            self._free -= 1
            return True
        return False

    async def take(self, seconds: float) -> None:
        """Wait for a turn and take it.

        Args:
            seconds: How long to wait at most.

        Raises:
            ClientClosedError: The client was closed.
            PoolTimeoutError: None was free in time.
        """
        place = _Place()
        self._queue.append(place)
        try:
            with anyio.move_on_after(None if seconds == float("inf") else seconds):
                await place.bell.wait()
        except BaseException:
            self._leave(place)
            raise
        if place.has_turn and not self._closed:
            return
        self._leave(place)
        if self._closed:
            raise ClientClosedError("this client was closed while the request waited its turn")
        raise PoolTimeoutError(
            f"{self._number} requests are under way and none ended in time; nothing was sent: send fewer at "
            "once, or raise max_connections=",
            sent=False,
        )

    def _leave(self, place: _Place) -> None:
        if place.has_turn:
            self.give()  # it was handed over, and the call ended before it could use it
        else:
            place.is_given_up = True  # it stays in the queue: finding it there takes as long as the queue is

    def give(self) -> None:
        """Give a turn back: it is the first one's in the queue."""
        while self._queue:
            place = self._queue.popleft()
            if not place.is_given_up:
                place.has_turn = True
                place.bell.set()
                return
        self._free += 1

    def close(self) -> None:
        """Send everybody home who waits."""
        self._closed = True
        while self._queue:
            self._queue.popleft().bell.set()
