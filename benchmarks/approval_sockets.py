"""The same as `approval_waits` counts, over sockets against Memoram Local, by a clock that both share.

    python -m benchmarks.approval_sockets

Ten minutes pass in two, or as `--speed` says. One who waits alone is measured dozens of times at once, each
with a client of its own; many share one. `--polls short` hides from the platform that the client knows entity
tags and long polls, as with a service that offers neither; with `long` it uses what the platform offers. The
platform lists all requests on one page, as the contract has it, unless `--page` says otherwise. Seconds are
the shared clock's: each real millisecond that a busy machine takes counts as many times as the clock is fast.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Final

import anyio
import attrs
import httpx

from memoram_async import ApprovalTimeout, AsyncMemoram
from memoram_async.runtime.anyio_runtime import AnyioRuntime
from memoram_local import MemoramLocal
from memoram_local.clock import Clock
from memoram_local.limits import Limits
from memoram_sync import Memoram
from memoram_sync.runtime.blocking_runtime import BlockingRuntime

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT: Final = 600.0
SPEED: Final = 5.0
TIMES_UNDECIDED: Final = 12
TIMES_DECIDED: Final = 36
"""So many wait alone: the platform's journal, which counts, keeps a thousand calls."""
START: Final = 0.5
"""Real seconds before the clock is sped up: threads start at the pace of the machine."""
LAST: Final = 10.0
"""Seconds at the end that are not counted: a deadline that is met late by this fast clock has a last look."""
SIGMA: Final = 1.1
MEDIAN: Final = 60.0
OFFERED: Final = ("prefer", "if-none-match")


@attrs.frozen
class SteadyClock:
    """A platform's clock for a client, which need not look at it often: once sped up it keeps its pace."""

    clock: Clock

    @property
    def can_jump(self) -> bool:
        """Whether it has not been sped up yet."""
        return self.clock.scale == 1

    def monotonic(self) -> float:
        """The platform's time."""
        return self.clock.monotonic()

    def wall(self) -> float:
        """The platform's time."""
        return self.clock.wall()

    def real_seconds(self, seconds: float) -> float:
        """How long it really takes."""
        return self.clock.real_seconds(seconds)


def _plain(request: httpx.Request) -> None:
    for name in OFFERED:
        request.headers.pop(name, None)


async def _plain_async(request: httpx.Request) -> None:
    _plain(request)


class Stage:
    """A platform, an application, and users who are about to be asked."""

    def __init__(self, local: MemoramLocal, url: str, waiters: int, *, clients: int, plain: bool) -> None:
        self.local = local
        self._url = url
        self._plain = plain
        self.clients = clients
        self._api_key = local.register_app(name="Planner").api_key
        self._decided: dict[str, float] = {}
        self.latencies: list[float] = []
        self.asked = 0.0
        with self.blocking() as client:
            self.ids = [
                client.access_requests.create(self._memory_key(number), reason="Plans journeys").id
                for number in range(waiters * clients)
            ]
        self.local.journal.clear()  # before anybody waits: first looks count

    def _memory_key(self, number: int) -> str:
        user = self.local.create_user(email=f"user{number}@example.com", password="correct horse")  # noqa: S106
        return user.memory_key

    def client(self) -> AsyncMemoram:
        """An async client."""
        http = httpx.AsyncClient(event_hooks={"request": [_plain_async]}) if self._plain else None
        runtime = AnyioRuntime(http, clock=SteadyClock(self.local.clock))
        return AsyncMemoram(
            self._api_key, base_url=f"{self._url}/api/v1", auth_url=self._url, runtime=runtime
        )

    def blocking(self) -> Memoram:
        """A blocking client."""
        http = httpx.Client(event_hooks={"request": [_plain]}) if self._plain else None
        runtime = BlockingRuntime(http, clock=SteadyClock(self.local.clock))
        return Memoram(self._api_key, base_url=f"{self._url}/api/v1", auth_url=self._url, runtime=runtime)

    def decide(self, share: float, *, speed: float) -> None:
        """Decide as users do, in the course of the ten minutes.

        Args:
            share: So many decide.
            speed: How fast the clock runs once everybody has begun to wait.
        """
        chance = random.Random(1)  # noqa: S311 - a simulation
        began = self.local.clock.monotonic()
        time.sleep(START)
        self.local.clock.scale = speed
        due = [
            (began + chance.lognormvariate(math.log(MEDIAN), SIGMA), request_id)
            for request_id in self.ids
            if chance.random() < share
        ]
        heapq.heapify(due)
        while due and due[0][0] < began + TIMEOUT - 3 * LAST:
            moment, request_id = heapq.heappop(due)
            self._sleep_until(moment)
            self._decided[request_id] = self.local.clock.monotonic()
            self.local.approve(request_id)
        self._sleep_until(began + TIMEOUT - LAST)
        operations = ("getAccessRequest", "listAccessRequests")
        calls = sum(len(self.local.journal.entries(operation)) for operation in operations)
        self.asked = calls / self.clients

    def _sleep_until(self, moment: float) -> None:
        time.sleep(max(0.0, self.local.clock.real_seconds(moment - self.local.clock.monotonic())))

    def heard(self, request_id: str) -> None:
        """Somebody knows of a decision."""
        self.latencies.append(self.local.clock.monotonic() - self._decided[request_id])


async def in_async(stage: Stage, share: float, speed: float) -> None:
    """Wait in tasks."""

    async def one(client: AsyncMemoram, request_id: str) -> None:
        try:
            await client.access_requests.wait(request_id, timeout=TIMEOUT)
        except ApprovalTimeout:
            return
        stage.heard(request_id)

    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(stage.client()) for _ in range(stage.clients)]
        group = await stack.enter_async_context(anyio.create_task_group())
        for number, request_id in enumerate(stage.ids):
            group.start_soon(one, clients[number % stage.clients], request_id)
        await anyio.to_thread.run_sync(lambda: stage.decide(share, speed=speed))


def in_sync(stage: Stage, share: float, speed: float) -> None:
    """Wait in threads."""

    def one(client: Memoram, request_id: str) -> None:
        try:
            client.access_requests.wait(request_id, timeout=TIMEOUT)
        except ApprovalTimeout:
            return
        stage.heard(request_id)

    with ExitStack() as stack:
        clients = [stack.enter_context(stage.blocking()) for _ in range(stage.clients)]
        pool = stack.enter_context(ThreadPoolExecutor(len(stage.ids)))
        waits = [
            pool.submit(one, clients[number % stage.clients], request_id)
            for number, request_id in enumerate(stage.ids)
        ]
        stage.decide(share, speed=speed)
        for wait in waits:
            wait.result()


def measured(waiters: int, share: float, options: argparse.Namespace) -> tuple[int, list[float]]:
    """Requests, and seconds from each decision until it was known, ascending."""
    clock = Clock()
    clients = 1
    if waiters == 1:
        clients = TIMES_DECIDED if share else TIMES_UNDECIDED
    limits = Limits(requests_listed=options.page or waiters * clients)
    with (
        MemoramLocal(password_profile="fast", clock=clock, limits=limits) as local,  # noqa: S106
        local.serve() as server,
    ):
        stage = Stage(local, server.url, waiters, clients=clients, plain=options.polls == "short")
        run: Callable[[], None] = (
            (lambda: anyio.run(in_async, stage, share, options.speed))
            if options.world == "async"
            else (lambda: in_sync(stage, share, options.speed))
        )
        run()
        clock.scale = 1
        return round(stage.asked), sorted(stage.latencies)


def main() -> None:
    """Print a line for each number of waiters."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waiters", type=int, nargs="+", default=[1, 100, 1000])
    parser.add_argument("--world", choices=["async", "sync"], default="async")
    parser.add_argument("--polls", choices=["short", "long"], default="short")
    parser.add_argument("--speed", type=float, default=SPEED, help="seconds of the clock to a real one")
    parser.add_argument("--page", type=int, help="requests to a page of the list; all on one by default")
    options = parser.parse_args()
    print("waiters | calls, nobody decides | calls, users decide | decisions | p50 | p99")
    for waiters in options.waiters:
        idle, _ = measured(waiters, 0.0, options)
        busy, seconds = measured(waiters, 0.8 if waiters > 1 else 1.0, options)
        middle, late = seconds[len(seconds) // 2], seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))]
        print(
            f"{waiters:,} | {idle} | {busy} | {len(seconds)} | {middle:.1f} s | {late:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
