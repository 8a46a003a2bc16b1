"""Base64url on the standard library; see `memoram_async.crypto.base64url`."""

from __future__ import annotations

import binascii
from typing import Final

from memoram_async.crypto.base64_rules import (
    IV_CHARS,
    LAST_CHARACTERS,
    PADDING,
    SHORTEST,
    TAG_BYTES,
    TAG_CHARS,
)

_encode: Final = binascii.b2a_base64
# To the alphabet that the standard library reads. What stands in that alphabet alone becomes refuse.
_TO_STANDARD: Final = bytes.maketrans(b"-_+/=", b"+/!!!")

_PADDING: Final = tuple(padding.encode("ascii") for padding in PADDING)


def encode(data: bytes) -> str:
    """The unpadded base64url text of `data`.

    Args:
        data: Any bytes, also none.

    Returns:
        ASCII text of `ceil(4 * len(data) / 3)` characters.
    """
    encoded = _encode(data, newline=False).rstrip(b"=")
    return encoded.replace(b"+", b"-").replace(b"/", b"_").decode("ascii")


def encode_token(start: str, iv: bytes, sealed: bytes) -> str:
    """A compact JWE of its parts (RFC 7516 7.1); `decode_sealed` takes its last three segments apart.

    Args:
        start: The first two segments with the dots behind them.
        iv: The initialization vector, 12 bytes.
        sealed: The ciphertext with its tag, which are the last 16 bytes.
    """
    encoded = b".".join(
        (
            _encode(iv, newline=False),
            _encode(sealed[:-TAG_BYTES], newline=False).rstrip(b"="),
            _encode(sealed[-TAG_BYTES:])[:TAG_CHARS],
        )
    )
    return start + encoded.replace(b"+", b"-").replace(b"/", b"_").decode("ascii")


def decode(text: str) -> bytes | None:
    """The bytes that an unpadded base64url text spells.

    It returns rather than raises: an exception would carry what may be a secret in its traceback.

    Args:
        text: The encoded text, also the empty one.

    Returns:
        The bytes, or None when the text is not the canonical spelling of any: a character outside
        the alphabet, padding, whitespace, an impossible length, or unused bits that are not zero
        (RFC 4648 3.5).
    """
    if not text:
        return b""
    excess = len(text) & 3
    if text[-1] not in LAST_CHARACTERS[excess]:
        return None
    try:
        standard = text.encode("ascii").translate(_TO_STANDARD)
        return binascii.a2b_base64(standard + _PADDING[excess], strict_mode=True)
    except ValueError:
        return None


def decode_sealed(token: str, start: int) -> tuple[bytes, bytes] | None:
    """The last three segments of a compact JWE at once: what many tokens of one kind differ in.

    Args:
        token: The token.
        start: Where the initialization vector begins.

    Returns:
        The initialization vector, and the ciphertext with its tag; None if they are not the canonical
        spelling of 12 bytes, of a non-empty ciphertext and of 16 bytes.
    """
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
        # Two replacements of the whole, which are cheaper than a translation.
        standard = token.encode("ascii").replace(b"-", b"+").replace(b"_", b"/")
        read = binascii.a2b_base64
        return (
            read(standard[start:first], strict_mode=True),
            read(standard[first + 1 : second] + _PADDING[excess], strict_mode=True)
            + read(standard[second + 1 :] + b"==", strict_mode=True),
        )
    except ValueError:
        return None
