"""Seals what opens users' memories, so that the store alone opens nothing: AES-256-GCM under a master key."""

from __future__ import annotations

import hashlib
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MARK: Final = "sealed1."
_KEY_OCTETS: Final = 32
_NONCE_OCTETS: Final = 12
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{64}")


class SealError(Exception):
    """What is kept was sealed under another key, for another purpose, or was changed."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """256 random bits, kept apart from the data.

    Attributes:
        octets: Exactly 32.
    """

    octets: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.octets) != _KEY_OCTETS:
            raise ValueError(f"a master key must have {_KEY_OCTETS} octets")

    @classmethod
    def fresh(cls) -> MasterKey:
        """A new key, from the system's randomness: a platform whose draws repeat has no say in it."""
        return cls(os.urandom(_KEY_OCTETS))

    @classmethod
    def parsed(cls, text: str) -> MasterKey | None:
        """The key that 64 hexadecimal digits stand for; None for anything else."""
        return cls(bytes.fromhex(text)) if _HEXADECIMAL.fullmatch(text) else None

    @property
    def id(self) -> str:
        """Names the key and gives nothing of it away: 16 hexadecimal digits."""
        return hashlib.sha256(b"memoram-local master key\n" + self.octets).hexdigest()[:16]

    @property
    def text(self) -> str:
        """64 hexadecimal digits."""
        return self.octets.hex()


class Seal:
    """Seals and unseals under one master key.

    Attributes:
        key: The master key.
    """

    def __init__(self, key: MasterKey) -> None:
        self.key = key
        self._cipher = AESGCM(key.octets)

    def sealed(self, text: str, *, purpose: str) -> str:
        """Text as it may be stored.

        Args:
            text: What nobody may read.
            purpose: Where it belongs, such as whose key it is: elsewhere it cannot be unsealed.
        """
        nonce = os.urandom(_NONCE_OCTETS)
        octets = nonce + self._cipher.encrypt(nonce, text.encode(), purpose.encode())
        return _MARK + urlsafe_b64encode(octets).decode("ascii")

    def unsealed(self, stored: str, *, purpose: str) -> str:
        """What was sealed for a purpose.

        Raises:
            SealError: It was not, or not with this key.
        """
        octets = b""
        if stored.startswith(_MARK):
            octets = urlsafe_b64decode(stored.removeprefix(_MARK))
        text: bytes | None = None
        try:
            text = self._cipher.decrypt(octets[:_NONCE_OCTETS], octets[_NONCE_OCTETS:], purpose.encode())
        except (InvalidTag, ValueError):
            text = None
        if text is None:
            raise SealError(f"the stored {purpose.partition(':')[0]} cannot be unsealed")
        return text.decode()
