"""How stored content is read: which forms are known, and what happens with the others."""

from __future__ import annotations

from typing import Final, Literal, Protocol, TypeAlias, final, runtime_checkable

from memoram_async.core.errors import (
    ContextMismatchError,
    DecryptionError,
    InvalidArgumentError,
    MalformedCiphertextError,
    NotEncryptedError,
    UnsupportedFormatError,
)
from memoram_async.core.kinds import flag_misfit, is_text, limit_misfit, text_misfit
from memoram_async.crypto import jwe, jwe_reader
from memoram_async.crypto.decrypted import Decrypted
from memoram_async.crypto.foreign import ContentFormat, classify, looks_like_jwe
from memoram_async.crypto.header import DEFAULT_FIELD
from memoram_async.crypto.keyring import Keyring, keyring_misfit
from memoram_async.crypto.legacy import LEGACY_CODECS

ReadPolicy: TypeAlias = Literal["encrypted-only", "allow-plaintext"]
"""Whether stored plaintext is an error, or is handed out marked as not encrypted."""

PLAINTEXT_CODEC_NAME: Final = "plaintext"

_POLICIES: Final[frozenset[str]] = frozenset({"encrypted-only", "allow-plaintext"})


@runtime_checkable
class Codec(Protocol):
    """Reads one stored form. Implement it to read what another program wrote.

    Writing is not its business: the SDK always writes the form of `memoram_async.crypto.jwe`.
    """

    @property
    def name(self) -> str:
        """What the form is called in `Decrypted.codec`; unique in a registry."""
        ...

    @property
    def authenticated(self) -> bool:
        """Whether the form proves that its content was not changed. Bare CBC does not."""
        ...

    def detect(self, text: str) -> bool:
        """Whether the text is in this form. It must not take plaintext for it."""
        ...

    def decrypt(self, keyring: Keyring, text: str, *, field: str) -> Decrypted:
        """Decrypt a text that `detect` accepted.

        Raises:
            DecryptionError: It cannot be decrypted. The message holds no key, token or content.
        """
        ...


@final
class JweCodec:
    """The form that the SDK writes, and any other compact JWE of the same algorithms."""

    __slots__ = ("_max_chars", "_try_all_versions")

    name = jwe.CODEC_NAME
    authenticated = True

    def __init__(self, *, max_chars: int = jwe.MAX_TOKEN_CHARS, try_all_versions: bool = False) -> None:
        """A codec for tokens of at most `max_chars` characters.

        Args:
            max_chars: The longest token that is read.
            try_all_versions: Try every key with a token that names no key version.

        Raises:
            InvalidArgumentError: An argument is of the wrong type.
        """
        refusal = limit_misfit(max_chars, name="max_chars") or flag_misfit(
            try_all_versions, name="try_all_versions"
        )
        if refusal is not None:
            raise refusal
        self._max_chars = max_chars
        self._try_all_versions = try_all_versions

    def detect(self, text: str) -> bool:
        """Whether the text is a compact JWE, be it damaged; what is no text is none."""
        return is_text(text) and looks_like_jwe(text)

    def decrypt(self, keyring: Keyring, text: str, *, field: str) -> Decrypted:
        """Decrypt a token; see `memoram_async.crypto.decrypt` for the errors."""
        try:
            return jwe_reader.decrypt(
                keyring,
                text,
                field=field,
                try_all_versions=self._try_all_versions,
                max_chars=self._max_chars,
            )
        finally:
            del text


@final
class CodecRegistry:
    """The forms that are read, in the order in which they are tried; immutable.

    Attributes:
        codecs: The codecs, first tried first.
    """

    __slots__ = ("codecs",)

    codecs: tuple[Codec, ...]

    def __init__(self, *codecs: Codec | str, allow_unauthenticated: bool = False) -> None:
        """A registry of the given codecs, of the default one alone when none are given.

        Args:
            codecs: The codecs in the order of trial: objects, or names in `LEGACY_CODECS`.
            allow_unauthenticated: Accept codecs that cannot tell whether content was changed.

        Raises:
            InvalidArgumentError: There is no codec of a name, two have one name, one lacks a member, or one
                is unauthenticated without the permission.
        """
        self.codecs = tuple([_codec(each) for each in codecs]) or (JweCodec(),)
        refusal = flag_misfit(allow_unauthenticated, name="allow_unauthenticated")
        if refusal is not None:
            raise refusal
        if len({codec.name for codec in self.codecs}) != len(self.codecs):
            raise InvalidArgumentError("two codecs have the same name")
        if not allow_unauthenticated and not all(codec.authenticated for codec in self.codecs):
            raise InvalidArgumentError(
                "a codec cannot detect changed content: pass allow_unauthenticated=True to read with it"
            )

    def read(
        self,
        keyring: Keyring,
        text: str,
        *,
        field: str = DEFAULT_FIELD,
        policy: ReadPolicy = "encrypted-only",
        require_binding: bool = False,
    ) -> Decrypted:
        """Turn stored content back into text.

        What looks like ciphertext is never handed out as plaintext, under any policy.

        Args:
            keyring: The user's keys.
            text: The content as stored.
            field: What the content is.
            policy: What happens with plaintext.
            require_binding: Refuse ciphertext that does not prove which field it is for.

        Returns:
            The text and how far it can be trusted.

        Raises:
            NotEncryptedError: It is plaintext, and the policy is `encrypted-only`.
            UnsupportedFormatError: It is, or seems to be, ciphertext that no codec reads.
            DecryptionError: The codec's own refusals.
            InvalidArgumentError: There is no such policy, or another argument is of the wrong type.
        """
        refusal = _misfit(keyring, field, policy, require_binding)
        try:
            if refusal is not None:
                del keyring, field
                raise refusal
            codec = self._find(text)
            outcome: Decrypted | DecryptionError
            if codec is None:
                outcome = _read_unclaimed(text, policy)
            else:
                outcome = codec.decrypt(keyring, text, field=field)
        finally:
            # Tracebacks that show local variables must not show content.
            del text
        if isinstance(outcome, DecryptionError):
            raise outcome
        if (require_binding or field != DEFAULT_FIELD) and outcome.encrypted and not outcome.bound:
            raise ContextMismatchError("the ciphertext does not say which field it was encrypted for")
        return outcome

    def _find(self, text: object) -> Codec | None:
        if not isinstance(text, str):
            return None
        return next((codec for codec in self.codecs if codec.detect(text)), None)

    def __repr__(self) -> str:
        return f"CodecRegistry({', '.join(codec.name for codec in self.codecs)})"


def _misfit(
    keyring: object, field: object, policy: object, require_binding: object
) -> InvalidArgumentError | None:
    if isinstance(policy, str) and policy in _POLICIES:
        return (
            keyring_misfit(keyring)
            or text_misfit(field, name="field")
            or flag_misfit(require_binding, name="require_binding")
        )
    return InvalidArgumentError("the read policy must be 'encrypted-only' or 'allow-plaintext'")


def _is_codec(value: object) -> bool:
    if isinstance(value, type) or not isinstance(value, Codec):
        return False
    return is_text(value.name) and all(map(callable, (value.detect, value.decrypt)))


def _codec(codec: Codec | str) -> Codec:
    if not isinstance(codec, str):
        if _is_codec(codec):
            return codec
        raise InvalidArgumentError(
            "a codec must be a name, or an object with name, authenticated, detect and decrypt, not "
            f"{type(codec).__name__}"
        )
    if codec not in LEGACY_CODECS:
        raise InvalidArgumentError(f"there is no codec of that name: there are {', '.join(LEGACY_CODECS)}")
    legacy: type[Codec] = LEGACY_CODECS[codec]
    return legacy()


def _read_unclaimed(text: object, policy: ReadPolicy) -> Decrypted | DecryptionError:
    """What becomes of a text that no codec reads."""
    if not isinstance(text, str):
        return MalformedCiphertextError(f"stored content must be text, not {type(text).__name__}")
    form = classify(text)
    if form is not ContentFormat.PLAINTEXT:
        return UnsupportedFormatError(f"the content seems to be encrypted by something else: {form.value}")
    if policy == "encrypted-only":
        return NotEncryptedError("the content is stored unencrypted; allow-plaintext would read it")
    return Decrypted(
        text=text,
        encrypted=False,
        authenticated=False,
        bound=False,
        codec=PLAINTEXT_CODEC_NAME,
        key_version=None,
    )
