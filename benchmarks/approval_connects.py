"""What `connect` takes on real sockets where users approve at once: what every test of an application pays.

    python -m benchmarks.approval_connects

Milliseconds of the wall, which a busy machine spoils: look at the median. Each connect is a new user's:
look up, ask, look, fetch the key. Between two of them is a pause: a client looks at single requests 20 times
a second at most, and connects that follow on each other would measure that.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import anyio

from memoram_async import AsyncMemoram
from memoram_local import MemoramLocal
from memoram_local.testing import AutoApprove
from memoram_sync import Memoram

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTS = 40
WARM_UP = 3
PAUSE = 0.1


def memory_keys(local: MemoramLocal, world: str) -> Iterator[str]:
    """Those of new users."""
    for number in range(WARM_UP + CONNECTS):
        user = local.create_user(email=f"{world}{number}@example.com", password="correct horse")  # noqa: S106
        yield user.memory_key


async def in_async(client: AsyncMemoram, keys: list[str]) -> list[float]:
    """Seconds of each, on asyncio."""
    seconds: list[float] = []
    async with client:
        for key in keys:
            await anyio.sleep(PAUSE)
            began = time.perf_counter()
            await client.connect(key, reason="Plans journeys")
            seconds.append(time.perf_counter() - began)
    return seconds


def in_sync(client: Memoram, keys: list[str]) -> list[float]:
    """Seconds of each, blocking."""
    seconds: list[float] = []
    with client:
        for key in keys:
            time.sleep(PAUSE)
            began = time.perf_counter()
            client.connect(key, reason="Plans journeys")
            seconds.append(time.perf_counter() - began)
    return seconds


def main() -> None:
    """Print a line for each world."""
    print("world | median | 90 % | slowest | first, imports included")
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:  # noqa: S106
        local.policy = AutoApprove()
        api_key = local.register_app(name="Planner").api_key
        base_url, auth_url = f"{server.url}/api/v1", server.url
        for world in ("async", "sync"):
            keys = list(memory_keys(local, world))
            if world == "async":
                client = AsyncMemoram(api_key, base_url=base_url, auth_url=auth_url)
                seconds = anyio.run(in_async, client, keys)
            else:
                seconds = in_sync(Memoram(api_key, base_url=base_url, auth_url=auth_url), keys)
            rest = sorted(seconds[WARM_UP:])
            figures = [statistics.median(rest), rest[int(len(rest) * 0.9)], rest[-1], seconds[0]]
            print(f"{world} | " + " | ".join(f"{figure * 1000:.0f} ms" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
