"""One version of a user's encryption key."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Final, Self, final

import attrs
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from memoram_async.core.arguments import MASKED, MAX_KEY_VERSION
from memoram_async.core.errors import InvalidArgumentError, InvalidKeyError
from memoram_async.core.kinds import flag_misfit, misfit, text_misfit
from memoram_async.core.masks import is_masked
from memoram_async.core.secret import Confidential, Secret
from memoram_async.crypto.header import DIRECT, write_header

_HEX: Final = re.compile("[0-9A-Fa-f]+")

# JWA names of AES-GCM (RFC 7518 5.3) by the number of hexadecimal digits of the key.
_ENCRYPTIONS: Final = {32: "A128GCM", 48: "A192GCM", 64: "A256GCM"}

# An application writes a handful of fields. The bound only stops a caller who makes names up.
_MAX_HEADERS: Final = 32


@attrs.frozen(eq=False)
class Sealing:
    """What content of one field is encrypted with, directly.

    Attributes:
        start: How its tokens begin, up to the initialization vector.
        header: The encoded protected header.
        encrypt: The cipher's `encrypt`.
    """

    start: str
    header: bytes
    encrypt: Callable[[bytes, bytes, bytes], bytes]


@final
class EncryptionKey(Confidential):
    """One version of a user's key, ready to use.

    Build it with `EncryptionKey.from_hex`. A key shows itself in no repr, and can be neither pickled nor
    copied. Keys compare by identity; `same_key` compares what is inside.

    Attributes:
        version: The key version, which becomes the `kid` of what it encrypts.
        encryption: The JWA name of the algorithm that its length selects: A128GCM, A192GCM or A256GCM.
        sealings: By the name of a field, what `sealing` has made; for the format layer.
    """

    __slots__ = ("_cipher", "_fingerprint", "_headers", "_material", "encryption", "sealings", "version")

    encryption: str
    sealings: dict[str, Sealing]
    version: int

    def __init__(self, material: bytes, *, version: int) -> None:
        """A key of 16, 24 or 32 bytes; `from_hex` is stricter.

        Raises:
            InvalidKeyError: It is no such bytes, or the version is out of range.
        """
        refusal = _material_fault(material) or _version_fault(version)
        if refusal is not None:
            del material  # a traceback may show what local variables hold
            raise InvalidKeyError(refusal)
        self._headers: dict[object, bytes] = {}
        self.sealings = {}
        self.version = version
        self.encryption = _ENCRYPTIONS[2 * len(material)]
        self._cipher: AESGCM | None = AESGCM(material)
        self._fingerprint = _fingerprint(material)
        self._material: bytes | None = material

    @classmethod
    def from_hex(cls, value: str | Secret, *, version: int) -> Self:
        """The key that a hexadecimal text spells.

        A faulty text is refused and never repaired: whitespace, a `0x` prefix or a missing digit
        mean that something upstream went wrong.

        Args:
            value: 32, 48 or 64 hexadecimal digits of either case, plain or wrapped.
            version: The key version, 0 to 2^53 - 1.

        Raises:
            InvalidKeyError: The value is no such text, the key is all zeros, or the version is out of
                range. The message names the reason and the length, never the value.
        """
        key = _parse(value, version)
        # Tracebacks that show local variables must show neither the digits nor the bytes.
        del value
        try:
            if isinstance(key, str):
                raise InvalidKeyError(key)
            return cls(key, version=version)
        finally:
            del key

    @property
    def cipher(self) -> AESGCM:
        """The cipher itself, for the format layer.

        Raises:
            InvalidKeyError: The key was closed.
        """
        if self._cipher is None:
            raise InvalidKeyError("the encryption key was closed")
        return self._cipher

    @property
    def wrapping(self) -> str:
        """The JWA name of the AES Key Wrap that its length selects: A128KW, A192KW or A256KW."""
        return self.encryption.replace("GCM", "KW")

    def material(self) -> bytes:
        """The key's bytes, for what needs more than the cipher: unwrapping keys, and other programs' forms.

        Keep them in no variable that outlives the call that needs them.

        Raises:
            InvalidKeyError: The key was closed.
        """
        if self._material is None:
            raise InvalidKeyError("the encryption key was closed")
        return self._material

    def to_hex(self) -> Secret:
        """The key as lower-case hexadecimal digits, for a key store.

        Raises:
            InvalidKeyError: The key was closed.
        """
        return Secret(self.material().hex())

    def header(self, field: str, *, key_wrap: bool = False, subject: str | None = None) -> bytes:
        """The encoded protected header of what this key encrypts for `field`, built once.

        Raises:
            InvalidArgumentError: `field` is not a field name, or another argument is of the wrong type.
        """
        if key_wrap is False and subject is None and type(field) is str:
            name: object = field
        else:
            refusal = (
                text_misfit(field, name="field")
                or flag_misfit(key_wrap, name="key_wrap")
                or text_misfit(subject, name="subject", optional=True)
            )
            if refusal is not None:
                del field, key_wrap, subject  # a traceback may show what local variables hold
                raise refusal
            name = field, key_wrap, subject
        header = self._headers.get(name)
        if header is None:
            header = write_header(
                algorithm=self.wrapping if key_wrap else DIRECT,
                encryption=self.encryption,
                version=self.version,
                field=field,
                subject=subject,
            )
            if len(self._headers) < _MAX_HEADERS:
                self._headers[name] = header
        return header

    def sealing(self, field: str) -> Sealing:
        """What content of that field is encrypted with, made once.

        Raises:
            InvalidArgumentError: `field` is not a field name.
            InvalidKeyError: The key was closed.
        """
        sealings = self.sealings  # of now: what is made while another thread closes the key must not be kept
        header = self.header(field)
        sealing = Sealing(f"{header.decode()}..", header, self.cipher.encrypt)
        if len(sealings) < _MAX_HEADERS and type(field) is str:
            sealings[field] = sealing
        return sealing

    def same_key(self, other: EncryptionKey) -> bool:
        """Whether both hold the same key bytes, whatever their versions; works on closed keys too.

        Raises:
            InvalidArgumentError: The other is not an `EncryptionKey`.
        """
        refusal = key_misfit(other)
        if refusal is not None:
            del other  # a traceback may show what local variables hold
            raise refusal
        return hmac.compare_digest(self._fingerprint, other._fingerprint)

    def close(self) -> None:
        """Drop the key; whatever uses it afterwards raises `InvalidKeyError`.

        Python cannot promise to wipe memory: this shortens the key's life as far as it can be.
        """
        self._cipher = None
        self._material = None
        self.sealings = {}

    def __repr__(self) -> str:
        return f"EncryptionKey(version={self.version})"


def key_misfit(value: object) -> InvalidArgumentError | None:
    """The error for something else than a key."""
    return misfit(value, EncryptionKey, name="a key", wanted="an EncryptionKey, as from_hex makes it")


def _version_fault(version: object) -> str | None:
    if type(version) is int and 0 <= version <= MAX_KEY_VERSION:
        return None
    return "the key version must be an integer from 0 to 2^53 - 1"


def _material_fault(material: object) -> str | None:
    if not isinstance(material, bytes):
        return f"the encryption key must be bytes, not {type(material).__name__}; from_hex takes text"
    if 2 * len(material) not in _ENCRYPTIONS:
        return f"the encryption key must have 16, 24 or 32 bytes, not {len(material)}"
    return None


def _parse(value: object, version: object) -> bytes | str:
    """The key's bytes, or the reason why there are none."""
    if isinstance(value, Secret):
        value = value.reveal()
    fault = _version_fault(version)
    if fault is not None:
        return fault
    if not isinstance(value, str):
        return f"the encryption key must be hexadecimal text, not {type(value).__name__}"
    if is_masked(value):
        return f"the encryption key {MASKED}"
    if len(value) not in _ENCRYPTIONS:
        return f"the encryption key must have 32, 48 or 64 hexadecimal digits, not {len(value)} characters"
    # Checked first: bytes.fromhex skips whitespace, and would take a shorter key for a whole one.
    if _HEX.fullmatch(value) is None:
        return f"the encryption key has a character that is no hexadecimal digit ({len(value)} characters)"
    key = bytes.fromhex(value)
    return key if any(key) else f"the encryption key is all zeros ({len(value)} digits)"


def _fingerprint(key: bytes) -> bytes:
    """What tells two keys apart without keeping them: one-way, and separate from the key's other use.

    HKDF hashes the key as a message. A bare HMAC under the key would pad it with zeros, and take a
    key and the same key followed by zeros for one.
    """
    return HKDF(SHA256(), 16, salt=None, info=b"memoram/key-fingerprint/v1").derive(key)
