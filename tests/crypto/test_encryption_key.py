from __future__ import annotations

import copy
import enum
import pickle
from typing import TYPE_CHECKING, Any, cast

import pytest

from memoram_async.core.errors import InvalidArgumentError, InvalidKeyError
from memoram_async.core.secret import Secret
from memoram_async.crypto import EncryptionKey, encrypt

if TYPE_CHECKING:
    from collections.abc import Callable

HEX = "00112233445566778899aabbccddeeff"


@pytest.mark.parametrize(("digits", "encryption"), [(32, "A128GCM"), (48, "A192GCM"), (64, "A256GCM")])
def test_the_length_of_the_key_selects_the_algorithm(digits: int, encryption: str) -> None:
    key = EncryptionKey.from_hex((HEX * 2)[:digits], version=3)
    assert key.encryption == encryption
    assert key.version == 3


def test_a_wrapped_key_and_upper_case_digits_are_the_same_key() -> None:
    key = EncryptionKey.from_hex(HEX, version=1)
    assert key.same_key(EncryptionKey.from_hex(Secret(HEX), version=1))
    assert key.same_key(EncryptionKey.from_hex(HEX.upper(), version=1))


def test_keys_of_other_bytes_or_length_are_not_the_same_key() -> None:
    key = EncryptionKey.from_hex(HEX, version=1)
    assert not key.same_key(EncryptionKey.from_hex(HEX[:-1] + "0", version=1))
    assert not key.same_key(EncryptionKey.from_hex(HEX + "00" * 8, version=1))
    assert not key.same_key(EncryptionKey.from_hex(HEX + "00" * 16, version=1))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "not 0 characters"),
        ("***", "is masked"),
        (Secret("*" * 32), "is masked"),
        ("ab", "not 2 characters"),
        (HEX[:-1], "not 31 characters"),
        (HEX + "a", "not 33 characters"),
        (HEX * 4, "not 128 characters"),
        ("0x" + HEX, "not 34 characters"),
        (HEX + "\n", "not 33 characters"),
        (" " + HEX, "not 33 characters"),
        ("0x" + HEX[2:], "no hexadecimal digit"),
        (HEX[:-2] + "  ", "no hexadecimal digit"),
        (HEX[:-1] + "\n", "no hexadecimal digit"),
        ("  " + HEX[:15] + " " + HEX[:14], "no hexadecimal digit"),
        (HEX[:-1] + "g", "no hexadecimal digit"),
        (HEX[:-1] + "٣", "no hexadecimal digit"),
        ("0" * 32, "all zeros"),
        ("0" * 64, "all zeros"),
        (bytes.fromhex(HEX), "not bytes"),
        (None, "not NoneType"),
        (Secret(""), "not 0 characters"),
    ],
)
def test_a_faulty_key_is_refused_with_the_reason_and_never_repaired(value: object, reason: str) -> None:
    with pytest.raises(InvalidKeyError, match=reason) as caught:
        EncryptionKey.from_hex(cast("str", value), version=1)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("material", "reason"),
    [
        (HEX, "must be bytes, not str; from_hex takes text"),
        (None, "must be bytes, not NoneType"),
        (b"k" * 17, "must have 16, 24 or 32 bytes, not 17"),
        (b"", "must have 16, 24 or 32 bytes, not 0"),
    ],
)
def test_a_key_is_made_of_whole_keys_alone(material: object, reason: str) -> None:
    with pytest.raises(InvalidKeyError, match=reason):
        EncryptionKey(cast("bytes", material), version=1)
    with pytest.raises(InvalidKeyError, match="integer from 0"):
        EncryptionKey(b"k" * 16, version=cast("int", "1"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"field": 7}, "field must be a string, not int"),
        ({"field": "content", "key_wrap": 1}, "key_wrap must be True or False, not int"),
        ({"field": "content", "subject": b"u"}, "subject must be a string or None, not bytes"),
    ],
)
def test_a_header_is_written_of_text(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        EncryptionKey.from_hex(HEX, version=1).header(**arguments)
    assert str(caught.value) == message


def test_a_field_may_come_from_an_enumeration() -> None:
    class Field(enum.StrEnum):
        CONTENT = "content"

    key = EncryptionKey.from_hex(HEX, version=1)
    assert key.header(Field.CONTENT) == key.header("content")


def test_only_a_key_is_compared_with_a_key() -> None:
    with pytest.raises(InvalidArgumentError, match=r"^a key must be an EncryptionKey, .* not str$"):
        EncryptionKey.from_hex(HEX, version=1).same_key(cast("EncryptionKey", HEX))


@pytest.mark.parametrize("version", [0, 1, 2**53 - 1])
def test_versions_up_to_the_largest_exact_json_integer_are_accepted(version: int) -> None:
    assert EncryptionKey.from_hex(HEX, version=version).version == version


@pytest.mark.parametrize("version", [-1, 2**53, True, False, 1.0, "1", None])
def test_other_versions_are_refused(version: object) -> None:
    with pytest.raises(InvalidKeyError, match="integer from 0"):
        EncryptionKey.from_hex(HEX, version=cast("int", version))


def test_a_closed_key_encrypts_nothing_and_can_still_be_compared() -> None:
    key = EncryptionKey.from_hex(HEX, version=1)
    key.close()
    key.close()
    with pytest.raises(InvalidKeyError, match="closed"):
        encrypt(key, "text")
    with pytest.raises(InvalidKeyError, match="closed"):
        key.material()
    with pytest.raises(InvalidKeyError, match="closed"):
        key.to_hex()
    assert key.same_key(EncryptionKey.from_hex(HEX, version=2))


def test_a_key_shows_only_its_version() -> None:
    key = EncryptionKey.from_hex(HEX, version=7)
    assert repr(key) == str(key) == f"{key}" == "EncryptionKey(version=7)"
    assert not hasattr(key, "__dict__")


@pytest.mark.parametrize("action", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_key_can_be_neither_pickled_nor_copied(action: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        action(EncryptionKey.from_hex(HEX, version=1))


def test_keys_compare_by_identity() -> None:
    key = EncryptionKey.from_hex(HEX, version=1)
    assert key != EncryptionKey.from_hex(HEX, version=1)


def test_the_header_of_a_field_is_built_once() -> None:
    key = EncryptionKey.from_hex(HEX, version=1)
    assert key.header("content") is key.header("content")
    different = [
        key.header("content"),
        key.header("envelope"),
        key.header("content", key_wrap=True),
        key.header("content", subject="user-1"),
        key.header("content", subject="user-2"),
        key.header("content", key_wrap=True, subject="user-1"),
    ]
    assert len(set(different)) == len(different)


def test_more_fields_than_are_remembered_still_work() -> None:
    key = EncryptionKey.from_hex(HEX, version=1)
    headers = [key.header(f"field-{number}") for number in range(100)]
    again = [key.header(f"field-{number}") for number in range(100)]
    assert len(set(headers)) == 100
    assert again == headers
    assert sum(one is other for one, other in zip(headers, again, strict=True)) == 32


@pytest.mark.parametrize("field", ["", "Content", "1st", "a b", 'x"', "a" * 33, "content\n", "é"])
def test_a_field_that_could_not_stand_in_a_header_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match="a field is named with"):
        EncryptionKey.from_hex(HEX, version=1).header(field)
