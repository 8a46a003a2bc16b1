"""One virtual clock for a platform and for the clients that talk to it."""

from __future__ import annotations

import math
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from memoram_async import APITimeoutError, AsyncMemoram, ClientClosedError
from memoram_async.core.deadline import Deadline
from memoram_async.runtime.anyio_runtime import AnyioRuntime
from memoram_local import Clock
from memoram_local.testing import ExpireTokens
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from tests.in_worlds import anyio_backend, world
from tests.worlds import World, failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memoram_local import MemoramLocal, User
    from memoram_sync import Memoram

__all__ = ["anyio_backend", "world"]

HOUR = 3600


class TestPace:
    """How fast it runs."""

    def test_it_runs_as_fast_as_it_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        moment = 1_000_000_000
        monkeypatch.setattr("memoram_local.clock.time.time_ns", lambda: moment)
        monkeypatch.setattr("memoram_local.clock._steady_ns", lambda: moment)
        clock = Clock(start=datetime(2030, 1, 1, tzinfo=UTC), scale=60)
        shown = [clock.wall()]

        moment += 1_000_000_000
        shown.append(clock.wall())
        clock.scale = 2
        moment += 1_000_000_000
        shown.append(clock.wall())
        clock.scale = 0
        moment += 1_000_000_000
        shown.append(clock.wall())
        clock.advance(5)
        clock.scale = 1
        moment += 1_000_000_000
        shown.append(clock.wall())
        assert clock.monotonic() == clock.wall()

        assert [later - shown[0] for later in shown] == [0, 60, 62, 62, 68]

    def test_it_says_how_long_its_seconds_are(self) -> None:
        clock = Clock(scale=60)

        assert clock.scale == 60
        assert clock.real_seconds(120) == 2
        assert Clock(running=False).real_seconds(120) == 120
        assert Clock(running=False).scale == 0

    @pytest.mark.parametrize("scale", [-1, math.inf, math.nan])
    def test_it_never_runs_back(self, scale: float) -> None:
        clock = Clock()
        with pytest.raises(ValueError, match="forward"):
            clock.scale = scale
        with pytest.raises(ValueError, match="forward"):
            Clock(scale=scale)
        with pytest.raises(ValueError, match="forward"):
            clock.advance(scale)

    def test_those_who_watch_it_are_told_of_jumps_and_of_another_pace(self, clock: Clock) -> None:
        told: list[float] = []
        with clock.watched(lambda: told.append(clock.scale)):
            clock.advance(1)
            clock.scale = 3
        clock.advance(1)

        assert told == [0, 3]


@pytest.fixture
def runtime(world: World, clock: Clock) -> Any:
    return BlockingRuntime(clock=clock) if world.is_sync else AnyioRuntime(clock=clock)


@pytest.fixture
def keep_advancing(clock: Clock) -> Iterator[None]:
    """Somebody who moves the clock on, ten minutes at a time, from another thread."""
    stop = threading.Event()

    def advance() -> None:
        while not stop.wait(0.001):
            clock.advance(600)

    thread = threading.Thread(target=advance)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.mark.anyio
class TestRuntimes:
    """Both of the SDK's runtimes on the clock of a platform."""

    async def test_time_is_the_clocks(self, runtime: Any, clock: Clock) -> None:
        before = runtime.now()
        clock.advance(HOUR)

        assert runtime.now() - before == HOUR
        assert runtime.wall() == clock.now().timestamp()

    @pytest.mark.usefixtures("keep_advancing")
    async def test_advancing_ends_sleep(self, runtime: Any, clock: Clock) -> None:
        before = clock.now()
        await runtime.sleep(HOUR)

        assert (clock.now() - before).total_seconds() >= HOUR

    @pytest.mark.usefixtures("keep_advancing")
    async def test_advancing_ends_waits(self, runtime: Any, clock: Clock) -> None:
        before = clock.now()

        assert not await runtime.wait(runtime.waiter(), HOUR)
        assert (clock.now() - before).total_seconds() >= HOUR

    async def test_waking_ends_waits_while_the_clock_stands_still(self, runtime: Any) -> None:
        waiter = runtime.waiter()
        runtime.wake(waiter)

        assert await runtime.wait(waiter, HOUR)

    async def test_a_fast_clock_makes_sleep_short(self, runtime: Any, clock: Clock) -> None:
        clock.scale = 360_000
        before = clock.now()
        await runtime.sleep(HOUR)

        assert (clock.now() - before).total_seconds() >= HOUR

    @pytest.mark.usefixtures("keep_advancing")
    async def test_advancing_passes_deadlines(self, runtime: Any, world: World) -> None:
        deadline = Deadline.after(HOUR, now=runtime.now())
        if world.is_sync:
            # A thread cannot be cancelled: the deadline is looked at where a request is sent.
            await runtime.sleep(HOUR)
            assert deadline.expired(runtime.now())
            return
        error = await failure(runtime.within(deadline, anyio.sleep_forever(), doing="test"), APITimeoutError)
        assert "test" in str(error)

    async def test_within_hands_on_what_the_work_answers_and_raises(self, runtime: Any) -> None:
        async def work() -> int:
            return 7

        async def fail() -> int:
            raise LookupError("seven")

        deadline = Deadline.after(HOUR, now=runtime.now())
        assert await runtime.within(deadline, work(), doing="test") == 7
        assert await runtime.within(Deadline(), work(), doing="test") == 7
        await failure(runtime.within(deadline, fail(), doing="test"), LookupError)


def test_a_closed_blocking_runtime_ends_its_sleep_although_the_clock_stands_still(clock: Clock) -> None:
    runtime = BlockingRuntime(clock=clock)
    ended: list[BaseException] = []

    def sleep() -> None:
        try:
            runtime.sleep(HOUR).send(None)
        except BaseException as error:  # noqa: BLE001 - what it ended with
            ended.append(error)

    sleeping = threading.Thread(target=sleep)
    sleeping.start()
    runtime.aclose().close()
    with pytest.raises(StopIteration):
        runtime.aclose().send(None)
    sleeping.join(5)

    assert isinstance(ended[0], ClientClosedError)


@pytest.mark.anyio
async def test_a_token_that_expired_by_the_shared_clock_is_exchanged_in_time(
    memoram_local: MemoramLocal, memoram_client: AsyncMemoram, memoram_user: User, clock: Clock
) -> None:
    await memoram_client.access_requests.create(memoram_user.memory_key, reason="Plans journeys")
    clock.advance(2 * HOUR)
    await memoram_client.access_requests.create(memoram_user.memory_key, reason="Plans journeys")

    journal = memoram_local.journal
    assert len(journal.entries("createToken")) == 2
    assert journal.entries("createAccessRequest", status=401) == []


def test_the_blocking_client_goes_by_the_shared_clock_too(
    memoram_local: MemoramLocal, memoram_sync_client: Memoram, memoram_user: User, clock: Clock
) -> None:
    memoram_sync_client.access_requests.create(memoram_user.memory_key, reason="Plans journeys")
    clock.advance(2 * HOUR)
    memoram_local.faults.add(ExpireTokens(), route="createAccessRequest", nth=1)
    memoram_sync_client.access_requests.create(memoram_user.memory_key, reason="Plans journeys")

    journal = memoram_local.journal
    assert len(journal.entries("createToken")) == 3
    assert len(journal.entries("createAccessRequest", status=401)) == 1
