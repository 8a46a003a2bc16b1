"""The seam in the async world: anyio and an async HTTP client."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread
import attrs

from memoram_async.core.errors import ClientClosedError, ConfigurationError, MemoramError
from memoram_async.core.http import HTTPResponse
from memoram_async.runtime.answer_body import Body, plain_headers
from memoram_async.runtime.clock import SystemClock, pause
from memoram_async.runtime.httpx_adapter import (
    CONNECTIONS,
    error_from,
    make_async_client,
    timed_out,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping

    from memoram_async.core.deadline import Deadline
    from memoram_async.core.http import HTTPRequest
    from memoram_async.runtime.httpx_adapter import AsyncHTTPClient
    from memoram_async.runtime.protocol import Clock

CLOSE_SECONDS: Final = 2.0

T = TypeVar("T")
R = TypeVar("R")


class _Home:
    """The process and event loop that connections belong to, and what lives there."""

    def __init__(self, pid: int, token: Any) -> None:
        self.pid = pid
        self.token = token
        self.name = object()
        self.idle: list[AsyncHTTPClient] = []
        self.limiter = anyio.CapacityLimiter(CONNECTIONS)


class AnyioRuntime:
    """Runs the core on asyncio or trio; see `memoram_async.runtime.protocol.Runtime`."""

    def __init__(self, http_client: AsyncHTTPClient | None = None, *, clock: Clock | None = None) -> None:
        """A runtime that opens connections when it first sends.

        Args:
            http_client: A client of the caller's own, which is used as it is and never closed.
            clock: The time to go by, for tests; the system's by default. The timeouts of a request that is
                under way follow its pace; all other waiting, and the total timeout, its jumps too.
        """
        self._clock: Clock = SystemClock() if clock is None else clock
        self._injected = http_client
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
        return random.random()  # noqa: S311 - jitter, not a secret

    def home(self) -> object:
        """The process and event loop that this runtime's connections and waiters belong to.

        Raises:
            ClientClosedError: The runtime was closed.
            ConfigurationError: They belong to another event loop that is still running.
        """
        return self._settle().name  # whoever keeps it does not keep connections alive

    def _settle(self) -> _Home:
        if self._closed:
            raise ClientClosedError("this client was closed: make a new one")
        token = anyio.lowlevel.current_token()
        pid = os.getpid()
        home = self._home
        if home is not None and home.token == token and home.pid == pid:
            return home
        if home is not None and home.pid == pid and not _is_over(home.token):
            raise ConfigurationError(
                "this client is in use in another event loop: make one client for each loop, in the loop"
            )
        # What the old loop or process left behind cannot be closed from here.
        self._home = _Home(pid, token)
        return self._home

    async def send(
        self,
        request: HTTPRequest,
        deadline: Deadline,
        *,
        headers: Callable[[], Mapping[str, str]] | None = None,
    ) -> HTTPResponse:
        """Send a request and read its answer to the end."""
        home = self._settle()
        async with home.limiter:
            if self._closed:
                raise ClientClosedError("this client was closed while the request waited its turn")
            if headers is not None:
                request = attrs.evolve(request, headers=headers())
            timeout = self._clock.real_seconds(deadline.cap(request.timeout, now=self.now()))
            if self._injected is not None:
                outcome = await _exchange(self._injected, request, timeout)
            else:
                outcome = await self._exchange_on_own(home, request, timeout)
        if isinstance(outcome, MemoramError):
            raise outcome
        return outcome

    async def _exchange_on_own(
        self, home: _Home, request: HTTPRequest, timeout: float
    ) -> HTTPResponse | MemoramError:
        """An exchange on a connection of our own, which is kept if the answer was read to its end."""
        client = home.idle.pop() if home.idle else make_async_client()
        whole = False
        try:
            outcome = await _exchange(client, request, timeout)
            whole = not isinstance(outcome, MemoramError)
        finally:
            if whole and self._home is home:
                home.idle.append(client)
            else:
                await _let_go(client)
        return outcome

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now() + seconds
        await anyio.sleep(pause(self._clock, seconds))
        # Nobody tells when a clock jumps, so there is nothing better to wait for.
        while (left := until - self.now()) > 0:  # noqa: ASYNC110
            await anyio.sleep(pause(self._clock, left))

    def waiter(self) -> anyio.Event:
        """A thing that one call can wait on, once."""
        return anyio.Event()

    async def wait(self, waiter: anyio.Event, timeout: float) -> bool:
        """Wait until woken, at most that long; whether it was woken."""
        until = self.now() + timeout
        left = timeout
        while True:
            with anyio.move_on_after(pause(self._clock, left)):
                await waiter.wait()
            left = until - self.now()
            if waiter.is_set() or left <= 0:
                return waiter.is_set()

    def wake(self, waiter: anyio.Event) -> None:
        """Wake whoever waits on this."""
        waiter.set()

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
            await self.sleep(seconds)
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

    async def run_blocking(self, function: Callable[[], R]) -> R:
        """Run blocking code in a worker thread; a cancelled call leaves it to end by itself."""
        return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)

    async def shielded(self, work: Coroutine[Any, Any, object], *, seconds: float) -> None:
        """Run a coroutine even in a call that is being cancelled, but no longer than that."""
        with anyio.move_on_after(seconds, shield=True):
            await work

    async def aclose(self) -> None:
        """Close the connections: idle ones now, others as their answers come. Again does nothing."""
        self._closed = True
        home, self._home = self._home, None
        if home is not None and home.pid == os.getpid() and not _is_over(home.token):
            for client in home.idle:
                await _let_go(client)


async def _let_go(client: AsyncHTTPClient) -> None:
    """Close a connection, whatever state it is in and even in a call that is being cancelled."""
    with anyio.move_on_after(CLOSE_SECONDS, shield=True), suppress(Exception):
        await client.aclose()


async def _exchange(
    client: AsyncHTTPClient,
    request: HTTPRequest,
    timeout: float,
) -> HTTPResponse | MemoramError:
    """One request and its answer, or the error to raise where the client's own is out of sight."""
    try:
        response: Any = None
        try:
            response = await client.send(
                client.build_request(
                    request.method,
                    request.url,
                    headers=request.headers,
                    content=request.content,
                    timeout=max(timeout, 0.001),
                ),
                stream=True,
                auth=None,
                follow_redirects=False,
            )
            headers = plain_headers(response.headers.raw)
            content = await _read(response, headers)
            return HTTPResponse(status=response.status_code, headers=headers, content=content)
        finally:
            if response is not None:
                await response.aclose()
    except Exception as error:
        meaning = error_from(error, url=request.url)
        if meaning is None:
            raise
        return meaning.with_traceback(None)  # the frames in it hold what was read


async def _read(response: Any, headers: dict[str, str]) -> bytes:
    if response.is_stream_consumed:  # a transport that answers from memory
        return bytes(response.content)
    body = Body(headers)
    async for chunk in response.aiter_raw():
        body.add(chunk)
        del chunk  # a traceback may show what local variables hold
    return body.content()


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
