"""What makes a base64url text canonical, whatever decodes it."""

from __future__ import annotations

from typing import Final

IV_CHARS: Final = 16
"""The characters of an initialization vector of 12 bytes."""

TAG_BYTES: Final = 16
"""The bytes of an authentication tag."""

TAG_CHARS: Final = 22
"""The characters of one."""

SHORTEST: Final = 3
"""How far the dots around a ciphertext are apart at least: one byte takes two characters."""

_EVERY_CHARACTER: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

LAST_CHARACTERS: Final = (
    _EVERY_CHARACTER,
    frozenset[str](),  # no text has this length
    frozenset("AQgw"),
    frozenset("AEIMQUYcgkosw048"),
)
"""By the length of a text modulo 4: its last characters whose unused bits are zero (RFC 4648 3.5)."""

PADDING: Final = ("", "", "==", "=")
"""By the length of a text modulo 4: the padding that it lacks."""
