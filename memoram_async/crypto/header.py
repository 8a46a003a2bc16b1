"""The protected header: what a token says of itself (RFC 7516 4).

It is written in one exact spelling and read by strict rules. It is not secret, but it is
authenticated: its encoded form is the additional authenticated data of the encryption.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, cast

import attrs

from memoram_async.core.arguments import MAX_KEY_VERSION
from memoram_async.core.errors import (
    ContentTooLargeError,
    ContextMismatchError,
    DecryptionError,
    InvalidArgumentError,
    MalformedCiphertextError,
    UnsupportedAlgorithmError,
)
from memoram_async.crypto import base64url

DEFAULT_FIELD: Final = "content"
MAX_HEADER_CHARS: Final = 1_024
"""The longest header segment that is read, in characters."""

# Every level of nesting takes an opening bracket, so counting them bounds the parser's recursion.
_MAX_BRACKETS: Final = 32

DIRECT: Final = "dir"
"""The `alg` of content that is encrypted with the user's key itself (RFC 7518 4.5)."""

_WRAPPINGS: Final = frozenset({"A128KW", "A192KW", "A256KW"})
_ENCRYPTIONS: Final = frozenset({"A128GCM", "A192GCM", "A256GCM"})
_FIELD: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_VERSION: Final = re.compile(r"0|[1-9][0-9]{0,15}")

# Types that say "this is JOSE" and nothing of what is inside (RFC 7515 4.1.9, RFC 7519 5.1).
_GENERIC_TYPES: Final = frozenset({"jose", "jwe", "jwt"})


@attrs.frozen
class ProtectedHeader:
    """A protected header that passed every check which needs no key.

    Attributes:
        algorithm: The `alg`: `dir`, or A128KW, A192KW or A256KW (RFC 7518 4.4).
        encryption: The `enc` algorithm: A128GCM, A192GCM or A256GCM.
        kid: The `kid`, None when it is absent.
        version: The key version that `kid` names, None when it names none.
        type: The `typ`, None when it is absent or names no more than JOSE.
        subject: The `sub`, None when it is absent.
        aad: The encoded header as ASCII bytes, which the encryption authenticates.
    """

    algorithm: str
    encryption: str
    kid: str | None
    version: int | None
    type: str | None
    subject: str | None
    aad: bytes

    def context_error(
        self, *, field: str, require_binding: bool, user_id: str | None
    ) -> ContextMismatchError | None:
        """Why this token may not stand in for `field` of that user, None when it may."""
        if self.type is None:
            if require_binding or field != DEFAULT_FIELD:
                return ContextMismatchError("the ciphertext does not say which field it was encrypted for")
        elif self.type != type_of(field):
            return ContextMismatchError("the ciphertext was encrypted for another field or purpose")
        if self.subject is not None and user_id is not None and self.subject != user_id:
            return ContextMismatchError("the ciphertext was encrypted for another user")
        return None


def type_of(field: str) -> str:
    """The `typ` that binds a token to a field (RFC 8725 3.11)."""
    return f"memoram-{field}+jwe"


def write_header(
    *, algorithm: str = DIRECT, encryption: str, version: int, field: str, subject: str | None = None
) -> bytes:
    """The encoded protected header, byte for byte the same for the same arguments.

    Args:
        algorithm: The `alg`: `dir` or one of AES Key Wrap.
        encryption: The `enc` algorithm.
        version: The key version, written as a decimal string.
        field: The field that the token is bound to: lower-case letters, digits and hyphens, at most 32.
        subject: The user that the token is bound to, as `sub`; None leaves the member out, which more JOSE
            libraries accept in their default configuration.

    Returns:
        The base64url header segment as ASCII bytes, ready to be the authenticated data.

    Raises:
        InvalidArgumentError: `field` is not such a name.
    """
    if _FIELD.fullmatch(field) is None:
        raise InvalidArgumentError("a field is named with lower-case letters, digits and hyphens, at most 32")
    user = "" if subject is None else f',"sub":{json.dumps(subject)}'
    header = f'{{"alg":"{algorithm}","enc":"{encryption}","kid":"{version}","typ":"{type_of(field)}"{user}}}'
    return base64url.encode(header.encode("ascii")).encode("ascii")


def read_header(segment: str) -> ProtectedHeader | DecryptionError:
    """What a header segment says, or the error that refuses it.

    The error is returned rather than raised, so that its traceback holds no frame of this parser.
    Members that mean nothing here are ignored, and none is ever fetched or followed.
    """
    if len(segment) > MAX_HEADER_CHARS:
        return ContentTooLargeError("the header of the ciphertext is too long")
    members = _members(segment)
    if members is None:
        return MalformedCiphertextError("the header of the ciphertext is not a base64url JSON object")
    refusal = _algorithm_error(members)
    if refusal is not None:
        return refusal
    kid = members.get("kid")
    subject = members.get("sub")
    typ = members.get("typ", "JOSE")
    if "kid" in members and not isinstance(kid, str):
        return MalformedCiphertextError("the kid of the ciphertext is not text")
    if not (subject is None or isinstance(subject, str)) or not isinstance(typ, str):
        return MalformedCiphertextError("the header of the ciphertext has a member of the wrong type")
    return ProtectedHeader(
        algorithm=members["alg"],
        encryption=members["enc"],
        kid=kid,
        version=_version(kid),
        type=None if typ.lower().removeprefix("application/") in _GENERIC_TYPES else typ,
        subject=subject,
        aad=segment.encode("ascii"),
    )


def _members(segment: str) -> dict[str, Any] | None:
    raw = base64url.decode(segment)
    if raw is None or raw.count(b"{") + raw.count(b"[") > _MAX_BRACKETS:
        return None
    try:
        members: object = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique_members, parse_constant=_refuse_constant
        )
    except ValueError:
        return None
    return cast("dict[str, Any]", members) if isinstance(members, dict) else None


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # RFC 7515 4 leaves "last one wins" open to readers: two readers could then differ.
        raise ValueError
    return members


def _refuse_constant(_name: str) -> None:
    raise ValueError


def _algorithm_error(members: dict[str, Any]) -> DecryptionError | None:
    alg, enc = members.get("alg"), members.get("enc")
    if not isinstance(alg, str) or not isinstance(enc, str):
        return MalformedCiphertextError("the header of the ciphertext lacks alg or enc")
    if alg != DIRECT and alg not in _WRAPPINGS:
        return UnsupportedAlgorithmError(
            "the ciphertext was encrypted neither directly nor with AES Key Wrap"
        )
    if enc not in _ENCRYPTIONS:
        return UnsupportedAlgorithmError("the ciphertext was not encrypted with AES-GCM")
    if "zip" in members:
        return UnsupportedAlgorithmError("the ciphertext is compressed, which is never accepted")
    if "crit" in members:
        return UnsupportedAlgorithmError("the ciphertext demands extensions that are not known")
    return None


def _version(kid: str | None) -> int | None:
    """The key version that a `kid` names; None for the names of other programs' keys."""
    if kid is None or _VERSION.fullmatch(kid) is None:
        return None
    version = int(kid)
    return version if version <= MAX_KEY_VERSION else None
