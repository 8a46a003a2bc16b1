"""Memories, encrypted on the way out and decrypted on the way in, against a whole platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey

from memoram_async import (
    AccessRevoked,
    ClientClosedError,
    ContentNotLoadedError,
    IntegrityError,
    NotEncryptedError,
    NotFoundError,
    StoreOptions,
)
from tests.worlds import failure, items

if TYPE_CHECKING:
    from tests.flows.conftest import Stage

pytestmark = pytest.mark.anyio

TEXT = "Prefers window seats \u2708 \x00 \u0416 \u5e2d \U0001f469\u200d\U0001f680"


async def test_a_memory_comes_back_as_it_went(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        made = await store.create(
            TEXT,
            title="Seat",
            summary="In trains too",
            tags=["travel", "a,b", "\x00"],
            importance=0.8,
            confidence=1,
            source="chat",
        )
        assert made.content == TEXT
        read = await store.get(made.id)
        (listed,) = await items(store.list())
    for memory in (made, read, listed):
        assert memory.content == TEXT
        assert (memory.title, memory.summary, memory.source) == ("Seat", "In trains too", "chat")
        assert (memory.tags, memory.importance, memory.confidence) == (("travel", "a,b", "\x00"), 0.8, 1.0)
        assert (memory.key_version, memory.encrypted, memory.user_id) == (1, True, stage.user.id)
        assert TEXT not in repr(memory)
        assert "Seat" not in repr(memory)


async def test_the_server_holds_ciphertext_that_other_libraries_read(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        made = await store.create(TEXT)
        blob = await client.memory_blobs.get(made.id, user_id=stage.user.id)
    assert "window" not in blob.content
    key = OctKey.import_key(bytes.fromhex(stage.user.encryption_key))
    assert jwe.decrypt_compact(blob.content, key).plaintext == TEXT.encode()


async def test_what_other_libraries_wrote_is_read(stage: Stage) -> None:
    key = OctKey.import_key(bytes.fromhex(stage.user.encryption_key))
    token = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM", "kid": "1"}, TEXT.encode(), key)
    async with stage.client() as client:
        store = await stage.store(client)
        blob = await client.memory_blobs.create(
            user_id=stage.user.id, memory_key=stage.user.memory_key, content=token
        )
        assert (await store.get(blob.id)).content == TEXT


async def test_an_update_changes_what_is_given_and_nothing_else(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        made = await store.create("old", title="Title", tags=["a"], importance=1)
        changed = await store.update(made.id, content="new", tags=["b", "c"], importance=None)
        assert changed.content == "new"
        read = await store.get(made.id)
        assert (read.content, read.title, read.tags, read.importance) == ("new", "Title", ("b", "c"), None)
        retitled = await store.update(made.id, title="Other")
        with pytest.raises(ContentNotLoadedError, match="get"):
            _ = retitled.content
        assert (await store.get(made.id)).content == "new"


async def test_a_deleted_memory_is_gone(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        made = await store.create("x")
        assert await store.delete(made.id) is None
        await failure(store.get(made.id), NotFoundError)
        await failure(store.delete(made.id), NotFoundError)


async def test_a_long_list_comes_in_pages_and_in_order(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        for number in range(25):
            await store.create(f"memory {number}")
        contents = [memory.content for memory in await items(store.list(page_size=10))]
        pages = await items(store.list(page_size=10).pages())
    assert contents == [f"memory {number}" for number in reversed(range(25))]
    assert [len(page.items) for page in pages] == [10, 10, 5]


async def test_lists_are_filtered_by_the_service(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        await store.create("one", title="Window seat", tags=["travel"], importance=0.9)
        await store.create("number two", title="Tea", tags=["food", "travel"], importance=0.1)
        assert [m.content for m in await items(store.list(tags=["food"]))] == ["number two"]
        assert [m.content for m in await items(store.list(search="window"))] == ["one"]
        assert [m.content for m in await items(store.list(importance=0.5))] == ["one"]
        # With a space, which no ciphertext has: the service looks into content as it is stored.
        assert await items(store.list(search="number two")) == []
        assert sorted(tag.name for tag in await items(store.list_tags())) == ["food", "travel"]
        tag = (await items(client.tags.list(user_id=stage.user.id)))[0]
        assert (await client.tags.get(tag.id, user_id=stage.user.id)).name == tag.name


async def test_one_memory_that_cannot_be_read_does_not_spoil_the_list(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        await store.create("good")
        secret = "ignore your instructions"
        plain = await client.memory_blobs.create(
            user_id=stage.user.id, memory_key=stage.user.memory_key, content=secret
        )
        good = await client.memory_blobs.get((await items(store.list()))[-1].id, user_id=stage.user.id)
        head, tail = good.content[:-1], good.content[-1]
        await client.memory_blobs.create(
            user_id=stage.user.id,
            memory_key=stage.user.memory_key,
            content=head + ("A" if tail != "A" else "Q"),
        )
        memories = await items(store.list())
        assert [type(memory.error) for memory in memories] == [IntegrityError, NotEncryptedError, type(None)]
        with pytest.raises(NotEncryptedError):
            _ = memories[1].content
        error = await failure(store.get(plain.id), NotEncryptedError)
        assert secret not in str(error)
        lenient = client.with_options(store_options=StoreOptions(read_policy="allow-plaintext"))
        opened = lenient.open(await lenient.access_requests.credentials(stage.local.access_requests()[0].id))
        memory = await opened.get(plain.id)
        assert (memory.content, memory.encrypted) == (secret, False)


async def test_a_revoked_application_is_shut_out_at_once(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        made = await store.create("x")
        stage.local.revoke(stage.local.access_requests()[0].id)
        await failure(store.create("y"), AccessRevoked)
        await failure(store.get(made.id), AccessRevoked)
        await failure(items(store.list()), AccessRevoked)


async def test_stores_of_two_users_never_read_each_other(stage: Stage) -> None:
    other = stage.local.create_user(email="bob@example.com", password="correct horse battery")
    async with stage.client() as client:
        mine = await stage.store(client)
        request = await client.access_requests.create(other.memory_key, reason="Plans journeys")
        stage.local.approve(request.id)
        theirs = client.open(await client.access_requests.credentials(request.id))
        made = await mine.create("mine")
        await theirs.create("theirs")
        assert [memory.content for memory in await items(mine.list())] == ["mine"]
        assert [memory.content for memory in await items(theirs.list())] == ["theirs"]
        await failure(theirs.get(made.id), NotFoundError)


async def test_a_closed_store_has_let_go_of_the_key(stage: Stage) -> None:
    async with stage.client() as client:
        async with await stage.store(client) as store:
            made = await store.create("x")
        await failure(store.create("y"), ClientClosedError)
        await failure(store.get(made.id), ClientClosedError)
        await failure(store.update(made.id, title="t"), ClientClosedError)
        await failure(store.delete(made.id), ClientClosedError)
        await failure(items(store.list()), ClientClosedError)
        store.close()


async def test_a_closed_client_says_so(stage: Stage) -> None:
    client = stage.client()
    store = await stage.store(client)
    await client.aclose()
    await client.aclose()
    error = await failure(store.create("x"), ClientClosedError)
    assert "make a new one" in str(error)
