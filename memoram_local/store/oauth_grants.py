"""Codes and tokens of the authorization server."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import select

from memoram_local.behaviour import behaviour
from memoram_local.hashing import digest, same
from memoram_local.store.schema import accounts, oauth_codes, oauth_tokens

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import Connection, Row

    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness

CODE_SECONDS = 60
ACCESS_TOKEN_SECONDS = 3600
REFRESH_TOKEN_SECONDS = 60 * 24 * 3600
ROTATION_GRACE_SECONDS = 10

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """What the token endpoint hands out.

    Attributes:
        access_token: Opaque.
        refresh_token: Opaque; replaces the one it was got with.
        expires_in: Seconds that the access token is good for.
        scope: As the application asked; None when it did not.
        memory_key: The user's.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    scope: str | None
    memory_key: str


class OAuthGrants:
    """Units of work on codes and tokens.

    Refusals are returned, not raised: some of them revoke tokens, and raising would undo that.
    """

    def __init__(self, *, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness

    @behaviour("authorize.code", "inferred", "A code works once, within 60 seconds (RFC 6749 4.1.2).")
    def issue_code(
        self,
        connection: Connection,
        *,
        app_id: str,
        account_id: str,
        redirect_uri: str,
        scope: str | None,
        code_challenge: str | None,
    ) -> str:
        """The code for a consent that a user has just given."""
        code = self._randomness.secret()
        connection.execute(
            oauth_codes.insert(),
            {
                "digest": digest(code),
                "family": self._randomness.hexadecimal(16),
                "app_id": app_id,
                "account_id": account_id,
                "redirect_uri": redirect_uri,
                "scope": scope,
                "code_challenge": code_challenge,
                "expires_at": self._clock.micros() + CODE_SECONDS * _SECOND,
            },
        )
        return code

    @behaviour("exchange-code.replay", "inferred", "A code used again revokes its tokens (RFC 6749 4.1.2).")
    @behaviour("exchange-code.pkce", "inferred", "A challenge must be met, a verifier needs a challenge.")
    def exchange_code(
        self,
        connection: Connection,
        *,
        app_id: str,
        code: str,
        redirect_uri: str,
        code_verifier: str | None,
    ) -> IssuedTokens | str:
        """Tokens for a code, or why not."""
        row = connection.execute(
            select(oauth_codes).where(oauth_codes.c.digest == digest(code))
        ).one_or_none()
        if row is None or row.app_id != app_id:
            return "The code is not valid."
        now = self._clock.micros()
        if row.used_at is not None:
            self._revoke(connection, row.family)
            return "The code was used before; all tokens issued for it are revoked."
        if row.expires_at <= now:
            return "The code has expired."
        if row.redirect_uri != redirect_uri:
            return "redirect_uri is not the one that the code was issued for."
        if not _verified(row.code_challenge, code_verifier):
            return "code_verifier does not answer the code_challenge."
        connection.execute(oauth_codes.update().where(oauth_codes.c.digest == row.digest).values(used_at=now))
        return self._issue(connection, row)

    @behaviour("refresh.rotation", "inferred", "Every refresh replaces the refresh token (RFC 9700 4.14).")
    @behaviour(
        "refresh.grace",
        "invented",
        "A replaced refresh token works for 10 s more, so a lost answer costs nobody the sign-in; later its "
        "use revokes all tokens of the consent.",
    )
    def refresh(self, connection: Connection, *, app_id: str, refresh_token: str) -> IssuedTokens | str:
        """Fresh tokens for a refresh token, or why not."""
        row = connection.execute(
            select(oauth_tokens).where(
                oauth_tokens.c.digest == digest(refresh_token), oauth_tokens.c.kind == "refresh"
            )
        ).one_or_none()
        if row is None or row.app_id != app_id:
            return "The refresh token is not valid."
        now = self._clock.micros()
        if row.revoked_at is not None:
            return "The refresh token is revoked."
        if row.expires_at <= now:
            return "The refresh token has expired."
        if row.rotated_at is None:
            connection.execute(
                oauth_tokens.update().where(oauth_tokens.c.digest == row.digest).values(rotated_at=now)
            )
        elif now > row.rotated_at + ROTATION_GRACE_SECONDS * _SECOND:
            self._revoke(connection, row.family)
            return "The refresh token was replaced before; all tokens of this consent are revoked."
        return self._issue(connection, row)

    def _issue(self, connection: Connection, grant: Row[Any]) -> IssuedTokens:
        issued = IssuedTokens(
            access_token=f"mat_{self._randomness.secret()}",
            refresh_token=f"mrt_{self._randomness.secret()}",
            expires_in=ACCESS_TOKEN_SECONDS,
            scope=grant.scope,
            memory_key=connection.execute(
                select(accounts.c.memory_key).where(accounts.c.id == grant.account_id)
            ).scalar_one(),
        )
        now = self._clock.micros()
        shared = {
            "family": grant.family,
            "app_id": grant.app_id,
            "account_id": grant.account_id,
            "scope": grant.scope,
            "created_at": now,
        }
        connection.execute(
            oauth_tokens.insert(),
            [
                {
                    **shared,
                    "digest": digest(issued.access_token),
                    "kind": "access",
                    "expires_at": now + ACCESS_TOKEN_SECONDS * _SECOND,
                },
                {
                    **shared,
                    "digest": digest(issued.refresh_token),
                    "kind": "refresh",
                    "expires_at": now + REFRESH_TOKEN_SECONDS * _SECOND,
                },
            ],
        )
        return issued

    def _revoke(self, connection: Connection, family: str) -> None:
        connection.execute(
            oauth_tokens.update()
            .where(oauth_tokens.c.family == family, oauth_tokens.c.revoked_at.is_(None))
            .values(revoked_at=self._clock.micros())
        )


def challenge_of(code_verifier: str) -> str:
    """The S256 challenge that a verifier answers (RFC 7636 section 4.2)."""
    hashed = sha256(code_verifier.encode("utf-8", "surrogatepass")).digest()
    return urlsafe_b64encode(hashed).rstrip(b"=").decode("ascii")


def _verified(code_challenge: str | None, code_verifier: str | None) -> bool:
    if code_challenge is None or code_verifier is None:
        # A verifier without a challenge means that someone took the challenge out (RFC 9700 section 2.1.1).
        return code_challenge is code_verifier
    return same(challenge_of(code_verifier), code_challenge)
