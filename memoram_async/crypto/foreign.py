"""Recognise content that something else encrypted.

Nothing is decrypted here. The point is to never hand ciphertext out as if it were a memory, not even
damaged ciphertext, and to say which program's ciphertext it seems to be.
"""

from __future__ import annotations

import binascii
import codecs
import enum
import itertools
import re
from collections.abc import Callable
from typing import Final

from memoram_async.core.kinds import text_misfit
from memoram_async.crypto.header import MAX_HEADER_CHARS


class ContentFormat(enum.StrEnum):
    """What a stored text seems to be; the value is its name for people."""

    PLAINTEXT = "plaintext"
    JWE = "JWE compact serialization"
    JWE_JSON = "JWE JSON serialization"
    FERNET = "Fernet"
    OPENSSL = "OpenSSL or CryptoJS with a password"
    HEX_PARTS = "initialization vector and ciphertext in hexadecimal"
    BASE64_PARTS = "initialization vector and ciphertext in base64"
    JSON_PARTS = "initialization vector and ciphertext in JSON"
    ENCSTRING = "Bitwarden EncString"
    STANDARD_NOTES = "Standard Notes"
    AGE = "age"
    PGP = "OpenPGP"
    CMS = "CMS or PKCS #7"
    OPAQUE = "opaque base64 or hexadecimal"
    """No known form, but no language either. The one guess among these: it can be wrong."""


# "ey" and "ew" spell a brace and what may follow it: a quotation mark, a blank or the end of a line.
_JSON_START: Final = re.compile(rb'\{\s*"')
_JOSE_RUN: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_HEADER_CHARS}}}")
_JOSE_SEGMENTS: Final = re.compile(r"ey[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){4}")
# The lengths of a GCM initialization vector and tag, which stay when the header is damaged.
_JOSE_LENGTHS: Final = re.compile(r"[^.]*\.[^.]*\.[A-Za-z0-9_-]{16}\.[^.]*\.[A-Za-z0-9_-]{22}")

# A whole token somewhere in a text, which runs on neither before nor after it.
_JOSE_WITHIN: Final = re.compile(
    rf"(?<![A-Za-z0-9_-])(ey[A-Za-z0-9_-]{{1,{MAX_HEADER_CHARS}}})\.[A-Za-z0-9_-]*"
    r"\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])"
)

_JSON_CIPHERTEXT: Final = re.compile(r'"ciphertext"\s*:')
_JSON_JOSE_MEMBER: Final = re.compile(r'"(?:protected|unprotected|recipients)"\s*:')
_JSON_IV: Final = re.compile(r'"(?:iv|nonce)"\s*:\s*["\[{]', re.IGNORECASE)
_JSON_BODY: Final = re.compile(
    r'"(?:cipher_?text|ct|data|content|encrypted(?:_?(?:data|content|text))?|payload|value'
    r'|(?:auth_?)?tag|mac)"\s*:\s*["\[{]',
    re.IGNORECASE,
)

_FERNET: Final = re.compile(r"gAAAAA[A-Za-z0-9_-]{80,}={0,2}")
_OPENSSL: Final = re.compile(r"U2FsdGVkX1[A-Za-z0-9+/]+={0,2}")
_HEX_PARTS: Final = re.compile(r"(?:[0-9A-Fa-f]{24}|[0-9A-Fa-f]{32})(?:[:.|$](?:[0-9A-Fa-f]{2})+){1,2}")
_BASE64_PARTS: Final = re.compile(
    r"[A-Za-z0-9+/]{22}==(?:[:.|$][A-Za-z0-9+/]+={0,2}){1,2}"
    r"|[A-Za-z0-9+/]{16}[:.|$][A-Za-z0-9+/]+={0,2}[:.|$][A-Za-z0-9+/]{22}=="
    r"|[A-Za-z0-9+/]{16}[:.|$][A-Za-z0-9+/]{22}==[:.|$][A-Za-z0-9+/]+={0,2}"
)
_ENCSTRING: Final = re.compile(
    r"[0-9]\.(?:[A-Za-z0-9+/]{22}==\|[A-Za-z0-9+/]+={0,2}(?:\|[A-Za-z0-9+/]+={0,2})?"
    r"|[A-Za-z0-9+/]{40,}={0,2})"
)
_STANDARD_NOTES: Final = re.compile(r"00[1-4]:[0-9a-f]{24,}:[A-Za-z0-9+/=:_-]+")
_AGE: Final = re.compile(r"-----BEGIN AGE ENCRYPTED FILE-----|age-encryption\.org/")
_PGP: Final = re.compile(r"-----BEGIN PGP MESSAGE-----")
_CMS: Final = re.compile(r"-----BEGIN (?:CMS|PKCS7)-----")

_BASE64: Final = re.compile(r"([A-Za-z0-9+/]{40,}|[A-Za-z0-9_-]{40,})={0,2}")
_HEX: Final = re.compile(r"[0-9a-f]{40,}|[0-9A-F]{40,}")

# What is left of a token without its header, its end or both, in the shape of the missing parts.
_JOSE_TAIL: Final = re.compile(
    r"\.\.[A-Za-z0-9_-]{16}(?:\.[A-Za-z0-9_-]*){0,2}"
    r"|\.[A-Za-z0-9_-]{16}(?:\.[A-Za-z0-9_-]*){1,2}"
    r"|[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22}"
)
_JOSE_PIECE: Final = re.compile(r"[A-Za-z0-9_.-]{8,}")

_SHORT_PIECE: Final = re.compile(r"([A-Za-z0-9+/]{16,}|[A-Za-z0-9_-]{16,})={0,2}")
_TO_STANDARD: Final = str.maketrans("-_", "+/")
_MIN_CHANGES: Final = 0.4
"""How often, from one character to the next, random base64 at least changes between upper case, lower case
and the rest: two times in three on average, where names written in camel case do so once in a word."""

_MIN_WRAPPED_LINE: Final = 60
"""Programs that wrap base64 do it at 64 or 76 characters; lists of words have shorter lines."""

_MIN_DISTINCT: Final = 8
"""Rulers and padding repeat a few characters; ciphertext does not."""


def classify(text: str) -> ContentFormat:
    """What a stored text seems to be.

    Args:
        text: The text as stored. Surrounding whitespace and wrapped lines do not matter.

    Returns:
        `PLAINTEXT` when nothing about it looks like ciphertext.

    Raises:
        InvalidArgumentError: It is no text.
    """
    refusal = text_misfit(text, name="text")
    if refusal is not None:
        del text
        raise refusal
    text = _unwrapped(text.strip())
    for form, detect in _DETECTORS:
        if detect(text):
            return form
    return ContentFormat.PLAINTEXT


def looks_like_jwe(text: str) -> bool:
    """Whether a text is, or was before it was damaged, a compact JWE."""
    text = text.strip()
    if text.startswith(("ey", "ew")) and (run := _JOSE_RUN.match(text)):
        # What follows the header may be damaged, up to the very next character.
        header = _spelled(run[0])
        if _is_of_jwe(header):
            return True
        # A header that breaks off cannot be told from a JWS, and nobody wants to read either.
        broken_off = _JSON_START.match(header) is not None and b"}" not in header
        if broken_off and _JOSE_PIECE.fullmatch(text):
            return True
    if _JOSE_TAIL.fullmatch(text):
        return True
    return _JOSE_LENGTHS.fullmatch(text) is not None or _JOSE_SEGMENTS.fullmatch(text) is not None


def _is_of_jwe(header: bytes) -> bool:
    """Whether a protected header is of a JWE; a JWS has no "enc": it is signed, not encrypted."""
    return b'"alg"' in header and b'"enc"' in header


def _holds_jwe(text: str) -> bool:
    """Whether something wrapped a token once more: in quotes, JSON, markup, or base64."""
    if any(_is_of_jwe(_spelled(found[1])) for found in _JOSE_WITHIN.finditer(text)):
        return True
    return _BASE64.fullmatch(text) is not None and looks_like_jwe(_spelled(text).decode("latin-1"))


def _looks_like_jwe_json(text: str) -> bool:
    return (
        text.startswith("{")
        and _JSON_CIPHERTEXT.search(text) is not None
        and _JSON_JOSE_MEMBER.search(text) is not None
    )


def _looks_like_json_parts(text: str) -> bool:
    return text.startswith("{") and _JSON_IV.search(text) is not None and _JSON_BODY.search(text) is not None


def _looks_opaque(text: str) -> bool:
    return _looks_long_and_opaque(text) or _looks_like_pieces(text)


def _looks_like_pieces(text: str) -> bool:
    """Whether all parts between the dots are base64, and the longer ones look random."""
    parts = [part for part in text.split(".") if part]
    long = [match[1] for part in parts if (match := _SHORT_PIECE.fullmatch(part))]
    return bool(long) and len(parts) <= len(long) + 1 and all(map(_looks_random, long))


def _looks_random(piece: str) -> bool:
    kinds = [(each.isupper(), each.islower()) for each in piece]
    changes = sum(before != after for before, after in itertools.pairwise(kinds))
    if {(True, False), (False, True), (False, False)} != set(kinds) or changes < _MIN_CHANGES * len(piece):
        return False
    return not _is_utf8(_spelled(piece))


def _looks_long_and_opaque(text: str) -> bool:
    if _HEX.fullmatch(text):
        return not text.isdecimal() and not text.isalpha() and len(set(text)) >= _MIN_DISTINCT
    match = _BASE64.fullmatch(text)
    if match is None or text == text.lower() or text == text.upper():
        return False
    return len(set(match[1])) >= _MIN_DISTINCT and not _is_utf8(_spelled(match[1]))


def _spelled(text: str) -> bytes:
    """What the whole quanta of a base64 text of either alphabet spell: one cut short is still no language."""
    return binascii.a2b_base64(text.translate(_TO_STANDARD)[: len(text) // 4 * 4])


def _is_utf8(data: bytes) -> bool:
    try:
        # Not final: the cut may have split the last character.
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def _unwrapped(text: str) -> str:
    """The text with its line breaks removed where a program wrapped it."""
    lines = text.replace("\r\n", "\n").split("\n")
    width = len(lines[0])
    if width < _MIN_WRAPPED_LINE or len(lines[-1]) > width or any(len(line) != width for line in lines[:-1]):
        return text
    return "".join(lines)


# The first that matches wins, so the precise ones come before the guess.
_DETECTORS: Final[tuple[tuple[ContentFormat, Callable[[str], object]], ...]] = (
    (ContentFormat.JWE, looks_like_jwe),
    (ContentFormat.JWE, _holds_jwe),
    (ContentFormat.JWE_JSON, _looks_like_jwe_json),
    (ContentFormat.JSON_PARTS, _looks_like_json_parts),
    (ContentFormat.FERNET, _FERNET.fullmatch),
    (ContentFormat.OPENSSL, _OPENSSL.fullmatch),
    (ContentFormat.HEX_PARTS, _HEX_PARTS.fullmatch),
    (ContentFormat.BASE64_PARTS, _BASE64_PARTS.fullmatch),
    (ContentFormat.ENCSTRING, _ENCSTRING.fullmatch),
    (ContentFormat.STANDARD_NOTES, _STANDARD_NOTES.fullmatch),
    (ContentFormat.AGE, _AGE.match),
    (ContentFormat.PGP, _PGP.match),
    (ContentFormat.CMS, _CMS.match),
    (ContentFormat.OPAQUE, _looks_opaque),
)
