"""The seam in the async world: anyio and an async HTTP client."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread
import sniffio

from memoram_async.core import defaults
from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import ClientClosedError, ConfigurationError, MemoramError
from memoram_async.core.http import HTTPRequest, HTTPResponse
from memoram_async.core.secret import Unshareable
from memoram_async.core.urls import origin
from memoram_async.runtime.clock import SystemClock, pause
from memoram_async.runtime.forking import no_fork
from memoram_async.runtime.httpx_adapter import AsyncHTTPClient, check_http_client, timed_out
from memoram_async.runtime.loop_end import end_with_loop
from memoram_async.runtime.protocol import Clock, ReadAhead
from memoram_async.runtime.settings import check_settings
from memoram_async.runtime.turns import Turns

if TYPE_CHECKING:  # imported for the first request, or for those who ask for it
    from memoram_async.runtime.async_clients import Httpx2Connections, InjectedClient
    from memoram_async.runtime.async_connections import AsyncConnections

# The system's: applications seed the global generator, and workers that are seeded alike would act alike.
_CHANCE: Final = random.SystemRandom()

T = TypeVar("T")
R = TypeVar("R")


class _Home:
    """The process and event loop that connections and waiters belong to, and what lives there."""

    def __init__(
        self,
        token: anyio.lowlevel.EventLoopToken,
        connections: AsyncConnections | InjectedClient | Httpx2Connections,
        turns: Turns,
    ) -> None:
        self.pid = os.getpid()
        self.token = token
        self.library = sniffio.current_async_library()
        self.name = object()
        self.turns = turns
        self.connections = connections
        self.waiting: dict[anyio.Event, None] = {}

    @property
    def is_here(self) -> bool:
        """Whether this is the running loop, in the same process."""
        if self.pid != os.getpid() or sniffio.current_async_library() != self.library:
            return False
        if self.library == "asyncio":  # much cheaper to ask than for anyio's token
            return asyncio.get_running_loop() is self.token.native_token
        return anyio.lowlevel.current_token() == self.token

    def send_home(self) -> None:
        """End all waiting, because the client was closed."""
        self.turns.close()
        for bell in list(self.waiting):
            bell.set()


class AnyioRuntime(Unshareable):
    """Runs the core on asyncio or trio; see `memoram_async.runtime.protocol.Runtime`."""

    def __init__(
        self,
        http_client: AsyncHTTPClient | Literal["httpx2"] | None = None,
        *,
        max_connections: int = defaults.MAX_CONNECTIONS,
        trust_env: bool = True,
        clock: Clock | None = None,
    ) -> None:
        """A runtime that opens connections when it first sends.

        Args:
            http_client: A client of the caller's own, which is used as it is and never closed; or `"httpx2"`
                for one of that library, made and closed by the runtime.
            max_connections: How many requests may be under way at once, each on a connection of its own.
            trust_env: Whether the environment's proxies and certificates are used.
            clock: The time to go by, for tests; the system's by default. The timeouts of a request that is
                under way follow its pace; all other waiting, and the total timeout, its jumps too.

        Raises:
            ConfigurationError: `http_client` cannot send requests in async code, or `clock` tells no time.
            InvalidArgumentError: Another argument is of the wrong type.
        """
        check_settings(max_connections, trust_env, clock)
        if http_client is not None and http_client != "httpx2":
            check_http_client(http_client, blocking=False)
        self._clock: Clock = SystemClock() if clock is None else clock
        self._http_client = http_client
        self._max_connections = max_connections
        self._trust_env = trust_env
        self._home: _Home | None = None
        self._closed = False

    def now(self) -> float:
        """A clock that never goes back."""
        return self._clock.monotonic()

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._clock.wall()

    def random(self) -> float:
        """A random number in [0, 1)."""
        return _CHANCE.random()

    def home(self) -> object:
        """The process and event loop that this runtime's connections and waiters belong to.

        Raises:
            ClientClosedError: The runtime was closed.
            ConfigurationError: They belong to another event loop that is still running.
        """
        return self._settle().name  # whoever keeps it does not keep connections alive

    def _settle(self) -> _Home:
        self._check_open()
        home = self._home
        if home is not None and home.is_here:
            return home
        if home is not None and home.pid == os.getpid() and not _is_over(home.token):
            raise ConfigurationError(
                "this client is in use in another event loop: make one client for each loop, in the loop"
            )
        # What another process left behind is not closed from here; a loop that has ended has closed its own.
        self._home = _Home(anyio.lowlevel.current_token(), self._connections(), Turns(self._max_connections))
        return self._home

    def _connections(self) -> AsyncConnections | InjectedClient | Httpx2Connections:
        client, most = self._http_client, self._max_connections
        with no_fork():  # a child that is forked meanwhile would find the import's lock held for good
            if client is None:
                # httpcore imports trio and more, which not even making a client should cost.
                from memoram_async.runtime.async_connections import AsyncConnections

                connections = AsyncConnections(most, trust_env=self._trust_env)
                end_with_loop(connections)
                return connections
            from memoram_async.runtime.async_clients import Httpx2Connections, InjectedClient

            if isinstance(client, str):
                return Httpx2Connections(most, trust_env=self._trust_env)
            return InjectedClient(client)

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosedError("this client was closed: make a new one")

    async def send(self, request: HTTPRequest, deadline: Deadline) -> HTTPResponse:
        """Send a request and read its answer to the end."""
        home = self._settle()
        if not home.turns.take_at_once():
            await home.turns.take(self._clock.real_seconds(deadline.remaining(self.now())))
        try:
            self._check_open()
            fields = request.complete_headers()
            left = deadline.remaining(self.now())
            if left <= 0:
                raise timed_out(origin(request.url), sent=False)
            real_seconds = self._clock.real_seconds
            exchange = home.connections.exchange(
                request, fields, timeout=real_seconds(min(request.timeout, left)), seconds=real_seconds(left)
            )
            if self._clock.can_jump:
                exchange = self._within_jumps(left, exchange, doing=origin(request.url))
            outcome = await exchange
        finally:
            home.turns.give()
        if isinstance(outcome, MemoramError):
            raise outcome
        return outcome

    async def sleep(self, seconds: float, *, unless: anyio.Event | None = None) -> None:
        """Let time pass; no more of it once that waiter is woken.

        Raises:
            ClientClosedError: The runtime was closed meanwhile.
        """
        await self.wait(anyio.Event() if unless is None else unless, seconds)

    def waiter(self) -> anyio.Event:
        """A thing that one call can wait on, once."""
        return anyio.Event()

    async def wait(self, waiter: anyio.Event, timeout: float) -> bool:
        """Wait until woken, at most that long; whether it was woken.

        Raises:
            ClientClosedError: The runtime was closed meanwhile.
        """
        home = self._settle()
        until = self.now() + timeout
        left = timeout
        home.waiting[waiter] = None
        try:
            while True:
                with anyio.move_on_after(pause(self._clock, left)):
                    await waiter.wait()
                # A clock that cannot jump may stand still all the same: what counts is what was waited.
                left = until - self.now() if self._clock.can_jump else 0
                if waiter.is_set() or left <= 0:
                    break
        finally:
            home.waiting.pop(waiter, None)
        self._check_open()
        return waiter.is_set()

    def wake(self, waiter: anyio.Event) -> None:
        """Wake whoever waits on this."""
        waiter.set()

    async def give_way(self) -> None:
        """Let tasks come first that are about to act, in whatever order the loop takes those of a turn."""
        for _ in range(2):
            await anyio.lowlevel.checkpoint()

    async def within(self, deadline: Deadline, work: Coroutine[Any, Any, T], *, doing: str) -> T:
        """Run a coroutine until exactly the deadline."""
        remaining = deadline.remaining(self.now())
        if self._clock.can_jump:
            return await self._within_jumps(remaining, work, doing=doing)
        with anyio.move_on_after(None if remaining == float("inf") else remaining):
            return await work
        raise timed_out(doing)

    async def _within_jumps(self, seconds: float, work: Coroutine[Any, Any, T], *, doing: str) -> T:
        """Run a coroutine while somebody watches the clock."""
        outcome: list[T] = []
        failure: list[Exception] = []

        async def watch() -> None:
            until = self.now() + seconds
            while (left := until - self.now()) > 0:  # noqa: ASYNC110 - nobody tells when a clock jumps
                await anyio.sleep(pause(self._clock, left))
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            try:
                outcome.append(await work)
            except Exception as error:  # noqa: BLE001 - raised below: the group would wrap it
                failure.append(error)
            group.cancel_scope.cancel()
        if failure:
            raise failure[0]
        if not outcome:
            raise timed_out(doing)
        return outcome[0]

    async def map_bounded(
        self, function: Callable[[T], Awaitable[R]], items: Iterable[T], *, limit: int
    ) -> list[R]:
        """Apply a coroutine function to every item, so many at a time; results in the items' order."""
        results: dict[int, R] = {}
        failure: list[Exception] = []
        numbered = enumerate(items)

        async def work() -> None:
            for index, item in numbered:
                try:
                    results[index] = await function(item)
                except Exception as error:  # noqa: BLE001 - handed on below, whatever it is
                    failure.append(error)
                    group.cancel_scope.cancel()
                    return

        async with anyio.create_task_group() as group:
            for _ in range(limit):
                group.start_soon(work)
        if failure:
            raise failure[0]
        return [results[index] for index in sorted(results)]

    async def read_ahead(self, produce: Callable[[], Awaitable[T | None]]) -> ReadAhead[T]:
        """Begin to produce results ahead, in one task, until `aclose`."""
        with no_fork():
            from memoram_async.runtime.read_ahead import TaskReadAhead
        ahead = TaskReadAhead(produce)
        await ahead.start()
        return ahead

    async def run_blocking(self, function: Callable[[], R]) -> R:
        """Run blocking code in a worker thread; a cancelled call leaves it to end by itself."""
        return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)

    async def shielded(self, work: Coroutine[Any, Any, object], *, seconds: float) -> None:
        """Run a coroutine even in a call that is being cancelled, but no longer than that."""
        with anyio.move_on_after(seconds, shield=True):
            await work

    async def aclose(self) -> None:
        """Close the connections and end all waiting: idle ones now, others as their answers come.

        Again does nothing.
        """
        self._closed = True
        home, self._home = self._home, None
        if home is None or home.pid != os.getpid():
            return
        if _is_over(home.token):
            return
        if home.is_here:
            home.send_home()
            await home.connections.aclose()
            await anyio.lowlevel.cancel_shielded_checkpoint()  # asyncio closes sockets in its next round
        else:
            _run_in(home.token, home.send_home)


def _run_in(token: anyio.lowlevel.EventLoopToken, function: Callable[[], object]) -> None:
    """Have another thread's event loop call a function soon."""
    native: Any = token.native_token
    call_soon = getattr(native, "call_soon_threadsafe", None) or native.run_sync_soon
    with suppress(RuntimeError):  # it has ended meanwhile; trio's RunFinishedError is one
        call_soon(function)


def _is_over(token: anyio.lowlevel.EventLoopToken) -> bool:
    """Whether an event loop has ended."""
    native: Any = token.native_token
    if hasattr(native, "is_closed"):
        return bool(native.is_closed())
    try:
        native.run_sync_soon(lambda: None)
    except Exception as error:  # noqa: BLE001 - trio's RunFinishedError, without importing trio
        return type(error).__name__ == "RunFinishedError"
    return False
