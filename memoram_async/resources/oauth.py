"""`client.oauth`: letting a user link an account, which yields the user's memory key."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from memoram_async.core.arguments import check_optional_text, check_secret_text
from memoram_async.core.oauth import Authorization, authorize, check_redirect_uri
from memoram_async.core.retry import Safety
from memoram_async.core.secret import Secret, conceal
from memoram_async.models.converter import structure
from memoram_async.models.tokens import OAuthTokens

if TYPE_CHECKING:
    from memoram_async.transport.requester import Requester


class AsyncOAuth:
    """The authorization code flow (RFC 6749 4.1), always with PKCE S256 (RFC 7636)."""

    __slots__ = ("_requester",)

    def __init__(self, requester: Requester) -> None:
        self._requester = requester

    def authorization_url(
        self,
        *,
        client_id: str,
        redirect_uri: str,
        scope: str | None = None,
        state: str | Secret | None = None,
    ) -> Authorization:
        """Begin a flow: where to send the user's browser, and what to keep until the user is back.

        Nothing is sent. Keep the answer in the user's own session: its `code_from` checks that the
        callback belongs to it.

        Args:
            client_id: The application's client id.
            redirect_uri: Where the user comes back to, exactly as registered.
            scope: Scopes joined by spaces, if the service asks for any.
            state: A state of your own, unguessable and used once; by default a random one.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
        """
        state = None if state is None else conceal(state)
        return authorize(
            self._requester.base_url,
            client_id=check_secret_text(client_id, name="client_id").reveal(),
            redirect_uri=check_redirect_uri(redirect_uri),
            scope=check_optional_text(scope, name="scope"),
            state=None if state is None else check_secret_text(state, name="state"),
            random=secrets.token_urlsafe,
        )

    async def exchange_code(
        self,
        code: str | Secret,
        *,
        client_id: str,
        client_secret: str | Secret,
        redirect_uri: str,
        code_verifier: str | Secret | None = None,
    ) -> OAuthTokens:
        """Exchange the code that the user came back with (contract `exchangeCode`).

        A code is good for one exchange, so this is never sent twice.

        Args:
            code: From `Authorization.code_from`.
            client_id: The application's client id.
            client_secret: The application's client secret.
            redirect_uri: The one that the flow began with.
            code_verifier: From the `Authorization` that the flow began with.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            OAuthError: The authorization server refused; `code` tells why, such as `invalid_grant`.
            OutcomeUnknownError: The answer was lost; the code may be spent.
        """
        code, client_secret = conceal(code), conceal(client_secret)
        code_verifier = None if code_verifier is None else conceal(code_verifier)
        form: dict[str, str | Secret] = {
            "grant_type": "authorization_code",
            "code": check_secret_text(code, name="code"),
            "redirect_uri": check_redirect_uri(redirect_uri),
        }
        if code_verifier is not None:
            form["code_verifier"] = check_secret_text(code_verifier, name="code_verifier")
        return await self._token(form, client_id, client_secret, operation="exchangeCode")

    async def refresh(
        self, refresh_token: str | Secret, *, client_id: str, client_secret: str | Secret
    ) -> OAuthTokens:
        """Exchange a refresh token for new tokens (RFC 6749 6).

        The service may answer with a new refresh token: save it before using it, the old one is spent.

        Args:
            refresh_token: The newest one of this user.
            client_id: The application's client id.
            client_secret: The application's client secret.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            OAuthError: The authorization server refused; `code` tells why, such as `invalid_grant`.
            OutcomeUnknownError: The answer was lost; the refresh token may be spent.
        """
        refresh_token, client_secret = conceal(refresh_token), conceal(client_secret)
        form: dict[str, str | Secret] = {
            "grant_type": "refresh_token",
            "refresh_token": check_secret_text(refresh_token, name="refresh_token"),
        }
        return await self._token(form, client_id, client_secret, operation="refreshTokens")

    async def _token(
        self, form: dict[str, str | Secret], client_id: str, client_secret: Secret, *, operation: str
    ) -> OAuthTokens:
        form["client_id"] = check_secret_text(client_id, name="client_id")
        form["client_secret"] = check_secret_text(client_secret, name="client_secret")
        response = await self._requester.send(
            operation, "POST", "/oauth/token", form=form, safety=Safety.NEVER, oauth=True
        )
        return structure(response, response.json(), OAuthTokens, operation=operation)
