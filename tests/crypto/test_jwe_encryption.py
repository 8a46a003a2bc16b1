from __future__ import annotations

import base64
import json
import math
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memoram_async.core.errors import ContentError, InvalidArgumentError, InvalidKeyError
from memoram_async.crypto import EncryptionKey, Keyring, base64url, decrypt, encrypt
from memoram_async.crypto.jwe import seal

KEY = EncryptionKey.from_hex("0f" * 32, version=3)
RING = Keyring(KEY)


def a_key(*, used: bool) -> EncryptionKey:
    """A key that has encrypted something before, or has everything to prepare."""
    key = EncryptionKey.from_hex("0f" * 32, version=3)
    if used:
        encrypt(key, "text")
    return key


@pytest.mark.parametrize(("digits", "encryption"), [(32, "A128GCM"), (48, "A192GCM"), (64, "A256GCM")])
def test_the_protected_header_has_one_exact_spelling(digits: int, encryption: str) -> None:
    token = encrypt(EncryptionKey.from_hex("0f" * (digits // 2), version=12), "text")
    expected = f'{{"alg":"dir","enc":"{encryption}","kid":"12","typ":"memoram-content+jwe"}}'
    assert base64url.decode(token.split(".")[0]) == expected.encode()


def test_the_field_is_written_into_the_type() -> None:
    header = base64url.decode(encrypt(KEY, "text", field="envelope").split(".")[0])
    assert json.loads(header or b"")["typ"] == "memoram-envelope+jwe"


def test_a_token_has_five_segments_of_known_lengths() -> None:
    header, encrypted_key, iv, ciphertext, tag = encrypt(KEY, "ä" * 100).split(".")
    assert encrypted_key == ""
    assert len(base64url.decode(iv) or b"") == 12
    assert len(base64url.decode(ciphertext) or b"") == 200
    assert len(base64url.decode(tag) or b"") == 16
    assert len(header) == 90


@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
def test_a_token_is_about_four_thirds_of_its_content(size: int) -> None:
    assert len(encrypt(KEY, "a" * size)) == 132 + math.ceil(4 * size / 3)


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(min_size=1))
def test_every_text_comes_back_as_it_was(text: str) -> None:
    decrypted = decrypt(RING, encrypt(KEY, text))
    assert decrypted.text == text
    assert decrypted.encrypted
    assert decrypted.authenticated
    assert decrypted.bound
    assert decrypted.codec == "jwe"
    assert decrypted.key_version == 3


def test_text_is_not_normalised() -> None:
    for text in ("e\u0301", "\u00e9", " \r\n", "\ufeff", "\x00"):
        assert decrypt(RING, encrypt(KEY, text)).text == text


def test_each_encryption_uses_a_fresh_initialization_vector() -> None:
    tokens = [encrypt(KEY, "text") for _ in range(50)]
    assert len({token.split(".")[2] for token in tokens}) == 50
    assert len({token.split(".")[3] for token in tokens}) == 50


def test_the_source_of_randomness_is_an_argument() -> None:
    asked: list[int] = []

    def fixed(size: int) -> bytes:
        asked.append(size)
        return bytes(range(size))

    assert encrypt(KEY, "text", random=fixed) == encrypt(KEY, "text", random=fixed)
    assert asked == [12, 12]


@pytest.mark.parametrize("size", [0, 11, 13, 16])
def test_a_source_that_gives_another_length_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="as many bytes as it is told"):
        encrypt(KEY, "text", random=lambda _: b"\x01" * size)
    with pytest.raises(ValueError, match="must have 12 bytes"):
        seal(KEY.cipher, b"e30", b"text", iv=b"\x01" * size)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "must not be empty"),
        (b"bytes", "must be text, not bytes"),
        (None, "must be text, not NoneType"),
        (7, "must be text, not int"),
        ("broken \ud83d pair", "lone surrogate"),
    ],
)
@pytest.mark.parametrize("used", [False, True])
def test_content_that_cannot_be_stored_is_refused(content: object, reason: str, used: bool) -> None:
    key = a_key(used=used)
    with pytest.raises(ContentError, match=reason) as caught:
        encrypt(key, cast("str", content))
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_the_limit_counts_bytes_of_utf_8() -> None:
    assert decrypt(RING, encrypt(KEY, "ää", max_bytes=4)).text == "ää"
    with pytest.raises(ContentError, match="5 bytes of UTF-8, more than the limit of 4"):
        encrypt(KEY, "ääx", max_bytes=4)


def test_the_default_limit_is_one_mebibyte_and_can_be_read_back() -> None:
    largest = "a" * 1_048_576
    for key in (a_key(used=False), a_key(used=True)):
        assert decrypt(RING, encrypt(key, largest)).text == largest
        with pytest.raises(ContentError, match="1048577 bytes"):
            encrypt(key, largest + "a")


@pytest.mark.parametrize("used", [False, True])
def test_an_impossible_field_is_refused(used: bool) -> None:
    key = a_key(used=used)
    with pytest.raises(ValueError, match="a field is named with"):
        encrypt(key, "text", field='content"')
    with pytest.raises(InvalidArgumentError, match="field must be a string"):
        encrypt(key, "text", field=cast("str", []))


@given(text=st.text(min_size=1), options=st.sampled_from([{}, {"key_wrap": True}, {"user_id": "user-1"}]))
def test_a_key_that_was_used_encrypts_as_a_fresh_one(text: str, options: dict[str, Any]) -> None:
    fresh, used = (encrypt(a_key(used=used), text, **options) for used in (False, True))
    assert [len(segment) for segment in used.split(".")] == [len(segment) for segment in fresh.split(".")]
    assert used.split(".")[0] == fresh.split(".")[0]
    assert decrypt(RING, used).text == decrypt(RING, fresh).text == text


def test_a_key_that_was_closed_after_use_encrypts_nothing() -> None:
    key = a_key(used=True)
    key.close()
    with pytest.raises(InvalidKeyError, match="closed"):
        encrypt(key, "text")
    with pytest.raises(InvalidKeyError, match="closed"):
        encrypt(key, "text", random=bytes)


@pytest.mark.parametrize("size", [24, 32, 40])
def test_a_wrapped_key_goes_along_unpadded(size: int) -> None:
    token = seal(KEY.cipher, b"h", b"text", iv=bytes(12), wrapped_key=bytes(size))
    wrapped = base64.urlsafe_b64encode(bytes(size)).rstrip(b"=").decode()
    assert token.split(".")[:2] == ["h", wrapped]
