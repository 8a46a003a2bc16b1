"""OAuth for an application's users: flows that any process begins and any other completes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from memoram_async.core.arguments import is_visible_ascii
from memoram_async.core.errors import APIResponseError, InvalidArgumentError, MemoramError, OAuthFlowError
from memoram_async.core.oauth import begin_flow
from memoram_async.core.oauth_callback import read_callback
from memoram_async.core.pending_flows import PendingFlow
from memoram_async.core.secret import Secret
from memoram_async.grants.rows import GrantRows, TakenFlow
from memoram_async.models.tokens import OAuthTokens
from memoram_async.tokens.user_tokens import UserTokens, may_be_spent


class Linking:
    """The flows of one application's users."""

    def __init__(self, tokens: UserTokens, rows: GrantRows, *, redirect_uri: str) -> None:
        self._tokens = tokens
        self._rows = rows
        self._redirect_uri = redirect_uri
        self._runtime = tokens.runtime

    async def begin(self, user: str, *, return_to: str | None, params: Mapping[str, str]) -> str:
        """Begin a flow; where to send the user's browser."""
        tokens, wall = self._tokens, self._runtime.wall()
        flow = begin_flow(
            tokens.config.authorization_endpoint,
            client_id=tokens.client_id(None),
            redirect_uri=self._redirect_uri,
            scope=None,
            params=params,
            wall=wall,
            random=secrets.token_urlsafe,
        )
        pending = PendingFlow(user=user, return_to=return_to, flow=flow)
        await self._runtime.run_blocking(lambda: self._rows.begin(pending, wall=wall))
        return flow.url

    async def complete(self, user: str, callback: Secret) -> tuple[OAuthTokens, str | None]:
        """Complete a flow, once; the user's tokens, and where the application wants to go on."""
        tokens = self._tokens
        client_secret = tokens.client_secret(None)
        taken = await self._take(user, callback)
        flow = taken.pending.flow
        code = flow.code_from(callback.reveal(), wall=self._runtime.wall())
        try:
            issued = await tokens.exchange(flow, code, client_secret=client_secret, params={})
        except MemoramError as error:
            if not may_be_spent(error):
                await self._put_back(taken)
            raise
        return issued, taken.pending.return_to

    async def _take(self, user: str, callback: Secret) -> TakenFlow:
        """Take out the flow that a callback belongs to.

        It is taken out before anything else is looked at: a link that was opened by another person is spent.

        Raises:
            InvalidArgumentError: The callback is no such thing.
            OAuthFlowError: There is no such flow any more, or it is another user's.
        """
        state = _state_of(callback)
        if isinstance(state, MemoramError):
            raise state
        taken = await self._runtime.run_blocking(lambda: self._rows.take(state))
        if taken is None:
            raise OAuthFlowError(
                "no flow waits for this callback: it was completed before, has taken too long, had to make "
                "room for newer ones, or was begun by another application: begin a new flow"
            )
        if not taken.pending.is_of(user):
            raise OAuthFlowError(
                "this flow was begun by another user than the one who came back, so that the wrong accounts "
                "would be linked: have this user begin a flow of their own"
            )
        return taken

    async def _put_back(self, taken: TakenFlow) -> None:
        wall = self._runtime.wall()
        await self._runtime.run_blocking(lambda: self._rows.put_back(taken, wall=wall))


def _state_of(callback: Secret) -> Secret | MemoramError:
    """The state that a callback names, or the error to raise where no value is in sight."""
    parameters = read_callback(callback.reveal())
    if isinstance(parameters, str):
        return InvalidArgumentError(parameters)
    state = parameters.get("state", "")
    if not is_visible_ascii(state):
        return OAuthFlowError(
            "the callback has no state of ours, so that nothing ties it to a flow: begin a new flow"
        )
    return Secret(state)


def key_of(tokens: OAuthTokens) -> Secret:
    """The memory key that came with a user's tokens.

    Raises:
        APIResponseError: None came.
    """
    if tokens.memory_key is None:
        raise APIResponseError(
            "exchangeCode: the answer has no memory key, so that no account can be linked", status=200
        )
    return tokens.memory_key
