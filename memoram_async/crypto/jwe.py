"""The stored form: JWE compact serialization, direct encryption with AES-GCM (RFC 7516 7.1, RFC 7518 4.5).

    BASE64URL(header) ".." BASE64URL(iv) "." BASE64URL(ciphertext) "." BASE64URL(tag)

The header is `{"alg":"dir","enc":"A256GCM","kid":"3","typ":"memoram-content+jwe"}`: `enc` follows the
length of the key, `kid` is the key version, and `typ` binds the token to its field. Its encoded form is
the additional authenticated data, so nothing in a token can be changed unnoticed. Every JOSE library
reads and writes this form.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag

from memoram_async.core.errors import (
    ContentError,
    ContentTooLargeError,
    DecryptionError,
    IntegrityError,
    MalformedCiphertextError,
    PlaintextDecodeError,
    UnsupportedAlgorithmError,
)
from memoram_async.crypto import base64url
from memoram_async.crypto.decrypted import Decrypted
from memoram_async.crypto.header import DEFAULT_FIELD, read_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from memoram_async.crypto.header import ProtectedHeader
    from memoram_async.crypto.keyring import Keyring
    from memoram_async.crypto.keys import EncryptionKey

CODEC_NAME: Final = "jwe"

IV_BYTES: Final = 12
TAG_BYTES: Final = 16

MAX_PLAINTEXT_BYTES: Final = 1_048_576
"""The largest plaintext that is encrypted by default, in bytes of UTF-8: 1 MiB."""

MAX_TOKEN_CHARS: Final = 2_000_000
"""The longest token that is read by default, in characters."""

_SEGMENTS: Final = 5


def encrypt(
    key: EncryptionKey,
    plaintext: str,
    *,
    field: str = DEFAULT_FIELD,
    random: Callable[[int], bytes] = os.urandom,
    max_bytes: int = MAX_PLAINTEXT_BYTES,
) -> str:
    """Encrypt a text for one field of the key's user.

    The text is stored as it is: no normalisation, no compression. A key may encrypt 2^32 texts
    (NIST SP 800-38D 8.3), which no user comes near.

    Args:
        key: The key to use.
        plaintext: The text; not empty.
        field: What the text is. It can be decrypted only as the same field.
        random: The source of the initialization vector: given 12, it returns that many bytes. Anything
            but a cryptographic source is for test vectors alone, since a repeated one breaks the key.
        max_bytes: The largest text, in bytes of UTF-8.

    Returns:
        The token, ASCII text of about 132 + 4/3 of the text's bytes characters.

    Raises:
        ContentError: The text is empty, no text, not encodable as UTF-8 (a lone surrogate) or too large.
        InvalidKeyError: The key was closed.
        ValueError: `field` is not a field name.
    """
    try:
        data = _encode(plaintext, max_bytes)
        if isinstance(data, str):
            raise ContentError(data)
        return seal(key.cipher, key.header(field), data, iv=random(IV_BYTES))
    finally:
        # Tracebacks that show local variables must not show content.
        plaintext = data = ""


def seal(cipher: AESGCM, header: bytes, data: bytes, *, iv: bytes) -> str:
    """Assemble a token from given parts: the format without its choices (RFC 7516 5.1, steps 13 to 19).

    It takes any protected header and initialization vector, so that published vectors can be
    reproduced. Use `encrypt` for content.

    Args:
        cipher: AES-GCM with the content encryption key.
        header: The protected header, already base64url, as ASCII bytes.
        data: The plaintext.
        iv: The initialization vector, 12 bytes, never twice with one key.

    Raises:
        ValueError: `iv` has another length.
    """
    try:
        if len(iv) != IV_BYTES:
            message = f"the initialization vector must have {IV_BYTES} bytes, not {len(iv)}"
            raise ValueError(message)
        sealed = cipher.encrypt(iv, data, header)
    finally:
        del data
    encode = base64url.encode
    return (
        f"{header.decode('ascii')}..{encode(iv)}.{encode(sealed[:-TAG_BYTES])}.{encode(sealed[-TAG_BYTES:])}"
    )


def decrypt(
    keyring: Keyring,
    token: str,
    *,
    field: str = DEFAULT_FIELD,
    require_binding: bool = False,
    max_chars: int = MAX_TOKEN_CHARS,
) -> Decrypted:
    """Decrypt a token of one field of the ring's user.

    Args:
        keyring: The user's keys; the token's `kid` selects one.
        token: The token. Only the canonical spelling is read: no padding, no whitespace.
        field: What the token is expected to hold.
        require_binding: Refuse tokens that do not say which field they are for. Other programs write
            such tokens; they are accepted for the field `content` only.
        max_chars: The longest token, in characters.

    Returns:
        The text and how far it can be trusted.

    Raises:
        MalformedCiphertextError: The token is not a compact JWE of the accepted shape.
        ContentTooLargeError: The token or its header is too long.
        UnsupportedAlgorithmError: It is compressed, has critical extensions, or is not `dir` with
            AES-GCM of the key's length.
        ContextMismatchError: It was encrypted for another field or user.
        UnknownKeyVersionError: The ring lacks the key that it names.
        IntegrityError: It was changed, or made with another key.
        PlaintextDecodeError: What it holds is not UTF-8.
        InvalidKeyError: The key was closed.
    """
    try:
        outcome = _open(keyring, token, field, require_binding=require_binding, max_chars=max_chars)
    finally:
        # What is no token may be plaintext: keep it out of tracebacks that show local variables.
        del token
    if isinstance(outcome, DecryptionError):
        raise outcome
    return outcome


def _encode(plaintext: object, max_bytes: int) -> bytes | str:
    """The text as UTF-8, or the reason why it is refused."""
    if not isinstance(plaintext, str):
        return f"content must be text, not {type(plaintext).__name__}"
    if not plaintext:
        return "content must not be empty"
    try:
        data = plaintext.encode("utf-8")
    except UnicodeEncodeError:
        return "content has a lone surrogate, which cannot be stored as UTF-8"
    if len(data) > max_bytes:
        return f"content has {len(data)} bytes of UTF-8, more than the limit of {max_bytes}"
    return data


def _open(
    keyring: Keyring, token: object, field: str, *, require_binding: bool, max_chars: int
) -> Decrypted | DecryptionError:
    segments = _split(token, max_chars)
    if isinstance(segments, DecryptionError):
        return segments
    segment = segments[0]
    known = keyring.known_header(segment)
    header = known or read_header(segment)
    if isinstance(header, DecryptionError):
        return header
    refusal = header.context_error(field=field, require_binding=require_binding, user_id=keyring.user_id)
    if refusal is not None:
        return refusal
    key = keyring.select(header.version)
    if isinstance(key, DecryptionError):
        return key
    text = _unseal(key, header, segments)
    if isinstance(text, DecryptionError):
        return text
    if known is None:
        keyring.remember_header(segment, header)
    return Decrypted(
        text=text,
        encrypted=True,
        authenticated=True,
        bound=header.type is not None,
        codec=CODEC_NAME,
        key_version=key.version,
    )


def _split(token: object, max_chars: int) -> list[str] | DecryptionError:
    if not isinstance(token, str):
        return MalformedCiphertextError(f"a ciphertext must be text, not {type(token).__name__}")
    if len(token) > max_chars:
        return ContentTooLargeError(f"the ciphertext has more than {max_chars} characters")
    segments = token.split(".", _SEGMENTS)
    if len(segments) != _SEGMENTS:
        return MalformedCiphertextError("the ciphertext does not have five segments")
    return segments


def _unseal(key: EncryptionKey, header: ProtectedHeader, segments: list[str]) -> str | DecryptionError:
    if key.encryption != header.encryption:
        return UnsupportedAlgorithmError("the algorithm of the ciphertext does not fit the key's length")
    parts = _decode(segments)
    if isinstance(parts, DecryptionError):
        return parts
    iv, sealed = parts
    try:
        return key.cipher.decrypt(iv, sealed, header.aad).decode("utf-8")
    except InvalidTag:
        return IntegrityError("the ciphertext was changed, or was made with another key")
    except UnicodeDecodeError:
        return PlaintextDecodeError("the decrypted content is not UTF-8 text")


def _decode(segments: list[str]) -> tuple[bytes, bytes] | DecryptionError:
    """The initialization vector, and the ciphertext followed by its tag."""
    if segments[1]:
        return MalformedCiphertextError("the ciphertext has an encrypted key, which alg dir does not have")
    iv, ciphertext, tag = map(base64url.decode, segments[2:])
    if iv is None or ciphertext is None or tag is None:
        return MalformedCiphertextError("the ciphertext is not canonical base64url")
    if len(iv) != IV_BYTES or len(tag) != TAG_BYTES:
        return MalformedCiphertextError("the initialization vector or the tag has the wrong length")
    return iv, ciphertext + tag
