"""Eight processes on a real Redis: one expiry, one exchange."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any, Final

import pytest

from memoram_async import RedisTokenStore
from tests.tokens.store.counting_service import LIFETIME, CountingService
from tests.tokens.store.worker import API_KEY, work

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess
    from multiprocessing.synchronize import Barrier

    from tests.redis_server import RedisServer
    from tests.tokens.store.issuer import Scene

pytestmark = pytest.mark.service("redis-server")

WORLDS: Final = ("asyncio", "trio", "sync", "asyncio", "trio", "sync", "asyncio", "sync")
LONGEST: Final = 60.0
PRELOADED: Final = [
    "tests.tokens.store.worker",
    "httpcore",
    "anyio._backends._asyncio",
    "anyio._backends._trio",
]


class Workers:
    """Processes that obey; they are ended with the test."""

    def __init__(self, service: CountingService, redis_url: str, *, timeout: float = 30.0) -> None:
        # Each is forked from a process that has imported what they need, and done nothing else.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)
        self._addresses = service.url, redis_url
        self._timeout = timeout
        self.processes: list[ForkServerProcess] = []
        self._lines: list[Connection] = []
        self._barriers: list[Barrier] = []

    def start(self, *worlds: str) -> list[int]:
        """More workers, which begin each call at the same moment; their numbers."""
        together = self._context.Barrier(len(worlds))
        self._barriers.append(together)  # it must not be gone before they know it
        begin = len(self.processes)
        for world in worlds:
            ours, theirs = self._context.Pipe()
            arguments = (world, *self._addresses, theirs, together, self._timeout)
            process = self._context.Process(target=work, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self.processes.append(process)
            self._lines.append(ours)
        return list(range(begin, len(self.processes)))

    def order(self, numbers: list[int], *, jump: float = 0.0) -> None:
        """Let them call, so many seconds later."""
        for number in numbers:
            self._lines[number].send(jump)

    def answers(self, numbers: list[int]) -> list[str]:
        """The tokens that served their calls, or the errors."""
        for number in numbers:
            assert self._lines[number].poll(LONGEST), f"worker {number} does not come back"
        return [self._lines[number].recv() for number in numbers]

    def call(self, numbers: list[int], *, jump: float = 0.0) -> list[str]:
        """Let them call, and wait for what they say."""
        self.order(numbers, jump=jump)
        return self.answers(numbers)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.join()
            process.close()
        for line in self._lines:
            line.close()


@pytest.fixture
def service() -> Iterator[CountingService]:
    with CountingService() as service:
        yield service


@pytest.fixture
def workers(service: CountingService, redis_server: RedisServer) -> Iterator[Workers]:
    workers = Workers(service, redis_server.url)
    yield workers
    workers.end()


def test_eight_processes_share_one_exchange_at_start_at_refresh_and_at_expiry(
    workers: Workers, service: CountingService, redis_server: RedisServer
) -> None:
    everyone = workers.start(*WORLDS)
    assert workers.call(everyone) == ["token-1"] * 8
    assert service.exchanges == 1

    assert workers.call(everyone, jump=LIFETIME - 30).count("token-2") >= 1
    assert workers.call(everyone, jump=2) == ["token-2"] * 8
    assert service.exchanges == 2

    assert workers.call(everyone, jump=LIFETIME) == ["token-3"] * 8
    assert service.exchanges == 3

    assert workers.call(workers.start("sync"), jump=2 * LIFETIME - 28) == ["token-3"]
    assert service.exchanges == 3

    contents = redis_server.contents()
    assert len(contents) == 1  # the lease was released
    assert API_KEY.encode() not in b"".join([*contents.keys(), *contents.values()])
    assert b"token-3" not in b"".join(contents.values())


@pytest.mark.parametrize("world", ["asyncio", "sync"])
def test_when_the_leader_is_killed_the_others_go_on(
    service: CountingService, redis_server: RedisServer, world: str
) -> None:
    workers = Workers(service, redis_server.url, timeout=4)
    try:
        service.held = True
        (leader,) = workers.start(world)
        workers.order([leader])
        assert service.asked.wait(LONGEST)
        workers.processes[leader].kill()
        workers.processes[leader].join()
        assert any(key.endswith(b":lease") for key in redis_server.contents())
        service.held = False
        others = workers.start("sync", "asyncio", "trio")
        answers = workers.call(others)
        assert all(answer.startswith("token-") for answer in answers)
        assert 2 <= service.exchanges <= 4
        assert workers.call(others) == answers
    finally:
        workers.end()


@pytest.mark.anyio
async def test_calls_go_on_while_redis_is_stopped_and_share_again_when_it_is_back(
    scene: Scene, own_redis: RedisServer
) -> None:
    with RedisTokenStore.from_url(own_redis.url) as store:
        first: Any = scene.client(token_store=store)
        second: Any = scene.client(token_store=store)
        assert [await scene.call(client) for client in (first, second)] == ["token-1", "token-1"]
        own_redis.stop()
        scene.time.pass_by(LIFETIME)
        assert [await scene.call(client) for client in (first, second)] == ["token-2", "token-3"]
        own_redis.start()
        scene.time.pass_by(LIFETIME)
        assert [await scene.call(client) for client in (first, second)] == ["token-4", "token-4"]
    assert scene.issuer.exchanges == 4
