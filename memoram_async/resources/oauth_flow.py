"""One user's way through the authorization server and back."""

from __future__ import annotations

from collections.abc import Mapping

from memoram_async.core.errors import InvalidArgumentError, MemoramError, OAuthFlowError
from memoram_async.core.oauth import FLOW_PURPOSE, LONGEST_SEAL, Flow, check_oauth_params
from memoram_async.core.sealing import SealingSecret
from memoram_async.core.secret import Secret, Unshareable, hidden
from memoram_async.models.tokens import OAuthTokens
from memoram_async.tokens.user_tokens import UserTokens, may_be_spent


class AsyncOAuthFlow(Unshareable):
    """One user's way through the authorization server and back; from `oauth.begin` or `oauth.restore`.

    Send the user's browser to `url`, and hand the callback to `complete`. Keep the flow in the user's own
    session meanwhile: in memory, or as the string that `seal` makes. It is good for one user and once.
    """

    def __init__(self, flow: Flow, *, tokens: UserTokens, client_secret: Secret | None) -> None:
        """A flow of a client; use `oauth.begin` instead of calling this."""
        self._flow = flow
        self._tokens = tokens
        self._client_secret = client_secret
        self._unused = [True]  # popped by whoever comes first: of two threads, too

    @property
    def url(self) -> str:
        """Where to send the user's browser."""
        return self._flow.url

    @property
    def state(self) -> Secret:
        """The value that ties the user's return to this flow, to tell the flows of one session apart."""
        return self._flow.state

    @property
    def redirect_uri(self) -> str:
        """Where the user comes back to."""
        return self._flow.redirect_uri

    def seal(self, *, secret: SealingSecret | None = None) -> str:
        """The flow as a string of less than 1,024 URL-safe characters, for `oauth.restore` in any process.

        Put it into the user's own session, such as a cookie that is `HttpOnly`, `Secure` and
        `SameSite=Lax`. Never put it into `state` or another part of a URL: whoever could bring a callback
        could then bring the matching flow as well, and link an account of their own.

        Args:
            secret: What to seal with, 32 bytes or more; of several, the first. By default the client's.

        Raises:
            ConfigurationError: There is no secret, or it cannot be used.
            InvalidArgumentError: The redirect URI, scope and further parameters are too long together.
        """
        sealing = hidden(secret)
        del secret  # a traceback may show what local variables hold
        seal = self._tokens.seal(sealing, purpose=FLOW_PURPOSE)
        sealed = seal.seal(self._flow.written(), context=self._flow.endpoint.encode())
        if len(sealed) <= LONGEST_SEAL:
            return sealed
        raise InvalidArgumentError(
            f"this flow seals to {len(sealed):,} characters, and a session should not have to hold more than "
            f"{LONGEST_SEAL:,}: shorten redirect_uri, scope and params"
        )

    async def complete(self, callback: object, *, params: Mapping[str, str] | None = None) -> OAuthTokens:
        """Check what the user came back with, and exchange the code (contract `exchangeCode`).

        The state is compared in constant time, and the issuer where the callback names one (RFC 9207); the
        user may take up to an hour. A code is good for one exchange, so this is never sent twice: a second
        call raises, unless the first one certainly spent nothing.

        Args:
            callback: The URL that the user came back to, its query string, or its parameters: as text, as a
                URL or query object of a web framework, or as a mapping.
            params: Further parameters of the token request.

        Returns:
            The user's tokens and memory key.

        Raises:
            InvalidArgumentError: The callback is no such thing, or has an OAuth parameter twice.
            OAuthFlowError: It belongs to another flow or comes too late, or this flow was used before.
            OAuthError: The authorization server or the user refused; `code` tells why, such as
                `access_denied` or `invalid_grant`.
            ConfigurationError: The client secret is missing, or nothing answers at the token endpoint.
            OutcomeUnknownError: The answer was lost; the code may be spent.
        """
        tokens, flow = self._tokens, self._flow
        held, further = hidden(callback), hidden(params)
        del callback, params  # a traceback may show what local variables hold
        checked = check_oauth_params(further)
        code = flow.code_from(None if held is None else held.reveal(), wall=tokens.runtime.wall())
        client_secret = tokens.client_secret(self._client_secret)
        if not self._take():
            raise OAuthFlowError(
                "this flow was completed before, and its code is good once: begin a new flow"
            )
        try:
            return await tokens.exchange(flow, code, client_secret=client_secret, params=checked)
        except MemoramError as error:
            if not may_be_spent(error):
                self._unused.append(True)
            raise

    def _take(self) -> bool:
        try:
            return self._unused.pop()
        except IndexError:
            return False

    def __repr__(self) -> str:
        flow = getattr(self, "_flow", None)
        return f"<{type(self).__name__} back to {flow.redirect_uri if flow else 'nowhere'}>"
