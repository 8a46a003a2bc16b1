"""People: those whose memories are kept, and those who register applications. One account can be both."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from memoram_local.behaviour import behaviour
from memoram_local.errors import NotFoundError, RegistrationError
from memoram_local.hashing import digest
from memoram_local.store.schema import accounts, retired_keys, sessions

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness

SESSION_SECONDS = 30 * 24 * 3600

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")


@dataclass(frozen=True, slots=True)
class Account:
    """One account.

    Attributes:
        id: A UUID.
        email: Folded to lower case.
        password_hash: What `hashing.hash_password` gave.
        memory_key: What applications ask for access with.
        encryption_key: 64 hexadecimal digits; leaves the platform with the credentials alone.
        key_version: Counts the encryption keys of this account, from 1.
    """

    id: str
    email: str
    password_hash: str = field(repr=False)
    memory_key: str
    encryption_key: str = field(repr=False)
    key_version: int


class Accounts:
    """Units of work on accounts."""

    def __init__(self, *, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness

    @behaviour("accounts.keys", "invented", "A memory key is `mk_` and 48 hexadecimal digits.")
    @behaviour("accounts.key-version", "invented", "The first encryption key of a user has version 1.")
    def create(self, connection: Connection, *, email: str, password_hash: str) -> Account:
        """Open an account with fresh keys.

        Raises:
            RegistrationError: The address is not one, or has an account.
        """
        address = folded_email(email)
        if _EMAIL.fullmatch(address) is None:
            raise RegistrationError("That is not an email address.")
        if self.by_email(connection, address) is not None:
            raise RegistrationError("This email address has an account already.")
        account = Account(
            id=self._randomness.uuid(),
            email=address,
            password_hash=password_hash,
            memory_key=f"mk_{self._randomness.hexadecimal(24)}",
            encryption_key=self._randomness.hexadecimal(32),
            key_version=1,
        )
        connection.execute(
            accounts.insert(),
            {
                "id": account.id,
                "email": account.email,
                "password_hash": account.password_hash,
                "memory_key": account.memory_key,
                "encryption_key": account.encryption_key,
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
        account = self.by_id(connection, account_id)
        if account is None:
            raise NotFoundError(f"There is no user {account_id!r}.")
        connection.execute(
            retired_keys.insert(),
            {
                "account_id": account_id,
                "key_version": account.key_version,
                "encryption_key": account.encryption_key,
                "retired_at": self._clock.stamp(),
            },
        )
        version = account.key_version + 1
        fresh = {"encryption_key": self._randomness.hexadecimal(32), "key_version": version}
        connection.execute(accounts.update().where(accounts.c.id == account_id).values(fresh))
        return version

    def encryption_key(self, connection: Connection, account: Account, version: int) -> str | None:
        """A user's encryption key of one version; None when there never was one."""
        if version == account.key_version:
            return account.encryption_key
        if version > account.key_version:
            return None
        key: str | None = connection.scalar(
            select(retired_keys.c.encryption_key).where(
                retired_keys.c.account_id == account.id, retired_keys.c.key_version == version
            )
        )
        return key


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

    def end(self, connection: Connection, secret: str) -> None:
        """Sign out."""
        connection.execute(sessions.delete().where(sessions.c.digest == digest(secret)))


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
        encryption_key=row.encryption_key,
        key_version=row.key_version,
    )
