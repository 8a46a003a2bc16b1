"""Comparing what came back with the file: every member counts, and so does what is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from memoram_async import DecryptionError, Memory
from memoram_async.crypto import EncryptionKey, encrypt
from memoram_local import MemoramLocal
from memoram_local.demo.compare import Stocktaking, difference, expected_tags, is_jwe
from memoram_local.demo.memories import FileMemory
from memoram_sync import Memoram

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memoram_sync import MemoryStore

LINE = FileMemory(
    line=7,
    content="c",
    title="t",
    summary="s",
    tags=("b", "a", "b"),
    importance=0.5,
    confidence=0.25,
    source="o",
)


def came_back(**changes: Any) -> Memory:
    members: dict[str, Any] = {**LINE.description, "content": LINE.content, "tags": expected_tags(LINE)}
    return Memory(id="mem_1", **{**members, **changes})


def test_equal_memories_have_no_difference() -> None:
    assert difference(LINE, came_back()) is None


def test_tags_keep_their_order_and_count_once() -> None:
    assert expected_tags(LINE) == ("b", "a")
    assert difference(LINE, came_back(tags=("a", "b"))) == "line 7 came back different in tags"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("content", "C"),
        ("title", None),
        ("summary", ""),
        ("tags", ("b",)),
        ("importance", 0.500001),
        ("confidence", None),
        ("source", "o "),
    ],
)
def test_a_difference_in_any_member_is_named(member: str, value: object) -> None:
    assert difference(LINE, came_back(**{member: value})) == f"line 7 came back different in {member}"


def test_letters_that_look_alike_are_different() -> None:
    composed, decomposed = replace(LINE, content="\u00e9"), came_back(content="e\u0301")
    assert difference(composed, decomposed) == "line 7 came back different in content"


def test_content_that_cannot_be_decrypted_is_a_difference() -> None:
    assert difference(LINE, came_back(error=DecryptionError("no"))) == (
        "line 7 came back different in content, which cannot be decrypted (DecryptionError)"
    )


@pytest.mark.parametrize("content", ["y", "no", ".", "eyJ", "dir", "a memory of some length"])
def test_however_short_a_memory_is_its_structure_tells_whether_it_is_encrypted(content: str) -> None:
    key = EncryptionKey.from_hex("ab" * 32, version=1)
    assert is_jwe(encrypt(key, content))
    assert not is_jwe(content)


@pytest.mark.parametrize(
    "stored",
    [None, "", "....", "a.b.c.d.e", "e30.....", "e30....", "bnVsbA....", "eyJhbGciOiJkaXIifQ....", "é...."],
)
def test_what_only_looks_a_little_like_it_is_not_encrypted(stored: str | None) -> None:
    assert not is_jwe(stored)


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Demo")
        user = local.create_user(email="user@memoram.example", password="correct horse")
        with Memoram(app.api_key, base_url=server.api_url, auth_url=server.auth_url) as memoram:
            request = memoram.access_requests.create(user.memory_key, reason="Tests")
            local.approve(request.id)
            with memoram.open(memoram.access_requests.credentials(request.id)) as opened:
                yield opened


def test_what_was_changed_lost_or_added_on_the_server_is_noticed(store: MemoryStore) -> None:
    lines = [FileMemory(line=number, content=f"memory {number}") for number in (1, 2, 3)]
    stored = {store.create(line.content, **line.description).id: line for line in lines}
    ids = list(stored)
    store.update(ids[0], content="something else", importance=1)
    store.delete(ids[1])
    added = store.create("nobody stored this").id

    stocktaking = Stocktaking(stored)
    for memory in store.list():
        stocktaking.saw(memory)
    stocktaking.finish()

    assert stocktaking.equal == 1
    assert sorted(stocktaking.problems) == sorted(
        [
            f"{added} was listed, but was not stored or was listed before",
            "line 1 came back different in content, importance",
            "line 2 was stored, but not listed",
        ]
    )
