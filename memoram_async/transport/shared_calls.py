"""Calls that many share: the shell around `core.flights.Flights`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar, cast

from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import APITimeoutError, MemoramError
from memoram_async.core.flights import Flights, Landed, Lead, Seat
from memoram_async.runtime.forking import reset_after_fork
from memoram_async.runtime.protocol import Runtime

T = TypeVar("T")


class SharedCalls(Generic[T]):
    """Makes each call once, however many ask for it at the same time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.flights: Flights[T] = Flights()
        reset_after_fork(self.flights)

    async def call(
        self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]], deadline: Deadline, *, doing: str
    ) -> T:
        """The result of the call with this key: made here, or by whoever was first.

        A failure is shared like a result. A caller that is cancelled while it makes the call hands over to
        another one, which makes it again. What is no `MemoramError`, such as an error of a user's own
        function, is raised to the caller whose function it was; another one takes over.

        Args:
            key: Which call.
            work: Makes it.
            deadline: Until when this caller waits for another's.
            doing: What the call is, for the message.

        Raises:
            MemoramError: The call failed.
            APITimeoutError: Another caller's call did not end before the deadline.
        """
        runtime = self._runtime
        self.flights.settle(runtime.home())
        seat: Seat[T] = Seat()
        try:
            while True:
                seat.waiter = runtime.waiter()
                now = runtime.now()
                match self.flights.board(key, seat, now=now):
                    case Lead():
                        return await self._lead(key, seat, work)
                    case Landed(value, error):
                        if error is not None:
                            raise error.again() from error
                        return cast("T", value)
                    case decision:
                        if deadline.expired(now):
                            raise APITimeoutError(
                                f"{doing}: another call is still at it, and the total timeout expired",
                                sent=False,
                            )
                        await runtime.wait(seat.waiter, deadline.cap(decision.seconds, now=now))
                        runtime.home()  # which raises if the client was closed meanwhile
        finally:
            try:
                self._leave(key, seat)
            finally:
                self._leave(key, seat)  # a key press may have interrupted the first one

    async def _lead(self, key: Hashable, seat: Seat[T], work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            value = await work()
        except MemoramError as error:
            # A copy whose traceback ends here: callers' frames, which may show anything, are not shared.
            shared = error.again().with_traceback(error.__traceback__)
            shared.__cause__ = error.__cause__
            self._wake(self.flights.land(key, seat, Landed(error=shared)))
            raise
        self._wake(self.flights.land(key, seat, Landed(value)))
        return value

    def _leave(self, key: Hashable, seat: Seat[T]) -> None:
        self._wake(self.flights.leave(key, seat))

    def _wake(self, waiters: list[Any]) -> None:
        for waiter in waiters:
            self._runtime.wake(waiter)
