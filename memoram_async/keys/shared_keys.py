"""Keys that several memory stores of one user share."""

from __future__ import annotations

from typing import TypeAlias

from memoram_async.core.errors import MemoramError
from memoram_async.core.secret import Confidential
from memoram_async.crypto import Keyring
from memoram_async.keys.user_keys import UserKeys, was_closed


class KeysHandle(Confidential):
    """One store's hold on shared keys: closing it leaves them to the others.

    Nobody counts the holders: keys that no store and no ring holds any more are gone.
    """

    __slots__ = ("_keys", "user_id")

    def __init__(self, keys: UserKeys) -> None:
        self._keys: UserKeys | None = keys
        self.user_id = keys.user_id

    def _shared(self) -> UserKeys:
        keys = self._keys
        if keys is None:
            raise was_closed()
        return keys

    def ring(self) -> Keyring:
        """The keys at hand; see `UserKeys.ring`."""
        return self._shared().ring()

    async def ready(self) -> Keyring:
        """The keys at hand, after the first of them was saved; see `UserKeys.ready`."""
        return await self._shared().ready()

    async def obtain(self, version: int) -> MemoramError | None:
        """Have a version of the key in the ring; see `UserKeys.obtain`."""
        return await self._shared().obtain(version)

    def close(self) -> None:
        """Let go of the keys. A second time does nothing."""
        self._keys = None

    def __repr__(self) -> str:
        return f"<KeysHandle of user {getattr(self, 'user_id', None)}>"


StoreKeys: TypeAlias = UserKeys | KeysHandle
"""What a memory store may stand on: keys of its own, or its hold on shared ones."""
