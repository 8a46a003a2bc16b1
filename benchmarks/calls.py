"""What a call costs beside bare httpx, client and server on one core.

Cases run in shuffled, interleaved rounds in one process. What is compared is the CPU time of this
process, and the wall time where answers are held back. The bare side gets a ready URL. Ratios are
medians of each round's ratio.

    python -m benchmarks.calls [--rounds 15]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib.metadata
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import httpx2

from memoram_async import AsyncMemoram, HTTPResponse
from memoram_async.runtime.anyio_runtime import AnyioRuntime
from memoram_sync import Memoram

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from memoram_async.core.deadline import Deadline
    from memoram_async.core.http import HTTPRequest

CALLS = 50
TAG = (
    b'{"id":"tag_1","name":"travel","description":null,"color":"#3366FF","is_enabled":true,'
    b'"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}'
)
TOKEN = b'{"token":"eyJ.bench.mark","expires_at":"2099-01-01T00:00:00Z"}'
HEADERS = {
    "content-type": "application/json",
    "content-length": str(len(TAG)),
    "x-request-id": "req_0123456789abcdef",
    "date": "Sun, 22 Nov 2026 00:00:00 GMT",
}


class NoNetwork(AnyioRuntime):
    """A runtime whose service answers at once, without a network: what is left is the SDK's own."""

    async def send(self, request: HTTPRequest, deadline: Deadline) -> HTTPResponse:  # noqa: ARG002 - the seam
        content = TOKEN if request.url.endswith("/auth/token") else TAG
        return HTTPResponse(status=200, headers=HEADERS, content=content)


@contextmanager
def stub_server(delay: float = 0.0) -> Generator[str]:
    """A canned service on this process's core; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.json")
        page.write_text("{}")
        with subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, str(Path(__file__).with_name("stub_server.py")), str(page), str(delay)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
            assert server.stdin is not None
            server.stdin.close()


def show(name: str, ratios: list[float], detail: str = "") -> None:
    """One line of the table."""
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(f"| {name} | {middle:.2f} ({low:.2f} to {high:.2f}) | {detail} |", flush=True)


async def rounds(
    cases: dict[str, Callable[[], Awaitable[object]]],
    number: int,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, list[float]]:
    """Seconds of each case in each round."""
    figures: dict[str, list[float]] = {name: [] for name in cases}
    for case in cases.values():
        await case()
    gc.collect()
    gc.freeze()
    for _ in range(number):
        for name in random.sample(list(cases), len(cases)):
            gc.collect()
            began = clock()
            await cases[name]()
            figures[name].append(clock() - began)
    gc.unfreeze()
    return figures


def ratios(figures: dict[str, list[float]], ours: str, theirs: str, scale: float = 1.0) -> list[float]:
    return [mine * scale / other for mine, other in zip(figures[ours], figures[theirs], strict=True)]


async def single_calls(url: str, number: int) -> None:  # noqa: C901 - a table of small functions
    """One call after another, in both worlds, and the SDK's own part of it."""
    address = httpx.URL(f"{url}/tags/tag_1?user_id=u")
    fields = {"authorization": "Bearer eyJ.bench.mark", "accept": "application/json"}
    bare, blocking_bare = httpx.AsyncClient(headers=fields), httpx.Client(headers=fields)
    client, blocking = AsyncMemoram("mem_b", base_url=url), Memoram("mem_b", base_url=url)
    alone = AsyncMemoram("mem_b", base_url=url, runtime=NoNetwork())

    async def bare_call() -> None:
        for _ in range(CALLS):
            (await bare.get(address)).json()

    async def our_call() -> None:
        for _ in range(CALLS):
            await client.tags.get("tag_1", user_id="u")

    async def bare_blocking() -> None:
        for _ in range(CALLS):
            blocking_bare.get(address).json()  # noqa: ASYNC212 - the case

    async def our_blocking() -> None:
        for _ in range(CALLS):
            blocking.tags.get("tag_1", user_id="u")

    async def machinery() -> None:
        for _ in range(10 * CALLS):
            await alone.tags.get("tag_1", user_id="u")

    async def construct() -> None:
        for _ in range(CALLS):
            AsyncMemoram("mem_b", base_url=url)

    cases: dict[str, Any] = {
        "bare": bare_call,
        "ours": our_call,
        "bare blocking": bare_blocking,
        "our blocking": our_blocking,
        "machinery": machinery,
        "construct": construct,
    }
    figures = await rounds(cases, number)
    best = {name: min(seconds) / CALLS * 1e6 for name, seconds in figures.items()}
    show(
        "typed call / httpx", ratios(figures, "ours", "bare"), f"{best['ours']:.0f} us, {best['bare']:.0f} us"
    )
    show(
        "blocking call / httpx",
        ratios(figures, "our blocking", "bare blocking"),
        f"{best['our blocking']:.0f} us, {best['bare blocking']:.0f} us",
    )
    show(
        "SDK alone / httpx call",
        ratios(figures, "machinery", "bare", 0.1),
        f"{best['machinery'] / 10:.1f} us",
    )
    show("construct / httpx call", ratios(figures, "construct", "bare"), f"{best['construct']:.0f} us")
    await bare.aclose()
    await client.aclose()
    blocking_bare.close()  # noqa: ASYNC212 - at the end of all
    blocking.close()


async def crowds(url: str, number: int) -> None:
    """Many tasks at once, cold and warm, against bare httpx one call at a time."""
    address = httpx.URL(f"{url}/tags/tag_1?user_id=u")
    for tasks in (1000, 10_000):
        async with httpx.AsyncClient() as bare, AsyncMemoram("mem_b", base_url=url, timeout=None) as warm:

            async def one_at_a_time(bare: httpx.AsyncClient = bare) -> None:
                for _ in range(200):
                    (await bare.get(address)).json()

            async def all_at_once(client: AsyncMemoram = warm, tasks: int = tasks) -> None:
                await asyncio.gather(*[client.tags.get("tag_1", user_id="u") for _ in range(tasks)])

            async def all_at_once_cold(tasks: int = tasks) -> None:
                async with AsyncMemoram("mem_b", base_url=url, timeout=None) as client:
                    await all_at_once(client, tasks)

            cases: dict[str, Any] = {"bare": one_at_a_time, "warm": all_at_once, "cold": all_at_once_cold}
            figures = await rounds(cases, max(3, number // (tasks // 500)))
            for name in ("cold", "warm"):
                show(
                    f"{tasks:,} tasks at once, {name} / httpx",
                    ratios(figures, name, "bare", 200 / tasks),
                    "0 errors",
                )


async def held_back(url: str, number: int) -> None:
    """A thousand calls whose answers take 50 ms: wall time against httpx2 with as many connections."""
    address = f"{url}/tags/tag_1?user_id=u"
    limits = httpx2.Limits(max_connections=100, max_keepalive_connections=100)
    async with (
        httpx2.AsyncClient(limits=limits, timeout=60) as peer,
        AsyncMemoram("mem_b", base_url=url) as client,
    ):

        async def theirs() -> None:
            await asyncio.gather(*[peer.get(address) for _ in range(1000)])

        async def ours() -> None:
            await asyncio.gather(*[client.tags.get("tag_1", user_id="u") for _ in range(1000)])

        figures = await rounds({"theirs": theirs, "ours": ours}, max(3, number // 3), time.perf_counter)
        best = {name: min(seconds) for name, seconds in figures.items()}
        detail = f"{best['ours']:.2f} s, {best['theirs']:.2f} s"
        show("1,000 calls at 50 ms, wall / httpx2", ratios(figures, "ours", "theirs"), detail)


async def main(number: int) -> None:
    versions = [
        f"{name} {importlib.metadata.version(name)}" for name in ("httpx", "httpx2", "httpcore", "anyio")
    ]
    print(f"CPython {platform.python_version()}, {', '.join(versions)}, {platform.machine()}\n")
    print("| what | ratio (quartiles) | best |\n|---|---|---|")
    with stub_server() as url:
        await single_calls(url, number)
        await crowds(url, number)
    with stub_server(0.05) as url:
        await held_back(url, number)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    asyncio.run(main(parser.parse_args().rounds))
