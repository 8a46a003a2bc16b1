"""The stored form: JWE compact serialization, direct encryption with AES-GCM (RFC 7516 7.1, RFC 7518 4.5).

    BASE64URL(header) "." key "." BASE64URL(iv) "." BASE64URL(ciphertext) "." BASE64URL(tag)

The key segment is empty, unless each content has a key of its own, wrapped with the user's (RFC 7518 4.4).
The header is `{"alg":"dir","enc":"A256GCM","kid":"3","typ":"memoram-content+jwe"}`: `enc` follows the
length of the key, `kid` is the key version, and `typ` binds the token to its field. Its encoded form is
the additional authenticated data, so nothing in a token can be changed unnoticed. Every JOSE library
reads and writes this form.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from memoram_async.core.errors import ContentError, InvalidArgumentError
from memoram_async.core.kinds import function_misfit, limit_misfit, text_misfit
from memoram_async.crypto.base64url import encode, encode_token
from memoram_async.crypto.header import DEFAULT_FIELD
from memoram_async.crypto.keys import EncryptionKey, key_misfit

CODEC_NAME: Final = "jwe"

IV_BYTES: Final = 12

MAX_PLAINTEXT_BYTES: Final = 1_048_576
"""The largest plaintext that is encrypted by default, in bytes of UTF-8: 1 MiB."""

MAX_TOKEN_CHARS: Final = 2_000_000
"""The longest token that is read by default, in characters."""


def encrypt(
    key: EncryptionKey,
    plaintext: str,
    *,
    field: str = DEFAULT_FIELD,
    random: Callable[[int], bytes] = os.urandom,
    max_bytes: int = MAX_PLAINTEXT_BYTES,
    key_wrap: bool = False,
    user_id: str | None = None,
) -> str:
    """Encrypt a text for one field of the key's user.

    The text is stored as it is: no normalisation, no compression. A key may encrypt 2^32 texts
    (NIST SP 800-38D 8.3), which no user comes near; with `key_wrap` there is no such limit.

    Args:
        key: The key to use.
        plaintext: The text; not empty.
        field: What the text is. It can be decrypted only as the same field.
        random: The source of randomness: given a number, it returns that many bytes. Anything but a
            cryptographic source is for test vectors alone, since a repeated one breaks the key.
        max_bytes: The largest text, in bytes of UTF-8.
        key_wrap: Encrypt with a random key of its own, wrapped with the user's (AES Key Wrap).
        user_id: Bind the token to this user as well, as `sub`.

    Returns:
        The token, ASCII text of about 132 + 4/3 of the text's bytes characters; 58 more with `key_wrap`.

    Raises:
        ContentError: The text is empty, no text, not encodable as UTF-8 (a lone surrogate) or too large.
        InvalidKeyError: The key was closed.
        InvalidArgumentError: `field` is not a field name, or another argument is of the wrong type.
    """
    try:
        # What is usual goes straight to the cipher: by all checks and calls, a KiB takes a quarter longer.
        if (
            random is os.urandom
            and max_bytes is MAX_PLAINTEXT_BYTES
            and key_wrap is False
            and user_id is None
            and type(field) is type(plaintext) is str
            and type(key) is EncryptionKey
        ):
            sealing = key.sealings.get(field)
            if sealing is not None:
                try:
                    data = plaintext.encode()
                except UnicodeEncodeError:
                    data = b""
                if 0 < len(data) <= MAX_PLAINTEXT_BYTES:  # what is refused is refused below
                    iv = random(IV_BYTES)
                    return encode_token(sealing.start, iv, sealing.encrypt(iv, data, sealing.header))
        return _encrypt_checked(
            key, plaintext, field, random=random, max_bytes=max_bytes, key_wrap=key_wrap, user_id=user_id
        )
    finally:
        # Tracebacks that show local variables must not show content, nor what was handed over by mistake.
        plaintext, data = "", b""
        del key, field, user_id


def _encrypt_checked(
    key: EncryptionKey,
    plaintext: str,
    field: str,
    *,
    random: Callable[[int], bytes],
    max_bytes: int,
    key_wrap: bool,
    user_id: str | None,
) -> str:
    try:
        refusal = (
            key_misfit(key)
            or function_misfit(random, name="random", wanted="a function that returns so many bytes")
            or limit_misfit(max_bytes, name="max_bytes")
            or text_misfit(user_id, name="user_id", optional=True)
        )
        if refusal is not None:
            raise refusal
        data = _encode(plaintext, max_bytes)
        if isinstance(data, str):
            raise ContentError(data)
        if key_wrap is False and user_id is None:
            sealing = key.sealing(field)
            iv = _drawn(random, IV_BYTES)
            return encode_token(sealing.start, iv, sealing.encrypt(iv, data, sealing.header))
        header = key.header(field, key_wrap=key_wrap, subject=user_id)
        if key_wrap:
            return _encrypt_wrapped(key, header, data, random)
        return seal(key.cipher, header, data, iv=_drawn(random, IV_BYTES))
    finally:
        plaintext = data = ""
        del key, field, user_id


def _encrypt_wrapped(key: EncryptionKey, header: bytes, data: bytes, random: Callable[[int], bytes]) -> str:
    """Encrypt with a content key that is used once, and goes along wrapped (RFC 7518 4.4)."""
    content_key = _drawn(random, len(key.material()))
    try:
        wrapped = aes_key_wrap(key.material(), content_key)
        return seal(AESGCM(content_key), header, data, iv=_drawn(random, IV_BYTES), wrapped_key=wrapped)
    finally:
        del content_key, data


def _drawn(random: Callable[[int], object], count: int) -> bytes:
    drawn = random(count)
    if isinstance(drawn, bytes) and len(drawn) == count:
        return drawn
    del drawn
    raise InvalidArgumentError("random must be a function that returns as many bytes as it is told")


def seal(cipher: AESGCM, header: bytes, data: bytes, *, iv: bytes, wrapped_key: bytes = b"") -> str:
    """Assemble a token from given parts: the format without its choices (RFC 7516 5.1, steps 13 to 19).

    It takes any protected header and initialization vector, so that published vectors can be
    reproduced. Use `encrypt` for content.

    Args:
        cipher: AES-GCM with the content encryption key.
        header: The protected header, already base64url, as ASCII bytes.
        data: The plaintext.
        iv: The initialization vector, 12 bytes, never twice with one key.
        wrapped_key: The content encryption key as it goes along; none for `dir`.

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
    return encode_token(f"{header.decode()}.{encode(wrapped_key)}.", iv, sealed)


def _encode(plaintext: object, max_bytes: int) -> bytes | str:
    """The text as UTF-8, or the reason why it is refused."""
    if not isinstance(plaintext, str):
        return f"content must be text, not {type(plaintext).__name__}"
    if not plaintext:
        return "content must not be empty"
    try:
        data = plaintext.encode()
    except UnicodeEncodeError:
        return "content has a lone surrogate, which cannot be stored as UTF-8"
    if len(data) > max_bytes:
        return f"content has {len(data)} bytes of UTF-8, more than the limit of {max_bytes}"
    return data
