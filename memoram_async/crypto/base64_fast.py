"""Base64url on the package `pybase64`; see `memoram_async.crypto.base64url`."""

from __future__ import annotations

from typing import Final

from pybase64 import b64decode, b64encode_as_string

from memoram_async.crypto.base64_rules import (
    IV_CHARS,
    LAST_CHARACTERS,
    PADDING,
    SHORTEST,
    TAG_BYTES,
    TAG_CHARS,
)

_ALPHABET: Final = b"-_"

_GAPS: Final = (b"", bytes(2), bytes(1))
"""By the length of a ciphertext modulo 3: the zeros behind it with which the tag begins on a group's edge."""


def encode(data: bytes) -> str:
    """The unpadded base64url text of `data`; see `memoram_async.crypto.base64_standard.encode`."""
    return b64encode_as_string(data, _ALPHABET).rstrip("=")


def encode_token(start: str, iv: bytes, sealed: bytes) -> str:
    """A compact JWE of its parts; see `memoram_async.crypto.base64_standard.encode_token`."""
    cut = len(sealed) - TAG_BYTES
    gap = _GAPS[cut % 3]
    text = b64encode_as_string(b"".join((iv, sealed[:cut], gap, sealed[cut:])), _ALPHABET)
    return f"{start}{text[:16]}.{text[16 : -24 - len(gap)]}.{text[-24:-2]}"


def decode(text: str) -> bytes | None:
    """The bytes that a text spells, or None; see `memoram_async.crypto.base64_standard.decode`."""
    if not text:
        return b""
    excess = len(text) & 3
    # Even when it validates, pybase64 takes the standard alphabet as well.
    if text[-1] not in LAST_CHARACTERS[excess] or "+" in text or "/" in text:
        return None
    try:
        return b64decode(text + PADDING[excess], _ALPHABET, True)
    except ValueError:
        return None


def decode_sealed(token: str, start: int) -> tuple[bytes, bytes] | None:
    """The last three segments of a token; see `memoram_async.crypto.base64_standard.decode_sealed`."""
    first, second = start + IV_CHARS, len(token) - TAG_CHARS - 1  # the dots
    excess = (second - first - 1) & 3
    if (
        second - first < SHORTEST
        or token[first] != "."
        or token[second] != "."
        or token[second - 1] not in LAST_CHARACTERS[excess]
        or token[-1] not in LAST_CHARACTERS[2]
        or "+" in token
        or "/" in token
        or "=" in token
    ):
        return None
    try:
        return (
            b64decode(token[start:first], _ALPHABET, True),
            b64decode(token[first + 1 : second] + PADDING[excess], _ALPHABET, True)
            + b64decode(token[second + 1 :] + "==", _ALPHABET, True),
        )
    except ValueError:
        return None
