"""A fresh platform for each test, on a real socket, and the people around it."""

from __future__ import annotations

import contextlib
import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_local import Clock, MemoramLocal
from memoram_local.process.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from memoram_local import LocalServer, RegisteredApp, User


@dataclass
class Application:
    """An application that calls the API with its token."""

    registered: RegisteredApp
    http: httpx.Client

    def ask(self, memory_key: str, reason: str = "To plan trips") -> str:
        answer = self.http.post("/access-requests", json={"memoryKey": memory_key, "reason": reason})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


@dataclass
class Memories:
    """One user's memories, as an application uses them that was let in."""

    application: Application
    user: User
    request_id: str

    @property
    def http(self) -> httpx.Client:
        return self.application.http

    def post(self, **members: object) -> httpx.Response:
        body = {"user_id": self.user.id, "memoryKey": self.user.memory_key, "content": "sealed", **members}
        # Escaped, so that what UTF-8 cannot express can be sent too.
        return self.http.post("/memory-blobs", content=json.dumps(body))

    def create(self, **members: object) -> str:
        answer = self.post(**members)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def patch(self, blob_id: str, **members: object) -> httpx.Response:
        body = {"user_id": self.user.id, "memoryKey": self.user.memory_key, **members}
        return self.http.patch(f"/memory-blobs/{blob_id}", content=json.dumps(body))

    def get(self, blob_id: str) -> httpx.Response:
        return self.http.get(f"/memory-blobs/{blob_id}", params={"user_id": self.user.id})

    def delete(self, blob_id: str) -> httpx.Response:
        return self.http.delete(f"/memory-blobs/{blob_id}", params={"user_id": self.user.id})

    def page(self, **parameters: str | float) -> Any:
        answer = self.http.get("/memory-blobs", params={"user_id": self.user.id, **parameters})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ids(self, **parameters: str | float) -> list[str]:
        return [blob["id"] for blob in self.page(**parameters)["memoryBlobs"]]


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until a test advances it."""
    return Clock(start=datetime(2030, 5, 17, 12, 0, 0, 250_000, tzinfo=UTC), running=False)


@pytest.fixture
def local(clock: Clock) -> Iterator[MemoramLocal]:
    with MemoramLocal(password_profile="fast", clock=clock) as platform:
        yield platform


class Socket:
    """One real socket for all tests; each test puts its own platform behind it."""

    def __init__(self) -> None:
        self.platform: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.platform is not None
        await self.platform(scope, receive, send)


@pytest.fixture(scope="session")
def shared_socket() -> Iterator[tuple[Socket, LocalServer]]:
    behind = Socket()
    with serving(behind, host="127.0.0.1", port=0) as running:
        yield behind, running


@pytest.fixture
def server(local: MemoramLocal, shared_socket: tuple[Socket, LocalServer]) -> LocalServer:
    behind, running = shared_socket
    behind.platform = local.app
    return running


@pytest.fixture
def client_for() -> Iterator[Callable[[str], httpx.Client]]:
    """Makes HTTP clients that are closed after the test."""
    # Nothing here speaks TLS; httpx would load the certificates of the whole world for every client.
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with contextlib.ExitStack() as clients:

        def make(base_url: str) -> httpx.Client:
            return clients.enter_context(httpx.Client(base_url=base_url, verify=no_tls, trust_env=False))

        yield make


@pytest.fixture
def http(server: LocalServer, client_for: Callable[[str], httpx.Client]) -> httpx.Client:
    """A client that nobody knows, at the root of the platform; it keeps cookies."""
    return client_for(server.url)


@pytest.fixture
def application_of(
    server: LocalServer, client_for: Callable[[str], httpx.Client]
) -> Callable[[RegisteredApp], Application]:
    def sign_in(registered: RegisteredApp) -> Application:
        client = client_for(f"{server.url}/api/v1")
        answer = client.post("/auth/token", json={"api_key": registered.api_key})
        assert answer.status_code == 200, answer.text
        client.headers["authorization"] = f"Bearer {answer.json()['token']}"
        return Application(registered, client)

    return sign_in


@pytest.fixture
def app(local: MemoramLocal) -> RegisteredApp:
    return local.register_app(name="Trip Planner", redirect_uris=["http://localhost:3000/callback"])


@pytest.fixture
def user(local: MemoramLocal) -> User:
    return local.create_user(email="ada@example.test", password="correct horse")


@pytest.fixture
def stranger(local: MemoramLocal) -> User:
    return local.create_user(email="bob@example.test", password="correct horse")


@pytest.fixture
def application(app: RegisteredApp, application_of: Callable[[RegisteredApp], Application]) -> Application:
    return application_of(app)


@pytest.fixture
def memories(local: MemoramLocal, application: Application, user: User) -> Memories:
    request_id = application.ask(user.memory_key)
    local.approve(request_id)
    return Memories(application, user, request_id)
