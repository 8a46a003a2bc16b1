"""How applications write blocking code, and what type checkers make of it; the tests run it too."""

from __future__ import annotations

from datetime import datetime
from typing import assert_type

import httpx
import httpx2

from memoram_sync import (
    UNSET,
    AccessCredentials,
    AccessRequest,
    AccessRevoked,
    APIStatusError,
    ApprovalTimeout,
    HTTPResponse,
    ItemIterator,
    Memoram,
    Memory,
    MemoryBlob,
    MemoryStore,
    MemoryTokenStore,
    OAuthFlow,
    OAuthTokens,
    OutcomeUnknownError,
    Page,
    PageIterator,
    Pager,
    RateLimitedError,
    Secret,
    StoreOptions,
    Tag,
    Unset,
)


class Planner(Memoram):
    """A client of the application's own."""


def clients() -> list[Memoram]:
    return [
        Memoram("mem_x"),
        Memoram(
            Secret("mem_x"),
            timeout=None,
            max_retries=0,
            store_options=StoreOptions(read_policy="allow-plaintext"),
        ),
        Memoram("mem_x", http_client=httpx.Client()),
        Memoram("mem_x", http_client=httpx2.Client()),
        Memoram("mem_x", token_store=MemoryTokenStore()),
        assert_type(Memoram("mem_x").with_options(timeout=None), Memoram),
        assert_type(Planner("mem_x").with_options(max_retries=UNSET), Planner),
    ]


def first_steps(client: Memoram, memory_key: str | Secret) -> None:
    with client as memoram:
        assert_type(memoram, Memoram)
        store = memoram.connect(memory_key, reason="Plans journeys", on_status=print)
        assert_type(store, MemoryStore)
        created = store.create("Prefers window seats", tags=["travel"], importance=0.8)
        assert_type(created, Memory)
        for memory in store.list(tags=["travel"]):
            assert_type(memory, Memory)
            assert_type(memory.content, str)
            assert_type(memory.tags, tuple[str, ...])
            assert_type(memory.created_at, datetime | None)


def memories(store: MemoryStore, title: str | None) -> None:
    memory = store.create("Prefers window seats", title=title, tags=("a", "b"))
    assert_type(store.get(memory.id), Memory)
    assert_type(store.update(memory.id, content=UNSET, title=None), Memory)
    assert_type(store.update(memory.id, title="Seat" if title else UNSET, tags={"c"}), Memory)
    assert_type([tag.name for tag in store.list_tags()], list[str | None])
    store.delete(memory.id)
    assert_type(store.user_id, str)
    assert_type(store.key_version, int)
    with store as same:
        assert_type(same, MemoryStore)
    store.close()


def pages(store: MemoryStore) -> None:
    pager = store.list(search="seat", page_size=2)
    assert_type(pager, Pager[Memory])
    page = pager.first_page()
    assert_type(page, Page[Memory])
    assert_type(page.items, tuple[Memory, ...])
    assert_type(page.next_cursor, str | None)
    assert_type(pager.page(page.next_cursor), Page[Memory])
    assert_type(pager.pages(), PageIterator[Memory])
    assert_type(iter(pager), ItemIterator[Memory])
    assert_type([page.total for page in pager.pages()], list[int | None])
    assert_type(next(iter(pager), None), Memory | None)


def resources(memoram: Memoram, memory_key: str, request_id: str) -> None:
    assert_type(memoram.access_requests.get(request_id), AccessRequest)
    assert_type(memoram.access_requests.list(), Pager[AccessRequest])
    assert_type(memoram.access_requests.wait(request_id, timeout=None), AccessRequest)
    credentials = memoram.access_requests.credentials(request_id)
    assert_type(credentials, AccessCredentials)
    assert_type(credentials.encryption_key, Secret)
    assert_type(credentials.encryption_key.reveal(), str)
    assert_type(memoram.open(credentials), MemoryStore)
    user_id = credentials.user_id
    blob = memoram.memory_blobs.create(user_id=user_id, memory_key=memory_key, content="x")
    assert_type(blob, MemoryBlob)
    assert_type(memoram.memory_blobs.get(blob.id, user_id=user_id).content, str | None)
    assert_type(memoram.memory_blobs.list(user_id=user_id), Pager[MemoryBlob])
    memoram.memory_blobs.delete(blob.id, user_id=user_id)
    assert_type(memoram.tags.list(user_id=user_id), Pager[Tag])
    answer = memoram.request("GET", "/tags", params={"user_id": user_id})
    assert_type(answer, HTTPResponse)
    assert_type(answer.status, int)


def linking(memoram: Memoram, callback: str, client_secret: Secret) -> Secret | None:
    flow = memoram.oauth.begin(
        client_id="c",
        client_secret=client_secret,
        redirect_uri="https://app.test/back",
        params={"prompt": "login"},
    )
    assert_type(flow, OAuthFlow)
    assert_type(flow.url, str)
    assert_type(flow.seal(secret=["s" * 32, b"t" * 32]), str)
    assert_type(memoram.oauth.restore(flow.seal(), client_secret=client_secret), OAuthFlow)
    tokens = flow.complete(callback)
    assert_type(memoram.oauth.refresh(tokens, on_tokens=print), OAuthTokens)
    assert_type(tokens, OAuthTokens)
    assert_type(tokens.refresh_token, Secret | None)
    return tokens.memory_key


def errors(memoram: Memoram, memory_key: str) -> str | float | None:
    try:
        memoram.connect(memory_key, reason="Plans journeys", timeout=60)
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
