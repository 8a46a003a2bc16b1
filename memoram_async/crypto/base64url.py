"""Base64url without padding, the only spelling that JOSE knows (RFC 7515 2 and RFC 4648 5).

Decoding is strict: each byte string has exactly one accepted spelling, so a stored token cannot be
altered without a change of the bytes behind it.
"""

from __future__ import annotations

import binascii

# The characters that may stand last when 4 or 2 bits of theirs are unused: those bits must be zero.
_LAST_OF_TWO = frozenset("AQgw")
_LAST_OF_THREE = frozenset("AEIMQUYcgkosw048")


# These two are the only callers of the base64 codec, which is most of the cost of a token from
# 1 KiB up: a faster codec belongs here, and nowhere else.


def _standard_encode(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _standard_decode(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None


def encode(data: bytes) -> str:
    """The unpadded base64url text of `data`.

    Args:
        data: Any bytes, also none.

    Returns:
        ASCII text of `ceil(4 * len(data) / 3)` characters.
    """
    return _standard_encode(data).rstrip("=").replace("+", "-").replace("/", "_")


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
    if "+" in text or "/" in text or "=" in text:
        return None
    excess = len(text) & 3
    if excess == 0:
        padding = ""
    elif excess == 2:
        if text[-1] not in _LAST_OF_TWO:
            return None
        padding = "=="
    elif excess == 3:
        if text[-1] not in _LAST_OF_THREE:
            return None
        padding = "="
    else:
        return None
    return _standard_decode(text.replace("-", "+").replace("_", "/") + padding)
