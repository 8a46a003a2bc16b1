"""Memories: what was decrypted, or why it could not be."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

from memoram_async.core.errors import (
    ContentNotLoadedError,
    DecryptionError,
    IntegrityError,
    MemoramError,
    NotEncryptedError,
    UnknownKeyVersionError,
)
from memoram_async.core.info import ResponseInfo
from memoram_async.crypto import Decrypted
from memoram_async.models.memory import Memory, MemoryBlob

if TYPE_CHECKING:
    from collections.abc import Mapping

MEMBERS: Mapping[str, object] = {
    "user_id": "u",
    "title": "T",
    "summary": "S",
    "tags": ("a",),
    "tag_ids": ("t",),
    "importance": 0.5,
    "confidence": 0.25,
    "source": "chat",
}
BLOB = MemoryBlob(
    id="m",
    user_id="u",
    content="eyJ",
    title="T",
    summary="S",
    tags=("a",),
    tag_ids=("t",),
    importance=0.5,
    confidence=0.25,
    source="chat",
)
BROKEN = IntegrityError("changed")


def decrypted(text: str = "content", *, key_version: int | None = 3) -> Decrypted:
    encrypted = key_version is not None
    return Decrypted(
        text=text,
        encrypted=encrypted,
        authenticated=encrypted,
        bound=encrypted,
        codec="jwe" if encrypted else "plaintext",
        key_version=key_version,
    )


def test_a_memory_has_its_content() -> None:
    assert Memory.of(BLOB, decrypted()).content == "content"


def test_a_memory_may_be_empty() -> None:
    assert Memory.of(BLOB, decrypted("")).content == ""


@pytest.mark.parametrize("content", [decrypted(), BROKEN, None], ids=["decrypted", "broken", "not loaded"])
def test_a_memory_has_every_member_of_its_blob(content: Decrypted | MemoramError | None) -> None:
    memory = Memory.of(BLOB, content)
    assert memory.id == "m"
    assert {name: getattr(memory, name) for name in MEMBERS} == MEMBERS
    assert (memory.created_at, memory.updated_at) == (BLOB.created_at, BLOB.updated_at)


def test_a_memory_knows_how_the_call_went_that_brought_it() -> None:
    info = ResponseInfo(operation="getMemoryBlob", status=200)
    assert Memory.of(MemoryBlob(id="m", info=info), None).info is info


def test_a_memory_names_the_key_version_that_read_it() -> None:
    assert Memory.of(BLOB, decrypted(key_version=3)).key_version == 3


# --- content that cannot be read ---------------------------------------------------------------


def test_content_that_cannot_be_decrypted_raises_why() -> None:
    memory = Memory.of(BLOB, UnknownKeyVersionError("unknown", version="7", available=(1,)))
    with pytest.raises(UnknownKeyVersionError) as caught:
        _ = memory.content
    assert (caught.value.version, caught.value.available) == ("7", (1,))


def test_each_reading_raises_an_error_of_its_own() -> None:
    memory = Memory.of(BLOB, BROKEN)
    raised: list[DecryptionError] = []
    for _ in range(3):
        with pytest.raises(IntegrityError) as caught:
            _ = memory.content
        raised.append(caught.value)
    assert len({id(error) for error in raised}) == 3
    assert BROKEN not in raised
    assert len({len(traceback.extract_tb(error.__traceback__)) for error in raised}) == 1


def test_the_stored_error_stays_as_it_was() -> None:
    memory = Memory.of(BLOB, IntegrityError("changed"))
    with pytest.raises(IntegrityError):
        _ = memory.content
    assert memory.error is not None
    assert memory.error.__traceback__ is None


def test_content_that_was_not_sent_says_how_to_get_it() -> None:
    with pytest.raises(ContentNotLoadedError, match="fetch it with get"):
        _ = Memory.of(BLOB, None).content


def test_a_memory_that_can_be_read_has_no_error() -> None:
    assert Memory.of(BLOB, decrypted()).error is None


# --- whether it is encrypted -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "encrypted"),
    [
        (decrypted(key_version=1), True),
        (decrypted(key_version=None), False),
        (BROKEN, True),
        (NotEncryptedError("plaintext"), False),
        (None, True),
    ],
    ids=["decrypted", "plaintext that was allowed", "broken", "plaintext that was refused", "not loaded"],
)
def test_only_plaintext_counts_as_not_encrypted(
    content: Decrypted | MemoramError | None, encrypted: bool
) -> None:
    assert Memory.of(BLOB, content).encrypted is encrypted
