"""The whole way, sync and async, in whatever interpreter runs it; prints what came back.

python [options] tests/wheel/round_trip.py [start method of a child process]
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

import httpx

import memoram_async
from memoram_async import AsyncMemoram
from memoram_local import MemoramLocal
from memoram_local.testing import AutoApprove
from memoram_sync import Memoram

REASON: Final = "Remembers your travel preferences"


def written_and_read(addresses: tuple[str, str], api_key: str, memory_key: str) -> list[str]:
    """What a blocking client reads back."""
    with Memoram(api_key, base_url=addresses[0], auth_url=addresses[1]) as memoram:
        store = memoram.connect(memory_key, reason=REASON)
        store.create("sync")
        return [memory.content for memory in store.list()]


async def read(addresses: tuple[str, str], api_key: str, memory_key: str) -> list[str]:
    """What an async client reads."""
    async with AsyncMemoram(api_key, base_url=addresses[0], auth_url=addresses[1]) as memoram:
        store = await memoram.connect(memory_key, reason=REASON)
        return [memory.content async for memory in store.list()]


def in_child(method: str, addresses: tuple[str, str], api_key: str, memory_key: str) -> list[str]:
    """What a blocking client reads back in a child process."""
    with ProcessPoolExecutor(1, mp_context=get_context(method)) as pool:
        return pool.submit(written_and_read, addresses, api_key, memory_key).result()


def main() -> None:
    """Print what was found, as JSON."""
    # In Python's development mode, asyncio warns of whatever takes a tenth of a second.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    with MemoramLocal(password_profile="fast", decide=AutoApprove()) as local, local.serve() as server:
        app = local.register_app(name="Planner")
        user = local.create_user(email="ada@example.com", password="correct horse battery")
        who = ((server.api_url, server.auth_url), app.api_key, user.memory_key)
        blocking = in_child(sys.argv[1], *who) if sys.argv[1:] else written_and_read(*who)
        with httpx.Client(base_url=server.url, trust_env=False) as browser:
            pages = {path: browser.get(path).status_code for path in ("/signin", "/static/style.css")}
        found = {
            "place": memoram_async.__file__,
            "sync": blocking,
            "async": asyncio.run(read(*who)),
            "pages": pages,
        }
    print(json.dumps(found))  # noqa: T201 - a script


if __name__ == "__main__":
    main()
