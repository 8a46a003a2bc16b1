"""The versions of one user's encryption key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

import attrs

from memoram_async.core.errors import InvalidArgumentError, KeyConflictError, UnknownKeyVersionError
from memoram_async.core.kinds import misfit, text_misfit
from memoram_async.core.secret import Confidential
from memoram_async.crypto.decrypted import Provenance
from memoram_async.crypto.header import ProtectedHeader
from memoram_async.crypto.keys import EncryptionKey, key_misfit

_MOST_TRIED: Final = 8
"""How many keys are tried with a token that names none: newest first."""

# One header for each key version and writing library, and a handful of fields: real rings stay far below.
_MAX_HEADERS: Final = 64
_MAX_FIELDS: Final = 32


@attrs.frozen(eq=False)
class KnownHeader(Confidential):
    """A protected header under which a token of one field was authenticated, and what that decided.

    Attributes:
        decrypt: What decrypts: an initialization vector, sealed bytes and the authenticated data.
        aad: The additional authenticated data.
        provenance: What is known of every token under it.
    """

    decrypt: Callable[[bytes, bytes, bytes], bytes] = attrs.field(repr=False)
    aad: bytes
    provenance: Provenance


@final
class Keyring(Confidential):
    """All versions of one user's key that are at hand; immutable, so it can be shared freely.

    The highest version is the current one: it encrypts, and every version decrypts.

    Attributes:
        user_id: The user whose keys these are, None when that is not known. Tokens that name their
            user are refused when it is another.
    """

    __slots__ = ("_closed", "_keys", "_known", "current", "user_id")

    current: EncryptionKey
    user_id: str | None

    def __init__(self, *keys: EncryptionKey, user_id: str | None = None) -> None:
        """A ring of the given keys.

        Raises:
            KeyConflictError: Two different keys have the same version.
            InvalidArgumentError: There is no key, or an argument is of the wrong type.
        """
        # Set first: a traceback that shows local variables asks a half-built ring for its repr.
        self._keys: dict[int, EncryptionKey] = {}
        refusal = _misfit(keys, user_id)
        if refusal is not None:
            del keys, user_id  # a traceback may show what local variables hold
            raise refusal
        for key in sorted(keys, key=_version):
            if not self._keys.setdefault(key.version, key).same_key(key):
                raise KeyConflictError(f"two different keys claim to be version {key.version}")
        self._closed = False
        self._known: dict[str, dict[str, KnownHeader]] = {}
        self.current = self._keys[self.versions[-1]]
        self.user_id = user_id

    @property
    def versions(self) -> tuple[int, ...]:
        """The key versions at hand, lowest first."""
        return tuple(self._keys)

    def get(self, version: int) -> EncryptionKey | None:
        """The key of that version, None when it is not at hand.

        Raises:
            InvalidArgumentError: `version` is not a whole number.
        """
        refusal = misfit(version, int, name="version", wanted="a whole number")
        if refusal is not None:
            del version  # a traceback may show what local variables hold
            raise refusal
        return self._keys.get(version)

    def newest(self) -> Sequence[EncryptionKey]:
        """The keys to try with content that names none: the newest ones first, and not without end."""
        return tuple(reversed(self._keys.values()))[:_MOST_TRIED]

    def with_key(self, key: EncryptionKey) -> Keyring:
        """A ring that holds `key` as well; this one stays as it is.

        A lower version than the current one joins the ring without becoming current.

        Raises:
            KeyConflictError: The ring holds different bytes under the same version. No key is ever
                overwritten.
            InvalidArgumentError: It is not an `EncryptionKey`.
        """
        refusal = key_misfit(key)
        if refusal is not None:
            del key  # a traceback may show what local variables hold
            raise refusal
        held = self._keys.get(key.version)
        if held is not None and held.same_key(key):
            return self
        return Keyring(*self._keys.values(), key, user_id=self.user_id)

    def close(self) -> None:
        """Close every key, also for other rings that hold them."""
        self._closed = True
        self._forget()
        for key in self._keys.values():
            key.close()

    def select(
        self, header: ProtectedHeader, *, try_all: bool
    ) -> Sequence[EncryptionKey] | UnknownKeyVersionError:
        """The keys to try with a token under that header, or the error to raise.

        A `kid` selects one key. A token without is tried with the only key of a ring; with several, only if
        `try_all` says so, and then with the newest ones.
        """
        if header.version is not None and header.version in self._keys:
            return (self._keys[header.version],)
        if header.kid is not None:
            return UnknownKeyVersionError(
                "the content was encrypted with a key that is not at hand"
                if header.version is None
                else f"the content was encrypted with key version {header.version}, which is not at hand",
                version=header.kid,
                available=self.versions,
                key_version=header.version,
            )
        if len(self._keys) == 1 or try_all:
            return self.newest()
        return UnknownKeyVersionError(
            "the content does not name its key version, and there are several",
            version="",
            available=self.versions,
        )

    def known(self, field: str) -> Mapping[str, KnownHeader]:
        """What encoded headers decide, when content of that field under them was authenticated before."""
        return self._headers(field)

    def _headers(self, field: str) -> dict[str, KnownHeader]:
        if field in self._known or len(self._known) < _MAX_FIELDS:
            return self._known.setdefault(field, {})
        return {}

    def remember(self, field: str, segment: str, known: KnownHeader) -> None:
        """Save the parsing of an encoded header next time. Call it with authenticated ones only."""
        headers = self._headers(field)
        if len(headers) < _MAX_HEADERS:
            headers[segment] = known
        if self._closed:  # by another thread, perhaps just now
            self._forget()

    def _forget(self) -> None:
        for headers in list(self._known.values()):
            headers.clear()

    def __repr__(self) -> str:
        return f"Keyring(versions={self.versions})"


def keyring_misfit(value: object) -> InvalidArgumentError | None:
    """The error for something else than a ring, such as a key alone."""
    return misfit(value, Keyring, name="keyring", wanted="a Keyring, such as Keyring(key)")


def _misfit(keys: tuple[object, ...], user_id: object) -> InvalidArgumentError | None:
    if not keys:
        return InvalidArgumentError("a keyring needs at least one key")
    wrong = next(filter(None, map(key_misfit, keys)), None)
    return wrong or text_misfit(user_id, name="user_id", optional=True)


def _version(key: EncryptionKey) -> int:
    return key.version
