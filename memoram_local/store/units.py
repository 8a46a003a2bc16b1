"""Units of work: functions of a connection that a thread carries out while somebody waits."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from memoram_local.store.failures import named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_Connection = TypeVar("_Connection")
_Result = TypeVar("_Result")


class Waiting(Protocol):
    """Whoever waits: a `concurrent.futures.Future`, or its like in an event loop."""

    def set_running_or_notify_cancel(self) -> bool:
        """Whether anybody still waits."""
        ...

    def set_result(self, result: Any, /) -> None:
        """It is done."""
        ...

    def set_exception(self, exception: BaseException, /) -> None:
        """It was not done."""
        ...


class Unit(Generic[_Connection]):
    """One unit of work, and who waits for it."""

    __slots__ = ("_error", "_result", "_waiting", "_work")

    def __init__(self, work: Callable[[_Connection], object], waiting: Waiting) -> None:
        self._work = work
        self._waiting = waiting
        self._result: object = None
        self._error: BaseException | None = None

    def is_wanted(self) -> bool:
        """Whether anybody still waits. Asked once, before it begins."""
        return self._waiting.set_running_or_notify_cancel()

    def attempt(self, connection: _Connection) -> bool:
        """Do it; false when it raised. Nobody is told yet."""
        self._result, self._error = _outcome(self._work, connection)
        return self._error is None

    def follow_up(self, calls: Iterable[Callable[[], None]]) -> None:
        """Make the calls that were put off until it is committed; none, if it has failed."""
        if self._error is not None:
            return

        def make(_connection: object) -> None:
            for call in calls:
                call()

        self._error = _outcome(make, None)[1]

    def fail(self, error: BaseException) -> None:
        """Let it have failed, if it has not already."""
        self._error = self._error or error

    def tell(self) -> None:
        """Tell who waits what came of it."""
        if self._error is None:
            self._waiting.set_result(self._result)
        else:
            self._waiting.set_exception(named(self._error))


def _outcome(
    work: Callable[[_Connection], _Result], connection: _Connection
) -> tuple[_Result | None, BaseException | None]:
    # On its own, so that no frame of the error's traceback knows who keeps the error: a cycle would keep
    # all that was at hand until the garbage collector comes.
    try:
        return work(connection), None
    except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
        return None, error


def submitted(
    submit: Callable[[Unit[_Connection]], None], work: Callable[[_Connection], _Result]
) -> Future[_Result]:
    """Have a unit of work done, without waiting."""
    future: Future[_Result] = Future()
    submit(Unit(work, future))
    return future


async def awaited(
    submit: Callable[[Unit[_Connection]], None], work: Callable[[_Connection], _Result]
) -> _Result:
    """Have a unit of work done, and wait for it in an event loop.

    The thread tells the loop itself. `run_in_executor` has two futures tell each other, which costs more
    than a short unit of work.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        # In process under another event loop, such as trio: one hop more, through that loop's threads.
        from anyio import to_thread  # noqa: PLC0415 - rarely taken

        return await to_thread.run_sync(lambda: submitted(submit, work).result())
    future: asyncio.Future[_Result] = loop.create_future()
    submit(Unit(work, _InLoop(loop, future)))
    return await future


class _InLoop:
    """Somebody who waits in asyncio's event loop."""

    __slots__ = ("_future", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]) -> None:
        self._loop = loop
        self._future = future

    def set_running_or_notify_cancel(self) -> bool:
        return not self._future.cancelled()

    def set_result(self, result: Any, /) -> None:
        self._tell(self._future.set_result, result)

    def set_exception(self, exception: BaseException, /) -> None:
        self._tell(self._future.set_exception, exception)

    def _tell(self, settle: Callable[[Any], None], outcome: object) -> None:
        # The loop is closed: nobody waits any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._settle, settle, outcome)

    def _settle(self, settle: Callable[[Any], None], outcome: object) -> None:
        # It may have been cancelled since.
        if not self._future.done():
            settle(outcome)
