"""FastAPI: users link accounts, decide and have stores of their own (extra `memoram[fastapi]`).

    kit = MemoramKit(SQLGrantStore(), user=signed_in, url="https://app.example", reason="Keeps your notes")
    app = FastAPI()
    kit.add_to(app)

    @app.get("/notes")
    async def notes(store: Annotated[AsyncMemoryStore, Depends(kit.store)]) -> list[Memory]:
        return [memory async for memory in store.list()]

Annotations are evaluated in this module, because FastAPI reads those of functions inside functions.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

import attrs

try:
    from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
    from fastapi.requests import HTTPConnection
    from fastapi.responses import JSONResponse, RedirectResponse
    from fastapi.sse import EventSourceResponse, ServerSentEvent
except ImportError:
    missing = "FastAPI 0.135 or newer is not installed: pip install 'memoram[fastapi]'"
    raise ImportError(missing) from None

from memoram_async.client import AsyncMemoram
from memoram_async.core.errors import ConfigurationError, MemoramError
from memoram_async.core.sealing import SealingSecret
from memoram_async.core.secret import hidden
from memoram_async.crypto import StoreOptions
from memoram_async.grants.connections import AsyncConnections
from memoram_async.grants.store import GrantStore
from memoram_async.integrations.problem_details import MEDIA_TYPE, SCHEMA, problem_of
from memoram_async.memory_store import AsyncMemoryStore
from memoram_async.models.connections import ConnectionState, ConnectionStatus, Disconnected

_LOG: Final = logging.getLogger("memoram")
DEFAULT_PREFIX: Final = "/memoram"

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": description, "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
    for status, description in {
        403: "The user said no, or took the access back",
        409: "The user has to link an account or to decide first, at `url`",
        429: "Too many requests",
        503: "The memory service does not answer",
    }.items()
}
"""What OpenAPI says of the kit's errors: `APIRouter(responses=PROBLEMS)` for routes that use stores."""


class MemoramKit:
    """What a FastAPI application needs to give each of its users a memory.

    It makes its client and `Connections` when the application starts, and closes them when it ends, so that
    any number of workers and of tests can start the same application. Routes, below `prefix`:

    - `GET /connect?return_to=/notes` sends the user's browser off to link an account,
    - `GET /callback` is where it comes back to,
    - `GET /status` says where the user stands; 202 while the user has not decided,
    - `GET /status/events` says so as server-sent events, until the user has decided,
    - `POST /disconnect` forgets the user.

    In tests, put other things in the place of the dependencies: `app.dependency_overrides[kit.store] = ...`.

    Attributes:
        router: The routes, with the lifespan; `add_to` includes it.
        client: A dependency: the `AsyncMemoram`.
        connections: A dependency: the `AsyncConnections`.
        store: A dependency: the open `AsyncMemoryStore` of the user who is signed in. It raises
            `ApprovalRequired`, which becomes an answer of 409, while the user has something to do first.
    """

    router: APIRouter
    client: Callable[..., Awaitable[AsyncMemoram]]
    connections: Callable[..., Awaitable[AsyncConnections]]
    store: Callable[..., Awaitable[AsyncMemoryStore]]

    def __init__(
        self,
        grants: GrantStore,
        *,
        user: Callable[..., Any],
        url: str,
        reason: str,
        client: Callable[[], AsyncMemoram] = AsyncMemoram,
        secret: SealingSecret | None = None,
        store_options: StoreOptions | None = None,
        prefix: str = DEFAULT_PREFIX,
        home: str = "/",
    ) -> None:
        """A kit for one application; nothing is sent.

        Args:
            grants: Where users' grants lie, for all workers, such as a `SQLGrantStore`; it stays yours.
            user: The application's own dependency that says who is signed in, by an id of its own, and raises
                HTTPException if nobody is.
            url: Where browsers reach the application, such as `https://app.example`. Register this address
                with `/memoram/callback` at its end as a redirect URI.
            reason: What memories are wanted for, in 1 to 255 characters that users read when deciding.
            client: Makes the client; called once in each worker.
            secret: What grants are sealed with; by default `MEMORAM_SECRET`.
            store_options: How content is written and read.
            prefix: Where the kit's own routes lie.
            home: Where users go on, if `return_to` does not say.
        """
        self._secret = hidden(secret)
        del secret  # a traceback may show what local variables hold
        self._grants = grants
        self._url = url.rstrip("/") + prefix
        self._reason = reason
        self._make_client = client
        self._store_options = store_options
        self._state = f"memoram{prefix.replace('/', '_')}"
        self._depend(user)
        self.router = APIRouter(prefix=prefix, tags=["memoram"], lifespan=self.lifespan, responses=PROBLEMS)
        self._route(user, home)

    @asynccontextmanager
    async def lifespan(self, _: object) -> AsyncGenerator[Mapping[str, Any]]:
        """The life of the client: the router's own; compose it yourself only for an app that is mounted."""
        async with self._make_client() as client:
            connections = client.connections(
                self._grants,
                redirect_uri=f"{self._url}/callback",
                reason=self._reason,
                secret=self._secret,
                link_url=f"{self._url}/connect",
                store_options=self._store_options,
            )
            yield {self._state: _Running(client, connections)}
            connections.close()

    def add_to(self, app: FastAPI) -> None:
        """Include the routes, and answer the SDK's errors as problems (RFC 9457)."""
        app.include_router(self.router)
        app.add_exception_handler(MemoramError, answer_problem)

    def _depend(self, user: Callable[..., Any]) -> None:
        """Make the dependencies. Their identity counts: tests override the very functions."""
        state = self._state

        def running(connection: HTTPConnection) -> _Running:
            found = getattr(connection.state, state, None)
            if isinstance(found, _Running):
                return found
            raise ConfigurationError(
                "the kit has not been started: call kit.add_to(app), or, where the app is mounted in another "
                "one, enter kit.lifespan in that one's lifespan and yield what it yields"
            )

        async def client(connection: HTTPConnection) -> AsyncMemoram:
            return running(connection).client

        async def connections(connection: HTTPConnection) -> AsyncConnections:
            return running(connection).connections

        async def store(
            user: Annotated[str, Depends(user)],
            connections: Annotated[AsyncConnections, Depends(connections)],
        ) -> AsyncMemoryStore:
            return await connections.store(user)

        self.client, self.connections, self.store = client, connections, store

    def _route(self, user: Callable[..., Any], home: str) -> None:
        router, running, memoram = self.router, self.connections, self.client

        @router.get("/connect", status_code=303, response_class=RedirectResponse)
        async def connect(
            user: Annotated[str, Depends(user)],
            connections: Annotated[AsyncConnections, Depends(running)],
            return_to: str | None = None,
        ) -> RedirectResponse:
            """Send the user's browser off to link an account."""
            return _see(await connections.begin(user, return_to=return_to))

        @router.get("/callback", status_code=303, response_class=RedirectResponse)
        async def callback(
            request: Request,
            user: Annotated[str, Depends(user)],
            connections: Annotated[AsyncConnections, Depends(running)],
        ) -> RedirectResponse:
            """Take the user's browser back, and ask for access."""
            status = await connections.complete(user, request.url.query)
            return _see(status.return_to or home)

        async def current(
            user: Annotated[str, Depends(user)], connections: Annotated[AsyncConnections, Depends(running)]
        ) -> ConnectionStatus:
            return await connections.status(user)

        @router.get("/status", responses={202: {"description": "The user has not decided yet"}})
        async def status(
            status: Annotated[ConnectionStatus, Depends(current)], response: Response
        ) -> ConnectionStatus:
            """Where the user stands."""
            if status.state == ConnectionState.PENDING:
                response.status_code = 202
            return status

        @router.get("/status/events", response_class=EventSourceResponse)
        async def events(
            status: Annotated[ConnectionStatus, Depends(current)],
            client: Annotated[AsyncMemoram, Depends(memoram)],
        ) -> AsyncIterable[ServerSentEvent]:
            """Where the user stands, and what the user decides. Errors come before the stream begins."""
            yield _event(status)
            if status.state == ConnectionState.PENDING and status.request_id is not None:
                yield await _decision(client, status, status.request_id)

        @router.post("/disconnect")
        async def disconnect(
            request: Request,
            user: Annotated[str, Depends(user)],
            connections: Annotated[AsyncConnections, Depends(running)],
        ) -> Disconnected:
            """Forget the user; says what stays."""
            if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
                raise HTTPException(403, "another site sent this")
            return await connections.disconnect(user)

        del connect, callback, status, events, disconnect  # the router has them


@attrs.frozen(eq=False)
class _Running:
    """What a worker that runs has.

    Attributes:
        client: The client.
        connections: Its connections.
    """

    client: AsyncMemoram
    connections: AsyncConnections


async def answer_problem(_: Request, error: Exception) -> Response:
    """The answer to an error of the SDK; `add_to` has FastAPI call it."""
    if not isinstance(error, MemoramError):
        raise error
    problem = problem_of(error)
    if problem.status >= 500:
        _LOG.error("%s: %s", type(error).__name__, error.message)
    return JSONResponse(problem.body, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def _see(url: str) -> RedirectResponse:
    return RedirectResponse(url, status_code=303)


def _event(status: ConnectionStatus) -> ServerSentEvent:
    return ServerSentEvent(data=status.to_dict(), event="status")


async def _decision(client: AsyncMemoram, status: ConnectionStatus, request_id: str) -> ServerSentEvent:
    """What the user decides, once it is decided, or what went wrong meanwhile."""
    try:
        async for request in client.access_requests.watch(request_id):
            if request.status != ConnectionState.PENDING:
                return _event(attrs.evolve(status, state=request.status, url=None))
    except MemoramError as error:
        return ServerSentEvent(data=problem_of(error).body, event="problem")
    return _event(status)
