from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest

from memoram_async.core.errors import InvalidKeyError, KeyConflictError, UnknownKeyVersionError
from memoram_async.crypto import EncryptionKey, Keyring, decrypt, encrypt

if TYPE_CHECKING:
    from collections.abc import Callable


def key(version: int, byte: str = "a1") -> EncryptionKey:
    return EncryptionKey.from_hex(byte * 32, version=version)


def test_a_ring_of_one_key_encrypts_and_decrypts_with_it() -> None:
    only = key(1)
    ring = Keyring(only, user_id="user-1")
    assert ring.current is only
    assert ring.versions == (1,)
    assert ring.get(1) is only
    assert ring.get(2) is None
    assert ring.user_id == "user-1"


def test_a_ring_needs_a_key() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        Keyring()


def test_a_higher_version_becomes_current_in_a_new_ring() -> None:
    old, new = key(1), key(2, "b2")
    ring = Keyring(old, user_id="user-1")
    rotated = ring.with_key(new)
    assert (rotated.versions, rotated.current) == ((1, 2), new)
    assert rotated.user_id == "user-1"
    assert (ring.versions, ring.current) == ((1,), old)


def test_a_lower_version_joins_without_becoming_current() -> None:
    new = key(5)
    ring = Keyring(new).with_key(key(4, "b2"))
    assert ring.versions == (4, 5)
    assert ring.current is new


def test_the_same_key_again_changes_nothing() -> None:
    ring = Keyring(key(1))
    assert ring.with_key(key(1)) is ring
    assert ring.with_key(ring.current) is ring


def test_other_bytes_under_a_known_version_are_a_conflict() -> None:
    ring = Keyring(key(1))
    with pytest.raises(KeyConflictError, match="version 1"):
        ring.with_key(key(1, "b2"))
    with pytest.raises(KeyConflictError, match="version 1"):
        Keyring(key(1), key(1, "b2"))
    with pytest.raises(KeyConflictError, match="version 1"):
        ring.with_key(EncryptionKey.from_hex("a1" * 16, version=1))


def test_each_version_decrypts_what_it_encrypted() -> None:
    old, new = key(1), key(2, "b2")
    ring = Keyring(new, old)
    for one in (old, new):
        assert decrypt(ring, encrypt(one, "text")).key_version == one.version


def test_a_version_that_is_not_at_hand_is_named_with_those_that_are() -> None:
    with pytest.raises(UnknownKeyVersionError, match="key version 3") as caught:
        decrypt(Keyring(key(1), key(2, "b2")), encrypt(key(3, "c3"), "text"))
    assert caught.value.version == "3"
    assert caught.value.available == (1, 2)


def test_closing_a_ring_closes_its_keys() -> None:
    ring = Keyring(key(1), key(2, "b2"))
    token = encrypt(ring.current, "text")
    ring.close()
    with pytest.raises(InvalidKeyError, match="closed"):
        decrypt(ring, token)
    with pytest.raises(InvalidKeyError, match="closed"):
        encrypt(ring.current, "text")


def test_more_headers_than_are_remembered_still_decrypt() -> None:
    ring = Keyring(key(1))
    for _ in range(2):
        for number in range(70):
            field = f"field-{number}"
            assert decrypt(ring, encrypt(ring.current, "text", field=field), field=field).bound


def test_a_ring_shows_only_its_versions() -> None:
    ring = Keyring(key(3), key(1, "b2"), user_id="user-1")
    assert repr(ring) == str(ring) == "Keyring(versions=(1, 3))"
    assert not hasattr(ring, "__dict__")


@pytest.mark.parametrize("action", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_ring_can_be_neither_pickled_nor_copied(action: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        action(Keyring(key(1)))
