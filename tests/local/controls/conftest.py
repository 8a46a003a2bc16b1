"""The fixtures that the package ships, used here as any application's tests would."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_local import Clock, MemoramLocal

# Once the package is installed pytest finds these by itself; a checkout is not always installed.
from memoram_local.testing.plugin import (
    memoram_app,
    memoram_client,
    memoram_local,
    memoram_server,
    memoram_sync_client,
    memoram_user,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memoram_local import LocalServer, RegisteredApp, User

__all__ = [
    "memoram_app",
    "memoram_client",
    "memoram_local",
    "memoram_server",
    "memoram_sync_client",
    "memoram_user",
]


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until a test advances it."""
    return Clock(start=datetime(2030, 5, 17, 12, tzinfo=UTC), running=False)


@pytest.fixture
def memoram_options(clock: Clock) -> dict[str, Any]:
    """Platforms whose time stands still."""
    return {"clock": clock}


@dataclass
class Caller:
    """The application, with its token, on a socket."""

    local: MemoramLocal
    app: RegisteredApp
    user: User
    http: httpx.Client

    def sign_in(self) -> httpx.Response:
        answer = self.http.post("/auth/token", json={"api_key": self.app.api_key})
        if answer.status_code == 200:
            self.http.headers["authorization"] = f"Bearer {answer.json()['token']}"
        return answer

    def ask(self) -> str:
        body = {"memoryKey": self.user.memory_key, "reason": "Plans journeys"}
        return str(self.http.post("/access-requests", json=body).json()["id"])

    def let_in(self) -> str:
        request_id = self.ask()
        self.local.approve(request_id)
        return request_id

    def status(self, request_id: str) -> str:
        return str(self.http.get(f"/access-requests/{request_id}").json()["status"])

    def write(self, content: str = "sealed", **members: object) -> httpx.Response:
        body = {"user_id": self.user.id, "memoryKey": self.user.memory_key, "content": content, **members}
        return self.http.post("/memory-blobs", content=json.dumps(body))

    def contents(self) -> list[str]:
        answer = self.http.get("/memory-blobs", params={"user_id": self.user.id})
        assert answer.status_code == 200, answer.text
        return [blob["content"] for blob in answer.json()["memoryBlobs"]]


@pytest.fixture
def caller(
    memoram_local: MemoramLocal,
    memoram_server: LocalServer,
    memoram_app: RegisteredApp,
    memoram_user: User,
) -> Iterator[Caller]:
    """The application on a real socket; it has a token."""
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with httpx.Client(base_url=memoram_server.api_url, verify=no_tls, trust_env=False) as http:
        caller = Caller(memoram_local, memoram_app, memoram_user, http)
        assert caller.sign_in().status_code == 200
        yield caller


@pytest.fixture
def writer(caller: Caller) -> Caller:
    """The application on a real socket; the user let it in."""
    caller.let_in()
    return caller
