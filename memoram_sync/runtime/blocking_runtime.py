"""The seam in the blocking world: threads and a blocking HTTP client.

Its `async def` methods never suspend, so a coroutine of the core runs to its end in one step: see
`run`. There is no event loop and no thread behind it, and it works where a loop is running already.
"""

from __future__ import annotations

import os
import random
import threading
import weakref
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor
from concurrent.futures import wait as wait_for_futures
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from memoram_async.core.errors import ClientClosedError, InternalError, MemoramError, PoolTimeoutError
from memoram_async.core.http import HTTPResponse
from memoram_async.runtime.answer_body import Body, plain_headers
from memoram_async.runtime.clock import SystemClock, pause
from memoram_async.runtime.forking import reset_after_fork
from memoram_async.runtime.httpx_adapter import (
    CONNECTIONS,
    error_from,
    make_client,
    timed_out,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
    from concurrent.futures import Future
    from socket import socket

    from memoram_async.core.deadline import Deadline
    from memoram_async.core.http import HTTPRequest
    from memoram_async.runtime.httpx_adapter import HTTPClient
    from memoram_async.runtime.protocol import Clock

T = TypeVar("T")
R = TypeVar("R")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine of the core over a blocking runtime to its end.

    Raises:
        InternalError: The coroutine suspended, which is a fault of the SDK.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise InternalError(
        f"{getattr(coroutine, '__qualname__', coroutine)} suspended in the blocking world; please report this"
    )


class BlockingRuntime:
    """Runs the core on the calling thread; see `memoram_async.runtime.protocol.Runtime`.

    A client may be shared by many threads. After a fork the child opens connections of its own. Closing
    it, from any thread, ends waits at once and lets requests that are under way come to their end.
    """

    def __init__(self, http_client: HTTPClient | None = None, *, clock: Clock | None = None) -> None:
        """A runtime that opens connections when it first sends.

        Args:
            http_client: A client of the caller's own, which is used as it is and never closed.
            clock: The time to go by, for tests; the system's by default. A request that is under way follows
                its pace; all other waiting its jumps too.
        """
        self._clock: Clock = SystemClock() if clock is None else clock
        self._injected = http_client
        self._idle: list[HTTPClient] = []
        self._turns = threading.Condition(threading.Lock())
        self._under_way: dict[object, HTTPClient] = {}
        self._sockets: weakref.WeakSet[socket] = weakref.WeakSet()
        self._closed = threading.Event()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Begin anew in a forked child: connections are the parent's, and other threads stayed there."""
        self._turns = threading.Condition(threading.Lock())
        self._under_way = {}
        was_closed, self._closed = self._closed.is_set(), threading.Event()
        if was_closed:
            self._closed.set()
        # These are the child's descriptors of the parent's connections, which stay open there. The HTTP
        # client itself cannot be closed: another thread may have held its locks.
        for inherited in list(self._sockets):
            inherited.close()
        self._sockets = weakref.WeakSet()
        # An injected client's connections are its owner's business.
        self._idle = []

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
        """The process that connections and waiters belong to.

        Raises:
            ClientClosedError: The runtime was closed.
        """
        self._check_open()
        return os.getpid()

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise ClientClosedError("this client was closed: make a new one")

    def _begin(self, ticket: object, *, patience: float) -> HTTPClient:
        """Wait for a turn and take it; the HTTP client, which is the ticket's until it is handed back."""
        with self._turns:
            try:
                self._turns.wait_for(self._has_turn, patience)
                return self._take_turn(ticket)
            except BaseException:
                self._turns.notify()  # the turn that this thread was woken for is the next one's
                raise

    def _take_turn(self, ticket: object) -> HTTPClient:
        self._check_open()
        if not self._has_turn():
            raise PoolTimeoutError(
                f"{CONNECTIONS} requests are under way and none ended in time; nothing was sent: use fewer "
                "threads",
                sent=False,
            )
        if self._injected is not None:
            client = self._injected
        else:
            client = self._idle.pop() if self._idle else make_client()
        self._under_way[ticket] = client
        return client

    def _has_turn(self) -> bool:
        return len(self._under_way) < CONNECTIONS or self._closed.is_set()

    def _end(self, ticket: object, *, whole: bool) -> None:
        """Hand a ticket back, and the connection if an answer was read to its end. Again does nothing."""
        with self._turns:
            client = self._under_way.pop(ticket, None)
            self._turns.notify()
            if client is self._injected:
                return
            if client is not None and whole and not self._closed.is_set():
                self._idle.append(client)
                return
        if client is not None:
            client.close()

    async def send(
        self,
        request: HTTPRequest,
        deadline: Deadline,
        *,
        headers: Callable[[], Mapping[str, str]] | None = None,
    ) -> HTTPResponse:
        """Send a request and read its answer to the end; the deadline is checked between chunks."""
        ticket, whole = object(), False
        try:
            client = self._begin(ticket, patience=self._timeout(request, deadline))
            if headers is not None:
                request = attrs.evolve(request, headers=headers())
            outcome = self._exchange(client, request, deadline)
            whole = not isinstance(outcome, MemoramError)
        finally:
            try:
                self._end(ticket, whole=whole)
            finally:
                self._end(ticket, whole=False)  # a key press may have interrupted the first one
        if isinstance(outcome, MemoramError):
            raise outcome
        return outcome

    def _exchange(
        self, client: HTTPClient, request: HTTPRequest, deadline: Deadline
    ) -> HTTPResponse | MemoramError:
        """One request and its answer, or the error to raise where the client's own is out of sight."""
        if deadline.expired(self.now()):
            return PoolTimeoutError("the total timeout was over before the request was sent", sent=False)
        try:
            response: Any = None
            try:
                response = client.send(
                    client.build_request(
                        request.method,
                        request.url,
                        headers=request.headers,
                        content=request.content,
                        timeout=max(self._timeout(request, deadline), 0.001),
                    ),
                    stream=True,
                    auth=None,
                    follow_redirects=False,
                )
                self._note_socket(response)
                headers = plain_headers(response.headers.raw)
                content = self._read(response, headers, deadline)
                return HTTPResponse(status=response.status_code, headers=headers, content=content)
            finally:
                if response is not None:
                    response.close()
        except Exception as error:
            meaning = error_from(error, url=request.url)
            if meaning is None:
                raise
            return meaning.with_traceback(None)  # the frames in it hold what was read

    def _timeout(self, request: HTTPRequest, deadline: Deadline) -> float:
        return self._clock.real_seconds(deadline.cap(request.timeout, now=self.now()))

    def _note_socket(self, response: Any) -> None:
        stream = None if self._injected else response.extensions.get("network_stream")
        connection = None if stream is None else stream.get_extra_info("socket")
        if connection is not None:
            with self._turns:
                self._sockets.add(connection)

    def _read(self, response: Any, headers: dict[str, str], deadline: Deadline) -> bytes:
        if response.is_stream_consumed:  # a transport that answers from memory
            return bytes(response.content)
        body = Body(headers)
        for chunk in response.iter_raw():
            body.add(chunk)
            del chunk  # a traceback may show what local variables hold
            if deadline.expired(self.now()):
                raise timed_out("reading the answer")
        return body.content()

    async def sleep(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ClientClosedError: The runtime was closed meanwhile.
        """
        until = self.now() + seconds
        left = seconds
        while left > 0:
            self._closed.wait(pause(self._clock, left))
            self._check_open()
            left = until - self.now()
        self._check_open()

    def waiter(self) -> threading.Event:
        """A thing that one call can wait on, once."""
        return threading.Event()

    async def wait(self, waiter: threading.Event, timeout: float) -> bool:
        """Wait until woken, at most that long; whether it was woken."""
        until = self.now() + timeout
        left = timeout
        while not waiter.wait(pause(self._clock, left)):
            left = until - self.now()
            if left <= 0:
                return False
        return True

    def wake(self, waiter: threading.Event) -> None:
        """Wake whoever waits on this."""
        waiter.set()

    async def within(self, deadline: Deadline, work: Coroutine[Any, Any, T], *, doing: str) -> T:
        """Run a coroutine; a thread cannot be cancelled, so `send` and the transport check the deadline."""
        del deadline, doing
        return await work

    async def map_bounded(
        self, function: Callable[[T], Awaitable[R]], items: Iterable[T], *, limit: int
    ) -> list[R]:
        """Apply a coroutine function to every item, so many threads at a time; results in order.

        The first failure, and an interrupt, stop what has not started.
        """

        async def started(item: T) -> R:
            return await function(item)

        def work(item: T) -> R:
            return run(started(item))

        results: dict[int, R] = {}
        running: dict[Future[R], int] = {}

        def collect() -> None:
            done, _ = wait_for_futures(running, return_when=FIRST_COMPLETED)
            for future in done:
                results[running.pop(future)] = future.result()

        with ThreadPoolExecutor(limit, thread_name_prefix="memoram") as pool:
            try:
                for index, item in enumerate(items):
                    running[pool.submit(copy_context().run, work, item)] = index
                    if len(running) >= limit:
                        collect()
                while running:
                    collect()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [results[index] for index in sorted(results)]

    async def run_blocking(self, function: Callable[[], R]) -> R:
        """Run blocking code right here."""
        return function()

    async def shielded(self, work: Coroutine[Any, Any, object], *, seconds: float) -> None:
        """Run a coroutine; a thread cannot be cancelled."""
        del seconds
        await work

    async def aclose(self) -> None:
        """Close the connections: idle ones now, others as their answers come. Again does nothing."""
        with self._turns:
            self._closed.set()
            self._turns.notify_all()
            idle, self._idle = self._idle, []
        for client in idle:
            client.close()
