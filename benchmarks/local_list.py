"""How long a page of 100 memories takes at every depth of a list of 100,000, filtered in several ways.

One caller asks, so what is measured is a page and not a queue. CPU time is that of the platform's process.

    python -m benchmarks.local_list [--memories 100000] [--calls 300]
"""

from __future__ import annotations

import argparse
import asyncio
import json
from urllib.parse import urlencode

from benchmarks.local_load import Caller, Staged, cpu_seconds, percentile, staged

LIMIT = 100
MOST = 20
DEPTHS = (0, 0.1, 0.5, 0.9, 1)

# Of 100 memories 90 are tagged common, 50 half, 10 tenth and 1 rare; importances are even between 0 and 1.
FILTERS: dict[str, dict[str, str]] = {
    "all": {},
    "one tag": {"tags": "half"},
    "two tags": {"tags": "common,half"},
    "a rare tag and a common one": {"tags": "common,rare"},
    "importance from 0.5": {"importance": "0.5"},
    "importance from 0.99": {"importance": "0.99"},
    "importance from 2 (none)": {"importance": "2"},
    "two tags, importance from 0.9": {"tags": "common,half", "importance": "0.9"},
}
# Nothing but going through everything can answer these when nothing matches; shown, not judged.
SEARCHES: dict[str, dict[str, str]] = {
    "two tags that never meet": {"tags": "odd,even"},
    "search, all match": {"searchQuery": "WINDOW"},
    "search, none match": {"searchQuery": "zebra"},
}


async def cursors(caller: Caller, platform: Staged, only: dict[str, str]) -> list[str | None]:
    """The cursors of all pages of a list."""
    found: list[str | None] = [None]
    while True:
        _, body = await caller.call(page(platform, only, found[-1]))
        after: str | None = json.loads(body)["next_cursor"]
        if after is None:
            return found
        found.append(after)


def page(platform: Staged, only: dict[str, str], cursor: str | None) -> bytes:
    query = {"user_id": platform.user_id, "limit": str(LIMIT), **only}
    if cursor is not None:
        query["cursor"] = cursor
    return platform.request("GET", f"/api/v1/memory-blobs?{urlencode(query)}")


async def measure(platform: Staged, *, calls: int) -> None:
    caller = await Caller.connect(platform.port)
    print(f"{'list':32} {'depth':>7} {'p50 ms':>7} {'p99 ms':>7} {'CPU ms':>7}")
    worst = 0.0
    for name, only in {**FILTERS, **SEARCHES}.items():
        pages = await cursors(caller, platform, only)
        for depth in dict.fromkeys(round(share * (len(pages) - 1)) for share in DEPTHS):
            sent = page(platform, only, pages[depth])
            took, cpu = await times(caller, sent, calls if name in FILTERS else 20)
            p50, p99 = percentile(took, 50), percentile(took, 99)
            worst = max(worst, p99) if name in FILTERS else worst
            print(f"{name:32} {depth * LIMIT:7} {p50:7.2f} {p99:7.2f} {cpu:7.2f}", flush=True)
    print(f"worst p99 of the filters: {worst:.1f} ms; at most {MOST}")
    caller.close()


async def times(caller: Caller, request: bytes, calls: int) -> tuple[list[float], float]:
    """Seconds of each call, and CPU milliseconds of one."""
    loop = asyncio.get_running_loop()
    took: list[float] = []
    before = await cpu_seconds(caller)
    for _ in range(calls):
        started = loop.time()
        await caller.call(request)
        took.append(loop.time() - started)
    return took, (await cpu_seconds(caller) - before) / calls * 1_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--memories", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=300)
    arguments = parser.parse_args()
    with staged(memories=arguments.memories) as platform:
        asyncio.run(measure(platform, calls=arguments.calls))


if __name__ == "__main__":
    main()
