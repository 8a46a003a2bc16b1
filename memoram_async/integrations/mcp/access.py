"""Whose memories a call is about, and how they are opened: those of one user, or of the users of tokens."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

import anyio
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken

from memoram_async.client import AsyncMemoram
from memoram_async.core.errors import AccessRevoked, ApprovalRequired, ApprovalTimeout, MemoramError
from memoram_async.core.secret import Secret, Unshareable, conceal
from memoram_async.grants.connections import AsyncConnections
from memoram_async.grants.store import MemoryGrantStore
from memoram_async.memory_store import AsyncMemoryStore

LINK_LOOKS: Final = 1.0
"""Seconds between two looks at whether a user has linked an account. They cost a request only if the user had
taken an approval back."""

_SECRET_BYTES: Final = 32


class UnknownUserError(MemoramError):
    """The call comes with nothing that says whose memories are meant."""


class MemoryAccess(Protocol):
    """Opens the memories of whoever calls. `KeyHolder` and `ConnectedUsers` are such."""

    def user(self) -> str:
        """Who calls.

        Raises:
            UnknownUserError: Nothing says so.
        """
        ...

    async def store(self, user: str) -> AsyncMemoryStore:
        """The user's memories.

        Raises:
            ApprovalRequired: The user has to link an account or to decide first, at its `url`.
            MemoramError: They cannot be opened.
        """
        ...

    async def wait(self, user: str, need: ApprovalRequired, *, seconds: float) -> AsyncMemoryStore:
        """The user's memories, once the user has done what was needed.

        Raises:
            ApprovalRequired: The user has not done so in time.
            MemoramError: They cannot be opened, or the user said no.
        """
        ...


class ConnectedUsers(Unshareable):
    """Users with grants: by default those of the access tokens that MCP clients send."""

    def __init__(
        self,
        memoram: AsyncMemoram,
        connections: AsyncConnections,
        *,
        user: Callable[[], str] | None = None,
        link_url: Callable[[str], str] | None = None,
    ) -> None:
        """Users of an application.

        Args:
            memoram: The client, which stays yours to close.
            connections: Its connections.
            user: Says who calls; by default `user_of_token` of the token that the request came with.
            link_url: The page where that user links an account; by default the `link_url` of the
                connections. It must compare the user who is signed in to it with the one it is meant for.
        """
        self._memoram = memoram
        self._connections = connections
        self._user = _user_of_request if user is None else user
        self._link_url = link_url

    def user(self) -> str:
        """Who calls."""
        return self._user()

    async def store(self, user: str) -> AsyncMemoryStore:
        """The user's memories; see `AsyncConnections.store`. Who took the approval back links once more."""
        try:
            return await self._connections.store(user)
        except ApprovalRequired as need:
            if need.kind != "link":
                raise
            why = need.message
        except AccessRevoked as revoked:
            why = revoked.message
        url = self._connections.link_url if self._link_url is None else self._link_url(user)
        raise ApprovalRequired(why, kind="link", url=url)

    async def wait(self, user: str, need: ApprovalRequired, *, seconds: float) -> AsyncMemoryStore:
        """The user's memories, once the account is linked and access approved."""
        ends = anyio.current_time() + seconds
        while True:
            left = ends - anyio.current_time()
            if left <= 0:
                raise need
            if need.kind == "approve" and need.request_id is not None:
                await self._approved(need.request_id, seconds=left)
            else:
                await anyio.sleep(min(LINK_LOOKS, left))
            try:
                return await self.store(user)
            except ApprovalRequired as still:
                need = still

    async def _approved(self, request_id: str, *, seconds: float) -> None:
        """Wait on the hub, with all others who wait."""
        with suppress(ApprovalTimeout):
            await self._memoram.access_requests.wait(request_id, timeout=seconds)


class KeyHolder(Unshareable):
    """One user, whose memory key is at hand."""

    def __init__(self, memoram: AsyncMemoram, memory_key: str | Secret, *, reason: str) -> None:
        """The holder of a memory key.

        Args:
            memoram: The client, which stays yours to close.
            memory_key: Whose memories.
            reason: What for, in 1 to 255 characters that the user reads when deciding.
        """
        self._memory_key = conceal(memory_key)
        del memory_key  # a traceback may show what local variables hold
        # Nothing is linked by OAuth, and what is sealed dies with this process.
        self._connections = memoram.connections(
            MemoryGrantStore(),
            redirect_uri="http://127.0.0.1/",
            reason=reason,
            secret=secrets.token_bytes(_SECRET_BYTES),
        )
        self._users = ConnectedUsers(memoram, self._connections, user=lambda: "the holder")

    def user(self) -> str:
        """The only one."""
        return self._users.user()

    async def store(self, user: str) -> AsyncMemoryStore:
        """The user's memories; the first call asks for access, and one after the user took it back."""
        try:
            return await self._users.store(user)
        except ApprovalRequired as need:
            if need.kind != "link":
                raise
        await self._connections.link(user, self._memory_key)
        return await self._users.store(user)

    async def wait(self, user: str, need: ApprovalRequired, *, seconds: float) -> AsyncMemoryStore:
        """The user's memories, once access is approved."""
        return await self._users.wait(user, need, seconds=seconds)


def token_user(*, issuer: str, subject: str) -> str:
    """The id of a user, as `connections` takes it: a subject is unique to its issuer alone.

    Args:
        issuer: The `iss` of the token, or of the session of your own pages.
        subject: The `sub`.
    """
    return json.dumps([issuer, subject], ensure_ascii=False)


def user_of_token(token: AccessToken) -> str:
    """The user of an access token that was checked.

    Raises:
        UnknownUserError: The `TokenVerifier` did not say its issuer (`claims["iss"]`) or subject.
    """
    issuer = (token.claims or {}).get("iss")
    if not isinstance(issuer, str) or not issuer or not token.subject:
        raise UnknownUserError(
            "the access token names no user: the TokenVerifier has to fill subject, and iss among the claims"
        )
    return token_user(issuer=issuer, subject=token.subject)


def _user_of_request() -> str:
    token = get_access_token()
    if token is None:
        raise UnknownUserError(
            "this call comes without an access token: pass token_verifier and auth to MemoryServer, or a "
            "KeyHolder for one user"
        )
    return user_of_token(token)
