"""Forms of other programs that prove their content: read on request, never written.

Each takes the user's key as it is. None names the key version, so the versions at hand are tried, newest
first. The encryption itself tells the right one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, final

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from memoram_async.core.errors import (
    DecryptionError,
    IntegrityError,
    InvalidArgumentError,
    MalformedCiphertextError,
    PlaintextDecodeError,
)
from memoram_async.core.kinds import is_text
from memoram_async.crypto.decrypted import Decrypted
from memoram_async.crypto.keyring import Keyring, keyring_misfit

KeyEncoding = Literal["bytes", "hex-text"]
"""How the other program took the user's hexadecimal key: decoded, or its digits as they stand."""

_KEY_ENCODINGS: Final = ("bytes", "hex-text")
_TAG_BYTES: Final = 16
_AES_KEY_BYTES: Final = (16, 24, 32)

_HEX_GCM: Final = re.compile(r"([0-9A-Fa-f]{24}|[0-9A-Fa-f]{32}):((?:[0-9A-Fa-f]{2})+):((?:[0-9A-Fa-f]{2})+)")
_BASE64: Final = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)"
_BASE64_GCM: Final = re.compile(rf"([A-Za-z0-9+/]{{16}}|[A-Za-z0-9+/]{{22}}==)[:.]({_BASE64})[:.]({_BASE64})")
_FERNET: Final = re.compile(r"gAAAAA[A-Za-z0-9_-]{80,}={0,2}")


class _Gcm:
    """AES-GCM in three parts: first the initialization vector, then ciphertext and tag in any order."""

    __slots__ = ("_form", "_key_encoding", "_read", "name")

    authenticated = True

    def __init__(
        self, name: str, form: re.Pattern[str], read: Callable[[str], bytes], key_encoding: KeyEncoding
    ) -> None:
        self.name = name
        self._form = form
        self._read = read
        self._key_encoding: KeyEncoding = key_encoding

    def detect(self, text: str) -> bool:
        """Whether the text has the form, with a tag among its parts."""
        return is_text(text) and bool(self._readings(text))

    def decrypt(self, keyring: Keyring, text: str, *, field: str) -> Decrypted:
        """Decrypt a text that `detect` accepted.

        Raises:
            IntegrityError: It was changed, or made with another key.
            PlaintextDecodeError: What it holds is not UTF-8.
            InvalidArgumentError: `keyring` is not a `Keyring`.
        """
        refusal = _misfit(keyring, text)
        if refusal is not None:
            del keyring, text, field
            raise refusal
        del field
        readings = self._readings(text)
        del text
        return _first_that_opens(self.name, keyring, lambda key: self._openings(key, readings))

    def _readings(self, text: str) -> list[tuple[bytes, bytes]]:
        """The initialization vector, and the ciphertext with its tag: twice if either part may be the tag."""
        match = self._form.fullmatch(text)
        if match is None:
            return []
        iv, first, second = map(self._read, match.groups())
        orders = ((first, second), (second, first))
        return [(iv, ciphertext + tag) for ciphertext, tag in orders if len(tag) == _TAG_BYTES]

    def _openings(self, key: bytes, readings: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
        raw = key if self._key_encoding == "bytes" else key.hex().encode("ascii")
        if len(raw) not in _AES_KEY_BYTES:
            return
        cipher = AESGCM(raw)
        for iv, sealed in readings:
            try:
                yield cipher.decrypt(iv, sealed, None)
            except InvalidTag:
                continue


def _misfit(keyring: object, text: object) -> InvalidArgumentError | MalformedCiphertextError | None:
    if is_text(text):
        return keyring_misfit(keyring)
    return MalformedCiphertextError(f"a ciphertext must be text, not {type(text).__name__}")


def _check_key_encoding(value: object) -> None:
    if not isinstance(value, str) or value not in _KEY_ENCODINGS:
        raise InvalidArgumentError(f"key_encoding must be one of {', '.join(map(repr, _KEY_ENCODINGS))}")


@final
class NodeGcmHex(_Gcm):
    """`iv:ciphertext:tag` or `iv:tag:ciphertext` in hexadecimal, as written with Node's `createCipheriv`."""

    __slots__ = ()

    def __init__(self, *, key_encoding: KeyEncoding = "bytes") -> None:
        """A reader of this form.

        Args:
            key_encoding: Whether the program decoded the hexadecimal key, or used the digits themselves.

        Raises:
            InvalidArgumentError: `key_encoding` has another value.
        """
        _check_key_encoding(key_encoding)
        super().__init__("node_gcm_hex", _HEX_GCM, bytes.fromhex, key_encoding)


@final
class NodeGcmBase64(_Gcm):
    """The same in base64, its parts joined by colons or dots."""

    __slots__ = ()

    def __init__(self, *, key_encoding: KeyEncoding = "bytes") -> None:
        """A reader of this form.

        Args:
            key_encoding: Whether the program decoded the hexadecimal key, or used the digits themselves.

        Raises:
            InvalidArgumentError: `key_encoding` has another value.
        """
        _check_key_encoding(key_encoding)
        super().__init__("node_gcm_b64", _BASE64_GCM, binascii.a2b_base64, key_encoding)


@final
class FernetCodec:
    """Fernet tokens, made with a user's key of 64 digits; their age does not matter."""

    __slots__ = ()

    name = "fernet"
    authenticated = True

    def detect(self, text: str) -> bool:
        """Whether the text is a Fernet token."""
        return is_text(text) and _FERNET.fullmatch(text) is not None

    def decrypt(self, keyring: Keyring, text: str, *, field: str) -> Decrypted:
        """Decrypt a token.

        Raises:
            IntegrityError: It was changed, or made with another key.
            PlaintextDecodeError: What it holds is not UTF-8.
            InvalidArgumentError: `keyring` is not a `Keyring`.
        """
        refusal = _misfit(keyring, text)
        if refusal is not None:
            del keyring, text, field
            raise refusal
        del field
        return _first_that_opens(self.name, keyring, lambda key: _fernet_openings(key, text))


def _fernet_openings(key: bytes, token: str) -> Iterator[bytes]:
    if len(key) == max(_AES_KEY_BYTES) and _FERNET.fullmatch(token):
        try:
            yield Fernet(base64.urlsafe_b64encode(key)).decrypt(token)
        except InvalidToken:
            return


def _first_that_opens(name: str, keyring: Keyring, openings: Callable[[bytes], Iterator[bytes]]) -> Decrypted:
    outcome: Decrypted | DecryptionError = IntegrityError(
        "the content was changed, or was made with another key"
    )
    for key in keyring.newest():
        data = next(openings(key.material()), None)
        if data is not None:
            outcome = _decoded(name, key.version, data)
            break
        del data
    del openings
    if isinstance(outcome, DecryptionError):
        raise outcome
    return outcome


def _decoded(name: str, version: int, data: bytes) -> Decrypted | PlaintextDecodeError:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return PlaintextDecodeError("the decrypted content is not UTF-8 text")
    return Decrypted(
        text=text, encrypted=True, authenticated=True, bound=False, codec=name, key_version=version
    )


LEGACY_CODECS: Final = {"node_gcm_hex": NodeGcmHex, "node_gcm_b64": NodeGcmBase64, "fernet": FernetCodec}
"""The readers that can be asked for by name."""
