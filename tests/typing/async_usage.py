"""How applications write asynchronous code, and what type checkers make of it; the tests run it too."""

from __future__ import annotations

from datetime import datetime
from typing import assert_type

import httpx
import httpx2

from memoram_async import (
    UNSET,
    AccessCredentials,
    AccessRequest,
    AccessRevoked,
    APIStatusError,
    ApprovalTimeout,
    AsyncItemIterator,
    AsyncMemoram,
    AsyncMemoryStore,
    AsyncOAuthFlow,
    AsyncPageIterator,
    AsyncPager,
    HTTPResponse,
    Memory,
    MemoryBlob,
    MemoryTokenStore,
    OAuthTokens,
    OutcomeUnknownError,
    Page,
    RateLimitedError,
    Secret,
    StoreOptions,
    Tag,
    Unset,
)


class Planner(AsyncMemoram):
    """A client of the application's own."""


def clients() -> list[AsyncMemoram]:
    return [
        AsyncMemoram("mem_x"),
        AsyncMemoram(
            Secret("mem_x"),
            timeout=None,
            max_retries=0,
            store_options=StoreOptions(read_policy="allow-plaintext"),
        ),
        AsyncMemoram("mem_x", http_client=httpx.AsyncClient()),
        AsyncMemoram("mem_x", http_client=httpx2.AsyncClient()),
        AsyncMemoram("mem_x", token_store=MemoryTokenStore()),
        assert_type(AsyncMemoram("mem_x").with_options(timeout=None), AsyncMemoram),
        assert_type(Planner("mem_x").with_options(max_retries=UNSET), Planner),
    ]


async def first_steps(client: AsyncMemoram, memory_key: str | Secret) -> None:
    async with client as memoram:
        assert_type(memoram, AsyncMemoram)
        store = await memoram.connect(memory_key, reason="Plans journeys", on_status=print)
        assert_type(store, AsyncMemoryStore)
        created = await store.create("Prefers window seats", tags=["travel"], importance=0.8)
        assert_type(created, Memory)
        async for memory in store.list(tags=["travel"]):
            assert_type(memory, Memory)
            assert_type(memory.content, str)
            assert_type(memory.tags, tuple[str, ...])
            assert_type(memory.created_at, datetime | None)


async def memories(store: AsyncMemoryStore, title: str | None) -> None:
    memory = await store.create("Prefers window seats", title=title, tags=("a", "b"))
    assert_type(await store.get(memory.id), Memory)
    assert_type(await store.update(memory.id, content=UNSET, title=None), Memory)
    assert_type(await store.update(memory.id, title="Seat" if title else UNSET, tags={"c"}), Memory)
    assert_type([tag.name async for tag in store.list_tags()], list[str | None])
    await store.delete(memory.id)
    assert_type(store.user_id, str)
    assert_type(store.key_version, int)
    async with store as same:
        assert_type(same, AsyncMemoryStore)
    store.close()


async def pages(store: AsyncMemoryStore) -> None:
    pager = store.list(search="seat", page_size=2)
    assert_type(pager, AsyncPager[Memory])
    page = await pager.first_page()
    assert_type(page, Page[Memory])
    assert_type(page.items, tuple[Memory, ...])
    assert_type(page.next_cursor, str | None)
    assert_type(await pager.page(page.next_cursor), Page[Memory])
    assert_type(pager.pages(), AsyncPageIterator[Memory])
    assert_type(aiter(pager), AsyncItemIterator[Memory])
    assert_type([page.total async for page in pager.pages()], list[int | None])
    assert_type(await anext(aiter(pager), None), Memory | None)


async def resources(memoram: AsyncMemoram, memory_key: str, request_id: str) -> None:
    assert_type(await memoram.access_requests.get(request_id), AccessRequest)
    assert_type(memoram.access_requests.list(), AsyncPager[AccessRequest])
    assert_type(await memoram.access_requests.wait(request_id, timeout=None), AccessRequest)
    credentials = await memoram.access_requests.credentials(request_id)
    assert_type(credentials, AccessCredentials)
    assert_type(credentials.encryption_key, Secret)
    assert_type(credentials.encryption_key.reveal(), str)
    assert_type(memoram.open(credentials), AsyncMemoryStore)
    user_id = credentials.user_id
    blob = await memoram.memory_blobs.create(user_id=user_id, memory_key=memory_key, content="x")
    assert_type(blob, MemoryBlob)
    assert_type((await memoram.memory_blobs.get(blob.id, user_id=user_id)).content, str | None)
    assert_type(memoram.memory_blobs.list(user_id=user_id), AsyncPager[MemoryBlob])
    await memoram.memory_blobs.delete(blob.id, user_id=user_id)
    assert_type(memoram.tags.list(user_id=user_id), AsyncPager[Tag])
    answer = await memoram.request("GET", "/tags", params={"user_id": user_id})
    assert_type(answer, HTTPResponse)
    assert_type(answer.status, int)


async def linking(memoram: AsyncMemoram, callback: str, client_secret: Secret) -> Secret | None:
    flow = memoram.oauth.begin(
        client_id="c",
        client_secret=client_secret,
        redirect_uri="https://app.test/back",
        params={"prompt": "login"},
    )
    assert_type(flow, AsyncOAuthFlow)
    assert_type(flow.url, str)
    assert_type(flow.seal(secret=["s" * 32, b"t" * 32]), str)
    assert_type(memoram.oauth.restore(flow.seal(), client_secret=client_secret), AsyncOAuthFlow)
    tokens = await flow.complete(callback)
    assert_type(await memoram.oauth.refresh(tokens, on_tokens=print), OAuthTokens)
    assert_type(tokens, OAuthTokens)
    assert_type(tokens.refresh_token, Secret | None)
    return tokens.memory_key


async def errors(memoram: AsyncMemoram, memory_key: str) -> str | float | None:
    try:
        await memoram.connect(memory_key, reason="Plans journeys", timeout=60)
    except (AccessRevoked, ApprovalTimeout) as error:
        return assert_type(error.request_id, str | None)
    except RateLimitedError as error:
        return assert_type(error.retry_after, float | None)
    except APIStatusError as error:
        assert_type(error.status, int)
        assert_type(error.server_message, Secret | None)
        return assert_type(error.request_id, str | None)
    except OutcomeUnknownError as error:
        assert_type(error.sent, bool)
    return None


def changes(title: str | Unset | None) -> str | None:
    """UNSET narrows by identity."""
    return None if title is UNSET else assert_type(title, str | None)
