"""What an application leaves in other hands can be read by nobody without its secret."""

from __future__ import annotations

import os
import pickle

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.secret import Secret
from memoram_async.crypto import base64url
from memoram_async.crypto.secret_seal import SecretSeal

OLD, NEW = Secret("o" * 32), Secret("n" * 32)


def seal(*secrets: Secret, purpose: str = "test") -> SecretSeal:
    return SecretSeal(secrets or (NEW,), purpose=purpose)


@given(st.binary(), st.binary())
def test_what_was_sealed_can_be_opened(data: bytes, context: bytes) -> None:
    assert seal().open(seal().seal(data, context=context), context=context) == data


def test_the_format_is_the_one_that_is_written_down() -> None:
    key = HKDF(SHA256(), 32, None, b"memoram secret seal v1 test").derive(b"n" * 32)
    iv = os.urandom(12)
    text = "v1." + base64url.encode(iv + AESGCM(key).encrypt(iv, b"data", b"context"))
    assert seal().open(text, context=b"context") == b"data"


def test_the_first_secret_seals_and_each_opens() -> None:
    old, both = seal(OLD).seal(b"data"), seal(NEW, OLD)
    assert both.open(old) == b"data"
    assert seal(NEW).open(both.seal(b"data")) == b"data"
    assert seal(OLD).open(both.seal(b"data")) is None


def test_each_sealing_is_another() -> None:
    assert seal().seal(b"data") != seal().seal(b"data")


def test_another_purpose_or_context_opens_nothing() -> None:
    text = seal().seal(b"data", context=b"a")
    assert seal(purpose="other").open(text, context=b"a") is None
    assert seal().open(text, context=b"b") is None
    assert seal().open(text) is None


@given(st.data())
def test_one_character_that_was_changed_opens_nothing(data: st.DataObject) -> None:
    text = seal().seal(b"some data")
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters().filter(lambda character: character != text[place]))
    assert seal().open(text[:place] + other + text[place + 1 :]) is None


@pytest.mark.parametrize("text", ["", "v1.", "v1.AAAA", "v2.AAAA", "ä", "v1.\ud800", "v1." + "A" * 36])
def test_what_is_no_sealed_text_opens_nothing(text: str) -> None:
    assert seal().open(text) is None


def test_a_seal_shows_nothing_and_stays_in_the_process() -> None:
    assert repr(seal()) == "<SecretSeal of test>"
    with pytest.raises(TypeError):
        pickle.dumps(seal())
