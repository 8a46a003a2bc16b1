from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memoram_async.core.errors import DecryptionError
from memoram_async.crypto import CodecRegistry, EncryptionKey, Keyring, base64url, decrypt, encrypt

KEY = EncryptionKey.from_hex("91" * 32, version=3)
RING = Keyring(KEY)
READER = CodecRegistry()
TOKEN = encrypt(KEY, "wire 7", random=lambda size: bytes(range(size)))
WRAPPED = encrypt(KEY, "wire 7", random=lambda size: bytes(range(size)), key_wrap=True)


@pytest.mark.parametrize(
    ("token", "segment"), [*[(TOKEN, each) for each in (0, 2, 3, 4)], *[(WRAPPED, each) for each in range(5)]]
)
def test_every_flipped_bit_of_the_bytes_behind_a_segment_is_noticed(token: str, segment: int) -> None:
    segments = token.split(".")
    data = base64url.decode(segments[segment]) or b""
    assert data
    for position in range(8 * len(data)):
        changed = bytearray(data)
        changed[position // 8] ^= 1 << position % 8
        segments[segment] = base64url.encode(bytes(changed))
        with pytest.raises(DecryptionError):
            decrypt(RING, ".".join(segments))


def test_every_flipped_bit_of_the_text_is_noticed_and_never_taken_for_plaintext() -> None:
    for position, character in enumerate(TOKEN):
        for bit in range(8):
            changed = TOKEN[:position] + chr(ord(character) ^ 1 << bit) + TOKEN[position + 1 :]
            with pytest.raises(DecryptionError):
                decrypt(RING, changed)
            with pytest.raises(DecryptionError):
                READER.read(RING, changed, policy="allow-plaintext")


def test_a_missing_character_is_noticed_and_never_taken_for_plaintext() -> None:
    for position in range(len(TOKEN)):
        changed = TOKEN[:position] + TOKEN[position + 1 :]
        with pytest.raises(DecryptionError):
            decrypt(RING, changed)
        with pytest.raises(DecryptionError):
            READER.read(RING, changed, policy="allow-plaintext")


def test_a_token_cut_short_is_never_taken_for_plaintext() -> None:
    for length in range(8, len(TOKEN)):
        with pytest.raises(DecryptionError):
            READER.read(RING, TOKEN[:length], policy="allow-plaintext")


@pytest.mark.parametrize("lost", [1, 2])
def test_a_token_without_its_header_is_never_taken_for_plaintext(lost: int) -> None:
    for token in (TOKEN, encrypt(KEY, "Prefers window seats")):
        rest = token.split(".", lost)[-1]
        with pytest.raises(DecryptionError):
            READER.read(RING, rest, policy="allow-plaintext")
        with pytest.raises(DecryptionError):
            READER.read(RING, f".{rest}", policy="allow-plaintext")


def test_segments_of_two_tokens_do_not_mix() -> None:
    one, two = TOKEN.split("."), encrypt(KEY, "wire 8").split(".")
    for segment in (2, 3, 4):
        mixed = [*one[:segment], two[segment], *one[segment + 1 :]]
        with pytest.raises(DecryptionError):
            decrypt(RING, ".".join(mixed))


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(max_size=300))
def test_any_text_is_refused_with_an_error_of_the_tree(text: str) -> None:
    with pytest.raises(DecryptionError):
        decrypt(RING, text)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.binary(max_size=40), min_size=4, max_size=4))
def test_any_bytes_in_five_segments_are_refused_with_an_error_of_the_tree(parts: list[bytes]) -> None:
    first, *rest = map(base64url.encode, parts)
    with pytest.raises(DecryptionError):
        decrypt(RING, ".".join([first, "", *rest]))
