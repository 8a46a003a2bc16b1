"""What a client and its `with_options` clones share.

What not every program needs is loaded and made when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

import memoram_async as sdk
from memoram_async._lazy import resource
from memoram_async.core.arguments import check_count
from memoram_async.core.config import Config, Options
from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import APIStatusError, BadRequestError
from memoram_async.core.http import HTTPResponse
from memoram_async.core.retry import Safety
from memoram_async.core.urls import origin
from memoram_async.runtime.forking import reset_after_fork
from memoram_async.runtime.protocol import Runtime
from memoram_async.runtime.settings import check_runtime
from memoram_async.tokens.provider import TokenProvider, refused_key, wrong_address
from memoram_async.transport.call import Call, Peer
from memoram_async.transport.hooks import Hooks, check_hooks
from memoram_async.transport.requester import Requester
from memoram_async.transport.transport import Transport

if TYPE_CHECKING:
    from memoram_async.access.family_access import FamilyAccess
    from memoram_async.approvals.hub import ApprovalHub
    from memoram_async.tokens.shared import SharedTokens
    from memoram_async.tokens.user_tokens import Refreshes

_EXCHANGE: Final = "/auth/token"


class Family:
    """One application on one service: its settings, connections and token."""

    def __init__(
        self,
        config: Config,
        runtime: Runtime,
        *,
        options: Options,
        token_lifetime: int | None,
        token_store: sdk.TokenStore | None,
        key_store: sdk.KeyStore | None,
        hooks: Hooks | None,
    ) -> None:
        """Check what a caller passed to the client.

        Raises:
            ConfigurationError: A part of another kind was passed.
            InvalidArgumentError: `token_lifetime` is no number of seconds.
        """
        check_hooks(hooks)
        check_runtime(runtime)
        self.config = config
        self.runtime = runtime
        self.hooks = hooks
        if key_store is not None:
            from memoram_async.keys.store import check_key_store

            check_key_store(key_store)
        self.key_store = key_store
        self._token_lifetime = check_count(token_lifetime, name="token_lifetime")
        # The exchange serves every clone, so the options of the original client apply to it, not a clone's.
        self._transport = Transport(runtime, options, hooks)
        self.peer = Peer()
        self.tokens = TokenProvider(runtime, self._exchange, self._shared(token_store))
        self._once = attrs.evolve(options, max_retries=0)
        reset_after_fork(self.tokens.state)

    def _shared(self, store: sdk.TokenStore | None) -> SharedTokens | None:
        if store is None:
            return None
        from memoram_async.crypto.token_seal import TokenSeal
        from memoram_async.tokens.shared import SharedTokens
        from memoram_async.tokens.store import check_token_store

        check_token_store(store)
        return SharedTokens(self.runtime, store, TokenSeal(self.config.api_key, self.config.base_url))

    @resource
    def refreshes(self) -> Refreshes:
        """The refreshes of users' tokens."""
        from memoram_async.tokens.user_tokens import Refreshes

        return Refreshes(self.runtime)

    @resource
    def hub(self) -> ApprovalHub:
        """Where all wait for users' decisions."""
        from memoram_async.approvals.hub import ApprovalHub
        from memoram_async.approvals.polls import ApprovalPolls

        once = Transport(self.runtime, self._once, self.hooks)  # waiting decides when to ask again
        return ApprovalHub(self.runtime, ApprovalPolls(once, self.config.base_url, self.tokens))

    @resource
    def access(self) -> FamilyAccess:
        """What calls of `connect` share."""
        from memoram_async.access.family_access import FamilyAccess

        return FamilyAccess(self.runtime, self.hub)

    def requester(self, transport: Transport) -> Requester:
        """What the resources of one client send with."""
        return Requester(
            base_url=self.config.base_url,
            credentials=self.tokens,
            transport=transport,
            peer=self.peer,
        )

    def oauth_requester(self, transport: Transport) -> Requester:
        """What one client sends to the authorization server with."""
        from memoram_async.core.answers import oauth_meaning

        return Requester(
            base_url=origin(self.config.token_endpoint),
            credentials=None,
            transport=transport,
            meaning=oauth_meaning,
        )

    async def _exchange(self, deadline: Deadline) -> HTTPResponse:
        body: dict[str, object] = {"api_key": self.config.api_key}
        if self._token_lifetime is not None:
            body["expires_in"] = self._token_lifetime
        call = Call(
            operation="createToken",
            method="POST",
            url=f"{self.config.base_url}{_EXCHANGE}",
            template=_EXCHANGE,
            json=body,
            safety=Safety.IDEMPOTENT,
        )
        try:
            return await self._transport.call(call, deadline=deadline)
        except BadRequestError as error:
            raise refused_key(error) from error
        except APIStatusError as error:
            wrong = wrong_address(error, operation="createToken", setting="base_url")
            if wrong is None:
                raise
            raise wrong from error
