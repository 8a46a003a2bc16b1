from __future__ import annotations

import base64
import json
import os
import textwrap

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from memoram_async.crypto import ContentFormat, EncryptionKey, classify, encrypt


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def pattern(size: int) -> bytes:
    """Bytes that look random, and are the same in every run."""
    return bytes((index * 151 + 197) % 256 for index in range(size))


IV12, IV16, TAG, BODY = pattern(12), pattern(16), pattern(16)[::-1], pattern(48)
TOKEN = encrypt(EncryptionKey.from_hex("31" * 32, version=1), "text", random=bytes)
FOREIGN_HEADER = b64url(b'{"alg":"RSA-OAEP","enc":"A256CBC-HS512"}')
# Version, time in seconds, initialization vector, ciphertext and MAC, as the Fernet specification has them.
FERNET_BYTES = b"\x80" + (1_700_000_000).to_bytes(8) + IV16 + BODY[:16] + pattern(32)
LONG = b64(pattern(150))
# Twenty characters, eight changes between upper case, lower case and the rest: random ones have no fewer.
PIECE = "0TCl21PFFwqjeEnAJNEZ"
JWE_JSON = {"protected": TOKEN.split(".")[0], "iv": "AA", "ciphertext": "AA", "tag": "AA"}

FOREIGN: list[tuple[ContentFormat, str]] = [
    (ContentFormat.JWE, TOKEN),
    (ContentFormat.JWE, f"  {TOKEN}\n"),
    (ContentFormat.JWE, TOKEN.rsplit(".", 2)[0]),
    (ContentFormat.JWE, TOKEN.split(".")[0]),
    (ContentFormat.JWE, "x" + TOKEN),
    (ContentFormat.JWE, f"{FOREIGN_HEADER}.{b64url(BODY)}.{b64url(IV16)}.{b64url(BODY)}.{b64url(BODY[:32])}"),
    (ContentFormat.JWE, "eyBroken.a.b.c.d"),
    (ContentFormat.JWE, b64url(b'{"alg":"RSA-OAEP","kid":"the ke')),
    (ContentFormat.JWE, b64url(b'{ "alg": "RSA-OAEP", "kid": "the ke')),
    (ContentFormat.JWE, b64url(b'{\n  "alg": "RSA-OAEP",\n  "kid": "the ke')),
    (ContentFormat.JWE, b64url(b'{\r\n"alg": "RSA-OAEP", "enc": "A256GCM"}')),
    # Written by a client that wraps what it writes once more.
    (ContentFormat.JWE, json.dumps(TOKEN)),
    (ContentFormat.JWE, json.dumps({"content": TOKEN})),
    (ContentFormat.JWE, f"<p>{TOKEN}</p>"),
    (ContentFormat.JWE, f"eyes first, then {TOKEN}"),
    (ContentFormat.JWE, b64(TOKEN.encode())),
    (ContentFormat.JWE, b64url(TOKEN.encode())),
    (ContentFormat.JWE_JSON, json.dumps(JWE_JSON)),
    (ContentFormat.JWE_JSON, json.dumps({"recipients": [{}], "ciphertext": "AA"}, indent=2)),
    (ContentFormat.FERNET, base64.urlsafe_b64encode(FERNET_BYTES).decode()),
    (ContentFormat.OPENSSL, b64(b"Salted__" + pattern(24))),
    (ContentFormat.OPENSSL, "\n".join(textwrap.wrap(b64(b"Salted__" + pattern(152)), 64))),
    (ContentFormat.OPENSSL, "\r\n".join(textwrap.wrap(b64(b"Salted__" + pattern(152)), 76))),
    (ContentFormat.HEX_PARTS, f"{IV16.hex()}:{BODY.hex()}"),
    (ContentFormat.HEX_PARTS, f"{IV12.hex()}:{TAG.hex()}:{BODY.hex()}"),
    (ContentFormat.HEX_PARTS, f"{IV12.hex()}:{BODY.hex()}:{TAG.hex()}".upper()),
    (ContentFormat.HEX_PARTS, f"{IV16.hex()}.{BODY.hex()}.{TAG.hex()}"),
    (ContentFormat.BASE64_PARTS, f"{b64(IV16)}:{b64(BODY)}"),
    (ContentFormat.BASE64_PARTS, f"{b64(IV12)}:{b64(BODY)}:{b64(TAG)}"),
    (ContentFormat.BASE64_PARTS, f"{b64(IV12)}.{b64(TAG)}.{b64(BODY)}"),
    (ContentFormat.JSON_PARTS, json.dumps({"iv": IV16.hex(), "content": BODY.hex()})),
    (ContentFormat.JSON_PARTS, json.dumps({"iv": "AA", "v": 1, "mode": "ccm", "ct": "AA"})),
    (ContentFormat.JSON_PARTS, json.dumps({"nonce": "AA", "ciphertext": "AA"})),
    (ContentFormat.JSON_PARTS, json.dumps({"iv": [1, 2], "encryptedData": {"type": "Buffer", "data": []}})),
    (ContentFormat.JSON_PARTS, json.dumps({"iv": "AA", "value": "AA", "mac": "AA"})[:-9]),
    (ContentFormat.ENCSTRING, f"2.{b64(IV16)}|{b64(BODY)}|{b64(pattern(32))}"),
    (ContentFormat.ENCSTRING, f"0.{b64(IV16)}|{b64(BODY)}"),
    (ContentFormat.ENCSTRING, f"7.{b64(pattern(60))}"),
    (ContentFormat.STANDARD_NOTES, f"004:{pattern(24).hex()}:{b64(BODY)}:{b64(BODY)}"),
    (ContentFormat.AGE, "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----"),
    (ContentFormat.AGE, "age-encryption.org/v1\n-> X25519"),
    (ContentFormat.PGP, "-----BEGIN PGP MESSAGE-----\n\nhQ==\n-----END PGP MESSAGE-----\n"),
    (ContentFormat.CMS, "-----BEGIN CMS-----\nMIIB\n-----END CMS-----"),
    (ContentFormat.CMS, "-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----"),
    (ContentFormat.OPAQUE, b64(IV12 + BODY + TAG)),
    (ContentFormat.OPAQUE, b64url(IV12 + BODY + TAG)),
    (ContentFormat.OPAQUE, b64(IV12 + BODY + TAG)[:-3]),
    (ContentFormat.OPAQUE, (IV12 + BODY + TAG).hex()),
    (ContentFormat.OPAQUE, (IV12 + BODY + TAG).hex().upper()),
    (ContentFormat.OPAQUE, "\n".join(textwrap.wrap(LONG, 76))),
    (ContentFormat.OPAQUE, "\n".join(textwrap.wrap(b64(pattern(90)), 60))),
    (ContentFormat.HEX_PARTS, "\n".join(textwrap.wrap(f"{IV16.hex()}:{BODY.hex()}", 64))),
    (ContentFormat.OPAQUE, "a1234567" * 6),
    (ContentFormat.OPAQUE, "gAzKpQZb" * 6),
    (ContentFormat.OPAQUE, PIECE),
    (ContentFormat.OPAQUE, f".{PIECE}..{PIECE}"),
    (ContentFormat.OPAQUE, f"v1.{PIECE}"),
    (ContentFormat.OPAQUE, f"{b64(IV16)}.{b64url(IV16)}"),
    (ContentFormat.OPAQUE, "fZ8-7gK_2mQv9Xb-Lp3R"),
    (ContentFormat.OPAQUE, "fZ8/7gK+2mQv9Xb/Lp3R"),
]


@pytest.mark.parametrize(
    ("form", "text"), FOREIGN, ids=[f"{form.name}-{index}" for index, (form, _) in enumerate(FOREIGN)]
)
def test_what_something_else_encrypted_is_recognised(form: ContentFormat, text: str) -> None:
    assert classify(text) is form


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "Prefers window seats",
        "Préfère le côté fenêtre 🪟",
        "eyes. ears. nose. mouth. chin",
        "a.b.c.d.e",
        "www.docs.memories.example.com",
        "eye",
        "eyJ",
        "https://example.com/some/path/that/is/quite/long/and/has/no/spaces?at=all",
        "550e8400-e29b-41d4-a716-446655440000",
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
        "d41d8cd98f00b204e9800998ecf8427e",
        "-" * 80,
        "=" * 80,
        "ab" * 40,
        "aB" * 40,
        "0123456789" * 6,
        "abcdef" * 10,
        "a-list-of-words-joined-by-hyphens-that-is-longer-than-forty-characters",
        "ALL_CAPITALS_JOINED_BY_UNDERSCORES_LONGER_THAN_FORTY",
        "2. Buy milk|eggs|bread",
        "004: the fourth note",
        "gAAAAA",
        json.dumps({"title": "Seats", "content": "window"}),
        json.dumps({"iv": 4, "ciphertext": False}),
        "{not json",
        b64(b"Plain text that someone wrapped in base64, for a reason."),
        b64("Accented: éèêëàâäôöûüç, cut within a character".encode())[:48],
        "\n".join(["a line of prose that is exactly as long as the next one is, so it is"] * 3),
        "\n".join(["B" * 64 + "a9", "C" * 64, "a line of prose"]),
        "\n".join(["Bb3" * 22, "C" * 80]),
        # Lines as long as this one are no ciphertext that a program has wrapped.
        "\n".join(textwrap.wrap(b64(pattern(80)), 59)),
        "\n".join([LONG[:76], LONG[76:150], LONG[150:]]),
        # Seven different characters, where ciphertext has at least eight.
        "a123456" * 6,
        "gAzKpQZ" * 8,
        # One change fewer than random characters have; then no digit, no capital, no small letter.
        "kkD7vtmfBBQTCVGAa7tu",
        "ApEnRdOaLsTvUwXyZaBc",
        "a7p2e9n4r1d8o3a5l6s0",
        "A7P2E9N4R1D8O3A5L6S0",
        f"{PIECE}.one.two",
        f"{PIECE} and more",
        f"{PIECE}.{b64url('Größe 38, 2. Stock'.encode())}",
        # What speaks of tokens holds none.
        f"our header {TOKEN.split('.')[0]} is the same for all of them",
        f"a token reads {TOKEN.split('.')[0]}..iv.ciphertext.tag",
        # A signed token is readable by anyone who holds it: not encrypted.
        ".".join([b64url(b'{"alg":"HS256","typ":"JWT"}'), b64url(b'{"sub":"1"}'), b64url(BODY[:32])]),
    ],
)
def test_what_people_write_is_plaintext(text: str) -> None:
    assert classify(text) is ContentFormat.PLAINTEXT


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.text(alphabet="abcdefghijklmnopqrstuvwxyzäöü", min_size=1, max_size=12), min_size=2))
def test_words_with_spaces_between_them_are_plaintext(words: list[str]) -> None:
    assert classify(" ".join(words)) is ContentFormat.PLAINTEXT


@settings(deadline=None)  # a busy machine is no failure
@given(st.text())
def test_any_text_can_be_classified(text: str) -> None:
    assert classify(text) in ContentFormat


@pytest.mark.timeout(15)  # it takes one second, and half a minute where each of these could begin a token
def test_a_long_text_is_looked_through_once() -> None:
    assert classify("ey" * 4_000_000 + "!") is ContentFormat.PLAINTEXT
    assert classify("ey." * 300_000 + "!") is ContentFormat.PLAINTEXT


def test_random_bytes_in_base64_are_never_plaintext() -> None:
    for _ in range(300):
        for spelled in (b64(os.urandom(44)), b64url(os.urandom(44)), os.urandom(44).hex()):
            assert classify(spelled) is not ContentFormat.PLAINTEXT


def test_real_fernet_tokens_are_recognised() -> None:
    assert classify(Fernet(Fernet.generate_key()).encrypt(b"text").decode()) is ContentFormat.FERNET
