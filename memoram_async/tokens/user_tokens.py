"""Exchanging codes and refresh tokens for a user's tokens, at the authorization server."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from memoram_async.core.arguments import check_secret_text
from memoram_async.core.config import Config
from memoram_async.core.errors import (
    APIConnectionError,
    APIStatusError,
    ClientClosedError,
    ConfigurationError,
    MemoramError,
    OutcomeUnknownError,
)
from memoram_async.core.oauth import Flow
from memoram_async.core.retry import Safety
from memoram_async.core.sealing import no_secret, sealing_secrets
from memoram_async.core.secret import Secret
from memoram_async.crypto.secret_seal import SecretSeal
from memoram_async.models.converter import Reading
from memoram_async.models.tokens import OAuthTokens
from memoram_async.runtime.protocol import Runtime
from memoram_async.tokens.provider import wrong_address
from memoram_async.transport.requester import Requester
from memoram_async.transport.shared_calls import SharedCalls

_REFRESH_SECONDS: Final = 30.0
_MOST_UNSAVED: Final = 1000


class Refreshes:
    """The refreshes of a client family: those under way, and tokens that could not be saved."""

    def __init__(self, runtime: Runtime) -> None:
        self.calls: SharedCalls[OAuthTokens] = SharedCalls(runtime)
        self.unsaved: dict[bytes, OAuthTokens] = {}

    def keep(self, key: bytes, tokens: OAuthTokens) -> None:
        """Keep tokens until they were saved: the refresh token that they came for is spent."""
        while len(self.unsaved) >= _MOST_UNSAVED:
            self.unsaved.pop(next(iter(self.unsaved)), None)
        self.unsaved[key] = tokens


class UserTokens:
    """The token endpoint, as one client uses it."""

    def __init__(self, requester: Requester, config: Config, refreshes: Refreshes) -> None:
        """The token endpoint of an authorization server.

        Args:
            requester: Sends to the origin of `config.token_endpoint`, without credentials.
            config: The client family's settings.
            refreshes: The client family's.
        """
        self.config = config
        self.runtime = requester.runtime
        self._requester = requester
        self._refreshes = refreshes
        # Braces would be read as the names of ids.
        self._path = urlsplit(config.token_endpoint).path.replace("{", "{{").replace("}", "}}")

    def client_id(self, given: str | None) -> str:
        """The client id that holds.

        Raises:
            ConfigurationError: There is none.
            InvalidArgumentError: It cannot be sent.
        """
        if given is not None:
            return check_secret_text(given, name="client_id").reveal()
        if self.config.client_id is None:
            raise _missing("client_id", "MEMORAM_CLIENT_ID")
        return self.config.client_id

    def client_secret(self, given: Secret | None) -> Secret:
        """The client secret that holds.

        Raises:
            ConfigurationError: There is none.
            InvalidArgumentError: It cannot be sent.
        """
        if given is not None:
            return check_secret_text(given, name="client_secret")
        if self.config.client_secret is None:
            raise _missing("client_secret", "MEMORAM_CLIENT_SECRET")
        return self.config.client_secret

    def seal(self, secret: Secret | None, *, purpose: str) -> SecretSeal:
        """What to seal with and open.

        Raises:
            ConfigurationError: There is no secret, or it cannot be used.
        """
        secrets = sealing_secrets(secret, name="secret", api_key=self.config.api_key) or self.config.secrets
        if not secrets:
            raise no_secret("sealing")
        return SecretSeal(secrets, purpose=purpose)

    async def exchange(
        self, flow: Flow, code: Secret, *, client_secret: Secret, params: Mapping[str, str]
    ) -> OAuthTokens:
        """Exchange a flow's code (contract `exchangeCode`)."""
        form: dict[str, str | Secret] = {
            **params,
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": flow.redirect_uri,
            "code_verifier": flow.code_verifier,
            "client_id": flow.client_id,
            "client_secret": client_secret,
        }
        return await self._send(form, operation="exchangeCode")

    async def refresh(
        self,
        refresh_token: Secret,
        *,
        client_id: str,
        client_secret: Secret,
        params: Mapping[str, str],
        on_tokens: Callable[[OAuthTokens], object] | None,
    ) -> OAuthTokens:
        """Exchange a refresh token (RFC 6749 6), once for all who ask at the same time."""
        runtime = self.runtime
        key = hashlib.sha256(refresh_token.reveal().encode()).digest()
        deadline = self._requester.transport.deadline()
        form: dict[str, str | Secret] = {
            **params,
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": client_id,
            "client_secret": client_secret,
        }
        outcome: list[OAuthTokens] = []

        async def rotate() -> None:
            """Not to be broken off half way: the old token may be spent by then, and the new one unsaved."""
            tokens = self._refreshes.unsaved.get(key)
            if tokens is None:
                tokens = await self._send(form, operation="refreshTokens")
            if (save := on_tokens) is not None:
                self._refreshes.keep(key, tokens)
                await runtime.run_blocking(lambda: save(tokens))
                self._refreshes.unsaved.pop(key, None)
            outcome.append(tokens)

        async def lead() -> OAuthTokens:
            await runtime.shielded(rotate(), seconds=deadline.cap(_REFRESH_SECONDS, now=runtime.now()))
            if not outcome:
                raise OutcomeUnknownError(
                    "refreshTokens: no answer came in time, so the refresh token may be spent: if it is "
                    "refused, send the user through authorization again",
                    sent=True,
                )
            return outcome[0]

        return await self._refreshes.calls.call(key, lead, deadline, doing="refreshTokens")

    async def _send(self, form: dict[str, str | Secret], *, operation: str) -> OAuthTokens:
        reading = Reading(OAuthTokens, operation=operation)
        try:
            response = await self._requester.send(
                operation, "POST", self._path, form=form, safety=Safety.NEVER, read=reading
            )
        except APIStatusError as error:
            wrong = wrong_address(error, operation=operation, setting="auth_url")
            if wrong is None:
                raise
            raise wrong from error
        return reading.of(response)


def may_be_spent(error: MemoramError) -> bool:
    """Whether the code or token of an exchange that failed may have been used up by it."""
    if isinstance(error, APIConnectionError):
        return error.sent
    if isinstance(error, APIStatusError):
        # 429, and 503 with a time to wait, say that nothing was carried out.
        return error.status != 429 and (error.status != 503 or error.retry_after is None)
    return not isinstance(error, ConfigurationError | ClientClosedError)


def _missing(name: str, variable: str) -> ConfigurationError:
    return ConfigurationError(
        f"no {name}: pass {name}=... or set {variable} (the developer's portal shows it)"
    )
