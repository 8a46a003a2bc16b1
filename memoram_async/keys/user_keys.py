"""The versions of one user's key: those at hand, and one fetch for each that is not."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from memoram_async.core.errors import (
    BadRequestError,
    ClientClosedError,
    KeyStoreError,
    MemoramError,
    NotFoundError,
    PermissionDeniedError,
    UnprocessableError,
)
from memoram_async.core.key_requests import LEASE_SECONDS, KeyRequest, KeyRequests
from memoram_async.core.secret import Confidential
from memoram_async.crypto import EncryptionKey, Keyring
from memoram_async.keys.store import KeyStore
from memoram_async.models.access import AccessCredentials
from memoram_async.runtime.forking import reset_after_fork
from memoram_async.runtime.protocol import Runtime

T = TypeVar("T")

FIRST_KEY_VERSION: Final = 1
"""What credentials without a version are read as."""

_NOT_AVAILABLE: Final = (BadRequestError, NotFoundError, PermissionDeniedError, UnprocessableError)


class UserKeys(Confidential):
    """The keys of one user, for one memory store.

    They live here and in the `key_store` of the application, if it has one, and nowhere else.
    """

    __slots__ = (
        "__weakref__",
        "_ended",
        "_fetch",
        "_lock",
        "_requests",
        "_ring",
        "_runtime",
        "_saved",
        "_store",
        "user_id",
    )

    def __init__(
        self,
        credentials: AccessCredentials,
        *,
        runtime: Runtime,
        fetch: Callable[[int], Awaitable[AccessCredentials]] | None,
        store: KeyStore | None,
    ) -> None:
        """Keys that begin with those of some credentials.

        Args:
            credentials: A user's.
            runtime: The world to run in.
            fetch: Gets the credentials with another version of the key; None if there is no way to.
            store: Where keys are kept.

        Raises:
            InvalidKeyError: The credentials' encryption key cannot be used.
        """
        self._ring: Keyring | None = None
        self._ended: MemoramError | None = None
        self.user_id = credentials.user_id
        self._ring = Keyring(_key(credentials), user_id=credentials.user_id)
        self._runtime = runtime
        self._fetch = fetch
        self._store = store
        self._saved = store is None
        self._requests = KeyRequests()
        self._lock = threading.Lock()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Begin anew in a forked child: a lock may have been held, and requests are the parent's."""
        self._lock = threading.Lock()
        self._requests = KeyRequests()

    def ring(self) -> Keyring:
        """The keys at hand.

        Raises:
            ClientClosedError: The store was closed.
            AccessRevoked: The user took the approval back, as another store of these keys found out.
        """
        if self._ring is None:
            raise was_closed() if self._ended is None else self._ended.again()
        return self._ring

    async def ready(self) -> Keyring:
        """The keys at hand, after the first of them was saved.

        Raises:
            ClientClosedError: The store was closed.
            KeyConflictError: The key store has another key of this version.
            KeyStoreError: The key store failed.
        """
        ring = self.ring()
        if not self._saved:
            await self._keep(ring.current)
            self._saved = True
        return ring

    async def obtain(self, version: int) -> MemoramError | None:
        """Have a version of the key in the ring: one fetch, however many callers.

        Returns:
            None if it is there now, or if nobody has it: whoever needs it finds it missing. Otherwise why it
            could not be fetched.

        Raises:
            ClientClosedError: The store was closed.
        """
        runtime, requests = self._runtime, self._requests
        ticket = object()
        try:
            while True:
                if self.ring().get(version) or requests.is_unavailable(version, now=runtime.now()):
                    return None
                waiter = runtime.waiter()
                request = requests.join(ticket, version, waiter)
                if request.leader is ticket:
                    await self._lead(version, request)
                    return request.error
                if not await runtime.wait(waiter, LEASE_SECONDS):
                    requests.take_over(version, request)
                elif request.error is not None:
                    return request.error.again()
        finally:
            try:
                self._leave(ticket, version)
            finally:
                self._leave(ticket, version)  # a key press may have interrupted the first one

    def _leave(self, ticket: object, version: int) -> None:
        for waiter in self._requests.leave(ticket, version):
            self._runtime.wake(waiter)

    async def _lead(self, version: int, request: KeyRequest) -> None:
        try:
            key = await self._load(version)
            if key is None:
                key = await self._ask(version)
                if key is not None:
                    await self._keep(key)
            if key is not None:
                self._add(key)
                return
        except ClientClosedError:
            raise
        except _NOT_AVAILABLE:
            pass
        except MemoramError as error:
            request.error = error.again()
            return
        self._requests.mark_unavailable(version, now=self._runtime.now())

    async def _ask(self, version: int) -> EncryptionKey | None:
        """The key from the service; an answer for another version or user is none."""
        if self._fetch is None:
            return None
        credentials = await self._fetch(version)
        if credentials.user_id != self.user_id or _version(credentials) != version:
            return None
        return _key(credentials)

    def _add(self, key: EncryptionKey) -> None:
        with self._lock:
            self._ring = self.ring().with_key(key)

    async def _load(self, version: int) -> EncryptionKey | None:
        store, user_id = self._store, self.user_id
        if store is None:
            return None
        value = await self._ask_store(lambda: store.load(user_id, version))
        return None if value is None else EncryptionKey.from_hex(value, version=version)

    async def _keep(self, key: EncryptionKey) -> None:
        """Save a key before it is used."""
        store, user_id = self._store, self.user_id
        if store is None:
            return
        saved = await self._load(key.version)
        if saved is None:
            value = key.to_hex()
            await self._ask_store(lambda: store.save(user_id, key.version, value))
        else:
            Keyring(saved).with_key(key)

    async def _ask_store(self, operation: Callable[[], T]) -> T:
        """One operation of the key store.

        Raises:
            KeyStoreError: It failed.
        """
        try:
            return await self._runtime.run_blocking(operation)
        except Exception as error:  # noqa: BLE001 - whatever a user's store raises, and it may quote the key
            trouble = type(error).__name__
        raise KeyStoreError(f"the key store failed ({trouble}): nothing was read or written with this key")

    def close(self) -> None:
        """Drop the keys. A second time does nothing."""
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.close()

    def end(self, why: MemoramError) -> None:
        """Drop the keys, for all stores that share them; whoever asks for them gets this error."""
        self._ended = why
        self.close()

    def __repr__(self) -> str:
        return f"<UserKeys of user {getattr(self, 'user_id', None)}>"


def was_closed() -> ClientClosedError:
    """The error for whoever uses keys after their store was closed."""
    return ClientClosedError("this memory store was closed: open another one")


def _version(credentials: AccessCredentials) -> int:
    return FIRST_KEY_VERSION if credentials.key_version is None else credentials.key_version


def _key(credentials: AccessCredentials) -> EncryptionKey:
    return EncryptionKey.from_hex(credentials.encryption_key, version=_version(credentials))
