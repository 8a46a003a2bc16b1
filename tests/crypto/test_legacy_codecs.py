"""Forms of other programs: read on request, by the names that they have."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Literal, cast

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.errors import (
    ContextMismatchError,
    DecryptionError,
    IntegrityError,
    InvalidArgumentError,
    MalformedCiphertextError,
    PlaintextDecodeError,
    UnsupportedFormatError,
)
from memoram_async.crypto import (
    LEGACY_CODECS,
    Codec,
    CodecRegistry,
    EncryptionKey,
    FernetCodec,
    JweCodec,
    Keyring,
    NodeGcmBase64,
    NodeGcmHex,
    encrypt,
)

if TYPE_CHECKING:
    from collections.abc import Callable

RAW = bytes(range(1, 33))
OLD = bytes(range(33, 65))
ANOTHER = bytes(range(9, 41))
RING = Keyring(EncryptionKey(OLD, version=1), EncryptionKey(RAW, version=2))
TEXT = "Prefers window seats \u2013 \u7a93\u5074"


def reader() -> CodecRegistry:
    return CodecRegistry(JweCodec(), *LEGACY_CODECS)


def hexadecimal(data: bytes) -> str:
    return data.hex()


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def gcm(
    write: Callable[[bytes], str],
    *,
    key: bytes = RAW,
    iv: bytes = bytes(12),
    tag_first: bool = False,
    text: bytes = TEXT.encode(),
) -> str:
    sealed = AESGCM(key).encrypt(iv, text, None)
    parts = [sealed[:-16], sealed[-16:]]
    return ":".join(map(write, (iv, *(reversed(parts) if tag_first else parts))))


def fernet(key: bytes = RAW, text: bytes = TEXT.encode()) -> str:
    return Fernet(base64.urlsafe_b64encode(key)).encrypt(text).decode()


@pytest.mark.parametrize("tag_first", [False, True])
@pytest.mark.parametrize("size", [12, 16])
@pytest.mark.parametrize(("write", "name"), [(hexadecimal, "node_gcm_hex"), (base64_text, "node_gcm_b64")])
def test_what_node_wrote_is_read(
    write: Callable[[bytes], str], name: str, size: int, tag_first: bool
) -> None:
    decrypted = reader().read(RING, gcm(write, iv=bytes(range(size)), tag_first=tag_first))
    assert (decrypted.text, decrypted.codec, decrypted.key_version) == (TEXT, name, 2)
    assert (decrypted.encrypted, decrypted.authenticated, decrypted.bound) == (True, True, False)


def test_what_fernet_wrote_is_read() -> None:
    decrypted = reader().read(RING, fernet())
    assert (decrypted.text, decrypted.codec, decrypted.key_version) == (TEXT, "fernet", 2)


@pytest.mark.parametrize(
    "stored",
    [gcm(hexadecimal, key=OLD), gcm(base64_text, key=OLD), fernet(OLD)],
    ids=["hex", "base64", "fernet"],
)
def test_every_version_of_the_key_is_tried(stored: str) -> None:
    assert reader().read(RING, stored).key_version == 1


def test_a_text_of_sixteen_bytes_is_told_from_its_tag() -> None:
    for tag_first in (False, True):
        stored = gcm(hexadecimal, text=b"sixteen bytes :)", tag_first=tag_first)
        assert reader().read(RING, stored).text == "sixteen bytes :)"


@pytest.mark.parametrize("stored", [gcm(hexadecimal, key=ANOTHER), fernet(ANOTHER)], ids=["hex", "fernet"])
def test_another_key_does_not_open_it(stored: str) -> None:
    with pytest.raises(IntegrityError, match="was changed, or was made with another key"):
        reader().read(RING, stored)


@pytest.mark.parametrize(
    "stored", [gcm(hexadecimal, text=b"\xff"), fernet(text=b"\xff")], ids=["hex", "fernet"]
)
def test_what_is_no_text_is_refused(stored: str) -> None:
    with pytest.raises(PlaintextDecodeError, match="is not UTF-8 text"):
        reader().read(RING, stored)


@given(
    position=st.integers(0, 200), flip=st.integers(1, 15), form=st.sampled_from(["hex", "base64", "fernet"])
)
def test_a_changed_character_never_reads_as_another_text(position: int, flip: int, form: str) -> None:
    stored = {"hex": gcm(hexadecimal), "base64": gcm(base64_text), "fernet": fernet()}[form]
    at = position % len(stored)
    changed = stored[:at] + chr(ord(stored[at]) ^ flip) + stored[at + 1 :]
    try:
        text = reader().read(RING, changed, policy="allow-plaintext").text
    except DecryptionError:
        return
    assert text in {TEXT, changed}


def test_digits_that_were_used_as_a_key_are_read_as_one() -> None:
    short = EncryptionKey.from_hex("0123456789abcdef" * 2, version=1)
    stored = gcm(hexadecimal, key=b"0123456789abcdef" * 2)
    registry = CodecRegistry(JweCodec(), NodeGcmHex(key_encoding="hex-text"))
    assert registry.read(Keyring(short), stored).text == TEXT
    with pytest.raises(IntegrityError):
        CodecRegistry(JweCodec(), NodeGcmHex()).read(Keyring(short), stored)
    # Digits that make no AES key are no key.
    with pytest.raises(IntegrityError):
        CodecRegistry(NodeGcmBase64(key_encoding="hex-text")).read(RING, gcm(base64_text))
    with pytest.raises(IntegrityError):
        CodecRegistry(FernetCodec()).read(Keyring(short), fernet())


def test_they_stand_for_content_alone() -> None:
    with pytest.raises(ContextMismatchError):
        reader().read(RING, fernet(), field="envelope")


def test_without_being_asked_for_none_is_read() -> None:
    for stored in (gcm(hexadecimal), gcm(base64_text), fernet()):
        with pytest.raises(UnsupportedFormatError):
            CodecRegistry().read(RING, stored, policy="allow-plaintext")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00:11:22",
        f"{'00' * 12}:zz:{'11' * 16}",
        f"{'A' * 16}:====:{'A' * 22}==",
        f"{'A' * 16}:AAAAA:{'A' * 22}==",
        f"{'A' * 16}:AAAA=:{'A' * 22}==",
        f"{'A' * 16}:{'A' * 22}==:AAAA==",
        f"{'00' * 12}:{'11' * 15}:{'22' * 17}",
    ],
)
def test_what_only_resembles_them_is_not_theirs(text: str) -> None:
    assert not any(codec().detect(text) for codec in LEGACY_CODECS.values())


def test_a_codec_that_is_asked_to_decrypt_something_else_refuses() -> None:
    for codec in (NodeGcmHex(), NodeGcmBase64(), FernetCodec()):
        with pytest.raises(IntegrityError):
            codec.decrypt(RING, "Prefers window seats", field="content")


def test_our_own_form_comes_first() -> None:
    assert reader().read(RING, encrypt(RING.current, TEXT)).codec == "jwe"


@pytest.mark.parametrize("codec", [NodeGcmHex(), NodeGcmBase64(), FernetCodec(), JweCodec()])
def test_what_is_no_text_is_no_ciphertext(codec: Codec) -> None:
    no_text = cast("str", 7)
    assert codec.detect(no_text) is False
    with pytest.raises(MalformedCiphertextError, match=r"^a ciphertext must be text, not int$"):
        codec.decrypt(RING, no_text, field="content")
    with pytest.raises(InvalidArgumentError, match=r"^keyring must be a Keyring, .* not EncryptionKey$"):
        codec.decrypt(cast("Keyring", RING.current), "text", field="content")


@pytest.mark.parametrize("kind", [NodeGcmHex, NodeGcmBase64])
def test_keys_were_taken_in_one_of_two_ways(kind: type[NodeGcmHex | NodeGcmBase64]) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^key_encoding must be one of 'bytes', 'hex-text'$"):
        kind(key_encoding=cast("Literal['bytes']", "base64"))


def test_a_text_that_is_no_fernet_token_is_not_opened() -> None:
    with pytest.raises(IntegrityError):
        FernetCodec().decrypt(RING, "\ud800", field="content")
