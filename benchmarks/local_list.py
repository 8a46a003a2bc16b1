"""How long a page takes at every depth of a list of 100,000: memories, in several ways, requests and tags.

One caller asks, so what is measured is a page and not a queue. CPU time is that of the platform's process and
of single calls too: by the clock, the p99 of a busy machine is that of its other work.

    python -m benchmarks.local_list [--memories 100000] [--calls 300]

The exit status is 1 when any p99 of CPU time is above 60 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from urllib.parse import urlencode

from benchmarks.local_load import Caller, Staged, cpu_seconds, percentile, staged

LIMIT = 100
MOST = 60
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
# Nothing but going through everything can answer these when nothing matches.
SEARCHES: dict[str, dict[str, str]] = {
    "two tags that never meet": {"tags": "odd,even"},
    "search, all match": {"searchQuery": "WINDOW"},
    "search, none match": {"searchQuery": "zebra"},
    "search and tag, none match": {"searchQuery": "zebra", "tags": "half"},
    "all six, and two that never meet": {"tags": "one,two,three,four,five,six,odd,even"},
    "the same, importance 2, a search": {
        "tags": "one,two,three,four,five,six,odd,even",
        "importance": "2",
        "searchQuery": "zebra",
    },
}


Page = Callable[[str | None], bytes]


async def cursors(caller: Caller, page: Page) -> list[str | None]:
    """The cursors of all pages of a list."""
    found: list[str | None] = [None]
    while True:
        _, body = await caller.call(page(found[-1]))
        after: str | None = json.loads(body).get("next_cursor")
        if after is None:
            return found
        found.append(after)


def pages(platform: Staged, path: str, only: dict[str, str]) -> Page:
    """Requests for the pages of a list, by their cursors."""

    def page(cursor: str | None) -> bytes:
        query = {"user_id": platform.user_id, **only}
        if cursor is not None:
            query["cursor"] = cursor
        return platform.request("GET", f"/api/v1/{path}?{urlencode(query)}")

    return page


def lists(platform: Staged) -> dict[str, Page]:
    """All lists, by what they are called here."""
    memories = {
        name: pages(platform, "memory-blobs", {"limit": str(LIMIT), **only})
        for name, only in {**FILTERS, **SEARCHES}.items()
    }
    return {
        **memories,
        "access requests": pages(platform, "access-requests", {}),
        "tags": pages(platform, "tags", {}),
    }


async def measure(platform: Staged, *, calls: int) -> float:
    """Print what each list takes; the worst p99 of CPU time, in milliseconds."""
    caller = await Caller.connect(platform.port)
    print(f"{'list':32} {'page':>11} {'p50 ms':>7} {'p99 ms':>7} {'CPU p50':>7} {'CPU p99':>7}")
    worst = worst_cpu = 0.0
    for name, page in lists(platform).items():
        places = await cursors(caller, page)
        for depth in dict.fromkeys(round(share * (len(places) - 1)) for share in DEPTHS):
            took, cpu = await times(caller, page(places[depth]), calls)
            p99, cpu_p99 = percentile(took, 99), percentile(cpu, 99)
            worst, worst_cpu = max(worst, p99), max(worst_cpu, cpu_p99)
            print(
                f"{name:32} {depth + 1:5}/{len(places):5} {percentile(took, 50):7.2f} {p99:7.2f} "
                f"{percentile(cpu, 50):7.2f} {cpu_p99:7.2f}",
                flush=True,
            )
    print(f"worst p99: {worst:.1f} ms, CPU {worst_cpu:.1f} ms; at most {MOST}")
    caller.close()
    return worst_cpu


async def times(caller: Caller, request: bytes, calls: int) -> tuple[list[float], list[float]]:
    """Seconds of each call, by the clock and of CPU."""
    loop = asyncio.get_running_loop()
    took: list[float] = []
    cpu: list[float] = []
    for _ in range(calls):
        before = await cpu_seconds(caller)
        started = loop.time()
        await caller.call(request)
        took.append(loop.time() - started)
        cpu.append(await cpu_seconds(caller) - before)
    return took, cpu


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--memories", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=300)
    arguments = parser.parse_args()
    with staged(memories=arguments.memories, others=arguments.memories) as platform:
        worst = asyncio.run(measure(platform, calls=arguments.calls))
    return 1 if worst > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
