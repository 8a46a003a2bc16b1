"""Older versions of a key: fetched once, kept before they are used, and never taken for another user's."""

from __future__ import annotations

import json
from typing import Any

import anyio
import attrs
import httpx
import pytest

from memoram_async import (
    AccessCredentials,
    AuthenticationError,
    ConfigurationError,
    KeyConflictError,
    KeyStoreError,
    MemoryKeyStore,
    Secret,
    ServerError,
    UnknownKeyVersionError,
)
from memoram_async.crypto import EncryptionKey, encrypt
from tests.worlds import Time, World, failure, items

pytestmark = pytest.mark.anyio

USER = "user-1"
KEYS = {version: f"{version:02x}" * 32 for version in range(1, 6)}


def token(version: int, text: str = "text") -> str:
    return encrypt(EncryptionKey.from_hex(KEYS[version], version=version), text)


def credentials(version: int = 3, *, request: str | None = "req-1") -> AccessCredentials:
    return AccessCredentials(
        user_id=USER,
        memory_key=Secret("mk"),
        encryption_key=Secret(KEYS[version]),
        key_version=version,
        request_id=request,
    )


@attrs.define
class Rotated:
    """A service whose user's key was rotated."""

    stored: list[str]
    versions: set[int] = attrs.field(factory=lambda: {1, 2, 3})
    asked: list[int] = attrs.field(factory=list[int])
    answer: dict[str, Any] = attrs.field(factory=dict[str, Any])
    status: int = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/auth/token"):
            return httpx.Response(200, json={"token": "eyJ.a.b", "expires_at": "2040-01-01T00:00:00Z"})
        if path.endswith("/credentials"):
            version = int(request.url.params["key_version"])
            self.asked.append(version)
            if self.status != 200 or version not in self.versions:
                return httpx.Response(self.status if self.status != 200 else 404)
            body = {
                "user_id": USER,
                "memory_key": "mk",
                "encryption_key": KEYS[version],
                "key_version": version,
            }
            return httpx.Response(200, json=body | self.answer)
        if path.endswith("/memory-blobs"):
            blobs = [{"id": f"m{number}", "content": text} for number, text in enumerate(self.stored)]
            return httpx.Response(200, json={"memoryBlobs": blobs})
        return httpx.Response(200, content=json.dumps({"id": "m0", "content": self.stored[0]}))


async def test_what_was_stored_before_a_rotation_is_read(world: World) -> None:
    service = Rotated([token(1, "old"), token(3, "new"), token(2, "older"), token(1, "again")])
    async with world.client(service) as client:
        memories = await items(client.open(credentials()).list())
    assert [(memory.content, memory.key_version) for memory in memories] == [
        ("old", 1),
        ("new", 3),
        ("older", 2),
        ("again", 1),
    ]
    assert service.asked == [1, 2]


async def test_one_memory_is_read_as_well(world: World) -> None:
    async with world.client(Rotated([token(1)])) as client:
        assert (await client.open(credentials()).get("m0")).content == "text"


async def test_a_newer_version_than_that_at_hand_becomes_current(world: World) -> None:
    async with world.client(Rotated([token(3)])) as client:
        store = client.open(credentials(2))
        await items(store.list())
        assert store.key_version == 3


async def test_many_callers_fetch_a_version_once(world: World) -> None:
    service = Rotated([token(1)])
    async with world.client(service) as client:
        store = client.open(credentials())
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(store.get, "m0") if not world.is_sync else await store.get("m0")
    assert service.asked == [1]


async def test_a_version_that_the_service_lacks_is_not_asked_for_again_for_a_minute(world: World) -> None:
    service, time = Rotated([token(4)]), Time()
    async with world.client(service, time=time) as client:
        store = client.open(credentials())
        errors = [await failure(store.get("m0"), UnknownKeyVersionError) for _ in range(3)]
        assert [(error.version, error.available) for error in errors] == [("4", (3,))] * 3
        assert service.asked == [4]
        time.pass_by(61)
        service.versions.add(4)
        assert (await store.get("m0")).key_version == 4


@pytest.mark.parametrize(
    "answer", [{"key_version": 2}, {"key_version": None}, {"user_id": "user-2"}], ids=str
)
async def test_an_answer_for_something_else_counts_as_not_available(
    world: World, answer: dict[str, Any]
) -> None:
    service = Rotated([token(4)], versions={4}, answer=answer)
    async with world.client(service) as client:
        await failure(client.open(credentials()).get("m0"), UnknownKeyVersionError)
    assert service.asked == [4]


async def test_what_may_pass_is_told_and_tried_again(world: World) -> None:
    service = Rotated([token(1)], status=500)
    async with world.client(service, max_retries=0) as client:
        store = client.open(credentials())
        await failure(store.get("m0"), ServerError)
        (memory,) = await items(store.list())
        assert isinstance(memory.error, ServerError)
        service.status = 200
        assert (await store.get("m0")).content == "text"


async def test_a_refused_key_ends_it(world: World) -> None:
    async with world.client(Rotated([token(1)], status=401)) as client:
        await failure(client.open(credentials()).get("m0"), AuthenticationError)


async def test_without_an_access_request_there_is_nothing_to_ask(world: World) -> None:
    service = Rotated([token(1)])
    async with world.client(service) as client:
        await failure(client.open(credentials(request=None)).get("m0"), UnknownKeyVersionError)
    assert service.asked == []


async def test_the_credentials_of_a_request_know_it(world: World) -> None:
    async with world.client(Rotated([])) as client:
        fetched = await client.access_requests.credentials("req-7", key_version=2)
    assert (fetched.request_id, fetched.key_version) == ("req-7", 2)


async def test_keys_are_saved_before_they_are_used_and_found_again(world: World) -> None:
    kept, service = MemoryKeyStore(), Rotated([token(1)])
    async with world.client(service, key_store=kept) as client:
        await client.open(credentials()).get("m0")
    saved = [kept.load(USER, version) for version in (1, 2, 3)]
    assert [None if key is None else key.reveal() for key in saved] == [KEYS[1], None, KEYS[3]]
    async with world.client(service, key_store=kept) as client:
        await client.open(credentials()).get("m0")
    assert service.asked == [1]


async def test_another_key_under_a_saved_version_is_a_conflict(world: World) -> None:
    kept = MemoryKeyStore()
    kept.save(USER, 3, Secret(KEYS[5]))
    async with world.client(Rotated([token(3)]), key_store=kept) as client:
        store = client.open(credentials())
        await failure(store.get("m0"), KeyConflictError)
        await failure(store.create("text"), KeyConflictError)


class Broken:
    """A store that quotes what it was given."""

    def load(self, user_id: str, version: int) -> Secret | None:
        return None

    def save(self, user_id: str, version: int, key: Secret) -> None:
        raise OSError(key.reveal())


async def test_a_key_store_that_fails_ends_the_call_and_shows_no_key(world: World) -> None:
    async with world.client(Rotated([token(3)]), key_store=Broken()) as client:
        error = await failure(client.open(credentials()).create("text"), KeyStoreError)
    assert "OSError" in str(error)
    assert KEYS[3] not in repr(error)
    assert error.__context__ is None


async def test_a_key_store_needs_blocking_methods(world: World) -> None:
    class Coroutines:
        async def load(self, user_id: str, version: int) -> None: ...
        async def save(self, user_id: str, version: int, key: Secret) -> None: ...

    for store in (Coroutines(), object()):
        with pytest.raises(ConfigurationError, match="key_store must have blocking methods"):
            world.client(Rotated([]), key_store=store)
