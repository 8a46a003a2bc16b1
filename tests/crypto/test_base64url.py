from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memoram_async.crypto import base64url


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"f", "Zg"),
        (b"fo", "Zm8"),
        (b"foo", "Zm9v"),
        (b"foob", "Zm9vYg"),
        (b"fooba", "Zm9vYmE"),
        (b"foobar", "Zm9vYmFy"),
        (b"\xfb\xff\xfe", "-__-"),
    ],
)
def test_the_vectors_of_rfc_4648_without_their_padding(data: bytes, text: str) -> None:
    assert base64url.encode(data) == text
    assert base64url.decode(text) == data


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=200))
def test_every_byte_string_survives_and_agrees_with_the_standard_library(data: bytes) -> None:
    text = base64url.encode(data)
    assert text == base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    assert base64url.decode(text) == data


@pytest.mark.parametrize(
    "text",
    ["Z", "Zm9vY", "Zg==", "Zm8=", "Zm9v=", "Zg=", "====", "=", "Zm9v Zg", "Zm9v\n", " Zm9v", "Zm9v\r\n"],
)
def test_impossible_lengths_padding_and_whitespace_are_not_decoded(text: str) -> None:
    assert base64url.decode(text) is None


@pytest.mark.parametrize("text", ["+A", "Zm9+", "Zm9/", "/___", "Zm9*", "Zm.v", "Zm9\x00", "Zmé9", "Zm９v"])  # noqa: RUF001
def test_characters_outside_the_url_alphabet_are_not_decoded(text: str) -> None:
    assert base64url.decode(text) is None


@pytest.mark.parametrize("length", [1, 2])
def test_each_byte_string_has_exactly_one_spelling(length: int) -> None:
    data = bytes(length)
    canonical = base64url.encode(data)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    decoded = [base64url.decode(canonical[:-1] + last) for last in alphabet]
    assert len([one for one in decoded if one is not None]) == 4**length
    assert decoded.count(data) == 1


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(max_size=40))
def test_whatever_decodes_encodes_back_to_the_same_text(text: str) -> None:
    data = base64url.decode(text)
    assert data is None or base64url.encode(data) == text
