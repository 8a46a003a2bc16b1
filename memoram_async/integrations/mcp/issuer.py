"""An authorization server that issues access tokens for us, and signs users in to our pages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpx2
import jwt
from mcp.server.auth.provider import AccessToken

from memoram_async.core.errors import ConfigurationError
from memoram_async.runtime.clock import steady

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by keys that only the issuer has: never `none`, and no secret that others share."""

LEEWAY_SECONDS: Final = 30
KEYS_SECONDS: Final = 3600.0
"""For how long the issuer's keys and addresses count as current."""
ASKING_PAUSE: Final = 30.0
"""Whatever keys tokens name, the issuer is asked for new ones no more often than this."""

_LOG: Final = logging.getLogger("memoram")


class Issuer:
    """An authorization server, by its metadata (RFC 8414, OpenID Connect Discovery) and keys (RFC 7517)."""

    def __init__(self, url: str, *, clock: Callable[[], float] = steady) -> None:
        """An issuer that nothing is asked of yet.

        Args:
            url: Its identifier, exactly as in the `iss` of its tokens.
            clock: Seconds, for how old its keys are.

        Raises:
            ConfigurationError: It is no HTTPS URL.
        """
        if not _is_safe(url):
            raise ConfigurationError("the issuer must be an https URL, or http on this machine")
        self.url = url
        self._clock = clock
        self._metadata: Mapping[str, Any] | None = None
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._asked_at = float("-inf")

    async def metadata(self) -> Mapping[str, Any]:
        """The server's metadata.

        Raises:
            ConfigurationError: There is none, or it is another server's.
            httpx2.HTTPError: The server does not answer.
        """
        if self._metadata is None:
            parts = urlsplit(self.url)
            path = parts.path.rstrip("/")
            origin = f"{parts.scheme}://{parts.netloc}"
            places = (
                f"{origin}{path}/.well-known/openid-configuration",
                f"{origin}/.well-known/oauth-authorization-server{path}",
            )
            for place in places:
                found = await _fetched(place)
                if found is not None and found.get("issuer") == self.url:
                    self._metadata = found
                    break
            else:
                raise ConfigurationError(f"the issuer has no metadata of its own at {' or '.join(places)}")
        return self._metadata

    async def endpoint(self, name: str) -> str:
        """One of the addresses that the metadata names.

        Raises:
            ConfigurationError: It names none, or one without TLS.
        """
        address = (await self.metadata()).get(name)
        if not isinstance(address, str) or not _is_safe(address):
            raise ConfigurationError(f"the metadata of the issuer names no usable {name}")
        return address

    async def claims(self, token: str, *, audience: str) -> Mapping[str, Any] | None:
        """The claims of a token that this issuer signed for an audience; None if it is no such token."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            return None
        key = await self._key(header.get("kid"))
        if key is None:
            return None
        try:
            return jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=audience,
                issuer=self.url,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError:
            return None

    async def _key(self, name: str | None) -> jwt.PyJWK | None:
        age = self._clock() - self._asked_at
        if age > KEYS_SECONDS or (name not in self._keys and age > ASKING_PAUSE):
            self._asked_at = self._clock()
            found = await _fetched(await self.endpoint("jwks_uri")) or {}
            self._keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(dict(found)).keys}
        return self._keys.get(name)


class IssuerTokens:
    """A `TokenVerifier` for the tokens of one issuer, meant for one audience."""

    def __init__(self, issuer: Issuer, *, audience: str) -> None:
        """A verifier.

        Args:
            issuer: Who signs them.
            audience: The `aud` that they must have.
        """
        self._issuer = issuer
        self._audience = audience

    async def verify_token(self, token: str) -> AccessToken | None:
        """The token, if it is one of the issuer's for this audience and its time is not over."""
        try:
            claims = await self._issuer.claims(token, audience=self._audience)
        except (ConfigurationError, httpx2.HTTPError, jwt.PyJWTError) as error:
            _LOG.warning("tokens cannot be checked: %s", type(error).__name__)
            return None
        if claims is None:
            return None
        scope = claims.get("scope", "")
        return AccessToken(
            token=token,
            client_id=str(claims.get("client_id") or claims.get("azp") or claims["sub"]),
            scopes=scope.split() if isinstance(scope, str) else [],
            expires_at=int(claims["exp"]),
            resource=self._audience,
            subject=str(claims["sub"]),
            claims={"iss": claims["iss"]},
        )


async def _fetched(url: str) -> dict[str, Any] | None:
    async with httpx2.AsyncClient(timeout=10.0) as client:
        answer = await client.get(url, headers={"Accept": "application/json"})
    if answer.status_code != 200:
        return None
    try:
        found = answer.json()
    except ValueError:
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    if any(each.isspace() for each in url):
        return False
    return (parts.scheme == "https" and bool(parts.hostname)) or (
        parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}
    )
