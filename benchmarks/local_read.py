"""What a read of one memory costs the platform's process, beside the same route on raw sqlite3.

Both sides have the same routes, middleware and statements; they take turns in shuffled rounds. The figure is
the median of the rounds' ratios of CPU time, so that a noisy machine disturbs both sides alike.

    python -m benchmarks.local_read [--rounds 15] [--calls 1500]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics

from benchmarks.local_load import Caller, Staged, cpu_seconds, drive, staged

CALLERS = 8
MOST = 1.4


async def cost(platform: Staged, port: int, calls: int) -> float:
    """CPU microseconds of a call."""
    request = platform.request("GET", f"/api/v1/memory-blobs/{platform.blob_id}?user_id={platform.user_id}")
    caller = await Caller.connect(port)
    before = await cpu_seconds(caller)
    await drive(port, callers=CALLERS, calls=calls, request=lambda _: request)
    used = await cpu_seconds(caller) - before
    caller.close()
    return used / calls * 1e6


async def measure(platform: Staged, *, rounds: int, calls: int) -> None:
    sides = {"platform": platform.port, "raw sqlite3": platform.raw_port}
    costs: dict[str, list[float]] = {name: [] for name in sides}
    for port in sides.values():
        await cost(platform, port, calls)
    for _ in range(rounds):
        for name in random.sample(list(sides), len(sides)):
            costs[name].append(await cost(platform, sides[name], calls))
    for name, values in costs.items():
        print(f"{name:12} {statistics.median(values):6.0f} us CPU a read")
    ratios = sorted(ours / raw for ours, raw in zip(*costs.values(), strict=True))
    quarters = statistics.quantiles(ratios)
    middle = statistics.median(ratios)
    print(f"ratio {middle:13.2f} (quartiles {quarters[0]:.2f} to {quarters[2]:.2f}); at most {MOST}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=1_500)
    arguments = parser.parse_args()
    with staged() as platform:
        asyncio.run(measure(platform, rounds=arguments.rounds, calls=arguments.calls))


if __name__ == "__main__":
    main()
