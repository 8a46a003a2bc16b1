"""The versions of one user's encryption key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from memoram_async.core.errors import KeyConflictError, UnknownKeyVersionError
from memoram_async.core.secret import Confidential

if TYPE_CHECKING:
    from memoram_async.crypto.header import ProtectedHeader
    from memoram_async.crypto.keys import EncryptionKey

# One header for each key version, field and writing library: real rings stay far below.
_MAX_HEADERS: Final = 64


@final
class Keyring(Confidential):
    """All versions of one user's key that are at hand; immutable, so it can be shared freely.

    The highest version is the current one: it encrypts, and every version decrypts.

    Attributes:
        user_id: The user whose keys these are, None when that is not known. Tokens that name their
            user are refused when it is another.
    """

    __slots__ = ("_headers", "_keys", "current", "user_id")

    current: EncryptionKey
    user_id: str | None

    def __init__(self, *keys: EncryptionKey, user_id: str | None = None) -> None:
        """A ring of the given keys.

        Raises:
            KeyConflictError: Two different keys have the same version.
            ValueError: There is no key.
        """
        # Set first: a traceback that shows local variables asks a half-built ring for its repr.
        self._keys: dict[int, EncryptionKey] = {}
        if not keys:
            message = "a keyring needs at least one key"
            raise ValueError(message)
        for key in sorted(keys, key=_version):
            if not self._keys.setdefault(key.version, key).same_key(key):
                raise KeyConflictError(f"two different keys claim to be version {key.version}")
        self._headers: dict[str, ProtectedHeader] = {}
        self.current = self._keys[self.versions[-1]]
        self.user_id = user_id

    @property
    def versions(self) -> tuple[int, ...]:
        """The key versions at hand, lowest first."""
        return tuple(self._keys)

    def get(self, version: int) -> EncryptionKey | None:
        """The key of that version, None when it is not at hand."""
        return self._keys.get(version)

    def with_key(self, key: EncryptionKey) -> Keyring:
        """A ring that holds `key` as well; this one stays as it is.

        A lower version than the current one joins the ring without becoming current.

        Raises:
            KeyConflictError: The ring holds different bytes under the same version. No key is ever
                overwritten.
        """
        held = self._keys.get(key.version)
        if held is not None and held.same_key(key):
            return self
        return Keyring(*self._keys.values(), key, user_id=self.user_id)

    def close(self) -> None:
        """Close every key, also for other rings that hold them."""
        for key in self._keys.values():
            key.close()

    def select(self, version: int | None) -> EncryptionKey | UnknownKeyVersionError:
        """The key for a token that names `version`, or the error to raise.

        A token that names none is tried with the only key of a ring. With several, there is no
        guessing.
        """
        if version is not None:
            return self._keys.get(version) or UnknownKeyVersionError(
                f"the content was encrypted with key version {version}, which is not at hand",
                version=str(version),
                available=self.versions,
            )
        if len(self._keys) == 1:
            return self.current
        return UnknownKeyVersionError(
            "the content does not name its key version, and there are several",
            version="",
            available=self.versions,
        )

    def known_header(self, segment: str) -> ProtectedHeader | None:
        """What an encoded header says, when content under it was authenticated before."""
        return self._headers.get(segment)

    def remember_header(self, segment: str, header: ProtectedHeader) -> None:
        """Save the parsing of an encoded header next time. Call it with authenticated ones only."""
        if len(self._headers) < _MAX_HEADERS:
            self._headers[segment] = header

    def __repr__(self) -> str:
        return f"Keyring(versions={self.versions})"


def _version(key: EncryptionKey) -> int:
    return key.version
