"""pytest fixtures: a platform for each test, with an application, a user, and clients of the SDK.

pytest finds this plugin by itself once memoram is installed; `-p no:memoram` leaves it out. Nothing of a
platform is loaded before a test asks for one of these fixtures.

Fixtures named `memoram_options` that are nearer to a test than this one decide how its platform is made:

    @pytest.fixture
    def memoram_options():
        return {"decide": AutoApprove(), "seed": 7}

Each fixture has a twin of session scope, `memoram_session_local` for `memoram_local` and so on, for suites
that set a platform up once and share it. `memoram_session_options` decides how that one is made.
"""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from memoram_async import AsyncMemoram, AsyncMemoryAPI
    from memoram_async.runtime.anyio_runtime import AnyioRuntime
    from memoram_local.platform import MemoramLocal
    from memoram_local.process.server import LocalServer
    from memoram_local.store.apps import RegisteredApp
    from memoram_local.user import User
    from memoram_sync import Memoram, MemoryAPI


@pytest.fixture
def memoram_options() -> dict[str, Any]:
    """Arguments for `MemoramLocal`; override it to change the platform. Passwords cost nothing by default."""
    return {}


@pytest.fixture
def memoram_local(memoram_options: dict[str, Any]) -> Iterator[MemoramLocal]:
    """A fresh platform in memory, with its own store, clock and randomness."""
    with _platform("memoram_local", memoram_options) as platform:
        yield platform


@pytest.fixture
def memoram_server(memoram_local: MemoramLocal) -> Iterator[LocalServer]:
    """The platform on a loopback port of its own, for whatever speaks HTTP."""
    with memoram_local.serve() as server:
        yield server


@pytest.fixture
def memoram_app(memoram_local: MemoramLocal) -> RegisteredApp:
    """An application that is registered on the platform, with its secrets."""
    return _register(memoram_local)


@pytest.fixture
def memoram_user(memoram_local: MemoramLocal) -> User:
    """A user of the platform, who has let nobody in yet."""
    return _sign_up(memoram_local)


@pytest.fixture
def memoram_client(memoram_local: MemoramLocal, memoram_app: RegisteredApp) -> AsyncMemoram:
    """The async client of the application, which reaches the platform in process and goes by its clock.

    It needs no closing, and works in asyncio and in trio.
    """
    return _client(memoram_local, memoram_app)


@pytest.fixture
def memoram_sync_client(
    memoram_local: MemoramLocal, memoram_server: LocalServer, memoram_app: RegisteredApp
) -> Iterator[Memoram]:
    """The blocking client of the application, on a socket of the platform, and by the platform's clock."""
    with _sync_client(memoram_local, memoram_server, memoram_app) as client:
        yield client


@pytest.fixture
def memory_api_key(memoram_local: MemoramLocal) -> str:
    """A live key of Memory API, the second service, with every scope in an organization of its own."""
    return memoram_local.memory_api.sign_up().key


@pytest.fixture
def memory_api_client(memoram_local: MemoramLocal, memory_api_key: str) -> AsyncMemoryAPI:
    """The async client with that key, in process and by the platform's clock; it needs no closing."""
    from memoram_async import AsyncMemoryAPI  # noqa: PLC0415 - for those who ask for it alone

    return AsyncMemoryAPI(memory_api_key, base_url="http://localhost/v1", runtime=_runtime(memoram_local))


@pytest.fixture
def memory_api_sync_client(
    memoram_local: MemoramLocal, memoram_server: LocalServer, memory_api_key: str
) -> Iterator[MemoryAPI]:
    """The blocking client with that key, on a socket of the platform, and by the platform's clock."""
    import httpx  # noqa: PLC0415 - for those who ask for it alone

    from memoram_sync import MemoryAPI  # noqa: PLC0415
    from memoram_sync.runtime.blocking_runtime import BlockingRuntime  # noqa: PLC0415

    with httpx.Client(verify=_no_tls(), trust_env=False) as http:
        runtime = BlockingRuntime(http, clock=memoram_local.clock)
        with MemoryAPI(memory_api_key, base_url=memoram_server.memory_api_url, runtime=runtime) as client:
            yield client


@pytest.fixture(scope="session")
def memoram_session_options() -> dict[str, Any]:
    """Arguments for the `MemoramLocal` of the session; override it, in session scope, to change it."""
    return {}


@pytest.fixture(scope="session")
def memoram_session_local(memoram_session_options: dict[str, Any]) -> Iterator[MemoramLocal]:
    """One platform in memory for the whole session, or for each worker of pytest-xdist.

    Tests see what tests before them left, unless one of them calls its `reset()` or `restore(snapshot)`.
    """
    with _platform("memoram_session_local", memoram_session_options) as platform:
        yield platform


@pytest.fixture(scope="session")
def memoram_session_server(memoram_session_local: MemoramLocal) -> Iterator[LocalServer]:
    """The session's platform on a loopback port, for whatever speaks HTTP."""
    with memoram_session_local.serve() as server:
        yield server


@pytest.fixture(scope="session")
def memoram_session_app(memoram_session_local: MemoramLocal) -> RegisteredApp:
    """An application that is registered on the session's platform, with its secrets."""
    return _register(memoram_session_local)


@pytest.fixture(scope="session")
def memoram_session_user(memoram_session_local: MemoramLocal) -> User:
    """A user of the session's platform, who has let nobody in yet."""
    return _sign_up(memoram_session_local)


@pytest.fixture(scope="session")
def memoram_session_client(
    memoram_session_local: MemoramLocal, memoram_session_app: RegisteredApp
) -> AsyncMemoram:
    """The async client of the session's application, in process.

    It is not bound to an event loop between calls. What tests keep in a loop, such as tasks, needs one that
    lasts as long: `@pytest.mark.asyncio(loop_scope="session")`, or an `anyio_backend` of session scope.
    """
    return _client(memoram_session_local, memoram_session_app)


@pytest.fixture(scope="session")
def memoram_session_sync_client(
    memoram_session_local: MemoramLocal,
    memoram_session_server: LocalServer,
    memoram_session_app: RegisteredApp,
) -> Iterator[Memoram]:
    """The blocking client of the session's application, on a socket."""
    with _sync_client(memoram_session_local, memoram_session_server, memoram_session_app) as client:
        yield client


@contextmanager
def _platform(fixture: str, options: dict[str, Any]) -> Generator[MemoramLocal]:
    try:
        from memoram_local.platform import MemoramLocal  # noqa: PLC0415 - for those who ask for it alone
    except ModuleNotFoundError as error:
        pytest.fail(f"the fixture {fixture} needs memoram[local]: {error}", pytrace=False)
    arguments: dict[str, Any] = {"password_profile": "fast", **options}
    with MemoramLocal(**arguments) as platform:
        yield platform


def _register(platform: MemoramLocal) -> RegisteredApp:
    return platform.register_app(
        name="Application under test", redirect_uris=["http://localhost:8000/callback"]
    )


def _sign_up(platform: MemoramLocal) -> User:
    return platform.create_user(email="user@example.com", password="correct horse battery")  # noqa: S106


def _client(platform: MemoramLocal, app: RegisteredApp) -> AsyncMemoram:
    from memoram_async import AsyncMemoram  # noqa: PLC0415 - for those who ask for it alone

    return AsyncMemoram(
        app.api_key,
        base_url="http://localhost/api/v1",
        auth_url="http://localhost",
        runtime=_runtime(platform),
    )


def _runtime(platform: MemoramLocal) -> AnyioRuntime:
    """What reaches the platform in process, and goes by its clock."""
    import httpx  # noqa: PLC0415 - for those who ask for it alone

    from memoram_async.runtime.anyio_runtime import AnyioRuntime  # noqa: PLC0415
    from memoram_local.testing.in_process import InProcessTransport  # noqa: PLC0415

    # Given a transport, httpx would still load every certificate of the system.
    http = httpx.AsyncClient(transport=InProcessTransport(platform.app), verify=_no_tls(), trust_env=False)
    return AnyioRuntime(http, clock=platform.clock)


@contextmanager
def _sync_client(platform: MemoramLocal, server: LocalServer, app: RegisteredApp) -> Generator[Memoram]:
    import httpx  # noqa: PLC0415 - for those who ask for it alone

    from memoram_sync import Memoram  # noqa: PLC0415
    from memoram_sync.runtime.blocking_runtime import BlockingRuntime  # noqa: PLC0415

    with (
        httpx.Client(verify=_no_tls(), trust_env=False) as http,
        Memoram(
            app.api_key,
            base_url=server.api_url,
            auth_url=server.auth_url,
            runtime=BlockingRuntime(http, clock=platform.clock),
        ) as client,
    ):
        yield client


def _no_tls() -> ssl.SSLContext:
    # Trusts nobody, and costs nothing to make: the platform speaks plain HTTP on this machine alone.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
