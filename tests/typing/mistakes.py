# pyright: reportUnnecessaryTypeIgnoreComment=true
"""What people get wrong, and type checkers tell them.

Each comment here is needed: mypy and pyright both report one that is not. Nothing of it is ever called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import httpx2

import memoram_async
import memoram_sync
from memoram_async import AsyncMemoram, AsyncMemoryStore
from memoram_sync import UNSET, Memoram, MemoryStore, StoreOptions

if TYPE_CHECKING:
    from memoram_sync import Memory


async def awaiting_what_blocks(store: MemoryStore) -> None:
    await store.get("mem_1")  # type: ignore[misc]


async def looping_over_what_blocks(store: MemoryStore) -> None:
    async for _ in store.list():  # type: ignore[attr-defined]
        pass


async def forgetting_await(store: AsyncMemoryStore) -> None:
    _ = store.get("mem_1").content  # type: ignore[attr-defined]


async def forgetting_async(store: AsyncMemoryStore) -> None:
    for _ in store.list():  # type: ignore[attr-defined]
        pass


async def forgetting_async_with() -> None:
    with AsyncMemoram():  # type: ignore[attr-defined]
        pass


def misspelling_names() -> None:
    memoram_async.AsyncMemorm  # type: ignore[attr-defined]  # noqa: B018 - the checkers are the test
    memoram_sync.MemoryStor  # type: ignore[attr-defined]  # noqa: B018


def mixing_worlds() -> None:
    AsyncMemoram(http_client=httpx.Client())  # type: ignore[arg-type]
    AsyncMemoram(http_client=httpx2.Client())  # type: ignore[arg-type]
    Memoram(http_client=httpx.AsyncClient())  # type: ignore[arg-type]
    Memoram(http_client=httpx2.AsyncClient())  # type: ignore[arg-type]


def forgetting_names(memoram: Memoram, store: MemoryStore) -> None:
    Memoram("mem_x", "https://api.test")  # type: ignore[call-arg]
    memoram.connect("mk_1", "Plans journeys")  # type: ignore[call-arg]
    store.create("content", "title")  # type: ignore[call-arg]
    memoram.tags.get("tag_1")  # type: ignore[call-arg]
    memoram.with_options(60)  # type: ignore[call-arg]


def wrong_values(memoram: Memoram, store: MemoryStore) -> None:
    StoreOptions(read_policy="plaintext")  # type: ignore[arg-type]
    store.create(b"content")  # type: ignore[arg-type]
    store.create("content", importance="high")  # type: ignore[arg-type]
    store.update("mem_1", content=None)  # type: ignore[arg-type]
    store.create("content", title=UNSET)  # type: ignore[arg-type]
    memoram.with_options(max_retries=None)  # type: ignore[arg-type]


def changing_what_was_read(memory: Memory) -> None:
    memory.title = "Seat"  # type: ignore[misc]
    memory.content = "x"  # type: ignore[misc]


def showing_a_secret(memoram: Memoram) -> str:
    return memoram.access_requests.credentials("ar_1").encryption_key  # type: ignore[return-value]
