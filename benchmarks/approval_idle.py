"""CPU time of ten thousand who wait for users who do not decide, by the system's clock.

    python -m benchmarks.approval_idle

The service is a function that answers bytes made before, without entity tags or long polls: what is measured
is all that the client does, from the HTTP library's request to the schedule. The first minutes are the
busiest: the longer users take, the less often they are asked after. With `--busy` something else in the list
changes before each reading, so that each has to be taken in.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import anyio
import httpx

from memoram_async import AsyncMemoram
from memoram_async.runtime.anyio_runtime import AnyioRuntime

TOKEN = {"token": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl", "expires_at": "2040-01-01T00:00:00Z"}
SETTLING = 10.0


def item(number: int) -> dict[str, Any]:
    """A request as the service lists it."""
    return {
        "id": f"ar_{number:024x}",
        "memoryKey": f"{number:064x}",
        "aiConnectorId": "ac_0123456789abcdef01234567",
        "reason": "Remembers your travel preferences from one journey to the next",
        "status": "pending",
        "createdAt": "2026-11-25T08:00:00.000000Z",
        "updatedAt": "2026-11-25T08:00:00.000000Z",
    }


class Service:
    """Knows access requests that nobody decides."""

    def __init__(self, waiters: int, *, page: int | None, busy: bool) -> None:
        items = [item(number) for number in range(waiters)]
        self.ids = [str(each["id"]) for each in items]
        self.calls = 0
        self._size = page or waiters + 1
        self._lists = [self._pages([*items, item(waiters + other)]) for other in range(1 + busy)]

    def _pages(self, items: list[dict[str, Any]]) -> list[bytes]:
        starts = range(0, len(items), self._size)
        return [
            json.dumps(
                {
                    "items": items[start : start + self._size],
                    "total": len(items),
                    "next_cursor": str(number) if number < len(starts) else None,
                }
            ).encode()
            for number, start in enumerate(starts, 1)
        ]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/token"):
            return httpx.Response(200, json=TOKEN)
        self.calls += 1
        pages = self._lists[self.calls % len(self._lists)]
        content = pages[int(request.url.params.get("cursor", 0))]
        return httpx.Response(200, content=content, headers={"content-type": "application/json"})


async def measure(options: argparse.Namespace) -> None:
    """Print what so many cost."""
    service = Service(options.waiters, page=options.page, busy=options.busy)
    runtime = AnyioRuntime(httpx.AsyncClient(transport=httpx.MockTransport(service)))
    client = AsyncMemoram("mem_" + "0" * 48, base_url="https://api.test/api/v1", runtime=runtime)
    async with client, anyio.create_task_group() as group:
        for request_id in service.ids:
            group.start_soon(client.access_requests.wait, request_id)
        await anyio.sleep(SETTLING)
        calls, cpu, began = service.calls, time.process_time(), time.monotonic()
        await anyio.sleep(options.seconds)
        cpu, passed = time.process_time() - cpu, time.monotonic() - began
        calls = service.calls - calls
        print("waiters | calls a minute | CPU of a call | CPU of one core")
        share = f"{cpu / calls * 1000:.0f} ms | {cpu / passed:.2%}"
        print(f"{options.waiters:,} | {calls / passed * 60:.1f} | {share}")
        group.cancel_scope.cancel()


def main() -> None:
    """Print a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waiters", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--page", type=int, help="requests to a page of the list; all on one by default")
    parser.add_argument("--busy", action="store_true")
    anyio.run(measure, parser.parse_args())


if __name__ == "__main__":
    main()
