"""Whoever tests an application replaces our methods, stands in for our objects, and refers to them weakly."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import pytest

from memoram_async import AccessCredentials, AsyncMemoram, AsyncMemoryAPI, Secret
from memoram_sync import Memoram, MemoryAPI
from tests.worlds import API, API_KEY, MEMORY_API, MEMORY_API_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

CREDENTIALS: Final = AccessCredentials(
    user_id="user-1", memory_key=Secret("mk_1"), encryption_key=Secret("ab" * 32), key_version=1
)


def tags(client: Any) -> Any:
    return client.tags.list(user_id="user-1")


def items(client: Any) -> Any:
    pager = tags(client)
    return pager.__aiter__() if hasattr(pager, "__aiter__") else iter(pager)


MEMORAM: Final[dict[str, Callable[[Any], Any]]] = {
    "client": lambda client: client,
    "access_requests": lambda client: client.access_requests,
    "memory_blobs": lambda client: client.memory_blobs,
    "tags": lambda client: client.tags,
    "oauth": lambda client: client.oauth,
    "store": lambda client: client.open(CREDENTIALS),
    "pager": tags,
    "pages": lambda client: tags(client).pages(),
    "items": items,
    "ahead": lambda client: tags(client).ahead(),
}
MEMORY_SERVICE: Final[dict[str, Callable[[Any], Any]]] = {
    "client": lambda client: client,
    "account": lambda client: client.account,
    "api_keys": lambda client: client.account.api_keys,
    "memories": lambda client: client.memories,
    "usage": lambda client: client.usage,
    "pager": lambda client: client.memories.list(),
}
"""What users hold, and how it is had from a client."""

HELD: Final = [
    *[(kind, part) for kind in (AsyncMemoram, Memoram) for part in MEMORAM],
    *[(kind, part) for kind in (AsyncMemoryAPI, MemoryAPI) for part in MEMORY_SERVICE],
]
REPLACED: Final = [
    *[
        (kind, part, method)
        for kind in (AsyncMemoram, Memoram)
        for part, method in (
            ("client", "connect"),
            ("client", "request"),
            ("access_requests", "wait"),
            ("memory_blobs", "create"),
            ("tags", "list"),
            ("oauth", "begin"),
            ("store", "create"),
            ("store", "list"),
        )
    ],
    *[
        (kind, part, method)
        for kind in (AsyncMemoryAPI, MemoryAPI)
        for part, method in (
            ("client", "query"),
            ("account", "get"),
            ("api_keys", "create"),
            ("memories", "create"),
        )
    ],
]


def made(kind: type, part: str = "client") -> Any:
    """A part of a client, which was never used."""
    if kind in {AsyncMemoram, Memoram}:
        return MEMORAM[part](kind(API_KEY, base_url=API))
    return MEMORY_SERVICE[part](kind(MEMORY_API_KEY, base_url=MEMORY_API))


@pytest.mark.parametrize(("kind", "part"), HELD)
def test_what_users_hold_can_be_referred_to_weakly(kind: type, part: str) -> None:
    held = made(kind, part)
    reference = weakref.ref(held)

    assert reference() is held
    del held
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize(("kind", "part", "method"), REPLACED)
def test_a_method_can_be_replaced(kind: type, part: str, method: str) -> None:
    held = made(kind, part)

    with mock.patch.object(held, method, return_value="replaced", autospec=True) as double:
        assert getattr(held, method) is double
    assert getattr(held, method) is not double


@pytest.mark.anyio
async def test_what_replaces_a_coroutine_function_is_awaited() -> None:
    store = made(AsyncMemoram, "store")

    with mock.patch.object(store, "create", return_value="replaced") as create:
        assert await store.create("Prefers window seats") == "replaced"
    create.assert_awaited_once_with("Prefers window seats")


def test_what_replaces_a_blocking_method_is_called() -> None:
    store = made(Memoram, "store")

    with mock.patch.object(store, "create", return_value="replaced") as create:
        assert store.create("Prefers window seats") == "replaced"
    create.assert_called_once_with("Prefers window seats")


@pytest.mark.parametrize("kind", [AsyncMemoram, Memoram])
def test_a_resource_is_the_same_each_time(kind: type) -> None:
    client = made(kind)

    with mock.patch.object(client.tags, "list", return_value=["travel"]):
        assert client.tags.list(user_id="user-1") == ["travel"]
