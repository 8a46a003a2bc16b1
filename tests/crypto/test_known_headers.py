"""Tokens under a header that is known are read by a shorter way: it reads no more and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.errors import ContextMismatchError, DecryptionError, InvalidKeyError
from memoram_async.crypto import ContentReader, Decrypted, EncryptionKey, Keyring, StoreOptions, encrypt
from memoram_async.crypto.jwe import seal
from memoram_async.crypto.jwe_reader import TokenRules, read_known

KEY = EncryptionKey.from_hex("91" * 32, version=3)
READER = ContentReader(StoreOptions())


def ring_that_knows(*tokens: str, reader: ContentReader = READER) -> Keyring:
    ring = Keyring(KEY, user_id="user-1")
    for token in tokens:
        assert isinstance(reader.read(ring, token), Decrypted)
    return ring


def written(text: str, **options: bool | str) -> str:
    return encrypt(KEY, text, random=lambda size: bytes(range(1, size + 1)), **options)  # type: ignore[arg-type]


TOKEN = written("wire 7")
RING = ring_that_knows(TOKEN)
QUICK = READER.quick(RING)


@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_what_was_written_is_read_back(text: str) -> None:
    found = QUICK(encrypt(KEY, text))
    assert found is not None
    assert found[0] == text
    whole = READER.read(RING, encrypt(KEY, text))
    assert isinstance(whole, Decrypted)
    assert found[1] == whole.provenance


def test_every_flipped_bit_is_left_to_the_longer_way_which_refuses_it() -> None:
    for position, character in enumerate(TOKEN):
        for bit in range(8):
            changed = TOKEN[:position] + chr(ord(character) ^ 1 << bit) + TOKEN[position + 1 :]
            assert QUICK(changed) is None
            assert isinstance(READER.read(RING, changed), DecryptionError)


@given(
    at=st.integers(0, len(TOKEN)),
    cut=st.integers(0, 30),
    piece=st.text(st.sampled_from(".=+/-_A9 \né"), max_size=4),
)
def test_it_never_reads_what_the_longer_way_refuses(at: int, cut: int, piece: str) -> None:
    changed = TOKEN[:at] + piece + TOKEN[at + cut :]
    found, whole = QUICK(changed), READER.read(RING, changed)
    if found is not None:
        assert isinstance(whole, Decrypted)
        assert found == (whole.text, whole.provenance)


def test_a_header_is_known_only_after_it_was_proved() -> None:
    ring = Keyring(KEY)
    quick = READER.quick(ring)
    assert quick(TOKEN) is None
    assert isinstance(READER.read(ring, TOKEN[:-2] + "AA"), DecryptionError)
    assert quick(TOKEN) is None
    READER.read(ring, TOKEN)
    assert quick(TOKEN) is not None


def test_a_header_of_one_field_is_not_known_for_another() -> None:
    ring = Keyring(KEY)
    envelope = written("text", field="envelope")
    assert isinstance(READER.read(ring, envelope), DecryptionError)
    assert READER.quick(ring)(envelope) is None


def test_wrapped_keys_always_go_the_longer_way() -> None:
    token = written("text", key_wrap=True)
    ring = ring_that_knows(token)
    assert READER.quick(ring)(token) is None
    assert ring.known("content") == {}


NAMELESS = seal(KEY.cipher, b"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0", b"text", iv=bytes(12))
"""A token without a `kid`."""


def test_a_header_that_names_no_key_is_known_where_there_is_one_key_alone() -> None:
    reader = ContentReader(StoreOptions(try_all_versions=True))
    assert reader.quick(ring_that_knows(NAMELESS))(NAMELESS) is not None
    two = Keyring(KEY, EncryptionKey.from_hex("92" * 32, version=4))
    assert isinstance(reader.read(two, NAMELESS), Decrypted)
    assert two.known("content") == {}
    assert isinstance(reader.read(two, TOKEN), Decrypted)
    assert reader.quick(two)(TOKEN) == QUICK(TOKEN)


def test_binding_is_asked_for_here_too() -> None:
    unbound = seal(KEY.cipher, b"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiMyJ9", b"text", iv=bytes(12))
    ring = ring_that_knows(unbound)
    assert READER.quick(ring)(unbound) is not None
    strict = ContentReader(StoreOptions(require_binding=True))
    assert strict.quick(ring)(unbound) is None
    assert isinstance(strict.read(ring, unbound), ContextMismatchError)


def test_a_token_that_is_too_long_or_no_text_is_left_to_the_longer_way() -> None:
    header = KEY.header("content").decode()
    assert QUICK(f"{header}..{'A' * 2_000_000}") is None
    sealed = seal(KEY.cipher, KEY.header("content"), b"\xff", iv=bytes(12))
    assert QUICK(sealed) is None


def test_the_longest_token_is_read_here_too() -> None:
    known = RING.known("content")
    assert read_known(known, TOKEN, TokenRules(max_chars=len(TOKEN))) == QUICK(TOKEN)
    assert read_known(known, TOKEN, TokenRules(max_chars=len(TOKEN) - 1)) is None


def test_after_closing_nothing_is_known() -> None:
    ring = Keyring(EncryptionKey.from_hex("92" * 32, version=3))
    token = encrypt(ring.current, "text")
    assert isinstance(READER.read(ring, token), Decrypted)
    quick = READER.quick(ring)
    ring.close()
    assert quick(token) is None
    with pytest.raises(InvalidKeyError):
        READER.read(ring, token)


def test_what_another_thread_learns_after_closing_is_forgotten() -> None:
    (known,) = RING.known("content").values()
    ring = Keyring(EncryptionKey.from_hex("92" * 32, version=3))
    ring.close()
    ring.remember("content", "header", known)
    assert ring.known("content") == {}


def test_rings_do_not_grow_without_end() -> None:
    (known,) = RING.known("content").values()
    ring = Keyring(KEY)
    for number in range(200):
        ring.remember("content", f"header {number}", known)
        ring.remember(f"field-{number}", "header", known)
    assert len(ring.known("content")) == 64
    assert sum(len(ring.known(f"field-{number}")) for number in range(200)) == 31
