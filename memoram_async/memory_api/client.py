"""The client of Memory API: what an application holds.

Importing it loads next to nothing; see `memoram_async.client`.
"""

from __future__ import annotations

import os

import memoram_async as sdk
import memoram_async.memory_api as service
from memoram_async import _std as std
from memoram_async._lazy import resource
from memoram_async.core import defaults
from memoram_async.core.secret import Secret, Unshareable, conceal, hidden, out_of_sight
from memoram_async.core.unset import UNSET, Unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memoram_async.memory_api.credentials import KeyCredentials
    from memoram_async.memory_api.settings import Settings
    from memoram_async.transport.transport import Transport


class AsyncMemoryAPI(Unshareable):
    """A client of Memory API for one application; make one and share it among all tasks.

    Nothing is sent before the first call. The API key goes with every call that needs one.
    A client belongs to the event loop that it was first used in.

        async with AsyncMemoryAPI() as memory_api:
            await memory_api.memories.create("Prefers window seats")
            result = await memory_api.query("Which seat should I book?")
    """

    def __init__(
        self,
        api_key: str | Secret | None = None,
        *,
        environment: service.EnvironmentName | None = None,
        auth_header: service.AuthHeader = "authorization",
        base_url: str | None = None,
        timeout: float | None = defaults.TIMEOUT,
        request_timeout: float = defaults.REQUEST_TIMEOUT,
        max_retries: int = defaults.MAX_RETRIES,
        allow_insecure_http: bool = False,
        hooks: sdk.Hooks | None = None,
        http_client: sdk.AsyncHTTPClient | std.Literal["httpx2"] | None = None,
        max_connections: int = defaults.MAX_CONNECTIONS,
        trust_env: bool = True,
        runtime: sdk.Runtime | None = None,
    ) -> None:
        """Configure a client; nothing is sent.

        Args:
            api_key: The API key, `mem_live_...` or `mem_test_...`; by default `MEMORY_API_KEY`. Without one,
                `health` and `signup` work, and every other call raises.
            environment: Where the client is meant to work; by default `MEMORY_API_ENVIRONMENT`. A live key
                where it says `test` is warned of.
            auth_header: The header field that carries the key: `authorization` (`Bearer KEY`) or `x-api-key`.
            base_url: The API's address; by default `MEMORY_API_BASE_URL`, else the hosted service.
            timeout: Seconds that a call may take in all, retries and waiting included; None for no
                limit. It is kept to exactly.
            request_timeout: Seconds that connecting, each read and each write of one request may take.
            max_retries: How often a request that failed without harm is sent again.
            allow_insecure_http: Permit `http://` to hosts other than this machine.
            hooks: Told of every request, answer and retry; see `Hooks`.
            http_client: An HTTP client of your own, httpx's or one like it; it stays yours to close. What it
                logs is its own. `"httpx2"` has the client open its connections with that library.
            max_connections: How many requests may be under way at once; others wait their turn.
            trust_env: Whether the environment's proxies and certificates are used, as by `AsyncMemoram`.
            runtime: An implementation of the seam, for tests; replaces `http_client`, `max_connections`
                and `trust_env`.

        Raises:
            ConfigurationError: A setting cannot be used, such as a key of another form or service.
            InvalidArgumentError: A number is out of range.
        """
        # A traceback may show what local variables hold, and an address may have a password in it.
        key, url = hidden(api_key), hidden(base_url)
        del api_key, base_url

        from memoram_async.core.arguments import check_count
        from memoram_async.core.config import Options
        from memoram_async.memory_api.credentials import KeyCredentials
        from memoram_async.memory_api.settings import resolve
        from memoram_async.runtime.settings import check_runtime
        from memoram_async.transport.transport import Transport

        settings = resolve(
            api_key=key,
            environment=environment,
            auth_header=auth_header,
            base_url=url,
            allow_insecure_http=allow_insecure_http,
            variables=os.environ,
        )
        connections = check_count(max_connections, name="max_connections") or defaults.MAX_CONNECTIONS
        if runtime is not None:
            check_runtime(runtime)
        self._bind(
            settings,
            KeyCredentials(settings.api_key, header=settings.auth_header),
            Transport(
                sdk.AnyioRuntime(http_client, max_connections=connections, trust_env=trust_env)
                if runtime is None
                else runtime,
                Options(timeout=timeout, request_timeout=request_timeout, max_retries=max_retries),
                hooks,
            ),
            owner=True,
        )

    def _bind(
        self, settings: Settings, credentials: KeyCredentials, transport: Transport, *, owner: bool
    ) -> None:
        from memoram_async.memory_api.operations import Operations
        from memoram_async.memory_api.refusals import meaning_of
        from memoram_async.transport.requester import Requester

        self._settings = settings
        self._credentials = credentials
        self._transport = transport
        self._owner = owner
        self._requester = Requester(
            base_url=settings.base_url, credentials=credentials, transport=transport, meaning=meaning_of
        )
        self._operations = Operations(self._requester)

    @resource
    def account(self) -> service.AsyncAccount:
        """The organization and its keys."""
        return service.AsyncAccount(self._requester, self._credentials)

    @resource
    def memories(self) -> service.AsyncMemories:
        """Memories as they are stored."""
        return service.AsyncMemories(self._requester)

    @resource
    def usage(self) -> service.AsyncUsage:
        """What was called."""
        return service.AsyncUsage(self._requester)

    @property
    def environment(self) -> std.Literal["live", "test"] | None:
        """Where the key works; without a key, what the client was meant for, None if nobody said."""
        return self._settings.environment

    def with_options(
        self,
        *,
        timeout: float | Unset | None = UNSET,
        request_timeout: float | Unset = UNSET,
        max_retries: int | Unset = UNSET,
    ) -> std.Self:
        """A client with other options that shares this one's connections and key.

        It costs next to nothing. Closing it closes nothing; closing the original closes both.

        Args:
            timeout: Seconds that a call may take in all; None for no limit.
            request_timeout: Seconds that connecting, each read and each write may take.
            max_retries: How often a request that failed without harm is sent again.

        Raises:
            InvalidArgumentError: An option is out of range.
        """
        from memoram_async.core.config import Options
        from memoram_async.transport.transport import Transport

        options = self._transport.options
        changed = Options(
            timeout=options.timeout if timeout is UNSET else timeout,
            request_timeout=options.request_timeout if request_timeout is UNSET else request_timeout,
            max_retries=options.max_retries if max_retries is UNSET else max_retries,
        )
        clone = type(self).__new__(type(self))
        clone._bind(  # noqa: SLF001 - one of our own
            self._settings,
            self._credentials,
            Transport(self._transport.runtime, changed, self._transport.hooks),
            owner=False,
        )
        return clone

    async def health(self) -> service.Report:
        """Whether the service is alive (contract `health`); no key is needed or sent.

        Returns:
            What the service says of itself.

        Raises:
            ServerError: It is not well.
            APIConnectionError: It does not answer.
        """
        return await self._operations.health()

    async def signup(self, *, name: str, email: str, plan_id: str | None = None) -> service.Signup:
        """Open an organization and get its first key (contract `signup`); no key is needed or sent.

        This client goes on with the key that it has: make another one with `signup.key`.

        Args:
            name: The organization's name.
            email: Its address.
            plan_id: What it pays for; by default `free`.

        Returns:
            The key with its secret, which cannot be got again.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            ValidationError: The service did not accept one.
            OutcomeUnknownError: The answer was lost, and with it the key, if the organization was opened.
        """
        return await self._operations.signup(name=name, email=email, plan_id=plan_id)

    async def query(
        self,
        context: str | Secret,
        *,
        max_memories: int | None = None,
        relevance_threshold: float | None = None,
        include_metadata: bool | None = None,
    ) -> service.QueryResult:
        """Find the memories that match a question best (contract `query`).

        Args:
            context: The question, or what is being talked about.
            max_memories: The most matches, up to 100; the service's default is 20.
            relevance_threshold: The least score, from 0 to 1; the service's default is 0.5.
            include_metadata: Whether matches come with their metadata; the service's default is yes.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            InsufficientScopeError: The key has not the scope `read`.
        """
        context = conceal(context)  # a traceback may show what local variables hold
        return await self._operations.query(
            context,
            max_memories=max_memories,
            relevance_threshold=relevance_threshold,
            include_metadata=include_metadata,
        )

    async def query_answer(
        self,
        context: str | Secret,
        *,
        max_memories: int | None = None,
        relevance_threshold: float | None = None,
        prompt_template: str | Secret | None = None,
    ) -> service.Answer:
        """Have a question answered from memories (contract `queryAnswer`).

        Args:
            context: The question.
            max_memories: The most memories to answer from, up to 100.
            relevance_threshold: The least score of a memory, from 0 to 1.
            prompt_template: How the model is to be asked, in the service's own notation.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            InsufficientScopeError: The key has not the scope `read`.
        """
        # A traceback may show what local variables hold.
        context, prompt_template = conceal(context), hidden(prompt_template)
        return await self._operations.query_answer(
            context,
            max_memories=max_memories,
            relevance_threshold=relevance_threshold,
            prompt_template=prompt_template,
        )

    async def extract(
        self,
        content: str | Secret,
        *,
        content_type: service.ContentType | None = None,
        metadata: std.Mapping[str, std.Any] | None = None,
    ) -> service.Extraction:
        """Have what is worth remembering in a text stored as memories (contract `extractMemories`).

        Args:
            content: The text.
            content_type: What it is: `conversation`, `document` or `notes`.
            metadata: What to keep with every memory that comes of it.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            InsufficientScopeError: The key has not the scope `write`.
            ExtractionFailedError: The service could make nothing of it.
            OutcomeUnknownError: The answer was lost; `memories.list` shows whether anything was stored.
        """
        # A traceback may show what local variables hold.
        content, metadata = conceal(content), out_of_sight(metadata)
        return await self._operations.extract(content, content_type=content_type, metadata=metadata)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: std.Mapping[str, object] | None = None,
        json: std.Any = None,
    ) -> sdk.HTTPResponse:
        """Send a request that this SDK has no method for, with key, retries and errors as everywhere.

        Args:
            method: The HTTP method.
            path: The path below `base_url`, percent-encoded, such as `/memories`.
            params: Query parameters; those that are None are left out.
            json: The body, as a value that JSON can carry.

        Returns:
            The answer, envelope and all: `status`, `headers`, `content` and `json()`.

        Raises:
            InvalidArgumentError: The request cannot be written; nothing was sent.
            APIStatusError: The service said no.
        """
        from memoram_async.transport.free_request import free_request

        further, body = hidden(params), hidden(json)
        del params, json  # a traceback may show what local variables hold
        return await self._transport.call(
            free_request(self._requester, method, path, params=further, json=body)
        )

    async def aclose(self) -> None:
        """Close the connections; calls made afterwards raise. A second time does nothing."""
        if self._owner:
            await self._transport.runtime.aclose()

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
        settings = getattr(self, "_settings", None)
        return f"<{type(self).__name__} of {settings.base_url if settings else 'no service'}>"
