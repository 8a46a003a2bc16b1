"""People: those whose memories are kept, and those who register applications. One account can be both."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, null, select

from memoram_local.behaviour import behaviour
from memoram_local.errors import NotFoundError, RegistrationError
from memoram_local.hashing import digest
from memoram_local.store.apps import forget_app
from memoram_local.store.erasing import note_erased
from memoram_local.store.resealing import purpose_of_key
from memoram_local.store.schema import access_log, access_requests, accounts, apps, retired_keys, sessions

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness
    from memoram_local.sealing import Seal
    from memoram_local.store.changes import Changes

SESSION_SECONDS = 30 * 24 * 3600

# The highest integer of the store.
_HIGHEST_VERSION = 2**63 - 1
_NEWEST_KEY = select(accounts.c.key_version, accounts.c.encryption_key, null())
_OLDER_KEYS = select(retired_keys.c.key_version, retired_keys.c.encryption_key, retired_keys.c.retired_at)

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")


@dataclass(frozen=True, slots=True)
class Account:
    """One account.

    Attributes:
        id: A UUID.
        email: Folded to lower case.
        password_hash: What `hashing.hash_password` gave.
        memory_key: What applications ask for access with.
        key_version: Counts the encryption keys of this account, from 1.
    """

    id: str
    email: str
    password_hash: str = field(repr=False)
    memory_key: str
    key_version: int


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """One of a user's encryption keys.

    Attributes:
        version: From 1; memories that it encrypted name it.
        key: 64 hexadecimal digits.
        retired_at: Since when another one is newer, in microseconds since 1970; None for the newest.
    """

    version: int
    key: str = field(repr=False)
    retired_at: int | None


class Accounts:
    """Units of work on accounts."""

    def __init__(self, *, clock: Clock, randomness: Randomness, changes: Changes, seal: Seal) -> None:
        self._clock = clock
        self._randomness = randomness
        self._changes = changes
        self._seal = seal

    @behaviour("accounts.keys", "invented", "A memory key is `mk_` and 48 hexadecimal digits.")
    @behaviour("accounts.key-version", "invented", "The first encryption key of a user has version 1.")
    def create(self, connection: Connection, *, email: str, password_hash: str) -> Account:
        """Open an account with fresh keys.

        Raises:
            RegistrationError: The address is not one, or has an account.
        """
        address = checked_email(email)
        if self.by_email(connection, address) is not None:
            raise RegistrationError("This email address has an account already.")
        account = Account(
            id=self._randomness.uuid(),
            email=address,
            password_hash=password_hash,
            memory_key=f"mk_{self._randomness.hexadecimal(24)}",
            key_version=1,
        )
        connection.execute(
            accounts.insert(),
            {
                "id": account.id,
                "email": account.email,
                "password_hash": account.password_hash,
                "memory_key": account.memory_key,
                "encryption_key": self._fresh_key(account.id, account.key_version),
                "key_version": account.key_version,
                "created_at": self._clock.stamp(),
            },
        )
        return account

    def by_email(self, connection: Connection, email: str) -> Account | None:
        """The account of an email address, however its letters are cased."""
        return _find(connection, accounts.c.email == folded_email(email))

    def by_id(self, connection: Connection, account_id: str) -> Account | None:
        """The account with this id."""
        return _find(connection, accounts.c.id == account_id)

    def by_memory_key(self, connection: Connection, memory_key: str) -> Account | None:
        """The account whose memory key this is."""
        return _find(connection, accounts.c.memory_key == memory_key)

    @behaviour(
        "accounts.key-rotation",
        "invented",
        "A user can replace the encryption key: the version counts up, and every older key is kept, for the "
        "memories that it encrypted.",
    )
    def rotate_key(self, connection: Connection, account_id: str) -> int:
        """Replace a user's encryption key by a fresh one.

        Returns:
            The version of the new key.

        Raises:
            NotFoundError: There is no such account.
        """
        keys = self.encryption_keys(connection, account_id)
        if not keys:
            raise NotFoundError(f"There is no user {account_id!r}.")
        newest = keys[0]
        connection.execute(
            retired_keys.insert(),
            {
                "account_id": account_id,
                "key_version": newest.version,
                "encryption_key": self._sealed(newest.key, account_id, newest.version),
                "retired_at": self._clock.stamp(),
            },
        )
        version = newest.version + 1
        fresh = {"encryption_key": self._fresh_key(account_id, version), "key_version": version}
        connection.execute(accounts.update().where(accounts.c.id == account_id).values(fresh))
        return version

    def encryption_key(
        self, connection: Connection, account_id: str, version: int | None = None
    ) -> EncryptionKey | None:
        """A user's encryption key of one version, or the newest; None when there never was one."""
        # A version too high for the store to compare is one that never was.
        if version is not None and version > _HIGHEST_VERSION:
            return None
        retired = retired_keys.c
        newest = _NEWEST_KEY.where(accounts.c.id == account_id)
        if version is not None:
            newest = newest.where(accounts.c.key_version == version)
        row = connection.execute(newest).one_or_none()
        if row is None and version is not None:
            older = _OLDER_KEYS.where(retired.account_id == account_id, retired.key_version == version)
            row = connection.execute(older).one_or_none()
        return None if row is None else self._unsealed(account_id, *row)

    def encryption_keys(self, connection: Connection, account_id: str) -> list[EncryptionKey]:
        """All encryption keys of a user, the newest first; none when there is no such user."""
        newest = connection.execute(_NEWEST_KEY.where(accounts.c.id == account_id)).all()
        older = connection.execute(
            _OLDER_KEYS.where(retired_keys.c.account_id == account_id).order_by(
                retired_keys.c.key_version.desc()
            )
        ).all()
        return [self._unsealed(account_id, *row) for row in (*newest, *older)]

    @behaviour(
        "accounts.deletion",
        "invented",
        "Deleting an account deletes its memories, tags, keys, access requests, sign-ins and log, and the "
        "applications that it registered.",
    )
    def delete(self, connection: Connection, account_id: str) -> None:
        """Delete an account with everything that belongs to it; nothing of it is left.

        Raises:
            NotFoundError: There is no such account.
        """
        for app_id in connection.scalars(select(apps.c.id).where(apps.c.owner_id == account_id)).all():
            forget_app(connection, app_id, changes=self._changes)
        asking = select(access_requests.c.app_id).where(access_requests.c.account_id == account_id).distinct()
        app_ids = connection.scalars(asking).all()
        note_erased(connection)
        connection.execute(access_log.delete().where(access_log.c.account_id == account_id))
        if connection.execute(accounts.delete().where(accounts.c.id == account_id)).rowcount == 0:
            raise NotFoundError(f"There is no user {account_id!r}.")
        self._changes.tell_when_committed(connection, account_id, *app_ids)

    def _fresh_key(self, account_id: str, version: int) -> str:
        return self._sealed(self._randomness.hexadecimal(32), account_id, version)

    def _sealed(self, key: str, account_id: str, version: int) -> str:
        return self._seal.sealed(key, purpose=purpose_of_key(account_id, version))

    def _unsealed(self, account_id: str, version: int, stored: str, retired_at: int | None) -> EncryptionKey:
        key = self._seal.unsealed(stored, purpose=purpose_of_key(account_id, version))
        return EncryptionKey(version, key, retired_at)


class Sessions:
    """Units of work on the sign-ins of browsers. The cookie holds the secret, the store its digest."""

    def __init__(self, *, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness

    def start(self, connection: Connection, account_id: str) -> str:
        """Sign in.

        Returns:
            The secret of the new session, good for 30 days.
        """
        secret = self._randomness.secret()
        now = self._clock.micros()
        connection.execute(sessions.delete().where(sessions.c.expires_at <= now))
        connection.execute(
            sessions.insert(),
            {
                "digest": digest(secret),
                "account_id": account_id,
                "created_at": now,
                "expires_at": now + SESSION_SECONDS * 1_000_000,
            },
        )
        return secret

    def account(self, connection: Connection, secret: str) -> Account | None:
        """Who is signed in with this secret."""
        live = (sessions.c.digest == digest(secret)) & (sessions.c.expires_at > self._clock.micros())
        return _find(connection, accounts.c.id.in_(select(sessions.c.account_id).where(live)))

    def count(self, connection: Connection, account_id: str) -> int:
        """In how many browsers somebody is signed in."""
        live = (sessions.c.account_id == account_id) & (sessions.c.expires_at > self._clock.micros())
        return connection.scalar(select(func.count()).where(live)) or 0

    def end_others(self, connection: Connection, account_id: str, *, kept: str) -> int:
        """Sign out everywhere but in the session with this secret.

        Returns:
            How many sessions ended that were not over yet.
        """
        others = (sessions.c.account_id == account_id) & (sessions.c.digest != digest(kept))
        live = sessions.c.expires_at > self._clock.micros()
        ended = connection.scalar(select(func.count()).where(others, live)) or 0
        connection.execute(sessions.delete().where(others))
        return ended

    def end(self, connection: Connection, secret: str) -> None:
        """Sign out."""
        connection.execute(sessions.delete().where(sessions.c.digest == digest(secret)))


def checked_email(email: str) -> str:
    """An email address as it is stored.

    Raises:
        RegistrationError: It is none.
    """
    address = folded_email(email)
    if _EMAIL.fullmatch(address) is None:
        raise RegistrationError("That is not an email address.")
    return address


def folded_email(email: str) -> str:
    """An email address as it is stored and looked up."""
    return email.strip().casefold()


def _find(connection: Connection, condition: ColumnElement[bool]) -> Account | None:
    row = connection.execute(select(accounts).where(condition)).one_or_none()
    if row is None:
        return None
    return Account(
        id=row.id,
        email=row.email,
        password_hash=row.password_hash,
        memory_key=row.memory_key,
        key_version=row.key_version,
    )
