"""`client.oauth`: letting a user link an account, which yields the user's memory key."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import cast

from memoram_async.core.arguments import check_callback, check_optional_text, check_secret_text
from memoram_async.core.errors import InvalidArgumentError, OAuthFlowError
from memoram_async.core.oauth import (
    FLOW_PURPOSE,
    begin_flow,
    check_oauth_params,
    check_redirect_uri,
    read_flow,
)
from memoram_async.core.sealing import SealingSecret
from memoram_async.core.secret import Secret, Unshareable, conceal, hidden
from memoram_async.core.unset import UNSET
from memoram_async.models.tokens import OAuthTokens
from memoram_async.resources.oauth_flow import AsyncOAuthFlow
from memoram_async.tokens.user_tokens import UserTokens


def _scope(value: object) -> str | None:
    """A scope, plain or wrapped."""
    if value is UNSET:
        raise InvalidArgumentError("scope must be a string or None: leave it out if there is none")
    wrapped = check_optional_text(value, name="scope")
    return None if wrapped is None else wrapped.reveal()


class AsyncOAuth(Unshareable):
    """The authorization code flow (RFC 6749 4.1), always with PKCE S256 (RFC 7636).

    The client id and secret are those of the client, unless a method is given others.

        flow = memoram.oauth.begin(redirect_uri="https://app.example/callback")
        # send the user's browser to flow.url; then, with the URL that it came back to:
        tokens = await flow.complete(callback)
        store = await memoram.connect(tokens.memory_key, reason="Remembers your travel preferences")
    """

    def __init__(self, tokens: UserTokens) -> None:
        self._tokens = tokens

    def begin(
        self,
        *,
        redirect_uri: str,
        scope: str | None = None,
        client_id: str | None = None,
        client_secret: str | Secret | None = None,
        params: Mapping[str, str] | None = None,
    ) -> AsyncOAuthFlow:
        """Begin a flow: where to send the user's browser, and what completes it when the user is back.

        Nothing is sent.

        Args:
            redirect_uri: Where the user comes back to, exactly as registered.
            scope: Scopes joined by spaces, if the service asks for any.
            client_id: The application's client id; by default the client's.
            client_secret: The application's client secret; by default the client's.
            params: Further parameters of the authorization request, such as `{"prompt": "login"}`.

        Raises:
            ConfigurationError: There is no client id.
            InvalidArgumentError: An argument cannot be sent.
        """
        client_secret, further = hidden(client_secret), hidden(params)
        del params  # a traceback may show what local variables hold
        tokens = self._tokens
        flow = begin_flow(
            tokens.config.authorization_endpoint,
            client_id=tokens.client_id(client_id),
            redirect_uri=check_redirect_uri(redirect_uri),
            scope=_scope(scope),
            params=check_oauth_params(further),
            wall=tokens.runtime.wall(),
            random=secrets.token_urlsafe,
        )
        flow.check()
        if client_secret is not None:
            client_secret = tokens.client_secret(client_secret)
        return AsyncOAuthFlow(flow, tokens=tokens, client_secret=client_secret)

    def restore(
        self,
        sealed: str,
        *,
        secret: SealingSecret | None = None,
        client_secret: str | Secret | None = None,
    ) -> AsyncOAuthFlow:
        """The flow that `seal` made a string of, in this process or another.

        Args:
            sealed: The string.
            secret: What it was sealed with; of several, any. By default the client's.
            client_secret: The application's client secret; by default the client's.

        Raises:
            ConfigurationError: There is no secret, or it cannot be used.
            InvalidArgumentError: `sealed` is not a string.
            OAuthFlowError: It was sealed with another secret or for another authorization server, or was
                changed on the way.
        """
        client_secret = hidden(client_secret)
        tokens = self._tokens
        sealing = hidden(secret)
        del secret  # a traceback may show what local variables hold
        seal = tokens.seal(sealing, purpose=FLOW_PURPOSE)
        if client_secret is not None:
            client_secret = tokens.client_secret(client_secret)
        given = cast("object", sealed)
        if not isinstance(given, str):
            raise InvalidArgumentError(f"a sealed flow must be a string, not {type(given).__name__}")
        endpoint = tokens.config.authorization_endpoint
        data = hidden(seal.open(sealed, context=endpoint.encode()))
        if data is None:
            raise OAuthFlowError(
                "this is no flow that was sealed with this secret for this authorization server, or it was "
                "changed on the way: begin a new flow"
            )
        flow = read_flow(data, endpoint=endpoint)
        return AsyncOAuthFlow(flow, tokens=tokens, client_secret=client_secret)

    async def refresh(
        self,
        tokens: OAuthTokens | str | Secret,
        *,
        on_tokens: Callable[[OAuthTokens], object] | None = None,
        client_id: str | None = None,
        client_secret: str | Secret | None = None,
        params: Mapping[str, str] | None = None,
    ) -> OAuthTokens:
        """Exchange a refresh token for new tokens (RFC 6749 6).

        The service may answer with a new refresh token, and the old one is spent then: `on_tokens` is where
        to save it. Of many calls for one refresh token at the same time, one asks the service and calls its
        `on_tokens`; the others get the same tokens, once they are saved. If saving fails, the error is
        raised and the next call with the old refresh token saves what came, without asking again.

        Args:
            tokens: The user's newest tokens, or the refresh token itself.
            on_tokens: Called with the new tokens before anybody gets them. It may block, and is a plain
                function.
            client_id: The application's client id; by default the client's.
            client_secret: The application's client secret; by default the client's.
            params: Further parameters of the token request.

        Raises:
            ConfigurationError: There is no client id or secret, or nothing answers at the token endpoint.
            InvalidArgumentError: An argument cannot be sent.
            OAuthError: The authorization server refused; `code` tells why, such as `invalid_grant`.
            OutcomeUnknownError: The answer was lost; the refresh token may be spent.
        """
        client_secret, further = hidden(client_secret), hidden(params)
        refresh_token = tokens.refresh_token if isinstance(tokens, OAuthTokens) else conceal(tokens)
        del tokens, params  # a traceback may show what local variables hold
        if refresh_token is None:
            raise InvalidArgumentError("these tokens have no refresh token: begin a new flow")
        held = self._tokens
        return await held.refresh(
            check_secret_text(refresh_token, name="refresh_token"),
            client_id=held.client_id(client_id),
            client_secret=held.client_secret(client_secret),
            params=check_oauth_params(further),
            on_tokens=check_callback(on_tokens, name="on_tokens"),
        )
