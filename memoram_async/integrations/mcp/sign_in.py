"""Signing users in to our pages at the issuer of their access tokens (OpenID Connect, RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx2
import jwt
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from memoram_async.core.errors import ConfigurationError
from memoram_async.core.secret import Secret, Unshareable
from memoram_async.integrations.mcp.access import token_user
from memoram_async.integrations.mcp.issuer import Issuer
from memoram_async.integrations.mcp.link_pages import LINK_SECONDS, LinkPages, Sealed, page

_COOKIE: Final = "memoram-sign-in"
_RANDOM_BYTES: Final = 32


class SignIn(Unshareable):
    """Signs the user of a browser in, so that a page knows whether it is the one that it was made for."""

    def __init__(
        self,
        issuer: Issuer,
        *,
        client_id: str,
        client_secret: Secret,
        callback_url: str,
        secrets: Sequence[Secret],
    ) -> None:
        """Signing in at an issuer.

        Args:
            issuer: The issuer of the users' access tokens.
            client_id: What our pages are registered as there.
            client_secret: The secret that belongs to it.
            callback_url: Where browsers come back to, as registered there.
            secrets: What cookies are sealed with.
        """
        self._issuer = issuer
        self._client_id, self._client_secret = client_id, client_secret
        self._callback_url = callback_url
        self._flows = Sealed(secrets, purpose="mcp sign-in")
        self.pages: LinkPages | None = None

    def routes(self) -> list[Route]:
        """The page that browsers come back to."""
        return [Route(urlsplit(self._callback_url).path, self.callback, methods=["GET"])]

    async def begin(self, return_to: str) -> Response:
        """Send a browser to the issuer; it comes back to a path of ours."""
        try:
            endpoint = await self._issuer.endpoint("authorization_endpoint")
        except (ConfigurationError, httpx2.HTTPError):
            return page(503, "Nobody can sign in now", "The issuer does not answer. Try again later.")
        state, nonce, verifier = (randomness.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._callback_url,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        response = RedirectResponse(
            f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}",
            status_code=303,
            headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        )
        response.set_cookie(
            _COOKIE,
            self._flows.write([state, nonce, verifier, return_to]),
            max_age=int(LINK_SECONDS),
            httponly=True,
            samesite="lax",
            secure=self._callback_url.startswith("https:"),
        )
        return response

    async def callback(self, request: Request) -> Response:
        """Take in a browser that comes back, and send it on as the user that the issuer says it is."""
        flow: Any = self._flows.read(request.cookies.get(_COOKIE))
        state, code = request.query_params.get("state", ""), request.query_params.get("code")
        if flow is None or not hmac.compare_digest(flow[0].encode(), state.encode()):
            return page(403, "This sign-in was not begun here", "Begin again at the address of your agent.")
        subject = None if code is None else await self._subject(code, nonce=flow[1], verifier=flow[2])
        if subject is None or self.pages is None:
            return page(403, "You are not signed in", "Begin again at the address that your agent gave you.")
        response = RedirectResponse(flow[3], status_code=303, headers={"Cache-Control": "no-store"})
        response.delete_cookie(_COOKIE)
        self.pages.know(response, token_user(issuer=self._issuer.url, subject=subject))
        return response

    async def _subject(self, code: str, *, nonce: str, verifier: str) -> str | None:
        """Who signed in; None if the issuer does not say so."""
        try:
            token = await self._id_token(code, verifier=verifier)
            claims = None if token is None else await self._issuer.claims(token, audience=self._client_id)
        except (ConfigurationError, httpx2.HTTPError, jwt.PyJWTError):
            return None
        if claims is None or not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            return None
        return str(claims["sub"])

    async def _id_token(self, code: str, *, verifier: str) -> str | None:
        """What the issuer gives for a code."""
        endpoint = await self._issuer.endpoint("token_endpoint")
        async with httpx2.AsyncClient(timeout=10.0) as client:
            answer = await client.post(
                endpoint,
                data={
                    "grant_type": "authorization_code",
                    "code": code,
                    "redirect_uri": self._callback_url,
                    "code_verifier": verifier,
                },
                auth=(self._client_id, self._client_secret.reveal()),
            )
        try:
            token = answer.json().get("id_token") if answer.status_code == 200 else None
        except (ValueError, AttributeError):
            return None
        return token if isinstance(token, str) else None
