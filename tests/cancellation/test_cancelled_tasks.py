"""A task that is cancelled at any of its awaits leaves token, turns and connections whole."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.lowlevel
import attrs
import pytest

from memoram_async import AsyncMemoram
from memoram_async.runtime.anyio_runtime import AnyioRuntime
from tests.cancellation.inside import inside
from tests.cancellation.service import PROMPTLY, tag_service

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator

pytestmark = [
    pytest.mark.endurance,
    pytest.mark.anyio,
    # httpx writes and reads through async generators, which trio reports when they are left before their end.
    pytest.mark.filterwarnings("ignore:Async generator .*:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

LONGEST_WALK: Final = 500
CONNECTIONS: Final = 4
"""How many a client may have here: few, because all of them are put to use after each step of each walk."""


@attrs.define
class Clock:
    """Time that stands still until a test moves it."""

    moment: float = 1000.0
    can_jump: bool = False

    def monotonic(self) -> float:
        return self.moment

    def wall(self) -> float:
        return self.moment + 1_800_000_000.0

    def real_seconds(self, seconds: float) -> float:
        return seconds


class Stepped:
    """Runs a coroutine and does something when it has suspended for so many times."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], at: int, act: Callable[[], object]) -> None:
        self._coroutine = coroutine
        self._left = at
        self._act = act

    def __await__(self) -> Generator[Any, Any, Any]:
        step = partial(self._coroutine.send, None)
        while True:
            try:
                trap: Any = step()
            except StopIteration as stop:
                return stop.value
            self._left -= 1
            if self._left == 0:
                self._act()
            try:
                step = partial(self._coroutine.send, (yield trap))
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is the coroutine's to handle
                step = partial(self._coroutine.throw, error)

    @property
    def is_at_its_end(self) -> bool:
        """Whether the coroutine ended before it was time to act."""
        return self._left > 0


@attrs.frozen
class Way:
    """How a task is cancelled: by a cancel scope, as trio and anyio do, or by asyncio itself."""

    name: str

    async def cancelled(self, call: Coroutine[Any, Any, Any], at: int) -> bool:
        """Run a call that is cancelled at one of its suspensions; whether it got that far."""
        if self.name == "scope":
            scope = anyio.CancelScope()
            steps = Stepped(call, at, scope.cancel)
            with scope:
                await steps
            return not steps.is_at_its_end
        steps = Stepped(call, at, _cancel_this_task)
        task = asyncio.ensure_future(_completed(steps))
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
        return not steps.is_at_its_end


async def _completed(steps: Stepped) -> None:
    await steps


def _cancel_this_task() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


@pytest.fixture(params=["asyncio by scope", "asyncio by task", "trio by scope"])
def way(request: pytest.FixtureRequest) -> Way:
    return Way(request.param.rpartition(" ")[2])


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["way"].partition(" ")[0])


@attrs.frozen
class Stage:
    """A client on real sockets."""

    client: AsyncMemoram
    clock: Clock
    runtime: AnyioRuntime

    def expire(self) -> None:
        """Let the token end."""
        self.clock.moment += 1e9

    async def read(self, tag: str = "tag_1") -> None:
        """One call."""
        assert (await self.client.tags.get(tag, user_id="u")).id == tag

    async def read_all_at_once(self) -> None:
        """As many calls as may be under way, none of which ends before all have arrived."""
        async with anyio.create_task_group() as group:
            for _ in range(CONNECTIONS):
                group.start_soon(self.read, "together")

    async def is_whole(self) -> None:
        """Fails if a call that was cancelled left anything behind."""
        assert inside(self.runtime, "_home.turns.taken") == 0
        assert inside(self.client, "_family.tokens.state._queue") == {}
        assert inside(self.client, "_family.tokens.state._lease") is None
        with anyio.fail_after(PROMPTLY):
            await self.read()
            await self.read_all_at_once()
            self.expire()
            await self.read()


@asynccontextmanager
async def stage(url: str) -> AsyncGenerator[Stage]:
    clock = Clock()
    runtime = AnyioRuntime(max_connections=CONNECTIONS, clock=clock)
    async with AsyncMemoram("mem_x", base_url=url, runtime=runtime) as client:
        yield Stage(client, clock, runtime)


async def walk(way: Way, step: Callable[[int], Awaitable[bool]]) -> int:
    """Cancel at the first await, the second, and so on; answers how many there are."""
    for at in range(1, LONGEST_WALK):
        if not await step(at):
            return at - 1
    raise AssertionError("this call never ends")


async def test_a_first_call_can_be_cancelled_anywhere(way: Way) -> None:
    with tag_service(CONNECTIONS) as url:

        async def step(at: int) -> bool:
            async with stage(url) as scene:
                cancelled = await way.cancelled(scene.read(), at)
                await scene.is_whole()
            return cancelled

        assert await walk(way, step) > 8


async def test_a_later_call_can_be_cancelled_anywhere(way: Way) -> None:
    with tag_service(CONNECTIONS) as url:
        async with stage(url) as scene:
            await scene.read()

            async def step(at: int) -> bool:
                cancelled = await way.cancelled(scene.read(), at)
                await scene.is_whole()
                return cancelled

            assert await walk(way, step) > 3


@pytest.mark.parametrize("who", ["leader", "waiter"])
async def test_neither_the_leader_nor_a_waiter_takes_others_with_it(way: Way, who: str) -> None:
    with tag_service(CONNECTIONS) as url:
        async with stage(url) as scene:
            await scene.read()

            async def step(at: int) -> bool:
                scene.expire()
                served: list[str] = []

                async def other() -> None:
                    await scene.read()
                    served.append("tag")

                cancelled = False
                with anyio.fail_after(PROMPTLY):
                    async with anyio.create_task_group() as group:
                        if who == "waiter":
                            group.start_soon(other)
                            await anyio.lowlevel.checkpoint()
                        for _ in range(3):
                            group.start_soon(other)
                        cancelled = await way.cancelled(scene.read(), at)
                assert len(served) == (4 if who == "waiter" else 3)
                await scene.is_whole()
                return cancelled

            assert await walk(way, step) > 3


async def test_a_call_that_waits_its_turn_can_be_cancelled_anywhere(way: Way) -> None:
    with tag_service(CONNECTIONS) as url:
        async with stage(url) as scene:
            await scene.read()

            async def step(at: int) -> bool:
                cancelled: list[bool] = []

                async def one_too_many() -> None:
                    cancelled.append(await way.cancelled(scene.read(), at))

                with anyio.fail_after(PROMPTLY):
                    async with anyio.create_task_group() as group:
                        group.start_soon(scene.read_all_at_once)
                        await anyio.lowlevel.checkpoint()
                        group.start_soon(one_too_many)
                await scene.is_whole()
                return cancelled[0]

            assert await walk(way, step) > 3
