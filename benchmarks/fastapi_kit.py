"""What the FastAPI kit costs a request, beside the same route without it.

    python -m benchmarks.fastapi_kit

CPU time of interleaved rounds of calls into the ASGI application itself, without a server; the user's store
is open already, as it is for all but the first request of a user in each worker.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from typing import Annotated, Any, Final

import httpx
from fastapi import Depends, FastAPI

from benchmarks.connections import API_KEY, SECRET, service
from memoram_async import AsyncMemoram, AsyncMemoryStore, MemoryGrantStore
from memoram_async.core.grants import GRANT_PURPOSE, Grant
from memoram_async.core.secret import Secret
from memoram_async.crypto.secret_seal import SecretSeal
from memoram_async.grants.rows import GrantRows
from memoram_async.integrations.fastapi import MemoramKit
from memoram_async.runtime.anyio_runtime import AnyioRuntime

CALLS: Final = 500


def client() -> AsyncMemoram:
    runtime = AnyioRuntime(httpx.AsyncClient(transport=httpx.MockTransport(service)))
    return AsyncMemoram(API_KEY, base_url="https://api.test/api/v1", runtime=runtime)


async def signed_in() -> str:
    return "user-0"


grants = MemoryGrantStore()
kit = MemoramKit(grants, user=signed_in, url="https://app.test", reason="why", client=client, secret=SECRET)
ours, bare = FastAPI(), FastAPI()
kit.add_to(ours)


@ours.get("/notes")
async def with_kit(store: Annotated[AsyncMemoryStore, Depends(kit.store)]) -> dict[str, str]:
    return {"user": store.user_id}


@bare.get("/notes")
async def without(user: Annotated[str, Depends(signed_in)]) -> dict[str, str]:
    return {"user": user}


async def call(app: FastAPI, state: dict[str, Any]) -> None:
    """One request, straight into the application."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": "/notes",
        "raw_path": b"/notes",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"app.test")],
        "server": ("app.test", 443),
        "client": ("127.0.0.1", 1),
        "state": dict(state),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        assert message.get("status", 200) == 200

    await app(scope, receive, send)


async def main(rounds: int) -> None:
    rows = GrantRows(grants, SecretSeal([Secret(SECRET)], purpose=GRANT_PURPOSE), endpoint="")
    linked = Grant().linked(Secret("mk_0")).asked("req-0", approved=True)
    assert rows.swap("user-0", rows.read("user-0"), linked)
    spent: dict[str, list[float]] = {"ours": [], "bare": []}
    async with kit.lifespan(ours) as state:
        for _ in range(rounds):
            for name, app in (("ours", ours), ("bare", bare)):
                await call(app, dict(state))
                began = time.process_time()
                for _ in range(CALLS):
                    await call(app, dict(state))
                spent[name].append((time.process_time() - began) / CALLS * 1e6)
    extra = [one - other for one, other in zip(spent["ours"], spent["bare"], strict=True)]
    print(f"a request with the kit: {statistics.median(spent['ours']):.0f} us")
    print(f"the same route without it: {statistics.median(spent['bare']):.0f} us")
    print(f"the kit's own cost: {statistics.median(extra):.0f} us ({min(extra):.0f} to {max(extra):.0f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure what the FastAPI kit costs a request.")
    parser.add_argument("--rounds", type=int, default=11)
    asyncio.run(main(parser.parse_args().rounds))
