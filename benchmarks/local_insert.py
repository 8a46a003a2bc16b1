"""How long storing a memory takes when 16 writers do it at once, with and without an Idempotency-Key.

Beside it the least that such a call can take, in shuffled rounds: milliseconds mean little alone.

    python -m benchmarks.local_insert [--rounds 5] [--calls 3000] [--writers 16]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from typing import NamedTuple
from uuid import uuid4

from benchmarks.local_load import Caller, Staged, cpu_seconds, drive, percentile, staged

MOST = 30


class Figures(NamedTuple):
    """What one round told."""

    p50: float
    p99: float
    rate: float
    cpu: float


def memory(platform: Staged, *, keyed: bool) -> bytes:
    members = {
        "user_id": platform.user_id,
        "memoryKey": platform.memory_key,
        "content": "x" * 1000,
        "title": "A seat by the window",
        "tags": ["travel", "seat"],
        "importance": 0.8,
    }
    more = f"idempotency-key: {uuid4()}\r\n" if keyed else ""
    return platform.request("POST", "/api/v1/memory-blobs", json.dumps(members).encode(), more=more)


async def measure(platform: Staged, *, writers: int, calls: int, rounds: int) -> None:
    sides = {
        "bare": (platform.bare_port, False),
        "plain": (platform.port, False),
        "with a key": (platform.port, True),
    }
    figures: dict[str, list[Figures]] = {name: [] for name in sides}
    caller = await Caller.connect(platform.port)
    for number in range(rounds + 1):
        for name in random.sample(list(sides), len(sides)):
            port, keyed = sides[name]
            started, before = time.perf_counter(), await cpu_seconds(caller)
            took = await drive(
                port,
                callers=writers,
                calls=calls,
                request=lambda _, keyed=keyed: memory(platform, keyed=keyed),  # type: ignore[misc]
                status=201,
            )
            rate = calls / (time.perf_counter() - started)
            cpu = (await cpu_seconds(caller) - before) / calls * 1e6
            if number > 0:  # the first round warms up
                figures[name].append(Figures(percentile(took, 50), percentile(took, 99), rate, cpu))
    caller.close()
    print(f"{'insert':10} {'p50 ms':>7} {'p99 ms':>7} {'per s':>7} {'CPU us':>7}")
    for name, seen in figures.items():
        p50, p99, rate, cpu = (statistics.median(values) for values in zip(*seen, strict=True))
        print(f"{name:10} {p50:7.1f} {p99:7.1f} {rate:7.0f} {cpu:7.0f}")
    print(f"medians of {rounds} rounds with {writers} writers; p99 at most {MOST} ms")
    for name in ("plain", "with a key"):
        ratio = statistics.median(
            ours.p99 / floor.p99 for ours, floor in zip(figures[name], figures["bare"], strict=True)
        )
        print(f"{name}: {ratio:.2f} of the bare p99")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--writers", type=int, default=16)
    arguments = parser.parse_args()
    with staged() as platform:
        asyncio.run(
            measure(platform, writers=arguments.writers, calls=arguments.calls, rounds=arguments.rounds)
        )


if __name__ == "__main__":
    main()
