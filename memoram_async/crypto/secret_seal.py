"""Data at rest in other hands, sealed under a secret of the application.

    "v1." BASE64URL(iv, AES-256-GCM(data))

The key comes from the secret by HKDF with SHA-256 (RFC 5869), with the purpose in its `info`: what was
sealed for one purpose cannot be opened for another. The context is the additional authenticated data.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from memoram_async.core.sealing import secret_bytes
from memoram_async.core.secret import Secret
from memoram_async.crypto import base64url

_VERSION: Final = "v1."
_IV_BYTES: Final = 12
_KEY_BYTES: Final = 32


@final
class SecretSeal:
    """Seals data under the first of an application's secrets, and opens what any of them sealed.

    Only the ciphers are kept. A seal shows itself in no repr and cannot be pickled.
    """

    __slots__ = ("_ciphers", "_purpose", "_random")

    def __init__(
        self, secrets: Sequence[Secret], *, purpose: str, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        """The seal of some secrets, from `core.sealing.sealing_secrets`.

        Args:
            secrets: At least one, newest first.
            purpose: What is sealed, such as `oauth flow`.
            random: The source of initialization vectors: given 12, it returns that many bytes.
        """
        self._purpose = purpose
        self._ciphers = [AESGCM(_derive(secret, purpose)) for secret in secrets]
        self._random = random

    def seal(self, data: bytes, *, context: bytes = b"") -> str:
        """The data, sealed, as URL-safe ASCII: 4/3 of its length and 41 characters more.

        Args:
            data: What to seal.
            context: What must be said again, octet by octet, to open it; it is not part of the result.
        """
        iv = self._random(_IV_BYTES)
        return _VERSION + base64url.encode(iv + self._ciphers[0].encrypt(iv, data, context))

    def open(self, sealed: str, *, context: bytes = b"") -> bytes | None:
        """The data; None if it was changed, or sealed under another secret, purpose or context."""
        data = base64url.decode(sealed.removeprefix(_VERSION))
        if data is None or not sealed.startswith(_VERSION):
            return None
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(data[:_IV_BYTES], data[_IV_BYTES:], context)
            except (InvalidTag, ValueError):  # ValueError is for an impossible length
                continue
        return None

    def __repr__(self) -> str:
        return f"<SecretSeal of {self._purpose}>"


def _derive(secret: Secret, purpose: str) -> bytes:
    info = f"memoram secret seal v1 {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(secret_bytes(secret))
