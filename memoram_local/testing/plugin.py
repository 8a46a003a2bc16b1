"""pytest fixtures: a platform for each test, with an application, a user, and clients of the SDK.

pytest finds this plugin by itself once memoram is installed; `-p no:memoram` leaves it out. Nothing of a
platform is loaded before a test asks for one of these fixtures.

Fixtures named `memoram_options` that are nearer to a test than this one decide how its platform is made:

    @pytest.fixture
    def memoram_options():
        return {"decide": AutoApprove(), "seed": 7}
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memoram_async import AsyncMemoram
    from memoram_local.platform import MemoramLocal
    from memoram_local.process.server import LocalServer
    from memoram_local.store.apps import RegisteredApp
    from memoram_local.user import User
    from memoram_sync import Memoram


@pytest.fixture
def memoram_options() -> dict[str, Any]:
    """Arguments for `MemoramLocal`; override it to change the platform. Passwords cost nothing by default."""
    return {}


@pytest.fixture
def memoram_local(memoram_options: dict[str, Any]) -> Iterator[MemoramLocal]:
    """A fresh platform in memory, with its own store, clock and randomness."""
    try:
        from memoram_local.platform import MemoramLocal  # noqa: PLC0415 - for those who ask for it alone
    except ModuleNotFoundError as error:
        pytest.fail(f"the fixture memoram_local needs memoram[local]: {error}", pytrace=False)
    options: dict[str, Any] = {"password_profile": "fast", **memoram_options}
    with MemoramLocal(**options) as platform:
        yield platform


@pytest.fixture
def memoram_server(memoram_local: MemoramLocal) -> Iterator[LocalServer]:
    """The platform on a loopback port of its own, for whatever speaks HTTP."""
    with memoram_local.serve() as server:
        yield server


@pytest.fixture
def memoram_app(memoram_local: MemoramLocal) -> RegisteredApp:
    """An application that is registered on the platform, with its secrets."""
    return memoram_local.register_app(
        name="Application under test", redirect_uris=["http://localhost:8000/callback"]
    )


@pytest.fixture
def memoram_user(memoram_local: MemoramLocal) -> User:
    """A user of the platform, who has let nobody in yet."""
    return memoram_local.create_user(email="user@example.com", password="correct horse battery")  # noqa: S106


@pytest.fixture
def memoram_client(memoram_local: MemoramLocal, memoram_app: RegisteredApp) -> AsyncMemoram:
    """The async client of the application, which reaches the platform in process and goes by its clock.

    It needs no closing, and works in asyncio and in trio.
    """
    import httpx  # noqa: PLC0415 - for those who ask for it alone

    from memoram_async import AsyncMemoram  # noqa: PLC0415
    from memoram_async.runtime.anyio_runtime import AnyioRuntime  # noqa: PLC0415
    from memoram_local.testing.in_process import InProcessTransport  # noqa: PLC0415

    # Given a transport, httpx would still load every certificate of the system.
    http = httpx.AsyncClient(
        transport=InProcessTransport(memoram_local.app), verify=_no_tls(), trust_env=False
    )
    return AsyncMemoram(
        memoram_app.api_key,
        base_url="http://localhost/api/v1",
        auth_url="http://localhost",
        runtime=AnyioRuntime(http, clock=memoram_local.clock),
    )


@pytest.fixture
def memoram_sync_client(
    memoram_local: MemoramLocal, memoram_server: LocalServer, memoram_app: RegisteredApp
) -> Iterator[Memoram]:
    """The blocking client of the application, on a socket of the platform, and by the platform's clock."""
    import httpx  # noqa: PLC0415 - for those who ask for it alone

    from memoram_sync import Memoram  # noqa: PLC0415
    from memoram_sync.runtime.blocking_runtime import BlockingRuntime  # noqa: PLC0415

    with (
        httpx.Client(verify=_no_tls(), trust_env=False) as http,
        Memoram(
            memoram_app.api_key,
            base_url=memoram_server.api_url,
            auth_url=memoram_server.auth_url,
            runtime=BlockingRuntime(http, clock=memoram_local.clock),
        ) as client,
    ):
        yield client


def _no_tls() -> ssl.SSLContext:
    # Trusts nobody, and costs nothing to make: the platform speaks plain HTTP on this machine alone.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
