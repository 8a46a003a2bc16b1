"""A thread that Ctrl-C interrupts at any line of ours leaves token, turns and connections whole.

Real signals reach the main thread at moments of their own choosing. Here a trace function raises instead,
at the first line that runs, then at the second, and so on through the whole call.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from memoram_sync import Memoram
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from tests.cancellation.at_each_line import interrupted, walk
from tests.cancellation.inside import inside
from tests.cancellation.service import PROMPTLY, tag_service

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future

    from memoram_sync.runtime.bell import Bell

# What an interrupt caught before anybody had a name for it ends when it is collected.
pytestmark = [
    pytest.mark.endurance,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CONNECTIONS: Final = 8


def read(client: Memoram, tag: str = "tag_1") -> None:
    assert client.tags.get(tag, user_id="u").id == tag


def read_all_at_once(client: Memoram) -> None:
    """As many calls as may be under way, none of which ends before all have arrived."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for call in [pool.submit(read, client, "together") for _ in range(CONNECTIONS)]:
            call.result()


def own_connections(url: str) -> Memoram:
    """A client with few connections."""
    return Memoram("mem_x", base_url=url, runtime=BlockingRuntime(max_connections=CONNECTIONS))


def is_whole(client: Memoram, where: str) -> None:
    """Fails if a call that was interrupted left anything behind."""
    assert inside(client, "_async._family.runtime._turns.row") == {}, where
    assert inside(client, "_async._family.tokens.state._queue") == {}, where
    assert inside(client, "_async._family.tokens.state._lease") is None, where


def test_a_first_call_can_be_interrupted_anywhere() -> None:
    with tag_service(CONNECTIONS) as url:

        def step(at: int) -> str:
            with Memoram("mem_x", base_url=url) as client:
                where = interrupted(lambda: read(client), at)
                is_whole(client, where)
                read(client)
            return where

        assert walk(step) > 300


def test_a_later_call_can_be_interrupted_anywhere() -> None:
    with tag_service(CONNECTIONS) as url, own_connections(url) as client:
        read(client)

        def step(at: int) -> str:
            where = interrupted(lambda: read(client), at)
            is_whole(client, where)
            read(client)
            return where

        assert walk(step) > 100
        read_all_at_once(client)


TOKEN: Final = httpx.Response(200, json={"token": "eyJ.e.s"})
TAG: Final = httpx.Response(200, json={"id": "tag_1"})


class Company:
    """A service at whose first exchange more callers come, and wait; the HTTP client to it as well.

    httpx is left out: tracing makes each of its lines slow, and it is not asked to stand interrupts here.
    """

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self.waiting = threading.Semaphore(0)
        self.others: list[Future[None]] = []
        self.client: Memoram | None = None
        self.interrupt_at = 0
        self.where = ""

    def build_request(self, method: str, url: str, **options: object) -> str:
        return url

    def send(self, request: str, **options: object) -> httpx.Response:
        if not request.endswith("/auth/token"):
            return TAG
        if not self.others:
            assert self.client is not None
            for number in range(3):
                call = self._interrupted if number == 0 and self.interrupt_at else read
                self.others.append(self._pool.submit(call, self.client))
                assert self.waiting.acquire(timeout=PROMPTLY)
        return TOKEN

    def close(self) -> None:
        """There is nothing to close."""

    def _interrupted(self, client: Memoram) -> None:
        self.where = interrupted(lambda: read(client), self.interrupt_at)
        self.waiting.release()  # if it came so far


class WatchedRuntime(BlockingRuntime):
    """Tells of each call that waits for another's exchange."""

    waiting: threading.Semaphore

    async def wait(self, waiter: Bell, timeout: float) -> bool:
        self.waiting.release()
        return await super().wait(waiter, timeout)


@contextmanager
def company(pool: ThreadPoolExecutor) -> Generator[Company]:
    service = Company(pool)
    runtime = WatchedRuntime(service)
    runtime.waiting = service.waiting
    with Memoram("mem_x", base_url="https://api.test", runtime=runtime) as client:
        service.client = client
        yield service


def test_a_leader_that_is_interrupted_takes_nobody_with_it() -> None:
    with ThreadPoolExecutor(3) as pool:

        def step(at: int) -> str:
            with company(pool) as service:
                client = service.client
                assert client is not None
                where = interrupted(lambda: read(client), at)
                for other in service.others:
                    other.result(PROMPTLY)
                is_whole(client, where)
                read(client)
            return where

        assert walk(step) > 300


def test_a_waiter_that_is_interrupted_takes_nobody_with_it() -> None:
    with ThreadPoolExecutor(3) as pool:

        def step(at: int) -> str:
            with company(pool) as service:
                client = service.client
                assert client is not None
                service.interrupt_at = at
                read(client)
                for other in service.others:
                    other.result(PROMPTLY)
                is_whole(client, service.where)
                read(client)
            return service.where

        assert walk(step) > 100
