"""One of many workers, in a process of its own: it calls when it is told to."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio

from memoram_async import AnyioRuntime, AsyncMemoram, RedisTokenStore
from memoram_sync import Memoram
from memoram_sync.runtime.blocking_runtime import BlockingRuntime

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

API_KEY: Final = "mem_" + "0123456789abcdef" * 3


class JumpingClock:
    """The system's time, which a test moves forward between calls."""

    can_jump = False
    ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    def wall(self) -> float:
        return time.time() + self.ahead

    def real_seconds(self, seconds: float) -> float:
        return seconds


def work(world: str, url: str, redis_url: str, orders: Connection, together: Barrier, timeout: float) -> None:
    """Obey until told to stop.

    Orders are seconds to move the clock forward before the next call, which all workers begin at the same
    moment; None ends it. Each is answered with the token that served, or with the error's name.
    """
    clock = JumpingClock()
    with RedisTokenStore.from_url(redis_url) as store:
        options: dict[str, Any] = {"base_url": f"{url}/api/v1", "token_store": store, "timeout": timeout}
        if world == "sync":
            with Memoram(API_KEY, runtime=BlockingRuntime(clock=clock), **options) as client:
                _serve(orders, together, clock, lambda: client.request("GET", "/ping").json()["token"])
        else:
            anyio.run(partial(_async, orders, together, clock, options), backend=world)


async def _async(orders: Connection, together: Barrier, clock: JumpingClock, options: dict[str, Any]) -> None:
    async with AsyncMemoram(API_KEY, runtime=AnyioRuntime(clock=clock), **options) as client:

        async def call() -> str:
            token: str = (await client.request("GET", "/ping")).json()["token"]
            return token

        while (seconds := await anyio.to_thread.run_sync(orders.recv)) is not None:
            clock.ahead += seconds
            await anyio.to_thread.run_sync(together.wait)
            try:
                orders.send(await call())
            except Exception as error:  # noqa: BLE001 - told to the test
                orders.send(type(error).__name__)


def _serve(orders: Connection, together: Barrier, clock: JumpingClock, call: Any) -> None:
    while (seconds := orders.recv()) is not None:
        clock.ahead += seconds
        together.wait()
        try:
            orders.send(call())
        except Exception as error:  # noqa: BLE001 - told to the test
            orders.send(type(error).__name__)
