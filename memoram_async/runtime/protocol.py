"""The seam: everything that may block or suspend, in one small protocol.

The core awaits nothing but a `Runtime` and its own coroutines. One implementation suspends (anyio and
an async HTTP client), the other never does (threads and a blocking HTTP client), and the same core
serves both worlds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Protocol, TypeVar

from memoram_async.core.deadline import Deadline
from memoram_async.core.http import HTTPRequest, HTTPResponse

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")


class Clock(Protocol):
    """The time that a runtime goes by: the system's, or one that a test moves. Times are seconds.

    A test can share one clock with the platform that it talks to; nothing but these members is asked of it.
    """

    @property
    def can_jump(self) -> bool:
        """Whether somebody may move it forward or run it faster, so that waiting must look at it often."""
        ...

    def monotonic(self) -> float:
        """A reading that never goes back; its zero means nothing."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch; may jump."""
        ...

    def real_seconds(self, seconds: float) -> float:
        """How many real seconds so many of this clock take; as many while it stands still."""
        ...


class ReadAhead(Protocol[T_co]):
    """Results that are produced one ahead of those that were taken."""

    async def take(self) -> T_co | None:
        """The next result; None at the end.

        What the production of it raises is raised here. Taking once more then tries once more.
        """
        ...

    async def aclose(self) -> None:
        """Stop, and wait until nothing runs any more: in the task that began it."""
        ...


class Runtime(Protocol):
    """What the core asks of the world that it runs in. Times are seconds."""

    def now(self) -> float:
        """A clock that never goes back; its zero means nothing."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch; may jump."""
        ...

    def random(self) -> float:
        """A random number in [0, 1), for jitter."""
        ...

    def home(self) -> object:
        """What connections and waiters belong to; another one after a fork or in a new event loop."""
        ...

    async def send(self, request: HTTPRequest, deadline: Deadline) -> HTTPResponse:
        """Send a request and read its answer to the end; redirects are not followed.

        The request's header fields are completed when it has its turn. However the service answers, it ends
        at the deadline.

        Raises:
            APIConnectionError: No answer came; its `sent` says whether the request may have arrived.
            APITimeoutError: No answer came in time.
            PoolTimeoutError: No connection became free in time.
            ClientClosedError: The runtime was closed.
            ConfigurationError: A proxy or certificate of the environment cannot be used.
        """
        ...

    async def sleep(self, seconds: float, *, unless: Any = None) -> None:
        """Let time pass; no more of it once that waiter is woken."""
        ...

    def waiter(self) -> Any:
        """A thing that one call can wait on, once."""
        ...

    async def wait(self, waiter: Any, timeout: float) -> bool:
        """Wait until woken, at most that long; whether it was woken."""
        ...

    def wake(self, waiter: Any) -> None:
        """Wake whoever waits on this, now or later."""
        ...

    async def give_way(self) -> None:
        """Let others come first who are about to act: tasks, or threads that are just being started."""
        ...

    async def within(self, deadline: Deadline, work: Coroutine[Any, Any, T], *, doing: str) -> T:
        """Run a coroutine until the deadline: exactly then in async, at the next check in sync.

        Raises:
            APITimeoutError: The deadline came first; `doing` names the operation.
        """
        ...

    async def map_bounded(
        self, function: Callable[[T], Awaitable[R]], items: Iterable[T], *, limit: int
    ) -> list[R]:
        """Apply a coroutine function to every item, so many at a time; results in the items' order.

        The first failure stops what has not started and is raised.
        """
        ...

    async def read_ahead(self, produce: Callable[[], Awaitable[T | None]]) -> ReadAhead[T]:
        """Begin to produce results ahead, in one task or thread, until `aclose`; None ends them."""
        ...

    async def run_blocking(self, function: Callable[[], R]) -> R:
        """Run blocking code where it holds up nobody else; a cancelled call leaves it to end by itself."""
        ...

    async def shielded(self, work: Coroutine[Any, Any, object], *, seconds: float) -> None:
        """Run a coroutine even in a call that is being cancelled, but then no longer than that."""
        ...

    async def aclose(self) -> None:
        """Give back what this runtime opened; a second time does nothing."""
        ...
