"""The client: what an application holds.

Importing it loads next to nothing: what a client is made of is loaded when one is made, each resource when it
is first asked for, and what annotations name when somebody resolves them.
"""

from __future__ import annotations

import os

import memoram_async as sdk
from memoram_async import _std as std
from memoram_async._lazy import resource, without_resources
from memoram_async.core import defaults
from memoram_async.core.secret import Secret, Unshareable, conceal, hidden, out_of_sight
from memoram_async.core.unset import UNSET, Unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memoram_async.core.config import Options
    from memoram_async.family import Family


class AsyncMemoram(Unshareable):
    """A client of the Memoram API for one application; make one and share it among all tasks.

    Nothing is sent before the first call. The developer API key is exchanged for a short-lived token
    when one is first needed, and again before it expires.
    A client belongs to the event loop that it was first used in.

        async with AsyncMemoram() as memoram:
            store = await memoram.connect(memory_key, reason="Remembers your travel preferences")
    """

    def __init__(
        self,
        api_key: str | Secret | None = None,
        *,
        base_url: str | None = None,
        auth_url: str | None = None,
        timeout: float | None = defaults.TIMEOUT,
        request_timeout: float = defaults.REQUEST_TIMEOUT,
        max_retries: int = defaults.MAX_RETRIES,
        token_lifetime: int | None = None,
        token_store: sdk.TokenStore | None = None,
        client_id: str | None = None,
        client_secret: str | Secret | None = None,
        secret: sdk.SealingSecret | None = None,
        dashboard_url: str | None = None,
        authorization_endpoint: str | None = None,
        token_endpoint: str | None = None,
        store_options: sdk.StoreOptions | None = None,
        key_store: sdk.KeyStore | None = None,
        allow_insecure_http: bool | None = None,
        hooks: sdk.Hooks | None = None,
        http_client: sdk.AsyncHTTPClient | std.Literal["httpx2"] | None = None,
        max_connections: int = defaults.MAX_CONNECTIONS,
        trust_env: bool = True,
        runtime: sdk.Runtime | None = None,
    ) -> None:
        """Configure a client; nothing is sent.

        Args:
            api_key: The developer API key; by default `MEMORAM_API_KEY`.
            base_url: The API's address; by default `MEMORAM_BASE_URL`, else the hosted service.
            auth_url: The authorization server's address; by default `MEMORAM_AUTH_URL`, else the hosted one.
            timeout: Seconds that a call may take in all, to the moment, with all retries; None for no limit.
            request_timeout: Seconds that connecting, each read and each write of one request may take.
            max_retries: How often a request that failed without harm is sent again.
            token_lifetime: Seconds that tokens are asked to live; the service may answer otherwise.
            token_store: Where workers share their token, sealed, such as a `RedisTokenStore`; its methods
                block. By default each client keeps its own in memory.
            client_id: The application's OAuth client id; by default `MEMORAM_CLIENT_ID`.
            client_secret: The application's OAuth client secret; by default `MEMORAM_CLIENT_SECRET`.
            secret: What `oauth` flows are sealed with, 32 bytes or more, and not the API key; by default
                `MEMORAM_SECRET`. Of several, the first one seals and each of them opens.
            dashboard_url: Where users decide on access requests; by default `MEMORAM_DASHBOARD_URL`.
            authorization_endpoint: Where users are sent to link an account; by default
                `MEMORAM_AUTHORIZATION_ENDPOINT`, else `/oauth/authorize` below `auth_url`.
            token_endpoint: Where codes and refresh tokens are exchanged; by default `MEMORAM_TOKEN_ENDPOINT`,
                else `/oauth/token` below `auth_url`.
            store_options: How content is written and read, for all stores of this client.
            key_store: Where users' keys are kept, such as a `KeyringKeyStore`; its methods block. By default
                keys live only in the stores.
            allow_insecure_http: Permit `http://` to hosts other than this machine; by default
                `MEMORAM_ALLOW_INSECURE_HTTP`, else False.
            hooks: Told of every request, answer and retry; see `Hooks`.
            http_client: An HTTP client of your own, httpx's or one like it; it stays yours to close. What it
                logs is its own: httpx logs whole URLs, and over HTTP/2 hpack logs tokens at DEBUG. Tools that
                patch httpx's client, such as Sentry's, see no requests without one. `"httpx2"` has the client
                open its connections with that library, if it is installed.
            max_connections: How many requests may be under way at once; others wait their turn.
            trust_env: Whether the environment's proxies and certificates are used: HTTP_PROXY, HTTPS_PROXY,
                ALL_PROXY, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR, SSLKEYLOGFILE. A service on this machine is
                never reached through a proxy.
            runtime: An implementation of the seam, for tests; replaces the three arguments before it.

        Raises:
            ConfigurationError: A setting is missing or cannot be used.
            InvalidArgumentError: A number is out of range.
        """
        # A traceback may show what local variables hold, and an address may have a password in it.
        key, base, auth = hidden(api_key), hidden(base_url), hidden(auth_url)
        own_secret, sealing, authorize = hidden(client_secret), hidden(secret), hidden(authorization_endpoint)
        token, dashboard, identity = hidden(token_endpoint), hidden(dashboard_url), hidden(client_id)
        del api_key, base_url, auth_url, client_id, client_secret, secret, dashboard_url
        del authorization_endpoint, token_endpoint

        from memoram_async.core.arguments import check_count
        from memoram_async.core.config import Options, resolve
        from memoram_async.core.key_forms import refuse_foreign_key
        from memoram_async.family import Family

        config = resolve(
            api_key=key,
            base_url=base,
            auth_url=auth,
            authorization_endpoint=authorize,
            token_endpoint=token,
            client_id=identity,
            client_secret=own_secret,
            secret=sealing,
            dashboard_url=dashboard,
            allow_insecure_http=allow_insecure_http,
            environment=os.environ,
        )
        refuse_foreign_key(config.api_key)
        if store_options is not None:
            from memoram_async.crypto.store_options import check_store_options

            check_store_options(store_options)
        options = Options(timeout=timeout, request_timeout=request_timeout, max_retries=max_retries)
        connections = check_count(max_connections, name="max_connections") or defaults.MAX_CONNECTIONS
        self._bind(
            Family(
                config,
                sdk.AnyioRuntime(http_client, max_connections=connections, trust_env=trust_env)
                if runtime is None
                else runtime,
                options=options,
                token_lifetime=token_lifetime,
                token_store=token_store,
                key_store=key_store,
                hooks=hooks,
            ),
            options,
            store_options,
            owner=True,
        )

    def _bind(
        self, family: Family, options: Options, store_options: sdk.StoreOptions | None, *, owner: bool
    ) -> None:
        from memoram_async.member import Member

        self._family = family
        self._store_options = store_options
        self._owner = owner
        self._member = Member(family, options)

    @resource
    def access_requests(self) -> sdk.AsyncAccessRequests:
        """Asking users for access."""
        return self._member.requests

    @resource
    def memory_blobs(self) -> sdk.AsyncMemoryBlobs:
        """Memories as the service stores them."""
        return sdk.AsyncMemoryBlobs(self._member.api)

    @resource
    def tags(self) -> sdk.AsyncTags:
        """Users' tags."""
        return sdk.AsyncTags(self._member.api)

    @resource
    def oauth(self) -> sdk.AsyncOAuth:
        """Linking users' accounts."""
        return sdk.AsyncOAuth(self._member.tokens)

    def with_options(
        self,
        *,
        timeout: float | Unset | None = UNSET,
        request_timeout: float | Unset = UNSET,
        max_retries: int | Unset = UNSET,
        store_options: sdk.StoreOptions | Unset = UNSET,
    ) -> std.Self:
        """A client with other options that shares this one's connections and token.

        It costs next to nothing. Closing it closes nothing; closing the original closes both.

        Args:
            timeout: Seconds that a call may take in all; None for no limit.
            request_timeout: Seconds that connecting, each read and each write may take.
            max_retries: How often a request that failed without harm is sent again.
            store_options: How content is written and read.

        Raises:
            InvalidArgumentError: An option is out of range.
        """
        from memoram_async.core.config import Options
        from memoram_async.crypto.store_options import check_store_options

        options = self._member.transport.options
        clone = type(self).__new__(type(self))
        clone.__dict__.update(without_resources(self))  # what a subclass has beside
        clone._bind(  # noqa: SLF001 - one of our own
            self._family,
            Options(
                timeout=options.timeout if timeout is UNSET else timeout,
                request_timeout=options.request_timeout if request_timeout is UNSET else request_timeout,
                max_retries=options.max_retries if max_retries is UNSET else max_retries,
            ),
            self._store_options if store_options is UNSET else check_store_options(store_options),
            owner=False,
        )
        return clone

    async def connect(
        self,
        memory_key: str | Secret,
        *,
        reason: str,
        timeout: float | None = defaults.APPROVAL_TIMEOUT,
        wait: bool = True,
        request_id: str | None = None,
        on_status: std.Callable[[sdk.ApprovalProgress], object] | None = None,
        store_options: sdk.StoreOptions | None = None,
    ) -> sdk.AsyncMemoryStore:
        """Get access to a user's memories: ask, wait for the user's approval, fetch the key.

        A request of this application that is still open, or was approved before, is used again instead of
        asking twice. Many calls at once for one user make one request, and the look-ups of many users share
        one reading of the list.

        Args:
            memory_key: Whose memories; from the OAuth answer or from the user.
            reason: What for, in 1 to 255 characters that the user reads when deciding.
            timeout: Seconds to wait for the user; None for ever.
            wait: False raises `ApprovalRequired` instead of waiting for a user who has not decided yet.
            request_id: The request to go on with, as of an `ApprovalRequired`; nothing is looked up then.
            on_status: Called with each new status, and when polls keep failing; it must not block.
            store_options: How content is written and read, instead of as the client says.

        Raises:
            InvalidArgumentError: An argument cannot be used; nothing was sent.
            NotFoundError: No user has this memory key.
            ApprovalRequired: The user has not decided yet, and `wait` is False.
            AccessRejected: The user said no, now or before: `until` says when asking is possible again.
            AccessRevoked: The user took an approval back.
            ApprovalTimeout: The user did not decide in time; calling again goes on waiting.
            InvalidKeyError: The service gave an encryption key that cannot be used.
        """
        # A traceback may show what local variables hold.
        memory_key, reason = conceal(memory_key), out_of_sight(reason)

        from memoram_async.access.connecting import checked_wish
        from memoram_async.crypto.store_options import check_store_options

        options = check_store_options(store_options, default=self._store_options)
        wish = checked_wish(
            memory_key=memory_key,
            reason=reason,
            timeout=timeout,
            wait=wait,
            request_id=request_id,
            on_status=on_status,
        )
        return self.open(await self._member.connecting.connect(wish), store_options=options)

    def open(
        self,
        credentials: sdk.AccessCredentials,
        *,
        request_id: str | None = None,
        store_options: sdk.StoreOptions | None = None,
    ) -> sdk.AsyncMemoryStore:
        """A store for a user whose credentials are at hand; nothing is sent.

        Args:
            credentials: From `access_requests.credentials`.
            request_id: The access request that they belong to, if they do not say so themselves: a store that
                knows it raises `AccessRevoked` once the user has taken the approval back.
            store_options: How content is written and read, instead of as the client says.

        Raises:
            InvalidArgumentError: It is something other than credentials, or than `StoreOptions`.
            InvalidKeyError: The encryption key cannot be used.
        """
        handed = hidden(credentials)  # it may be a key by mistake, and a traceback shows local variables
        del credentials

        from memoram_async.core.urls import check_id
        from memoram_async.crypto.store_options import check_store_options
        from memoram_async.models.access import check_credentials

        checked = check_credentials(handed)
        known = checked.request_id if request_id is None else check_id(request_id, name="request_id")
        options = check_store_options(store_options, default=self._store_options)
        access = self._member.opener.open(checked, request_id=known)
        return sdk.AsyncMemoryStore(access, keys=access.keys, requester=self._member.api, options=options)

    def connections(
        self,
        grants: sdk.GrantStore,
        *,
        redirect_uri: str,
        reason: str,
        secret: sdk.SealingSecret | None = None,
        link_url: str | None = None,
        store_options: sdk.StoreOptions | None = None,
        max_open: int = defaults.MAX_OPEN,
        max_age: float = defaults.MAX_AGE,
    ) -> sdk.AsyncConnections:
        """The access of the application's own users; make one and share it. Nothing is sent.

        Args:
            grants: Where users' grants lie, sealed, for all processes; its methods block.
            redirect_uri: Where users come back to, exactly as registered.
            reason: What memories are wanted for, in 1 to 255 characters that users read when deciding.
            secret: What grants are sealed with, one or several as for the client, whose it is by default.
            link_url: The application's own page that begins linking, for `ApprovalRequired` and the status.
            store_options: How content is written and read, instead of as the client says.
            max_open: Of how many users keys are kept in memory; those used longest ago make room.
            max_age: Seconds after which keys are fetched again, so that access is checked again.

        Raises:
            ConfigurationError: There is no secret, or `grants`, a secret or an address cannot be used.
            InvalidArgumentError: Another argument cannot be used.
        """
        sealing, why = hidden(secret), out_of_sight(reason)
        del secret, reason  # a traceback may show what local variables hold

        from memoram_async.crypto.store_options import check_store_options

        return sdk.AsyncConnections(
            self._member,
            grants,
            redirect_uri=redirect_uri,
            reason=why,
            secret=sealing,
            link_url=link_url,
            options=check_store_options(store_options, default=self._store_options),
            max_open=max_open,
            max_age=max_age,
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: std.Mapping[str, object] | None = None,
        json: std.Any = None,
        idempotency_key: str | None = None,
    ) -> sdk.HTTPResponse:
        """Send a request that this SDK has no method for, with token, retries and errors as everywhere.

        Args:
            method: The HTTP method.
            path: The path below `base_url`, percent-encoded, such as `/memory-blobs`.
            params: Query parameters; those that are None are left out.
            json: The body, as a value that JSON can carry.
            idempotency_key: A key of your own for a request that writes, as for `memory_blobs.create`.

        Returns:
            The answer: `status`, `headers`, `content` and `json()`.

        Raises:
            InvalidArgumentError: The request cannot be written; nothing was sent.
            APIStatusError: The service said no.
        """
        from memoram_async.transport.free_request import free_request

        further, body, api = hidden(params), hidden(json), self._member.api
        del params, json  # a traceback may show what local variables hold
        call = free_request(api, method, path, params=further, json=body, own_key=idempotency_key)
        return await self._member.transport.call(call)

    async def aclose(self) -> None:
        """Close the connections; calls made afterwards raise. A second time does nothing."""
        if self._owner:
            await self._family.runtime.aclose()

    async def __aenter__(self) -> std.Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: std.TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        # Debuggers show a client whose construction failed, too.
        family = getattr(self, "_family", None)
        return f"<{type(self).__name__} of {family.config.base_url if family else 'no service'}>"
