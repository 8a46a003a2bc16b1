"""What a store makes of what is stored: odd blobs, other programs' content, other users' answers."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from memoram_async import (
    AccessCredentials,
    APIResponseError,
    ContentNotLoadedError,
    ContextMismatchError,
    IntegrityError,
    InvalidArgumentError,
    NotEncryptedError,
    OutcomeUnknownError,
    Secret,
    StoreOptions,
)
from memoram_async.crypto import EncryptionKey, encrypt
from memoram_async.crypto.header import read_header
from tests.worlds import Service, World, failure, items

pytestmark = pytest.mark.anyio

KEY_HEX = "5c" * 32
KEY = EncryptionKey.from_hex(KEY_HEX, version=3)
OTHER = EncryptionKey.from_hex("6d" * 32, version=3)
CREDENTIALS = AccessCredentials(
    user_id="user-1", memory_key=Secret("mk"), encryption_key=Secret(KEY_HEX), key_version=3
)


def blob(name: str, content: object, **members: object) -> dict[str, object]:
    return {"id": name, "content": content, **members}


def page(*blobs: dict[str, object]) -> httpx.Response:
    return httpx.Response(200, json={"memoryBlobs": list(blobs)})


SOUND = blob("sound", encrypt(KEY, "text"))
BAD = blob("bad", encrypt(OTHER, "text"))
ODD = blob("odd", encrypt(KEY, "text"), tags="travel")
PLAIN = blob("plain", "Prefers window seats")
FOREIGN = blob("foreign", encrypt(KEY, "text"), user_id="user-2", title="Theirs")


async def listed(world: World, *blobs: dict[str, object], **options: Any) -> list[Any]:
    async with world.client(Service.answering(page(*blobs)), store_options=StoreOptions(**options)) as client:
        return await items(client.open(CREDENTIALS).list())


@pytest.mark.parametrize(
    ("spoilt", "kind"),
    [(BAD, IntegrityError), (ODD, APIResponseError), (PLAIN, NotEncryptedError), (FOREIGN, APIResponseError)],
    ids=["another key", "an odd member", "plaintext", "another user"],
)
async def test_one_bad_memory_carries_its_error_and_the_page_lives(
    world: World, spoilt: dict[str, object], kind: type[Exception]
) -> None:
    first, bad, last = await listed(world, SOUND, spoilt, SOUND)
    assert (first.content, first.error, last.content) == ("text", None, "text")
    assert type(bad.error) is kind
    assert bad.id == spoilt["id"]
    with pytest.raises(kind):
        _ = bad.content
    assert (bad.authenticated, bad.bound, bad.codec, bad.key_version) == (False, False, None, None)
    assert bad.encrypted is (kind is not NotEncryptedError)


async def test_nothing_of_another_users_memory_is_handed_out(world: World) -> None:
    (foreign,) = await listed(world, FOREIGN)
    assert (foreign.title, foreign.user_id) == (None, None)


async def test_bad_memories_can_be_skipped_and_are_counted(world: World) -> None:
    options = StoreOptions(on_undecryptable="skip")
    service = Service.answering(page(BAD, SOUND, ODD))
    async with world.client(service, store_options=options) as client:
        pager = client.open(CREDENTIALS).list()
        assert [memory.id for memory in await items(pager)] == ["sound"]
        assert pager.skipped == 2
        assert (await pager.first_page()).skipped == 2


async def test_bad_memories_can_raise(world: World) -> None:
    async with world.client(Service.answering(page(SOUND, BAD))) as client:
        store = client.open(CREDENTIALS, store_options=StoreOptions(on_undecryptable="raise"))
        await failure(items(store.list()), IntegrityError)


async def test_a_memory_says_how_it_was_stored(world: World) -> None:
    wrapped = blob("wrapped", encrypt(KEY, "text", key_wrap=True))
    for memory in await listed(world, SOUND, wrapped, SOUND):
        assert (memory.encrypted, memory.authenticated, memory.bound) == (True, True, True)
        assert (memory.codec, memory.key_version) == ("jwe", 3)


async def test_allowed_plaintext_is_marked(world: World) -> None:
    (memory,) = await listed(world, PLAIN, read_policy="allow-plaintext")
    assert memory.content == PLAIN["content"]
    assert (memory.encrypted, memory.authenticated, memory.bound) == (False, False, False)
    assert (memory.codec, memory.key_version) == ("plaintext", None)


async def test_what_the_service_did_not_send_is_not_loaded(world: World) -> None:
    (memory,) = await listed(world, {"id": "bare"})
    assert memory.error is None
    with pytest.raises(ContentNotLoadedError):
        _ = memory.content


async def test_other_programs_content_is_read_by_name(world: World) -> None:
    iv = bytes(range(12))
    sealed = KEY.cipher.encrypt(iv, b"from Node", None)
    stored = ":".join(part.hex() for part in (iv, sealed[:-16], sealed[-16:]))
    (memory,) = await listed(world, blob("node", stored), codecs=("node_gcm_hex",))
    assert (memory.content, memory.codec, memory.bound) == ("from Node", "node_gcm_hex", False)
    (memory,) = await listed(world, blob("node", stored), codecs=("node_gcm_hex",), require_binding=True)
    assert isinstance(memory.error, ContextMismatchError)


@pytest.mark.parametrize(
    ("options", "algorithm", "subject"),
    [({}, "dir", None), ({"key_wrap": True}, "A256KW", None), ({"bind_user": True}, "dir", "user-1")],
    ids=str,
)
async def test_options_decide_how_content_is_written(
    world: World, options: dict[str, Any], algorithm: str, subject: str | None
) -> None:
    service = Service.answering(httpx.Response(201, json={"id": "m1"}))
    async with world.client(service, store_options=StoreOptions(**options)) as client:
        memory = await client.open(CREDENTIALS).create("text")
    header: Any = read_header(json.loads(service.requests[0].content)["content"].split(".")[0])
    assert (header.algorithm, header.subject, header.type) == (algorithm, subject, "memoram-content+jwe")
    assert memory.content == "text"


async def test_options_of_a_store_take_the_place_of_the_clients(world: World) -> None:
    service = Service.answering(page(PLAIN))
    async with world.client(service, store_options=StoreOptions(read_policy="allow-plaintext")) as client:
        (memory,) = await items(client.open(CREDENTIALS).list())
        assert memory.content == PLAIN["content"]
        (memory,) = await items(client.open(CREDENTIALS, store_options=StoreOptions()).list())
        assert isinstance(memory.error, NotEncryptedError)
        strict = client.with_options(store_options=StoreOptions())
        (memory,) = await items(strict.open(CREDENTIALS).list())
        assert isinstance(memory.error, NotEncryptedError)


@pytest.mark.parametrize(
    "options",
    [
        {"read_policy": "raw"},
        {"codecs": "fernet"},
        {"codecs": ("rot13",)},
        {"codecs": 7},
        {"on_undecryptable": "ignore"},
        {"key_wrap": 1},
        {"max_content_bytes": 0},
        {"max_content_bytes": 2_000_000},
        {"max_content_bytes": True},
    ],
    ids=str,
)
def test_options_have_no_other_values(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError):
        StoreOptions(**options)


# --- an answer belongs to its question ---------------------------------------------------------


@pytest.mark.parametrize("answer", [{"id": "m2"}, {"id": "m1", "user_id": "user-2"}], ids=str)
async def test_another_memory_than_was_asked_for_is_refused(world: World, answer: dict[str, object]) -> None:
    service = Service.answering(httpx.Response(200, json={**SOUND, **answer}))
    async with world.client(service) as client:
        await failure(client.open(CREDENTIALS).get("m1"), APIResponseError)
        await failure(client.memory_blobs.get("m1", user_id="user-1"), APIResponseError)


@pytest.mark.parametrize("answer", [{"id": "m2"}, {"id": "m1", "user_id": "user-2"}], ids=str)
async def test_an_answer_to_a_write_about_something_else_leaves_its_outcome_open(
    world: World, answer: dict[str, object]
) -> None:
    service = Service.answering(httpx.Response(200, json=answer))
    async with world.client(service) as client:
        await failure(client.open(CREDENTIALS).update("m1", title="T"), OutcomeUnknownError)


async def test_another_tag_or_request_than_was_asked_for_is_refused(world: World) -> None:
    service = Service.answering(httpx.Response(200, json={"id": "x2", "status": "approved"}))
    async with world.client(service) as client:
        await failure(client.tags.get("x1", user_id="user-1"), APIResponseError)
        await failure(client.access_requests.get("x1"), APIResponseError)
