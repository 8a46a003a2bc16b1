"""Many callers of one client at once, in any world, and a service that holds its exchanges back.

A test is plain code that steers from outside: callers are threads in the blocking world, and tasks of a
loop in a thread of its own in the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import anyio
import anyio.from_thread
import anyio.to_thread
import attrs
import httpx

import memoram_async
import memoram_sync
from tests.worlds import API, API_KEY, AUTH, ClockedAnyioRuntime, ClockedBlockingRuntime, Time

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from tests.worlds import World

Answer: TypeAlias = Callable[[], httpx.Response]

THREADS: Final = 200
PROMPTLY: Final = 30.0


def _semaphore() -> threading.Semaphore:
    return threading.Semaphore(0)


def _open_gate() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


@attrs.define
class TokenService:
    """Exchanges the key for `token-1`, `token-2` and so on; answers what bears the newest of them.

    Attributes:
        answers: What to do at an exchange instead, by its number.
        gate: Exchanges wait until it opens.
        door: All other requests wait until it opens.
        asked: Released by each exchange that has come.
        lifetime: Seconds that a token lives.
        exchanges: What the exchanges carried.
        revoked: How many of the tokens, from the first on, are refused.
        refused: Tokens of requests that were refused.
        served: Tokens of requests that were answered.
        time: The service's clock.
    """

    time: Time = attrs.field(factory=Time)
    answers: dict[int, Answer] = attrs.field(factory=dict[int, Answer])
    gate: threading.Event = attrs.field(factory=_open_gate)
    door: threading.Event = attrs.field(factory=_open_gate)
    asked: threading.Semaphore = attrs.field(factory=_semaphore)
    lifetime: float = 3600.0
    exchanges: list[httpx.Request] = attrs.field(factory=list[httpx.Request])
    refused: list[str] = attrs.field(factory=list[str])
    served: list[str] = attrs.field(factory=list[str])
    revoked: int = 0

    def token(self) -> httpx.Response:
        """A fresh token, in the contract's words, from a clock that keeps the local time."""
        return issued(
            f"token-{len(self.exchanges)}", date=self.time.epoch, expires=self.time.epoch + self.lifetime
        )

    def blocking(self, request: httpx.Request) -> httpx.Response:
        """One request in a thread."""
        if not request.url.path.endswith("/auth/token"):
            self.door.wait(PROMPTLY)
            return self._serve(request)
        answer = self._ask(request)
        patience = request.extensions["timeout"]["read"]
        if not self.gate.wait(patience):
            self.time.pass_by(patience)
            raise httpx.ReadTimeout("held back")
        return answer()

    async def suspending(self, request: httpx.Request) -> httpx.Response:
        """One request in a loop."""
        if not request.url.path.endswith("/auth/token"):
            await _pass(self.door)
            return self._serve(request)
        answer = self._ask(request)
        patience = request.extensions["timeout"]["read"]
        with anyio.move_on_after(patience):
            await _pass(self.gate)
            return answer()
        self.time.pass_by(patience)
        raise httpx.ReadTimeout("held back")

    def _ask(self, request: httpx.Request) -> Answer:
        self.exchanges.append(request)
        self.asked.release()
        return self.answers.get(len(self.exchanges), self.token)

    def _serve(self, request: httpx.Request) -> httpx.Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        if token in {f"token-{number + 1}" for number in range(self.revoked)}:
            self.refused.append(token)
            return httpx.Response(401)
        self.served.append(token)
        return httpx.Response(200, json={"id": "tag_1"})


async def _pass(gate: threading.Event) -> None:
    if not gate.is_set():
        await anyio.to_thread.run_sync(gate.wait, PROMPTLY, abandon_on_cancel=True)


def issued(token: str, *, date: float | None = None, expires: float | str | None = None) -> httpx.Response:
    """The answer to an exchange."""
    body: dict[str, object] = {"token": token}
    if expires is not None:
        body["expires_at"] = expires if isinstance(expires, str) else _iso(expires)
    return httpx.Response(200, json=body, headers={} if date is None else {"date": _http(date)})


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat()


def _http(epoch: float) -> str:
    return formatdate(epoch, usegmt=True)


class _Arrivals(memoram_async.Hooks):
    def __init__(self) -> None:
        self.sending = threading.Semaphore(0)

    def before_request(self, attempt: memoram_async.Attempt) -> None:
        if attempt.operation == "getTag":
            self.sending.release()


class Crowd:
    """Callers of one cold client, all of whom read the same tag.

    Attributes:
        client: The client.
        waiting: Released by each caller that waits for another's exchange.
        sending: Released by each caller that has a token and is about to send.
    """

    def __init__(self, world: World, service: TokenService, **options: Any) -> None:
        self._world = world
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self.waiting = service.time.waiting
        hooks = _Arrivals()
        self.sending = hooks.sending
        options = {"api_key": API_KEY, "base_url": API, "auth_url": AUTH, "hooks": hooks, **options}
        if world.is_sync:
            world.network.place(service.blocking)
            self.client: Any = memoram_sync.Memoram(
                runtime=ClockedBlockingRuntime.at(service.time), **options
            )
        else:
            world.network.place(service.suspending)
            self.client = memoram_async.AsyncMemoram(runtime=ClockedAnyioRuntime.at(service.time), **options)

    def __enter__(self) -> Self:
        if self._world.is_sync:
            pool = self._stack.enter_context(ThreadPoolExecutor(THREADS))
            self._submit: Callable[[Callable[[], Any]], Future[Any]] = pool.submit
        else:
            self._portal = self._stack.enter_context(
                anyio.from_thread.start_blocking_portal(self._world.name)
            )
            self._submit = self._portal.start_task_soon
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def call(self, client: Any = None) -> Future[Any]:
        """Let one more caller come."""
        client = self.client if client is None else client
        return self._submit(partial(client.tags.get, "tag_1", user_id="u"))

    def calls(self, number: int) -> list[Future[Any]]:
        """Let so many more come, all at once."""
        if self._portal is None:
            return [self.call() for _ in range(number)]
        calls: list[Future[Any]] = [Future() for _ in range(number)]
        self._portal.start_task_soon(self._make, calls)  # asking the loop for each of them takes its time
        return calls

    async def _make(self, calls: list[Future[Any]]) -> None:
        async with anyio.create_task_group() as group:
            for call in calls:
                group.start_soon(self._answer, call)

    async def _answer(self, call: Future[Any]) -> None:
        try:
            call.set_result(await self.client.tags.get("tag_1", user_id="u"))
        except Exception as error:  # noqa: BLE001 - told to whoever waits for it
            call.set_exception(error)

    def until_waiting(self, number: int) -> None:
        """Go on when so many more callers wait for another's exchange."""
        until(self.waiting, number)


def until(semaphore: threading.Semaphore, number: int = 1) -> None:
    """Go on when it has been released so many times."""
    for _ in range(number):
        assert semaphore.acquire(timeout=PROMPTLY)


def first(number: int, calls: list[Future[Any]]) -> list[Future[Any]]:
    """So many of the calls, once they have ended."""
    return list(islice(as_completed(calls, timeout=PROMPTLY), number))


def results(calls: list[Future[Any]]) -> list[Any]:
    """What the calls answered; raises what one of them raised."""
    return [call.result(PROMPTLY) for call in calls]


def errors(calls: list[Future[Any]]) -> list[BaseException | None]:
    """What each of the calls raised."""
    return [call.exception(PROMPTLY) for call in calls]
