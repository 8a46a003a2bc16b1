"""The keys of Memory API, of which only digests are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import select

from memoram_local.behaviour import behaviour
from memoram_local.errors import NotFoundError
from memoram_local.hashing import digest
from memoram_local.store.memory_api.tables import keys, organizations

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from sqlalchemy import ColumnElement, Connection, Row

    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness

Scope = Literal["read", "write", "delete", "admin"]
Environment = Literal["live", "test"]

SCOPES: Final[tuple[Scope, ...]] = ("read", "write", "delete", "admin")
ENVIRONMENTS: Final[tuple[Environment, ...]] = ("live", "test")

_PREFIX_LENGTH: Final = 14
_DAY: Final = 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Key:
    """One key, without the key itself.

    Attributes:
        id: `key_` and 24 hexadecimal digits.
        org_id: Whose it is.
        prefix: Its first 14 characters.
        name: What people call it.
        environment: `live` or `test`: each has memories of its own.
        scopes: What it is good for, in the contract's order.
        is_active: False once it was revoked or disabled.
        created_at: Microseconds since 1970.
        expires_at: Until when it is good; None for ever.
        last_used_at: When it last let somebody in; None when it never did.
    """

    id: str
    org_id: str
    prefix: str
    name: str
    environment: Environment
    scopes: tuple[Scope, ...]
    is_active: bool
    created_at: int
    expires_at: int | None
    last_used_at: int | None

    @property
    def space(self) -> tuple[str, str]:
        """Which memories are its own: those of its organization in its environment."""
        return self.org_id, self.environment


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key that was just made, and is shown this once."""

    key: Key
    secret: str = field(repr=False)


class Keys:
    """Units of work on keys."""

    def __init__(self, *, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness

    @behaviour(
        "keys.form",
        "inferred",
        "A key is `mem_live_` or `mem_test_` and 40 hexadecimal digits; 14 are shown.",
    )
    @behaviour("keys.at-rest", "invented", "Of a key only its SHA-256 digest and its prefix are kept.")
    def issue(
        self,
        connection: Connection,
        *,
        org_id: str,
        name: str,
        environment: Environment,
        scopes: Iterable[Scope],
        expires_in_days: int | None = None,
    ) -> IssuedKey:
        """Give an organization one more key, in a unit of work that writes."""
        secret = f"mem_{environment}_{self._randomness.hexadecimal(20)}"
        now = self._clock.stamp()
        wanted = set(scopes)
        key = Key(
            id=self._randomness.prefixed("key_"),
            org_id=org_id,
            prefix=secret[:_PREFIX_LENGTH],
            name=name,
            environment=environment,
            scopes=tuple(scope for scope in SCOPES if scope in wanted),
            is_active=True,
            created_at=now,
            expires_at=None if expires_in_days is None else self._clock.micros() + expires_in_days * _DAY,
            last_used_at=None,
        )
        connection.execute(
            keys.insert(),
            {
                "id": key.id,
                "org_id": org_id,
                "digest": digest(secret),
                "prefix": key.prefix,
                "name": name,
                "environment": environment,
                "scopes": " ".join(key.scopes),
                "is_active": True,
                "created_at": now,
                "expires_at": key.expires_at,
            },
        )
        return IssuedKey(key, secret)

    def known(self, connection: Connection, secret: str) -> tuple[Key, bool] | None:
        """The key that this secret is, and whether its organization is active; None for any other secret."""
        row = connection.execute(
            select(keys, organizations.c.is_active.label("org_is_active"))
            .join(organizations, organizations.c.id == keys.c.org_id)
            .where(keys.c.digest == digest(secret))
        ).first()
        return None if row is None else (_key(row), row.org_is_active)

    @behaviour("list-keys.order", "invented", "The oldest key comes first; revoked ones stay, as not active.")
    def of_organization(self, connection: Connection, org_id: str) -> list[Key]:
        """An organization's keys, oldest first."""
        rows = connection.execute(select(keys).where(keys.c.org_id == org_id).order_by(keys.c.created_at))
        return [_key(row) for row in rows]

    @behaviour(
        "revoke-key.again",
        "invented",
        "A key may revoke itself, and one that is revoked may be revoked again.",
    )
    def revoke(self, connection: Connection, *, org_id: str, key_id: str) -> bool:
        """Let a key be good for nothing; false when the organization has no such key."""
        return self._set(connection, (keys.c.id == key_id) & (keys.c.org_id == org_id), active=False)

    def set_active(self, connection: Connection, key_id: str, *, active: bool) -> None:
        """Disable a key, or enable it again.

        Raises:
            NotFoundError: There is no such key.
        """
        if not self._set(connection, keys.c.id == key_id, active=active):
            raise NotFoundError("There is no such key.")

    def used(self, connection: Connection, key_id: str, *, at: int) -> None:
        """Remember when a key last let somebody in."""
        connection.execute(keys.update().where(keys.c.id == key_id).values(last_used_at=at))

    def _set(self, connection: Connection, which: ColumnElement[bool], *, active: bool) -> bool:
        return connection.execute(keys.update().where(which).values(is_active=active)).rowcount > 0


def _key(row: Row[Any]) -> Key:
    return Key(
        id=row.id,
        org_id=row.org_id,
        prefix=row.prefix,
        name=row.name,
        environment=row.environment,
        scopes=tuple(scope for scope in SCOPES if scope in row.scopes.split()),
        is_active=row.is_active,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
