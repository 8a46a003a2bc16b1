"""What a call of Memory API costs beside bare httpx; see `benchmarks.calls`.

python -m benchmarks.memory_api_calls [--rounds 15]
"""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

import httpx

from benchmarks.calls import CALLS, ratios, rounds, show, stub_server
from memoram_async import AsyncMemoryAPI
from memoram_sync import MemoryAPI

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

KEY = "mem_live_benchmark0"
FIELDS = {"authorization": f"Bearer {KEY}", "accept": "application/json"}


def run(number: int) -> None:
    """Print a line for each world."""
    with (
        httpx.Client(headers=FIELDS) as blocking_bare,
        stub_server() as url,
        MemoryAPI(KEY, base_url=url) as blocking,
    ):
        asyncio.run(main(url, number, blocking_bare, blocking))


async def main(url: str, number: int, blocking_bare: httpx.Client, blocking: MemoryAPI) -> None:
    """Measure in one loop.

    Args:
        url: The stub's address.
        number: Rounds.
        blocking_bare: The bare side of the blocking world.
        blocking: Ours.
    """
    address = httpx.URL(f"{url}/memories/mem_1")
    bare, client = httpx.AsyncClient(headers=FIELDS), AsyncMemoryAPI(KEY, base_url=url)

    async def bare_call() -> None:
        for _ in range(CALLS):
            (await bare.get(address)).json()

    async def our_call() -> None:
        for _ in range(CALLS):
            await client.memories.get("mem_1")

    async def bare_blocking() -> None:
        for _ in range(CALLS):
            blocking_bare.get(address).json()  # noqa: ASYNC212 - the case

    async def our_blocking() -> None:
        for _ in range(CALLS):
            blocking.memories.get("mem_1")

    cases: dict[str, Callable[[], Awaitable[object]]] = {
        "bare": bare_call,
        "ours": our_call,
        "bare blocking": bare_blocking,
        "blocking": our_blocking,
    }
    figures = await rounds(cases, number)
    show("typed call of Memory API / bare httpx", ratios(figures, "ours", "bare"))
    show("blocking call of Memory API / bare httpx", ratios(figures, "blocking", "bare blocking"))
    await bare.aclose()
    await client.aclose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compare calls of Memory API with bare httpx.")
    parser.add_argument("--rounds", type=int, default=15)
    run(parser.parse_args().rounds)
