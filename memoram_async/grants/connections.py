"""An application's own users and their access: linked, asked, opened and forgotten, by any worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from memoram_async.access.opened import OpenedAccess
from memoram_async.core.arguments import check_reason, check_secret_text
from memoram_async.core.errors import AccessRevoked, ApprovalRequired, ClientClosedError
from memoram_async.core.grants import GRANT_PURPOSE, Grant, check_user
from memoram_async.core.oauth import check_oauth_params, check_redirect_uri
from memoram_async.core.pending_flows import check_return_to
from memoram_async.core.secret import Secret, Unshareable, conceal, hidden
from memoram_async.core.urls import check_link
from memoram_async.crypto import StoreOptions
from memoram_async.grants.asking import Asking, Link
from memoram_async.grants.linking import Linking, key_of
from memoram_async.grants.open_stores import OpenStores
from memoram_async.grants.rows import GrantRows
from memoram_async.grants.store import GrantStore, check_grant_store
from memoram_async.keys.shared_keys import KeysHandle
from memoram_async.member import Member
from memoram_async.memory_store import AsyncMemoryStore
from memoram_async.models.access import AccessCredentials, AccessStatus
from memoram_async.models.connections import ConnectionState, ConnectionStatus, Disconnected
from memoram_async.models.tokens import OAuthTokens
from memoram_async.transport.shared_calls import SharedCalls

_FORGOTTEN: Final = "Nothing of this user is kept here any more."


class AsyncConnections(Unshareable):
    """The access of an application's own users, by the ids that it knows them by; from `connections`.

    Make one for the process and share it among all tasks; many processes may share the grant store.

        connections = memoram.connections(grants, redirect_uri=..., reason="Remembers your preferences")
        url = await connections.begin(user, return_to="/notes")  # send this user's browser there
        await connections.complete(user, callback)  # once it is back
        store = await connections.store(user)  # or ApprovalRequired, which says where to send the user

    A user id is any string, and has to be the signed-in user's: never take it from a query or a form. Where
    users come from a token, put its issuer and subject together, because subjects are unique to an issuer
    alone. Grants hold the user's memory key, tokens and access request, sealed and bound to the user id; the
    encryption key is never among them, and no operation uses or refreshes the OAuth tokens.
    """

    def __init__(
        self,
        member: Member,
        grants: GrantStore,
        *,
        redirect_uri: str,
        reason: str | Secret,
        secret: Secret | None,
        link_url: str | None,
        options: StoreOptions,
        max_open: int,
        max_age: float,
    ) -> None:
        """Connections of a client; use `AsyncMemoram.connections` instead of calling this."""
        tokens = member.tokens
        seal = tokens.seal(secret, purpose=GRANT_PURPOSE)
        self._member = member
        self._runtime = tokens.runtime
        self._rows = GrantRows(check_grant_store(grants), seal, endpoint=tokens.config.authorization_endpoint)
        self._redirect_uri = check_redirect_uri(redirect_uri)
        self._linking = Linking(tokens, self._rows, redirect_uri=redirect_uri)
        self._asking = Asking(member, self._rows, reason=check_reason(reason))
        self._calls: SharedCalls[OpenedAccess] = SharedCalls(self._runtime)
        self._stores = OpenStores(most=max_open, seconds=max_age)
        self._options = options
        self._link_url = check_link(link_url, name="link_url")

    @property
    def link_url(self) -> str | None:
        """Where users link an account; None if the application did not say."""
        return self._link_url

    async def begin(
        self, user: str, *, return_to: str | None = None, params: Mapping[str, str] | None = None
    ) -> str:
        """Begin to link a user's account; nothing is sent.

        The flow waits in the grant store for an hour, of each user the newest eight, so that any worker can
        complete it, and each tab its own.

        Args:
            user: The signed-in user.
            return_to: Where to go on afterwards, as `complete` gives it back: a path such as `/notes`, or an
                address of the same origin as the redirect URI.
            params: Further parameters of the authorization request, such as `{"prompt": "login"}`.

        Returns:
            The URL to send this user's own browser to, and nobody else's: do not mail it, show it to others
            or hand it to an agent. Whoever else opens it cannot complete it.

        Raises:
            ConfigurationError: There is no client id.
            InvalidArgumentError: An argument cannot be used.
        """
        further = hidden(params)
        del params  # a traceback may show what local variables hold
        return await self._linking.begin(
            check_user(user),
            return_to=check_return_to(return_to, redirect_uri=self._redirect_uri),
            params=check_oauth_params(further),
        )

    async def complete(self, user: str, callback: object) -> ConnectionStatus:
        """Link the account that the user's browser comes back with, and ask for access to its memories.

        The flow must have been begun by this user, which is checked before the code is exchanged, and is good
        once, in whatever process. If asking fails, the account stays linked, and `store` and `status` ask.

        Args:
            user: The signed-in user of the request that the browser came back with.
            callback: The URL that it came back to, its query string, or its parameters, as `flow.complete`
                takes them.

        Returns:
            Where the user stands now, and `return_to` as `begin` was given it.

        Raises:
            InvalidArgumentError: The callback is no such thing, or has an OAuth parameter twice.
            OAuthFlowError: The flow is another user's, was completed before, or has taken too long.
            OAuthError: The authorization server or the user refused; `code` tells why.
            ConfigurationError: The client secret is missing, or nothing answers at the token endpoint.
            OutcomeUnknownError: The answer was lost; the code may be spent.
        """
        returned = hidden(callback) or Secret("")
        del callback  # a traceback may show what local variables hold
        tokens, return_to = await self._linking.complete(check_user(user), returned)
        link = Link(
            memory_key=key_of(tokens),
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            is_certain=True,
        )
        return await self._link(user, link, return_to=return_to)

    async def link(self, user: str, memory_key: str | Secret) -> ConnectionStatus:
        """Link the account of a memory key that the user hands over, and ask for access to its memories.

        If asking fails, everything stays as it was.

        Args:
            user: The signed-in user.
            memory_key: The user's own, copied from the dashboard.

        Returns:
            Where the user stands now.

        Raises:
            InvalidArgumentError: An argument cannot be used.
            NotFoundError: No user has this memory key.
        """
        memory_key = conceal(memory_key)  # a traceback may show what local variables hold
        checked = check_secret_text(memory_key, name="memory_key")
        return await self._link(check_user(user), Link(memory_key=checked, is_certain=False))

    async def _link(self, user: str, link: Link, *, return_to: str | None = None) -> ConnectionStatus:
        asked = await self._asking.link(user, link)
        self._stores.let_go(user)
        state = ConnectionState.APPROVED if asked.grant.approved else ConnectionState.PENDING
        return self._status(asked.grant, state, return_to=return_to)

    async def status(self, user: str) -> ConnectionStatus:
        """Where a user stands; a user who has linked an account and was not asked for access is asked now.

        Args:
            user: The signed-in user.

        Raises:
            InvalidArgumentError: It is no user id.
            ConfigurationError: The grant cannot be opened.
        """
        grant = (await self._asking.settled(check_user(user))).grant
        if grant.request_id is None:
            return self._status(grant, ConnectionState.NOT_LINKED)
        request = await self._member.requests.get(grant.request_id)
        known = isinstance(request.status, AccessStatus)
        return self._status(grant, ConnectionState(request.status) if known else request.status)

    def _status(
        self, grant: Grant, state: ConnectionState | str, *, return_to: str | None = None
    ) -> ConnectionStatus:
        if grant.memory_key is None:
            state = ConnectionState.NOT_LINKED
        elif grant.refused:
            state = ConnectionState.REJECTED
        where: dict[str, str | None] = {
            ConnectionState.NOT_LINKED: self._link_url,
            ConnectionState.PENDING: self._member.dashboard_url,
        }
        return ConnectionStatus(
            state=state,
            url=where.get(state),
            request_id=grant.request_id,
            until=grant.until,
            return_to=return_to,
        )

    async def store(self, user: str) -> AsyncMemoryStore:
        """The user's memories, open.

        The keys of users that were opened lately are shared in this process. Each call gives a store of its
        own over them: closing it, or that another user's keys make room for, disturbs no other. Once the user
        has revoked the access, every store raises `AccessRevoked` from its next call on.

        Args:
            user: The signed-in user.

        Raises:
            InvalidArgumentError: It is no user id.
            ApprovalRequired: The user has to link an account (`kind` is `link`) or to decide on the access
                request (`approve`) first, at `url`. Nothing is waited for.
            AccessRejected: The user said no; `until` tells when asking is possible again.
            AccessRevoked: The user took the approval back.
            ConfigurationError: The grant cannot be opened.
        """
        checked = check_user(user)
        access = self._stores.get(checked, now=self._runtime.now())
        if access is None:
            deadline = self._member.api.transport.deadline()
            access = await self._calls.call(checked, lambda: self._open(checked), deadline, doing="store")
        return AsyncMemoryStore(
            access,
            keys=KeysHandle(access.keys),
            requester=self._member.api,
            options=self._options,
        )

    async def _open(self, user: str) -> OpenedAccess:
        changes = self._stores.changes
        asked = await self._asking.settled(user)
        grant, credentials = asked.grant, asked.credentials
        obstacle = self._link_required() if grant.memory_key is None else grant.refusal()
        if obstacle is not None:
            raise obstacle
        if credentials is None:
            credentials = await self._asking.credentials(user, grant)
        access = self._opened(user, grant, credentials)
        self._stores.keep(user, access, changes=changes, now=self._runtime.now())
        return access

    def _opened(self, user: str, grant: Grant, credentials: AccessCredentials) -> OpenedAccess:
        opened: list[OpenedAccess] = []

        def revoked(why: AccessRevoked) -> None:
            self._stores.end(user, why, access=opened[0])

        opened.append(self._member.opener.open(credentials, request_id=grant.request_id, on_revoked=revoked))
        return opened[0]

    def _link_required(self) -> ApprovalRequired:
        where = "" if self._link_url is None else f", at {self._link_url}"
        return ApprovalRequired(
            f"the user has to link an account first{where}: send the browser to what begin(user) answers",
            kind="link",
            url=self._link_url,
        )

    async def tokens(self, user: str) -> OAuthTokens | None:
        """The OAuth tokens that came when the user linked an account, as they came; None without any.

        Nothing here uses them. Refresh them with `oauth.refresh` if the application has a use for them.

        Args:
            user: The signed-in user.

        Raises:
            InvalidArgumentError: It is no user id.
            ConfigurationError: The grant cannot be opened.
        """
        checked = check_user(user)
        grant = (await self._runtime.run_blocking(lambda: self._rows.read(checked))).grant
        if grant.access_token is None:
            return None
        return OAuthTokens(
            access_token=grant.access_token, refresh_token=grant.refresh_token, memory_key=grant.memory_key
        )

    async def disconnect(self, user: str) -> Disconnected:
        """Forget a user: the grant, flows under way, and the keys in this process, whose stores end.

        What stays at the service is the access that the user gave, which only the user can take back, and the
        memories. Other processes forget the keys once these are older than `max_age`.

        Args:
            user: The signed-in user.

        Raises:
            InvalidArgumentError: It is no user id.
        """
        checked = check_user(user)
        forgotten = await self._runtime.run_blocking(lambda: self._rows.forget(checked))
        self._stores.end(checked, ClientClosedError("the user was disconnected: this memory store is closed"))
        request_id = None if forgotten is None else forgotten.request_id
        dashboard = self._member.dashboard_url
        where = "in the dashboard" if dashboard is None else f"at {dashboard}"
        return Disconnected(
            was_linked=forgotten is not None,
            request_id=request_id,
            url=None if request_id is None else dashboard,
            message=_FORGOTTEN
            if request_id is None
            else f"{_FORGOTTEN} The access request and the memories stay at the service: only the user can "
            f"take the access back, {where}.",
        )

    def close(self) -> None:
        """Forget the keys that are kept in this process, and close their stores; grants stay."""
        self._stores.clear(ClientClosedError("the connections were closed: open another memory store"))

    def __repr__(self) -> str:
        # Debuggers show one whose construction failed, too.
        return f"<{type(self).__name__} back to {getattr(self, '_redirect_uri', 'nowhere')}>"
