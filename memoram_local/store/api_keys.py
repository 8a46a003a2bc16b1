"""The keys with which applications prove themselves: several for each, so that one can replace another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from memoram_local.behaviour import behaviour
from memoram_local.errors import NotFoundError
from memoram_local.hashing import digest
from memoram_local.store.prepared import Prepared
from memoram_local.store.schema import api_keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sqlalchemy import Connection, Row

    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness
    from memoram_local.store.changes import Changes

_PREFIX_LENGTH = 10

# Built once: the second runs with nearly every request, and building costs more than running.
_PROVEN = Prepared(
    select(api_keys.c.app_id, api_keys.c.id).where(
        api_keys.c.digest == bindparam("digest"), api_keys.c.revoked_at.is_(None)
    )
)
_WORKS = Prepared(
    select(api_keys.c.id).where(
        api_keys.c.id == bindparam("key"),
        api_keys.c.app_id == bindparam("app"),
        api_keys.c.revoked_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One API key, without the key itself: only its digest is kept.

    Attributes:
        id: `key_` and 24 hexadecimal digits.
        prefix: Its first ten characters.
        created_at: Microseconds since 1970.
        last_used_at: When it was last exchanged for a token; None when it never was.
        revoked_at: Since when it is good for nothing; None while it works.
    """

    id: str
    prefix: str
    created_at: int
    last_used_at: int | None
    revoked_at: int | None


class ApiKeys:
    """Units of work on API keys."""

    def __init__(self, *, clock: Clock, randomness: Randomness, changes: Changes) -> None:
        self._clock = clock
        self._randomness = randomness
        self._changes = changes

    @behaviour("apps.api-key", "documented", "An API key is `mem_` and 48 hexadecimal digits.")
    @behaviour(
        "api-keys.several", "invented", "An application has any number of API keys, which all work alike."
    )
    def issue(self, connection: Connection, *, app_id: str) -> str:
        """Give an application one more key.

        Returns:
            The key, which cannot be got again.
        """
        api_key = f"mem_{self._randomness.hexadecimal(24)}"
        connection.execute(
            api_keys.insert(),
            {
                "id": self._randomness.prefixed("key_"),
                "app_id": app_id,
                "digest": digest(api_key),
                "prefix": api_key[:_PREFIX_LENGTH],
                "created_at": self._clock.stamp(),
            },
        )
        return api_key

    def of_app(self, connection: Connection, app_id: str) -> list[ApiKey]:
        """An application's keys: those that work first, then the newest first."""
        rows = connection.execute(
            select(api_keys)
            .where(api_keys.c.app_id == app_id)
            .order_by(api_keys.c.revoked_at.is_not(None), api_keys.c.created_at.desc())
        )
        return [_api_key(row) for row in rows]

    @behaviour(
        "api-keys.revoked",
        "invented",
        "A revoked key gets no more tokens, and those that it got before are met with 401 at once.",
    )
    def revoke(self, connection: Connection, *, app_id: str, key_id: str) -> None:
        """Let a key, and the tokens made from it, be good for nothing. Revoking it again changes nothing.

        Raises:
            NotFoundError: The application has no such key.
        """
        its_own = (api_keys.c.id == key_id) & (api_keys.c.app_id == app_id)
        if connection.scalar(select(api_keys.c.id).where(its_own)) is None:
            raise NotFoundError("The application has no such key.")
        connection.execute(
            api_keys.update()
            .where(its_own, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=self._clock.micros())
        )
        # Whoever waits with a token of this key has waited in vain.
        self._changes.tell_when_committed(connection, app_id)

    def proven_by(self, connection: Connection, api_key: str) -> tuple[str, str] | None:
        """The ids of the application and of the key, as long as the key is not revoked."""
        rows = _PROVEN.rows(connection, digest=digest(api_key))
        return rows[0] if rows else None

    def works(self, connection: Connection, *, app_id: str, key_id: str) -> bool:
        """Whether an application has this key, and it is not revoked."""
        return bool(_WORKS.rows(connection, key=key_id, app=app_id))

    def used(self, connection: Connection, uses: Mapping[str, int]) -> None:
        """Remember when keys, named by their digests, were last used."""
        for key_digest, at in uses.items():
            connection.execute(
                api_keys.update().where(api_keys.c.digest == key_digest).values(last_used_at=at)
            )


def _api_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        prefix=row.prefix,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
