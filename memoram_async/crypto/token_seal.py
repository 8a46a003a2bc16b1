"""Developer tokens at rest: sealed under a key that only holders of the API key can derive.

    "v1." BASE64URL(iv, AES-256-GCM({"token":…,"issued":…,"lifetime":…}))

The key and the name in the store come from the API key and the API's address by HKDF with SHA-256
(RFC 5869), each with an `info` of its own. The name is the additional authenticated data, so a value
cannot be opened under another name.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from typing import Any, Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from memoram_async.core.arguments import is_visible_ascii
from memoram_async.core.secret import Secret
from memoram_async.core.shared_token import SharedToken
from memoram_async.crypto import base64url

_VERSION: Final = b"v1."
_IV_BYTES: Final = 12
_KEY_BYTES: Final = 32
_NAME_BYTES: Final = 16


@final
class TokenSeal:
    """Seals and opens the tokens of one application on one service.

    Only the cipher is kept. A seal shows itself in no repr and cannot be pickled.

    Attributes:
        name: The name of the token in a store, which tells nothing about the API key.
    """

    __slots__ = ("_cipher", "_random", "name")

    name: str

    def __init__(
        self, api_key: Secret, base_url: str, *, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        """The seal of an API key.

        Args:
            api_key: The developer API key.
            base_url: The API's address: keys of two services share no token, even if they are the same.
            random: The source of initialization vectors: given 12, it returns that many bytes.
        """
        self.name = f"token-{_derive(api_key, base_url, 'name', _NAME_BYTES).hex()}"
        self._cipher = AESGCM(_derive(api_key, base_url, "key", _KEY_BYTES))
        self._random = random

    def seal(self, shared: SharedToken) -> bytes:
        """The value to put into a store, as ASCII."""
        iv = self._random(_IV_BYTES)
        sealed = self._cipher.encrypt(iv, _write(shared), self.name.encode())
        return _VERSION + base64url.encode(iv + sealed).encode()

    def open(self, value: bytes) -> SharedToken | None:
        """The token in a value of a store; None if the value is not one that this seal made."""
        data = base64url.decode(value[len(_VERSION) :].decode("ascii", "replace"))
        if data is None or not value.startswith(_VERSION):
            return None
        try:
            return _read(self._cipher.decrypt(data[:_IV_BYTES], data[_IV_BYTES:], self.name.encode()))
        except (InvalidTag, ValueError):
            # Cut off, changed, or made with another key. ValueError is for an impossible length.
            return None

    def __repr__(self) -> str:
        return f"<TokenSeal of {self.name}>"


def _derive(api_key: Secret, base_url: str, purpose: str, length: int) -> bytes:
    info = f"memoram token store v1 {purpose} {base_url}".encode()
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(api_key.reveal().encode())


def _write(shared: SharedToken) -> bytes:
    members = {"token": shared.token.reveal(), "issued": shared.issued, "lifetime": shared.lifetime}
    return json.dumps(members, separators=(",", ":")).encode()


def _read(data: bytes) -> SharedToken | None:
    """What was sealed; only holders of the API key can have written it, so what is wrong is a mistake."""
    members: Any = json.loads(data)
    match members:
        case {
            "token": str(token),
            "issued": int() | float() as issued,
            "lifetime": int() | float() as life,
        } if is_visible_ascii(token) and math.isfinite(issued) and math.isfinite(life):
            return SharedToken(token=Secret(token), issued=float(issued), lifetime=float(life))
        case _:
            return None
