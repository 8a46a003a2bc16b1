"""What a stored content says of itself: read for people, without a key."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Final, cast

_SEGMENTS: Final = 5
_LONGEST_HEADER: Final = 1_024
_LONGEST_MEMBER: Final = 64


@dataclass(frozen=True, slots=True)
class StoredForm:
    """A JWE in compact form (RFC 7516 section 7.1).

    Attributes:
        algorithm: How the content key is had; `dir` when it is the user's key itself.
        encryption: How the content is encrypted.
        key_version: The `kid`: with which version of the user's key. None when it is not said.
        type: What it says it is.
    """

    algorithm: str
    encryption: str
    key_version: str | None
    type: str | None


def stored_form(content: str) -> StoredForm | None:
    """What encrypted content says of itself; None when it is not encrypted in a form known here."""
    segments = content.split(".")
    if len(segments) != _SEGMENTS or len(segments[0]) > _LONGEST_HEADER:
        return None
    try:
        header: object = json.loads(urlsafe_b64decode(segments[0] + "=" * (-len(segments[0]) % 4)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict):
        return None
    members = cast("dict[str, object]", header)
    algorithm, encryption = _text(members, "alg"), _text(members, "enc")
    if algorithm is None or encryption is None:
        return None
    return StoredForm(algorithm, encryption, _text(members, "kid"), _text(members, "typ"))


def _text(members: dict[str, object], name: str) -> str | None:
    value = members.get(name)
    return value[:_LONGEST_MEMBER] if isinstance(value, str) else None
