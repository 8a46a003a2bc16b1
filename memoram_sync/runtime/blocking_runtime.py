"""The seam in the blocking world: threads, and connections of our own or a blocking HTTP client.

Its `async def` methods never suspend, so a coroutine of the core runs to its end in one step: see
`memoram_sync.runtime.coroutines.run`. There is no event loop and no thread behind it, and it works where a
loop is running already.

An interrupt, Ctrl-C being one, can end a call between any two steps, and leaves a lock held now and then
that is not taken by `with` alone. So there is none in the way of a call. What threads share are deques and
dictionaries, each change is a single operation of theirs, and whoever waits looks by itself now and then.
"""

from __future__ import annotations

import os
import random
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from memoram_async.core import defaults
from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import APIConnectionError, ClientClosedError, MemoramError, PoolTimeoutError
from memoram_async.core.http import HTTPRequest, HTTPResponse
from memoram_async.core.secret import Unshareable
from memoram_async.runtime.clock import SystemClock, pause, steady
from memoram_async.runtime.destination import split
from memoram_async.runtime.forking import no_fork, reset_after_fork
from memoram_async.runtime.httpx_adapter import (
    HTTPClient,
    check_http_client,
    check_still_open,
    error_from,
    refused_by_hook,
)
from memoram_async.runtime.protocol import Clock, ReadAhead
from memoram_async.runtime.settings import check_settings
from memoram_sync.runtime.bell import TURN_SECONDS, Bell
from memoram_sync.runtime.bounded_threads import BoundedThreads
from memoram_sync.runtime.coroutines import run
from memoram_sync.runtime.injected import exchange_over
from memoram_sync.runtime.turns import Place, Ticket, Turns

if TYPE_CHECKING:  # imported for the first request, or for those who ask for it
    from memoram_sync.runtime.connection import Connection
    from memoram_sync.runtime.connection_socket import ConnectionSocket
    from memoram_sync.runtime.route import Route

# The system's: applications seed the global generator, and workers that are seeded alike would act alike.
_CHANCE: Final = random.SystemRandom()

T = TypeVar("T")
R = TypeVar("R")


class BlockingRuntime(Unshareable):
    """Runs the core on the calling thread; see `memoram_async.runtime.protocol.Runtime`.

    A client may be shared by many threads. After a fork the child opens connections of its own. Closing
    it, from any thread, a signal handler or `__del__`, takes no lock: it ends waits at once and lets
    requests that are under way come to their end.
    """

    def __init__(
        self,
        http_client: HTTPClient | Literal["httpx2"] | None = None,
        *,
        clock: Clock | None = None,
        max_connections: int = defaults.MAX_CONNECTIONS,
        trust_env: bool = True,
    ) -> None:
        """A runtime that opens connections when it first sends.

        Args:
            http_client: A client of the caller's own, which is used as it is and never closed; or `"httpx2"`
                for connections of that library, whose pool has locks of its own.
            clock: The time to go by, for tests; the system's by default. A request that is under way follows
                its pace; all other waiting its jumps too.
            max_connections: How many requests may be under way at once; others wait their turn.
            trust_env: Whether the environment's proxies and certificates are used.

        Raises:
            ConfigurationError: `http_client` is not a blocking HTTP client, or `clock` tells no time.
            InvalidArgumentError: Another argument is of the wrong type.
        """
        check_settings(max_connections, trust_env, clock)
        self._clock: Clock = SystemClock() if clock is None else clock
        if http_client is not None and http_client != "httpx2":
            check_http_client(http_client, blocking=True)
        self._http_client = http_client
        self._max_connections = max_connections
        self._trust_env = trust_env
        self._closed = False
        self._begin_anew()
        reset_after_fork(self)

    def _begin_anew(self) -> None:
        self._turns = Turns(self._max_connections)
        self._routes: dict[str, Route] = {}
        self._sockets: dict[weakref.ref[ConnectionSocket], None] = {}
        self._bells: dict[Bell, None] = {}
        self._injected: HTTPClient | None
        if isinstance(self._http_client, str):  # "httpx2"
            from memoram_sync.runtime.httpx2_client import Httpx2Client

            self._injected = Httpx2Client(self._max_connections, trust_env=self._trust_env)
        else:
            self._injected = self._http_client

    def after_fork(self) -> None:
        """Begin anew in a forked child: connections are the parent's, and other threads stayed there."""
        # These are the child's descriptors of the parent's connections, which stay open there. An injected
        # client's connections are its owner's business.
        for known in list(self._sockets):
            inherited = known()
            if inherited is not None:
                inherited.close()
        self._begin_anew()

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
        """The process that connections and waiters belong to.

        Raises:
            ClientClosedError: The runtime was closed.
        """
        self._check_open()
        return os.getpid()

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosedError("this client was closed: make a new one")

    def _is_closed(self) -> bool:
        return self._closed

    async def send(self, request: HTTPRequest, deadline: Deadline) -> HTTPResponse:
        """Send a request and read its answer to the end; name resolution alone can overrun the deadline."""
        self._check_open()
        where, target = split(request.url)
        client = self._injected
        turns = self._turns
        leave = turns.leave
        ticket = Ticket()
        place = weakref.ref(ticket)
        connection: Connection | None = None
        try:
            turns.row[place] = None
            if len(turns.row) > turns.limit:
                self._wait_for_turn(turns, place, ticket, request, deadline)
            fields = request.complete_headers()
            if client is not None:
                outcome = self._exchange_over(client, request, fields, deadline)
            else:
                route = self._route(where)
                connection = self._take(route)
                outcome = self._exchange(connection, target, request, fields, deadline)
                if connection.pool.is_idle() and not self._closed:
                    # Nobody's, then everybody's: an interrupt in between must not close what others may use.
                    connection.used_at = steady()
                    whole, connection = connection, None
                    route.idle.append(whole)
                    route.close_stale()
        finally:
            try:
                leave(place, None)  # first, in one step: an interrupt may come after it, and not before
                if connection is not None:
                    connection.socket.close()
                turns.wake_next()
            except BaseException:
                leave(place, None)
                if connection is not None:
                    connection.socket.close()
                turns.wake_next()
                raise
        if self._closed:
            self._close_idle()  # this call may have kept a connection after the others had been closed
        if isinstance(outcome, MemoramError):
            raise outcome
        return outcome

    def _wait_for_turn(
        self, turns: Turns, place: Place, ticket: Ticket, request: HTTPRequest, deadline: Deadline
    ) -> None:
        timeout = self._clock.real_seconds(deadline.cap(request.timeout, now=self.now()))
        if turns.wait(place, ticket, seconds=timeout, give_up=self._is_closed):
            return
        self._check_open()
        raise PoolTimeoutError(
            f"{turns.limit} requests are under way and none ended in time; nothing was sent: use fewer "
            "threads, or a higher max_connections",
            sent=False,
        )

    def _route(self, where: str) -> Route:
        known = self._routes.get(where)
        if known is not None:
            return known
        with no_fork():  # a child that is forked meanwhile would find the import's lock held for good
            # httpcore imports trio and more, which not even making a client should cost.
            from memoram_sync.runtime.route import Route
        return self._routes.setdefault(where, Route(where, trust_env=self._trust_env))

    def _take(self, route: Route) -> Connection:
        """A connection for one exchange: an idle one, or a new one."""
        kept = route.take()
        if kept is not None:
            return kept
        connection = route.connection()
        self._sockets[weakref.ref(connection.socket)] = None  # before the look: two of them see each other
        while self._are_too_many() and self._close_oldest():
            pass
        return connection

    def _are_too_many(self) -> bool:
        """Whether more connections are open, or about to be, than may be."""
        number = 0
        for known in list(self._sockets):
            socket = known()
            if socket is None or socket.is_closed:
                self._sockets.pop(known, None)
            else:
                number += 1
        return number > self._max_connections

    def _close_oldest(self) -> bool:
        """Close the connection that has been idle for longest, wherever it leads; whether there was one."""
        idle = [(since, route) for route in list(self._routes.values()) if (since := route.idle_since)]
        if idle:
            _, route = min(idle, key=itemgetter(0))
            route.close_oldest()
        return bool(idle)

    def _exchange(
        self,
        connection: Connection,
        target: str,
        request: HTTPRequest,
        headers: Mapping[str, str],
        deadline: Deadline,
    ) -> HTTPResponse | MemoramError:
        """One request and its answer, or the error to raise where the client's own is out of sight."""
        left = deadline.remaining(self.now())
        if left <= 0:
            return _too_late()
        state = connection.socket.state
        state.begin(steady() + self._clock.real_seconds(left))
        timeout = self._clock.real_seconds(min(request.timeout, left))
        try:
            return connection.exchange(request, target, headers, timeout=timeout)
        except Exception as error:
            meaning = error_from(error, url=request.url)
            if meaning is None:
                raise
            if isinstance(meaning, APIConnectionError):
                # Without a socket, somebody else answered in our place, such as a mock.
                meaning.sent = meaning.sent and (state.sent or not connection.socket.was_used)
            return meaning.with_traceback(None)  # the frames in it hold what was read

    def _exchange_over(
        self,
        client: HTTPClient,
        request: HTTPRequest,
        headers: Mapping[str, str],
        deadline: Deadline,
    ) -> HTTPResponse | MemoramError:
        """The same over a client of the caller's own."""
        if deadline.expired(self.now()):
            return _too_late()
        check_still_open(client)
        timeout = self._clock.real_seconds(deadline.cap(request.timeout, now=self.now()))
        try:
            return exchange_over(
                client, request, headers, timeout=timeout, is_over=lambda: deadline.expired(self.now())
            )
        except Exception as error:
            meaning = refused_by_hook(error) or error_from(error, url=request.url)
            if meaning is None:
                check_still_open(client)
                raise
            return meaning.with_traceback(None) if isinstance(meaning, MemoramError) else meaning

    async def sleep(self, seconds: float, *, unless: Bell | None = None) -> None:
        """Let time pass; no more of it once that waiter is woken.

        Raises:
            ClientClosedError: The runtime was closed meanwhile.
        """
        self._rest(Bell() if unless is None else unless, seconds)

    def waiter(self) -> Bell:
        """A thing that one call can wait on, once."""
        return Bell()

    async def wait(self, waiter: Bell, timeout: float) -> bool:
        """Wait until woken, at most that long; whether it was woken.

        Raises:
            ClientClosedError: The runtime was closed meanwhile.
        """
        return self._rest(waiter, timeout)

    def _rest(self, bell: Bell, seconds: float) -> bool:
        """Wait until a bell rings, at most that long; whether it rang."""
        clock, bells = self._clock, self._bells
        until = self.now() + seconds
        left, rested = seconds, 0.0
        try:
            bells[bell] = None
            self._check_open()
            while left > 0 and not bell.wait(pause(clock, left)):
                rested += pause(clock, left)
                # A clock that stands still, as in users' tests, holds nobody up for ever.
                left = until - self.now() if rested < clock.real_seconds(seconds) else 0.0
        finally:
            bells.pop(bell, None)
        self._check_open()
        return bell.wait(0)

    def wake(self, waiter: Bell) -> None:
        """Wake whoever waits on this."""
        waiter.ring()

    async def give_way(self) -> None:
        """Let threads come first that are just being started: without a rest this one acts first."""
        Bell().wait(TURN_SECONDS)

    async def within(self, deadline: Deadline, work: Coroutine[Any, Any, T], *, doing: str) -> T:
        """Run a coroutine; a thread cannot be cancelled, so `send` and the transport keep to the deadline."""
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

        return BoundedThreads(work, limit=limit).map(items)

    async def read_ahead(self, produce: Callable[[], Awaitable[T | None]]) -> ReadAhead[T]:
        """Begin to produce results ahead, in one thread, until `aclose`."""
        with no_fork():
            from memoram_sync.runtime.read_ahead import ThreadReadAhead
        ahead = ThreadReadAhead(produce)
        ahead.start()
        return ahead

    async def run_blocking(self, function: Callable[[], R]) -> R:
        """Run blocking code right here."""
        return function()

    async def shielded(self, work: Coroutine[Any, Any, object], *, seconds: float) -> None:
        """Run a coroutine; a thread cannot be cancelled."""
        del seconds
        await work

    async def aclose(self) -> None:
        """Close the connections: idle ones now, others as their answers come. Again does nothing."""
        self._closed = True
        self._close_idle()
        self._turns.wake_all()
        for bell in list(self._bells):
            bell.ring()
        if self._injected is not None and self._injected is not self._http_client:
            self._injected.close()

    def _close_idle(self) -> None:
        for route in list(self._routes.values()):
            route.close_idle()


def _too_late() -> PoolTimeoutError:
    return PoolTimeoutError("the total timeout was over before the request was sent", sent=False)
