"""How long storing a memory takes when 16 writers do it at once, with and without an Idempotency-Key.

python -m benchmarks.local_insert [--calls 4000] [--writers 16]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from uuid import uuid4

from benchmarks.local_load import Caller, Staged, cpu_seconds, drive, percentile, staged

MOST = 30


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


async def measure(platform: Staged, *, writers: int, calls: int) -> None:
    caller = await Caller.connect(platform.port)
    print(f"{'insert':10} {'p50 ms':>7} {'p99 ms':>7} {'max ms':>7} {'per s':>7} {'CPU us':>7}")
    for name, keyed in {"warm-up": False, "plain": False, "with a key": True}.items():
        started, before = time.perf_counter(), await cpu_seconds(caller)
        took = await drive(
            platform.port,
            callers=writers,
            calls=calls,
            request=lambda _, keyed=keyed: memory(platform, keyed=keyed),  # type: ignore[misc]
            status=201,
        )
        rate = calls / (time.perf_counter() - started)
        cpu = (await cpu_seconds(caller) - before) / calls * 1e6
        p50, p99, most = (percentile(took, share) for share in (50, 99, 100))
        print(f"{name:10} {p50:7.1f} {p99:7.1f} {most:7.1f} {rate:7.0f} {cpu:7.0f}")
    print(f"with {writers} writers; p99 at most {MOST} ms")
    caller.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=4_000)
    parser.add_argument("--writers", type=int, default=16)
    arguments = parser.parse_args()
    with staged() as platform:
        asyncio.run(measure(platform, writers=arguments.writers, calls=arguments.calls))


if __name__ == "__main__":
    main()
