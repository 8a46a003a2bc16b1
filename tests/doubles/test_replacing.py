"""Whoever tests an application replaces our methods, stands in for our objects, and refers to them weakly."""

from __future__ import annotations

import gc
import weakref
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import pytest

import memoram_async
import memoram_sync
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


AUTOSPECCED: Final = (
    "connect",
    "access_requests.wait",
    "memory_blobs.create",
    "memory_blobs.list",
    "tags.get",
    "oauth.begin",
)
MEMORY_API_AUTOSPECCED: Final = (
    "query",
    "account.get",
    "account.api_keys.create",
    "memories.create",
    "usage.get",
)


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


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        *[(kind, path) for kind in (AsyncMemoram, Memoram) for path in AUTOSPECCED],
        *[(kind, path) for kind in (AsyncMemoryAPI, MemoryAPI) for path in MEMORY_API_AUTOSPECCED],
    ],
)
def test_a_double_of_a_client_has_its_resources(kind: type, path: str) -> None:
    double = mock.create_autospec(kind, instance=True)

    found, real = attrgetter(path)(double), attrgetter(path)(made(kind))
    assert callable(found) == callable(real)
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'mistaken'|missing a required"):
        found(mistaken=True)
    with pytest.raises(AttributeError):
        attrgetter(f"{path.rpartition('.')[0]}.craete")(double)


@pytest.mark.anyio
async def test_a_double_of_a_client_is_awaited_as_the_client_is() -> None:
    double = mock.create_autospec(AsyncMemoram, instance=True)
    double.memory_blobs.get.return_value = "found"

    assert await double.memory_blobs.get("mem_1", user_id="user-1") == "found"
    double.memory_blobs.get.assert_awaited_once_with("mem_1", user_id="user-1")


def test_a_double_of_a_blocking_client_is_called_as_the_client_is() -> None:
    double = mock.create_autospec(Memoram, instance=True)
    double.tags.get.return_value = "found"

    assert double.tags.get("tag_1", user_id="user-1") == "found"


@pytest.mark.parametrize(
    ("kind", "part"),
    [(AsyncMemoram, memoram_async.AsyncMemoryBlobs), (Memoram, memoram_sync.MemoryBlobs)],
)
def test_the_class_of_a_client_has_the_classes_of_its_resources(kind: Any, part: type) -> None:
    assert kind.memory_blobs is part


@pytest.mark.parametrize("kind", [AsyncMemoram, Memoram])
def test_a_client_with_other_options_has_resources_of_its_own(kind: type) -> None:
    client = made(kind)
    client.beside = "what a subclass has"
    tags = client.tags
    other = client.with_options(timeout=1)

    assert other.tags is not tags
    assert client.tags is tags
    assert other.beside is client.beside
