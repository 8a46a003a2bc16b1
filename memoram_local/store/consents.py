"""What users consented to by OAuth: each consent is a family of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, or_, select

from memoram_local.behaviour import behaviour
from memoram_local.store.schema import apps, oauth_codes, oauth_tokens

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from memoram_local.clock import Clock


@dataclass(frozen=True, slots=True)
class Consent:
    """A user signed in to an application.

    Attributes:
        app_id: To which one.
        app_name: As users are shown.
        given_at: When the application got its first tokens, in microseconds since 1970.
        stands: Whether the application still has a refresh token that works.
    """

    app_id: str
    app_name: str
    given_at: int
    stands: bool


class Consents:
    """Units of work on consents."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    def of_account(self, connection: Connection, account_id: str) -> list[Consent]:
        """All consents of a user whose tokens are still known, the newest first."""
        tokens = oauth_tokens.c
        works = and_(
            tokens.kind == "refresh",
            tokens.revoked_at.is_(None),
            tokens.rotated_at.is_(None),
            tokens.expires_at > self._clock.micros(),
        )
        given_at = func.min(tokens.created_at)
        rows = connection.execute(
            select(apps.c.id, apps.c.name, given_at, func.count().filter(works))
            .join(apps, apps.c.id == tokens.app_id)
            .where(tokens.account_id == account_id)
            .group_by(tokens.family)
            .order_by(given_at.desc())
        )
        return [Consent(app_id, name, at, working > 0) for app_id, name, at, working in rows]

    @behaviour(
        "oauth.undo",
        "invented",
        "A user can undo the consent to an application: its tokens, refresh tokens and unused codes end at "
        "once.",
    )
    def end(self, connection: Connection, *, app_id: str, account_id: str) -> int:
        """Undo all consents of a user to an application, with everything that was issued for them.

        Returns:
            How many stood until now, codes that were still to be exchanged included.
        """
        now = self._clock.micros()
        tokens, codes = oauth_tokens.c, oauth_codes.c
        its_tokens = and_(tokens.account_id == account_id, tokens.app_id == app_id)
        its_codes = and_(codes.account_id == account_id, codes.app_id == app_id)
        standing = connection.scalars(
            select(tokens.family).where(its_tokens, tokens.revoked_at.is_(None), tokens.expires_at > now)
        )
        waiting = connection.scalars(
            select(codes.family).where(its_codes, codes.used_at.is_(None), codes.expires_at > now)
        )
        ended = len({*standing, *waiting})
        connection.execute(
            oauth_tokens.update().where(its_tokens, tokens.revoked_at.is_(None)).values(revoked_at=now)
        )
        # Used ones stay: a replay is still told apart from a code that never was.
        connection.execute(
            oauth_codes.delete().where(its_codes, or_(codes.used_at.is_(None), codes.expires_at <= now))
        )
        return ended
