"""A platform with everything on it that an outside client needs to begin with."""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
from anyio import to_thread

from memoram_local import MemoramLocal
from memoram_local.process.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from memoram_local import LocalServer, RegisteredApp, User


_ASKING = ("POST", "/api/v1/access-requests")


@dataclass(frozen=True)
class Stage:
    """One application, one user who lets it in, and two memories; the newer one has a tag."""

    local: MemoramLocal
    server: LocalServer
    app: RegisteredApp
    user: User
    token: str
    request_id: str
    blob_id: str
    tag_id: str
    cursor: str

    @property
    def redirect_uri(self) -> str:
        return self.app.redirect_uris[0]

    def code(self, *, code_challenge: str | None = None) -> str:
        return self.local.authorize(
            user_id=self.user.id,
            client_id=self.app.client_id,
            redirect_uri=self.redirect_uri,
            code_challenge=code_challenge,
        )


def _as_it_is(app: ASGIApp) -> ASGIApp:
    return app


@contextlib.contextmanager
def staged(*, approve: bool = False, broken: Callable[[ASGIApp], ASGIApp] = _as_it_is) -> Generator[Stage]:
    """A running platform.

    Args:
        approve: Whether users approve every access request at once.
        broken: May wrap the platform once everything is in place.
    """
    socket = _Socket()
    with (
        MemoramLocal(password_profile="fast") as local,
        serving(socket, host="127.0.0.1", port=0) as server,
    ):
        socket.app = local.app
        app = local.register_app(name="Outside", redirect_uris=[f"{server.url}/callback"])
        user = local.create_user(email="ada@example.test", password="correct horse")
        # Nothing here speaks TLS; httpx would load the certificates of the whole world.
        no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with httpx.Client(base_url=server.api_url, verify=no_tls, trust_env=False) as http:
            token = http.post("/auth/token", json={"api_key": app.api_key}).json()["token"]
            http.headers["authorization"] = f"Bearer {token}"
            asked = {"memoryKey": user.memory_key, "reason": "To plan trips"}
            request_id = http.post("/access-requests", json=asked).json()["id"]
            local.approve(request_id)
            memory = {"user_id": user.id, "memoryKey": user.memory_key, "content": "sealed"}
            http.post("/memory-blobs", json=memory)
            blob = http.post("/memory-blobs", json={**memory, "tags": ["travel"]}).json()
            page = http.get("/memory-blobs", params={"user_id": user.id, "limit": 1}).json()
        whole = approving(local)(local.app) if approve else local.app
        socket.app = broken(whole)
        tag_id, cursor = blob["tag_ids"][0], page["next_cursor"]
        yield Stage(local, server, app, user, token, request_id, blob["id"], tag_id, cursor)


def approving(local: MemoramLocal) -> Callable[[ASGIApp], ASGIApp]:
    """Has users approve every access request as soon as it is made."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await app(scope, receive, send)
            if scope["type"] == "http" and (scope["method"], scope["path"]) == _ASKING:
                for request in await to_thread.run_sync(local.access_requests):
                    if request.status == "pending":
                        await to_thread.run_sync(local.approve, request.id)

        return answer

    return wrap


class _Socket:
    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)
