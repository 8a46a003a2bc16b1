"""Reading compact JWE tokens by strict rules (RFC 7516 5.2).

There are two ways. `read_token` checks everything and says what is wrong. `read_known` is for the tokens of
which there are thousands: those whose header an earlier token proved, byte for byte. It makes the same
checks on what is left, and leaves every refusal to `read_token`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from memoram_async.core.errors import (
    ContentTooLargeError,
    DecryptionError,
    IntegrityError,
    MalformedCiphertextError,
    PlaintextDecodeError,
    UnsupportedAlgorithmError,
)
from memoram_async.core.kinds import flag_misfit, limit_misfit, text_misfit
from memoram_async.crypto import base64url
from memoram_async.crypto.base64_rules import TAG_BYTES
from memoram_async.crypto.decrypted import Decrypted, Provenance
from memoram_async.crypto.header import DEFAULT_FIELD, DIRECT, ProtectedHeader, read_header
from memoram_async.crypto.jwe import CODEC_NAME, IV_BYTES, MAX_TOKEN_CHARS
from memoram_async.crypto.keyring import Keyring, KnownHeader, keyring_misfit
from memoram_async.crypto.keys import EncryptionKey

_DOTS: Final = 4
"""Between the five segments."""

_WRAPPING_OVERHEAD: Final = 8
"""How many bytes longer a wrapped key is (RFC 3394)."""

_KEY_BYTES: Final = {"A128GCM": 16, "A192GCM": 24, "A256GCM": 32}


@attrs.frozen
class TokenRules:
    """What is asked of a token beside being authentic.

    Attributes:
        field: What it is expected to hold.
        require_binding: Refuse it if it does not say which field it is for.
        try_all_versions: If it names no key version, and there are several, try them all.
        max_chars: The longest token, in characters.
    """

    field: str = DEFAULT_FIELD
    require_binding: bool = False
    try_all_versions: bool = False
    max_chars: int = MAX_TOKEN_CHARS


def decrypt(
    keyring: Keyring,
    token: str,
    *,
    field: str = DEFAULT_FIELD,
    require_binding: bool = False,
    try_all_versions: bool = False,
    max_chars: int = MAX_TOKEN_CHARS,
) -> Decrypted:
    """Decrypt a token of one field of the ring's user.

    Args:
        keyring: The user's keys; the token's `kid` selects one.
        token: The token. Only the canonical spelling is read: no padding, no whitespace.
        field: What the token is expected to hold.
        require_binding: Refuse tokens that do not say which field they are for. Other programs write
            such tokens; they are accepted for the field `content` only.
        try_all_versions: Try every key with a token that names none; otherwise such a token is read only if
            there is one key.
        max_chars: The longest token, in characters.

    Returns:
        The text and how far it can be trusted.

    Raises:
        MalformedCiphertextError: The token is not a compact JWE of the accepted shape.
        ContentTooLargeError: The token or its header is too long.
        UnsupportedAlgorithmError: It is compressed, has critical extensions, or is neither `dir` with AES-GCM
            of the key's length nor AES Key Wrap of that length with AES-GCM.
        ContextMismatchError: It was encrypted for another field or user.
        UnknownKeyVersionError: The ring lacks the key that it names.
        IntegrityError: It was changed, or made with another key.
        PlaintextDecodeError: What it holds is not UTF-8.
        InvalidKeyError: The key was closed.
        InvalidArgumentError: Another argument than the token is of the wrong type.
    """
    refusal = (
        keyring_misfit(keyring)
        or text_misfit(field, name="field")
        or flag_misfit(require_binding, name="require_binding")
        or flag_misfit(try_all_versions, name="try_all_versions")
        or limit_misfit(max_chars, name="max_chars")
    )
    try:
        if refusal is not None:
            del keyring, field
            raise refusal
        rules = TokenRules(
            field=field,
            require_binding=require_binding,
            try_all_versions=try_all_versions,
            max_chars=max_chars,
        )
        outcome = read_token(keyring, token, rules)
    finally:
        # What is no token may be plaintext: keep it out of tracebacks that show local variables.
        del token
    if isinstance(outcome, DecryptionError):
        raise outcome
    return outcome


def read_token(keyring: Keyring, token: object, rules: TokenRules) -> Decrypted | DecryptionError:
    """What a token holds, or the error that refuses it; see `decrypt`."""
    admitted = _admit(keyring, token, rules)
    if isinstance(admitted, DecryptionError):
        return admitted
    header, segments = admitted
    keys = _keys_for(keyring, header, rules)
    if isinstance(keys, DecryptionError):
        return keys
    parts = _decode(header, segments)
    if isinstance(parts, DecryptionError):
        return parts
    found = _try(keys, header, parts)
    if isinstance(found, DecryptionError):
        return found
    key, text = found
    provenance = Provenance(
        encrypted=True,
        authenticated=True,
        bound=header.type is not None,
        codec=CODEC_NAME,
        key_version=key.version,
    )
    if header.algorithm == DIRECT and (header.kid is not None or len(keyring.versions) == 1):
        keyring.remember(rules.field, segments[0], KnownHeader(key.cipher.decrypt, header.aad, provenance))
    return Decrypted.of(text, provenance)


def _admit(
    keyring: Keyring, token: object, rules: TokenRules
) -> tuple[ProtectedHeader, list[str]] | DecryptionError:
    """The header and the segments of a token that may be opened."""
    segments = _split(token, rules.max_chars)
    if isinstance(segments, DecryptionError):
        return segments
    header = read_header(segments[0])
    if isinstance(header, DecryptionError):
        return header
    refusal = header.context_error(
        field=rules.field, require_binding=rules.require_binding, user_id=keyring.user_id
    )
    return refusal or (header, segments)


def _keys_for(
    keyring: Keyring, header: ProtectedHeader, rules: TokenRules
) -> list[EncryptionKey] | DecryptionError:
    """The keys to try, whose length fits the algorithm."""
    keys = keyring.select(header, try_all=rules.try_all_versions)
    if isinstance(keys, DecryptionError):
        return keys
    return [key for key in keys if _fits(key, header)] or UnsupportedAlgorithmError(
        "the algorithm of the ciphertext does not fit the key's length"
    )


def read_known(
    headers: Mapping[str, KnownHeader], token: str, rules: TokenRules
) -> tuple[str, Provenance] | None:
    """The text of a token under a known header; None if there is anything to refuse, or to learn first.

    Args:
        headers: The known ones of the field, from `Keyring.known`.
        token: The token.
        rules: What is asked of it; its `field` is that of the headers.
    """
    end = token.find(".")
    known = headers.get(token[:end])
    if known is None or len(token) > rules.max_chars or token[end : end + 2] != "..":
        return None
    parts = base64url.decode_sealed(token, end + 2)
    provenance = known.provenance
    if parts is None or (rules.require_binding and not provenance.bound):
        return None
    try:
        return known.decrypt(parts[0], parts[1], known.aad).decode(), provenance
    except (InvalidTag, UnicodeDecodeError):
        return None


def _split(token: object, max_chars: int) -> list[str] | DecryptionError:
    if not isinstance(token, str):
        return MalformedCiphertextError(f"a ciphertext must be text, not {type(token).__name__}")
    if len(token) > max_chars:
        return ContentTooLargeError(f"the ciphertext has more than {max_chars} characters")
    if token.count(".") != _DOTS:
        return MalformedCiphertextError("the ciphertext does not have five segments")
    return token.split(".")


@attrs.frozen(eq=False)
class _Parts:
    """The decoded segments: the wrapped key, the initialization vector, the ciphertext and its tag."""

    wrapped_key: bytes
    iv: bytes
    sealed: bytes


def _decode(header: ProtectedHeader, segments: list[str]) -> _Parts | DecryptionError:
    wrapped_key, iv, ciphertext, tag = map(base64url.decode, segments[1:])
    if wrapped_key is None or iv is None or ciphertext is None or tag is None:
        return MalformedCiphertextError("the ciphertext is not canonical base64url")
    if len(iv) != IV_BYTES or len(tag) != TAG_BYTES:
        return MalformedCiphertextError("the initialization vector or the tag has the wrong length")
    if header.algorithm == DIRECT:
        if wrapped_key:
            return MalformedCiphertextError(
                "the ciphertext has an encrypted key, which alg dir does not have"
            )
    elif len(wrapped_key) != _KEY_BYTES[header.encryption] + _WRAPPING_OVERHEAD:
        return MalformedCiphertextError("the encrypted key has another length than enc asks for")
    return _Parts(wrapped_key, iv, ciphertext + tag)


def _fits(key: EncryptionKey, header: ProtectedHeader) -> bool:
    if header.algorithm == DIRECT:
        return header.encryption == key.encryption
    return header.algorithm == key.wrapping


def _try(
    keys: Sequence[EncryptionKey], header: ProtectedHeader, parts: _Parts
) -> tuple[EncryptionKey, str] | DecryptionError:
    """The text, and the key that opened it; or why none did."""
    refusal = IntegrityError("the ciphertext was changed, or was made with another key")
    for key in keys:
        try:
            cipher = key.cipher if header.algorithm == DIRECT else _unwrapped(key, parts.wrapped_key)
            return key, cipher.decrypt(parts.iv, parts.sealed, header.aad).decode("utf-8")
        except (InvalidTag, InvalidUnwrap):
            continue
        except UnicodeDecodeError:
            return PlaintextDecodeError("the decrypted content is not UTF-8 text")
    return refusal


def _unwrapped(key: EncryptionKey, wrapped_key: bytes) -> AESGCM:
    return AESGCM(aes_key_unwrap(key.material(), wrapped_key))
