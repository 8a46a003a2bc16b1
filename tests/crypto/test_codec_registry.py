from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, cast

import pytest

from memoram_async.core.errors import (
    ContentTooLargeError,
    ContextMismatchError,
    DecryptionError,
    IntegrityError,
    MalformedCiphertextError,
    NotEncryptedError,
    UnsupportedFormatError,
)
from memoram_async.crypto import Codec, CodecRegistry, Decrypted, EncryptionKey, JweCodec, Keyring, encrypt

if TYPE_CHECKING:
    from collections.abc import Callable

    from memoram_async.crypto import ReadPolicy

KEY = EncryptionKey.from_hex("2b" * 32, version=3)
RING = Keyring(KEY)
READER = CodecRegistry()
FOREIGN = "2.AAAAAAAAAAAAAAAAAAAAAA==|AAAA|AAAA"
OPAQUE = "b3BhcXVlBytesPO0DHTGmRkJvb2xzx8vL0tPU1dbX2Nna29zd3t8"


class Rot13:
    """A stand-in for what another program wrote."""

    def __init__(self, name: str = "rot13", *, authenticated: bool = True) -> None:
        self.name = name
        self.authenticated = authenticated

    def detect(self, text: str) -> bool:
        return text.startswith("rot13:")

    def decrypt(self, keyring: Keyring, text: str, *, field: str) -> Decrypted:
        return Decrypted(
            text=text.removeprefix("rot13:")[::-1],
            encrypted=True,
            authenticated=self.authenticated,
            bound=False,
            codec=self.name,
            key_version=keyring.current.version,
        )


def test_our_own_tokens_are_read_by_default() -> None:
    decrypted = READER.read(RING, encrypt(KEY, "text"))
    assert (decrypted.text, decrypted.codec, decrypted.key_version) == ("text", "jwe", 3)


def test_the_field_is_handed_on() -> None:
    token = encrypt(KEY, "text", field="envelope")
    assert READER.read(RING, token, field="envelope").bound
    with pytest.raises(ContextMismatchError):
        READER.read(RING, token)


def test_plaintext_is_an_error_by_default() -> None:
    with pytest.raises(NotEncryptedError):
        READER.read(RING, "Prefers window seats")


def test_plaintext_can_be_allowed_and_is_marked() -> None:
    decrypted = READER.read(RING, "Prefers window seats", policy="allow-plaintext")
    assert decrypted.text == "Prefers window seats"
    assert decrypted.codec == "plaintext"
    assert decrypted.key_version is None
    assert not decrypted.encrypted
    assert not decrypted.authenticated
    assert not decrypted.bound


@pytest.mark.parametrize("policy", ["encrypted-only", "allow-plaintext"])
@pytest.mark.parametrize("text", [FOREIGN, OPAQUE])
def test_foreign_ciphertext_is_never_plaintext(policy: ReadPolicy, text: str) -> None:
    with pytest.raises(UnsupportedFormatError):
        READER.read(RING, text, policy=policy)


@pytest.mark.parametrize("policy", ["encrypted-only", "allow-plaintext"])
def test_a_damaged_token_is_never_plaintext(policy: ReadPolicy) -> None:
    token = encrypt(KEY, "text")
    with pytest.raises(MalformedCiphertextError):
        READER.read(RING, token[:-5], policy=policy)
    with pytest.raises(MalformedCiphertextError):
        READER.read(RING, f"{token}\n", policy=policy)
    with pytest.raises(IntegrityError):
        READER.read(RING, encrypt(EncryptionKey.from_hex("3c" * 32, version=3), "text"), policy=policy)


def test_a_foreign_form_is_named_without_its_content() -> None:
    with pytest.raises(UnsupportedFormatError, match="Bitwarden EncString") as caught:
        READER.read(RING, FOREIGN)
    assert "AAAA" not in str(caught.value)


@pytest.mark.parametrize("text", [None, b"bytes", 7])
def test_stored_content_must_be_text(text: object) -> None:
    with pytest.raises(MalformedCiphertextError, match=f"not {type(text).__name__}"):
        READER.read(RING, cast("str", text), policy="allow-plaintext")


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="read policy"):
        READER.read(RING, "text", policy=cast("ReadPolicy", "anything-goes"))


def test_binding_can_be_required_of_ciphertext() -> None:
    reader = CodecRegistry(JweCodec(), Rot13())
    assert reader.read(RING, encrypt(KEY, "text"), require_binding=True).bound
    with pytest.raises(ContextMismatchError, match="does not say which field"):
        reader.read(RING, "rot13:terces", require_binding=True)
    assert reader.read(RING, "text", policy="allow-plaintext", require_binding=True).text == "text"


def test_a_codec_of_ones_own_is_one_class() -> None:
    codec = Rot13()
    assert isinstance(codec, Codec)
    reader = CodecRegistry(JweCodec(), codec)
    assert reader.read(RING, "rot13:terces").text == "secret"
    assert reader.read(RING, encrypt(KEY, "text")).codec == "jwe"


def test_codecs_are_tried_in_their_order() -> None:
    reader = CodecRegistry(Rot13("first"), Rot13("second"))
    assert reader.read(RING, "rot13:terces").codec == "first"
    assert repr(reader) == "CodecRegistry(first, second)"


def test_the_default_registry_reads_our_form_alone() -> None:
    assert [codec.name for codec in READER.codecs] == ["jwe"]
    assert isinstance(READER.codecs[0], Codec)


def test_two_codecs_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        CodecRegistry(Rot13(), Rot13())


def test_a_codec_that_cannot_detect_changes_needs_permission() -> None:
    codec = Rot13(authenticated=False)
    with pytest.raises(ValueError, match="allow_unauthenticated"):
        CodecRegistry(codec)
    reader = CodecRegistry(codec, allow_unauthenticated=True)
    assert not reader.read(RING, "rot13:terces").authenticated


def test_the_longest_token_is_an_option_of_the_codec() -> None:
    with pytest.raises(ContentTooLargeError):
        CodecRegistry(JweCodec(max_chars=100)).read(RING, encrypt(KEY, "text"))


def test_every_refusal_of_a_read_is_a_decryption_error() -> None:
    for text in ("text", FOREIGN, OPAQUE, "eyJ.a.b.c.d"):
        with pytest.raises(DecryptionError) as caught:
            READER.read(RING, text)
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None


def test_a_result_keeps_its_text_out_of_its_repr() -> None:
    decrypted = READER.read(RING, encrypt(KEY, "canary"))
    assert "canary" not in repr(decrypted)
    assert "canary" not in f"{decrypted}"
    assert "jwe" in repr(decrypted)


@pytest.mark.parametrize("action", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_result_can_be_neither_pickled_nor_copied(action: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        action(READER.read(RING, encrypt(KEY, "text")))


def test_a_result_cannot_be_changed() -> None:
    decrypted = READER.read(RING, encrypt(KEY, "text"))
    with pytest.raises(AttributeError):
        decrypted.text = "other"  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
    assert not hasattr(decrypted, "__dict__")
