"""One test, three worlds: the SDK on asyncio, on trio, and its blocking mirror.

A test written with `await` against `World.client(...)` runs unchanged in the sync world, where the
blocking client is lifted: its methods are called as they are, and their results can be awaited.
"""

from __future__ import annotations

import inspect
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Self

import attrs
import httpx

import memoram_async
import memoram_async.memory_api
import memoram_sync
from memoram_async.runtime.anyio_runtime import AnyioRuntime
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from tests.mocked_network import MockedNetwork

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    import anyio

    from memoram_sync.runtime.bell import Bell
    from tests.mocked_network import Handler

API = "https://api.test/api/v1"
AUTH = "https://auth.test"
MEMORY_API = "https://memory.test/v1"
MEMORY_API_KEY = "mem_live_0123456789abcdef0123456789abcdef01234567"
API_KEY = "mem_" + "0123456789abcdef" * 3
TOKEN = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"


class Later:
    """A blocking call that is made when it is awaited."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call

    def __await__(self) -> Generator[Any, None, Any]:
        return lift(self._call())
        yield


class Lifted:
    """A blocking object that can be used with `await`, `async with` and `async for`."""

    def __init__(self, blocking: Any) -> None:
        self._blocking = blocking
        name = type(blocking).__name__
        self._twin: Any = getattr(memoram_async, f"Async{name}", None) or getattr(
            memoram_async.memory_api, f"Async{name}", None
        )

    def __getattr__(self, name: str) -> Any:
        if name == "aclose":
            return lambda: Later(self._blocking.close)
        value = getattr(self._blocking, name)
        if not callable(value):
            return lift(value)
        suspends = inspect.iscoroutinefunction(getattr(self._twin, name, None))

        def call(*args: Any, **kwargs: Any) -> Any:
            return Later(lambda: value(*args, **kwargs)) if suspends else lift(value(*args, **kwargs))

        return call

    def __repr__(self) -> str:
        return repr(self._blocking)

    async def __aenter__(self) -> Self:
        self._blocking.__enter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._blocking.__exit__(*error)

    def __aiter__(self) -> Lifted:
        return Lifted(iter(self._blocking))

    async def __anext__(self) -> Any:
        try:
            return lift(next(self._blocking))
        except StopIteration:
            raise StopAsyncIteration from None


def lift(value: Any) -> Any:
    """A result of the blocking SDK, lifted if it is one of its own objects."""
    return Lifted(value) if type(value).__module__.startswith("memoram_sync") else value


@attrs.define
class Time:
    """A clock that only sleeping moves.

    Attributes:
        slept: What was slept.
        waiting: Released by each call that begins to wait, such as for what another call is at.
    """

    moment: float = 1000.0
    epoch: float = 1_800_000_000.0
    slept: list[float] = attrs.field(factory=list[float])
    waiting: threading.Semaphore = attrs.field(factory=lambda: threading.Semaphore(0))

    def pass_by(self, seconds: float) -> None:
        """Let time pass for both clocks."""
        self.moment += seconds
        self.epoch += seconds


class _Clocked:
    """A runtime's clock, set by a test."""

    time: Time

    @classmethod
    def at(cls, time: Time | None) -> Self:
        """A runtime on that clock, or one of its own, over connections of its own."""
        runtime = cls()
        runtime.time = Time() if time is None else time
        return runtime

    def now(self) -> float:
        return self.time.moment

    def wall(self) -> float:
        return self.time.epoch

    def random(self) -> float:
        return 0.5

    if TYPE_CHECKING:

        async def wait(self, waiter: Any, timeout: float) -> bool: ...

    async def sleep(self, seconds: float, *, unless: Any = None) -> None:
        if unless is not None and await self.wait(unless, 0.0):
            return
        self.time.slept.append(seconds)
        self.time.pass_by(seconds)


class ClockedAnyioRuntime(_Clocked, AnyioRuntime):
    """The async runtime on a test's clock."""

    async def wait(self, waiter: anyio.Event, timeout: float) -> bool:
        self.time.waiting.release()
        return await super().wait(waiter, timeout)


class ClockedBlockingRuntime(_Clocked, BlockingRuntime):
    """The blocking runtime on a test's clock."""

    async def wait(self, waiter: Bell, timeout: float) -> bool:
        self.time.waiting.release()
        return await super().wait(waiter, timeout)


@attrs.frozen
class World:
    """Where a test runs.

    Attributes:
        name: `asyncio`, `trio` or `sync`.
        network: What its clients send to, where a test gives them a service.
        on_uvloop: Whether the event loop is uvloop's, which uvicorn brings.
    """

    name: str
    network: MockedNetwork = attrs.field(factory=MockedNetwork, eq=False, repr=False)
    on_uvloop: bool = False

    @property
    def backend(self) -> object:
        """The loop to run a test on, as anyio names it; the sync world runs inside one, as in a notebook."""
        if self.on_uvloop:
            return "asyncio", {"use_uvloop": True}
        return "trio" if self.name == "trio" else "asyncio"

    @property
    def is_sync(self) -> bool:
        """Whether it is the blocking world."""
        return self.name == "sync"

    def client(self, handler: Handler, *, time: Time | None = None, **options: Any) -> Any:
        """A client whose service is a function, on connections of its own below which respx answers."""
        hosts = self.network.place(handler, *(options.get(name) for name in ("base_url", "auth_url")))
        options = {
            "api_key": API_KEY,
            "base_url": f"https://{hosts.api}/api/v1",
            "auth_url": f"https://{hosts.auth}",
            **options,
        }
        if self.is_sync:
            return Lifted(memoram_sync.Memoram(runtime=ClockedBlockingRuntime.at(time), **options))
        return memoram_async.AsyncMemoram(runtime=ClockedAnyioRuntime.at(time), **options)

    def memory_api(self, handler: Handler, *, time: Time | None = None, **options: Any) -> Any:
        """A client of Memory API whose service is a function."""
        hosts = self.network.place(handler, options.get("base_url"))
        options = {"api_key": MEMORY_API_KEY, "base_url": f"https://{hosts.memory_api}/v1", **options}
        if self.is_sync:
            return Lifted(memoram_sync.MemoryAPI(runtime=ClockedBlockingRuntime.at(time), **options))
        return memoram_async.AsyncMemoryAPI(runtime=ClockedAnyioRuntime.at(time), **options)

    def real_memory_api(self, **options: Any) -> Any:
        """A client of Memory API that opens sockets."""
        if self.is_sync:
            return Lifted(memoram_sync.MemoryAPI(**options))
        return memoram_async.AsyncMemoryAPI(**options)

    def real_client(self, *, time: Time | None = None, **options: Any) -> Any:
        """A client that opens sockets, on its own clock or a test's."""
        if time is None:
            return (
                Lifted(memoram_sync.Memoram(**options))
                if self.is_sync
                else memoram_async.AsyncMemoram(**options)
            )
        if self.is_sync:
            return Lifted(memoram_sync.Memoram(runtime=ClockedBlockingRuntime.at(time), **options))
        return memoram_async.AsyncMemoram(runtime=ClockedAnyioRuntime.at(time), **options)


@attrs.define
class Service:
    """A service that answers from a script and remembers what it was asked.

    The token exchange is answered on its own; everything else takes the next answer, and the last one
    stays.
    """

    answers: deque[httpx.Response | Exception] = attrs.field(factory=deque[httpx.Response | Exception])
    requests: list[httpx.Request] = attrs.field(factory=list[httpx.Request])
    exchanges: list[httpx.Request] = attrs.field(factory=list[httpx.Request])

    @classmethod
    def answering(cls, *answers: httpx.Response | Exception) -> Service:
        """A service with these answers, in this order."""
        return cls(deque(answers))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if request.url.path.endswith("/auth/token"):
            self.exchanges.append(request)
            return httpx.Response(
                200, json={"token": TOKEN, "expires_at": "2040-01-01T00:00:00Z", "token_type": "Bearer"}
            )
        self.requests.append(request)
        answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def link(client: Any, code: str = "code-1", *, back: str = "https://app.test/back", **options: Any) -> Any:
    """A call that completes a flow, begun here, with that code."""
    flow = client.oauth.begin(redirect_uri=back, **options)
    return flow.complete({"code": code, "state": flow.state.reveal()})


async def items(pager: Any) -> list[Any]:
    """All items of a list."""
    return [item async for item in pager]


async def failure(awaitable: Awaitable[Any], kind: type[Exception]) -> Any:
    """The error of that kind that awaiting raises."""
    try:
        await awaitable
    except kind as error:
        return error
    raise AssertionError(f"nothing raised {kind.__name__}")
