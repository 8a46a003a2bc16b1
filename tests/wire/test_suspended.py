"""A machine is asleep in the middle of a wait, and its two clocks disagree about how long.

Linux's monotonic clock stands still meanwhile and the wall jumps; where the monotonic clock goes on, the wall
may have been set back.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest

from memoram_async import ApprovalTimeout
from tests.worlds import TOKEN, Time, failure

if TYPE_CHECKING:
    from tests.worlds import World

pytestmark = pytest.mark.anyio

HOURS = 3 * 3600.0


@attrs.define
class Laptop(Time):
    """The clocks of a machine that sleeps once, in the nth rest.

    Attributes:
        nth: Which rest.
        monotonic: Seconds of it by the monotonic clock.
        wall: Seconds of it by the wall clock.
    """

    nth: int = 3
    monotonic: float = 0.0
    wall: float = 0.0

    def pass_by(self, seconds: float) -> None:
        super().pass_by(seconds)
        if len(self.slept) == self.nth:
            self.moment += self.monotonic
            self.epoch += self.wall


@attrs.define
class Platform:
    """Knows one request and issues tokens for an hour of the wall clock, which it shares.

    Attributes:
        time: The machine's clocks.
        approved_at: The wall clock when the user approves.
        limited: Whether the second look is met with a Retry-After of five minutes.
        looks: When it was asked, by the wall clock.
        exchanges: How many tokens it issued.
        refusals: How many looks came with a token whose hour was over.
    """

    time: Laptop
    approved_at: float = float("inf")
    limited: bool = False
    looks: list[float] = attrs.field(factory=list[float])
    exchanges: int = 0
    refusals: int = 0
    expires: float = 0.0

    def __call__(self, sent: httpx.Request) -> httpx.Response:
        now = self.time.epoch
        if sent.url.path.endswith("/auth/token"):
            self.exchanges += 1
            self.expires = now + 3600
            until = datetime.fromtimestamp(self.expires, UTC).isoformat()
            return httpx.Response(200, json={"token": TOKEN, "expires_at": until})
        if now >= self.expires:
            self.refusals += 1
            return httpx.Response(401, json={})
        self.looks.append(now)
        if self.limited and len(self.looks) == 2:
            return httpx.Response(429, headers={"retry-after": "300"}, json={})
        status = "approved" if now >= self.approved_at else "pending"
        return httpx.Response(200, json={"id": "c1", "status": status, "memoryKey": "mk1"})


async def waited(world: World, platform: Platform, **options: Any) -> Any:
    async with world.client(platform, time=platform.time) as client:
        return await client.access_requests.wait("c1", **options)


async def timed_out(world: World, platform: Platform, **options: Any) -> ApprovalTimeout:
    async with world.client(platform, time=platform.time) as client:
        error: ApprovalTimeout = await failure(client.access_requests.wait("c1", **options), ApprovalTimeout)
    return error


async def test_the_wall_jumps_and_the_monotonic_clock_stood_still(world: World) -> None:
    time = Laptop(wall=HOURS)
    platform = Platform(time, approved_at=time.epoch + HOURS / 2)
    assert (await waited(world, platform)).status == "approved"
    assert platform.looks[-1] - time.epoch < 1  # asked as soon as it is awake
    assert time.moment - 1000 < 60  # the deadline goes by the monotonic clock, which has hardly moved
    assert (platform.exchanges, platform.refusals) == (2, 0)  # the token is known to be too old


async def test_the_wall_jumps_and_nobody_has_decided(world: World) -> None:
    time = Laptop(wall=HOURS)
    platform = Platform(time)
    error = await timed_out(world, platform, timeout=600)
    assert time.moment - 1000 == pytest.approx(600)
    assert error.polls == len(platform.looks) <= 66
    assert platform.exchanges == 2


async def test_a_limit_that_a_machine_slept_through_is_over(world: World) -> None:
    time = Laptop(wall=HOURS)
    platform = Platform(time, limited=True, approved_at=time.epoch + 1000)
    assert (await waited(world, platform)).status == "approved"
    assert len(platform.looks) == 3
    assert time.moment - 1000 < 300


async def test_the_monotonic_clock_jumps_past_the_deadline_and_the_wall_stands_still(world: World) -> None:
    time = Laptop(monotonic=HOURS)
    platform = Platform(time, approved_at=time.epoch + 5)
    assert (await waited(world, platform, timeout=600)).status == "approved"
    assert platform.exchanges <= 2


async def test_whoever_slept_through_the_deadline_looks_once_more_and_gives_up(world: World) -> None:
    time = Laptop(monotonic=HOURS)
    platform = Platform(time)
    error = await timed_out(world, platform, timeout=600)
    assert error.last_status == "pending"
    assert error.polls == len(platform.looks) == time.nth + 1


async def test_whoever_slept_through_the_deadline_waits_a_little_for_the_network(world: World) -> None:
    time = Laptop(monotonic=HOURS)
    platform = Platform(time, approved_at=time.epoch)
    failures = 0

    def not_yet(sent: httpx.Request) -> httpx.Response:
        nonlocal failures
        if time.moment < 1000 + HOURS and not sent.url.path.endswith("/auth/token"):
            return httpx.Response(200, json={"id": "c1", "status": "pending", "memoryKey": "mk1"})
        if failures < 3:
            failures += 1
            raise httpx.ConnectError("no network yet")
        return platform(sent)

    async with world.client(not_yet, time=time) as client:
        assert (await client.access_requests.wait("c1", timeout=600)).status == "approved"
    assert failures == 3


async def test_both_clocks_jump(world: World) -> None:
    time = Laptop(monotonic=HOURS, wall=HOURS)
    platform = Platform(time, approved_at=time.epoch + HOURS / 2)
    assert (await waited(world, platform, timeout=600)).status == "approved"
    assert (platform.exchanges, platform.refusals) == (2, 0)


async def test_a_wall_that_is_set_back_changes_nothing(world: World) -> None:
    time = Laptop(wall=-HOURS)
    platform = Platform(time)
    error = await timed_out(world, platform, timeout=600)
    assert time.moment - 1000 == pytest.approx(600)
    assert 60 <= error.polls == len(platform.looks) <= 66
    assert platform.exchanges == 1
