"""Tokens at rest can be read by nobody without the API key."""

from __future__ import annotations

import json
import os
import pickle

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from memoram_async import Secret
from memoram_async.core.shared_token import SharedToken
from memoram_async.crypto import base64url
from memoram_async.crypto.token_seal import TokenSeal

KEY = "mem_" + "0123456789abcdef" * 3
BASE = "https://api.test/api/v1"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"


def seal(key: str = KEY, base: str = BASE) -> TokenSeal:
    return TokenSeal(Secret(key), base)


def shared(token: str = TOKEN, *, issued: float = 1.5, lifetime: float = 3600.0) -> SharedToken:
    return SharedToken(token=Secret(token), issued=issued, lifetime=lifetime)


def derived(purpose: str, length: int) -> bytes:
    """The derivation, written down a second time."""
    info = f"memoram token store v1 {purpose} {BASE}".encode()
    return HKDF(SHA256(), length, None, info).derive(KEY.encode())


def forged(content: object, *, name: str | None = None) -> bytes:
    """Anything at all, sealed by somebody who has the API key."""
    iv = os.urandom(12)
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    sealed = AESGCM(derived("key", 32)).encrypt(iv, text, (name or seal().name).encode())
    return b"v1." + base64url.encode(iv + sealed).encode()


def test_what_was_sealed_can_be_opened() -> None:
    opened = seal().open(seal().seal(shared()))
    assert opened is not None
    assert (opened.token.reveal(), opened.issued, opened.lifetime) == (TOKEN, 1.5, 3600.0)


def test_the_format_is_the_one_that_is_written_down() -> None:
    opened = seal().open(forged({"token": TOKEN, "issued": 1, "lifetime": 2, "later": "member"}))
    assert opened is not None
    assert (opened.token.reveal(), opened.issued, opened.lifetime) == (TOKEN, 1.0, 2.0)
    assert seal().name == f"token-{derived('name', 16).hex()}"


def test_what_is_sealed_is_spelled_in_one_way() -> None:
    raw = base64url.decode(seal().seal(shared()).removeprefix(b"v1.").decode())
    assert raw is not None
    text = AESGCM(derived("key", 32)).decrypt(raw[:12], raw[12:], seal().name.encode())
    assert text.decode() == f'{{"token":"{TOKEN}","issued":1.5,"lifetime":3600.0}}'


def test_a_sealed_value_is_ascii_and_holds_nothing_of_token_and_key() -> None:
    value = seal().seal(shared())
    assert value.isascii()
    raw = base64url.decode(value.removeprefix(b"v1.").decode())
    assert raw is not None
    for secret in (TOKEN, KEY):
        for start in range(0, len(secret) - 8, 4):
            piece = secret[start : start + 8].encode()
            assert piece not in value
            assert piece not in raw
    assert KEY not in seal().name


def test_no_two_sealed_values_are_alike() -> None:
    assert seal().seal(shared()) != seal().seal(shared())


@pytest.mark.parametrize(
    "other", [seal(key=KEY[:-1] + "0"), seal(base="https://api.other/api/v1")], ids=["key", "service"]
)
def test_nobody_else_finds_or_opens_it(other: TokenSeal) -> None:
    assert other.name != seal().name
    assert other.open(seal().seal(shared())) is None


def test_a_value_does_not_open_under_another_name() -> None:
    assert seal().open(forged({"token": TOKEN, "issued": 1, "lifetime": 2}, name="token-0")) is None


@given(data=st.data())
def test_a_changed_value_does_not_open(data: st.DataObject) -> None:
    value = bytearray(seal().seal(shared()))
    value[data.draw(st.integers(0, len(value) - 1))] ^= data.draw(st.integers(1, 255))
    assert seal().open(bytes(value)) is None


@given(length=st.integers(0, 100))
def test_a_value_that_was_cut_off_does_not_open(length: int) -> None:
    assert seal().open(seal().seal(shared())[:length]) is None


@given(value=st.binary() | st.binary().map(lambda data: b"v1." + base64url.encode(data).encode()))
def test_anything_else_does_not_open(value: bytes) -> None:
    assert seal().open(value) is None


@pytest.mark.parametrize(
    "content",
    [
        b"no JSON",
        b"\xff",
        [],
        {},
        {"token": TOKEN},
        {"token": 7, "issued": 1, "lifetime": 2},
        {"token": "", "issued": 1, "lifetime": 2},
        {"token": "two\r\nlines", "issued": 1, "lifetime": 2},
        {"token": TOKEN, "issued": "1", "lifetime": 2},
        {"token": TOKEN, "issued": float("nan"), "lifetime": 2},
        {"token": TOKEN, "issued": 1, "lifetime": float("inf")},
        {"token": TOKEN, "issued": 1, "lifetime": None},
    ],
)
def test_what_makes_no_sense_is_as_good_as_nothing(content: object) -> None:
    assert seal().open(forged(content)) is None


def test_a_seal_shows_no_key() -> None:
    assert repr(seal()) == f"<TokenSeal of {seal().name}>"
    with pytest.raises(TypeError):
        pickle.dumps(seal())
