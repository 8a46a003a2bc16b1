"""What opening users' stores costs: in a worker that has them open, in a fresh one, and in memory.

    python -m benchmarks.connections

CPU time of interleaved rounds, against a service that answers at once, in process: what is measured is the
SDK's own part. The fresh worker is compared with one that makes the same credentials calls by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import tempfile
import time
import tracemalloc
from typing import Any, Final

import httpx

from memoram_async import AsyncMemoram, SQLGrantStore
from memoram_async.core.grants import GRANT_PURPOSE, Grant
from memoram_async.core.secret import Secret
from memoram_async.crypto.secret_seal import SecretSeal
from memoram_async.grants.rows import GrantRows
from memoram_async.runtime.anyio_runtime import AnyioRuntime

SECRET: Final = "of the application's own, and long enough"  # noqa: S105 - it seals nothing of anybody's
API_KEY: Final = "mem_" + "0123456789abcdef" * 3


def service(request: httpx.Request) -> httpx.Response:
    """A service on which everybody has approved."""
    if request.url.path.endswith("/auth/token"):
        return httpx.Response(200, json={"token": "a.b.c", "expires_at": "2040-01-01T00:00:00Z"})
    user = request.url.path.split("/")[-2]
    key = {"user_id": user, "memory_key": f"mk_{user}", "encryption_key": "ab" * 32, "key_version": 1}
    return httpx.Response(200, json=key)


def client() -> AsyncMemoram:
    runtime = AnyioRuntime(httpx.AsyncClient(transport=httpx.MockTransport(service)))
    return AsyncMemoram(API_KEY, base_url="https://api.test/api/v1", runtime=runtime)


def connections(memoram: AsyncMemoram, grants: SQLGrantStore, **options: Any) -> Any:
    return memoram.connections(
        grants, redirect_uri="https://app.test/back", reason="why", secret=SECRET, **options
    )


def fill(grants: SQLGrantStore, users: int) -> None:
    """Grants of so many users, all approved."""
    rows = GrantRows(grants, SecretSeal([Secret(SECRET)], purpose=GRANT_PURPOSE), endpoint="")
    for number in range(users):
        user = f"user-{number}"
        grant = Grant().linked(Secret(f"mk_{number}")).asked(f"req-{number}", approved=True)
        assert rows.swap(user, rows.read(user), grant)


async def open_already(grants: SQLGrantStore, calls: int) -> float:
    """CPU seconds of a `store(user)` that is open in this process."""
    async with client() as memoram:
        opened = connections(memoram, grants)
        await opened.store("user-0")
        began = time.process_time()
        for _ in range(calls):
            await opened.store("user-0")
        return (time.process_time() - began) / calls


async def fresh(path: str, users: int) -> tuple[float, float, float]:
    """CPU seconds of a first `store(user)`, of its credentials call alone, and of a worker's very first."""
    with SQLGrantStore(path) as grants:
        async with client() as memoram, client() as bare:
            opened = connections(memoram, grants)
            await memoram.access_requests.credentials("req-0")  # the token is there
            await bare.access_requests.credentials("req-0")
            began = time.process_time()
            await opened.store("user-0")
            first = time.process_time() - began
            spent = {True: 0.0, False: 0.0}
            for number in range(1, users):
                for is_ours in (number % 2 == 0, number % 2 == 1):
                    began = time.process_time()
                    if is_ours:
                        await opened.store(f"user-{number}")
                    else:
                        await bare.access_requests.credentials(f"req-{number}")
                    spent[is_ours] += time.process_time() - began
            return spent[True] / (users - 1), spent[False] / (users - 1), first


async def in_turn(grants: SQLGrantStore, users: int, most: int) -> list[tuple[int, float]]:
    """How much memory is taken after so many users, opened one after the other."""
    taken: list[tuple[int, float]] = []
    async with client() as memoram:
        opened = connections(memoram, grants, max_open=most)
        await opened.store("user-0")
        gc.collect()
        tracemalloc.start()
        for number in range(users):
            await opened.store(f"user-{number}")
            if (number + 1) % most == 0:
                gc.collect()
                taken.append((number + 1, tracemalloc.get_traced_memory()[0] / 1e6))
        tracemalloc.stop()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--users", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = f"sqlite:///{folder}/grants.db"
        with SQLGrantStore(path) as grants:
            fill(grants, options.users)
            opened = [asyncio.run(open_already(grants, 5_000)) for _ in range(options.rounds)]
            print(f"open in this process: median {statistics.median(opened) * 1e6:.1f} us, {spread(opened)}")
            rounds = [asyncio.run(fresh(path, 200)) for _ in range(options.rounds)]
            beyond = [ours - bare for ours, bare, _ in rounds]
            bare = statistics.median(each for _, each, _ in rounds) * 1e6
            first = statistics.median(each for *_, each in rounds) * 1e3
            print(
                f"fresh worker, beyond its call: {statistics.median(beyond) * 1e6:.0f} us, {spread(beyond)}"
            )
            print(f"the call itself: {bare:.0f} us; a worker's very first store: {first:.1f} ms")
            for number, megabytes in asyncio.run(in_turn(grants, options.users, options.users // 10)):
                print(f"after {number:6,} users: {megabytes:.2f} MB")


def spread(seconds: list[float]) -> str:
    return f"{min(seconds) * 1e6:.1f} to {max(seconds) * 1e6:.1f}"


if __name__ == "__main__":
    main()
