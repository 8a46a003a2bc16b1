"""What the functions of this floor ask of their arguments: the one that cannot be used is named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from memoram_async.core.errors import InvalidArgumentError, InvalidKeyError
from memoram_async.crypto import (
    CodecRegistry,
    ContentReader,
    EncryptionKey,
    JweCodec,
    Keyring,
    StoreOptions,
    classify,
    decrypt,
    encrypt,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = EncryptionKey.from_hex("4a" * 32, version=1)
RING = Keyring(KEY)
READER = CodecRegistry()

A_KEY = "a key must be an EncryptionKey, as from_hex makes it"
A_RING = "keyring must be a Keyring, such as Keyring(key)"
A_CODEC = "a codec must be a name, or an object with name, authenticated, detect and decrypt"
A_LIMIT = "must be a whole number of at least 1"
ENCRYPTION: list[tuple[dict[str, Any], str]] = [
    ({"key": RING}, f"{A_KEY}, not Keyring"),
    ({"random": b"12 bytes of"}, "random must be a function that returns so many bytes, not bytes"),
    ({"max_bytes": "1"}, f"max_bytes {A_LIMIT}"),
    ({"max_bytes": 0}, f"max_bytes {A_LIMIT}"),
    ({"user_id": 7}, "user_id must be a string or None, not int"),
    ({"field": 7}, "field must be a string, not int"),
    ({"key_wrap": 1}, "key_wrap must be True or False, not int"),
]
DECRYPTION: list[tuple[dict[str, Any], str]] = [
    ({"keyring": KEY}, f"{A_RING}, not EncryptionKey"),
    ({"field": 7}, "field must be a string, not int"),
    ({"require_binding": 1}, "require_binding must be True or False, not int"),
    ({"try_all_versions": "yes"}, "try_all_versions must be True or False, not str"),
    ({"max_chars": 0}, f"max_chars {A_LIMIT}"),
]
OTHERS: list[tuple[Callable[[Any], object], object, str]] = [
    (lambda wrong: JweCodec(max_chars=wrong), None, f"max_chars {A_LIMIT}"),
    (lambda wrong: JweCodec(try_all_versions=wrong), 1, "try_all_versions must be True or False, not int"),
    (
        lambda wrong: CodecRegistry(allow_unauthenticated=wrong),
        "no",
        "allow_unauthenticated must be True or False, not str",
    ),
    (CodecRegistry, JweCodec, f"{A_CODEC}, not type"),
    (
        CodecRegistry,
        SimpleNamespace(name=7, authenticated=True, detect=len, decrypt=len),
        f"{A_CODEC}, not SimpleNamespace",
    ),
    (
        CodecRegistry,
        SimpleNamespace(name="a", authenticated=True, detect=len, decrypt="no function"),
        f"{A_CODEC}, not SimpleNamespace",
    ),
    (lambda wrong: READER.read(wrong, "text"), KEY, f"{A_RING}, not EncryptionKey"),
    (lambda wrong: READER.read(RING, "text", field=wrong), 7, "field must be a string, not int"),
    (
        lambda wrong: READER.read(RING, "text", require_binding=wrong),
        1,
        "require_binding must be True or False, not int",
    ),
    (
        lambda wrong: READER.read(RING, "text", policy=wrong),
        ["encrypted-only"],
        "the read policy must be 'encrypted-only' or 'allow-plaintext'",
    ),
    (ContentReader, KEY, "store_options must be StoreOptions, not EncryptionKey"),
    (ContentReader(StoreOptions()).quick, KEY, f"{A_RING}, not EncryptionKey"),
    (lambda wrong: ContentReader(StoreOptions()).read(wrong, "text"), KEY, f"{A_RING}, not EncryptionKey"),
    (lambda wrong: Keyring(KEY, wrong), "key", f"{A_KEY}, not str"),
    (lambda wrong: Keyring(KEY, user_id=wrong), 7, "user_id must be a string or None, not int"),
    (RING.get, "1", "version must be a whole number, not str"),
    (RING.with_key, "key", f"{A_KEY}, not str"),
    (classify, b"text", "text must be a string, not bytes"),
]


@pytest.mark.parametrize(("changed", "message"), ENCRYPTION)
def test_what_cannot_be_encrypted_with_is_named(changed: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"key": KEY, "plaintext": "text"} | changed
    with pytest.raises(InvalidArgumentError) as caught:
        encrypt(**arguments)
    assert str(caught.value) == message


@pytest.mark.parametrize(("changed", "message"), DECRYPTION)
def test_what_cannot_be_decrypted_with_is_named(changed: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"keyring": RING, "token": encrypt(KEY, "text")} | changed
    with pytest.raises(InvalidArgumentError) as caught:
        decrypt(**arguments)
    assert str(caught.value) == message


@pytest.mark.parametrize(("call", "wrong", "message"), OTHERS)
def test_an_argument_of_another_type_is_named(
    call: Callable[[object], object], wrong: object, message: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call(wrong)
    assert str(caught.value) == message


def test_of_a_version_and_a_key_that_are_both_wrong_the_version_is_named() -> None:
    with pytest.raises(InvalidKeyError, match=r"^the key version must be an integer from 0 to 2\^53 - 1$"):
        EncryptionKey.from_hex("no key", version=-1)
