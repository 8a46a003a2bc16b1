"""Every public method, called with planted secrets, and a service that answers as it should."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import httpx

from memoram_async import AccessCredentials, MemoryGrantStore, Secret
from memoram_async.core.grants import GRANT_PURPOSE, Grant
from memoram_async.core.oauth import FLOW_PURPOSE, Flow
from memoram_async.core.pending_flows import PendingFlow
from memoram_async.crypto import EncryptionKey, encrypt
from memoram_async.crypto.secret_seal import SecretSeal
from memoram_async.grants.rows import GrantRows
from tests.secrecy.canaries import (
    ACCESS_TOKEN,
    CLIENT_SECRET,
    CODE,
    CONTENT,
    ENCRYPTION_KEY,
    MEMORY_KEY,
    REFRESH_TOKEN,
    SEALING_SECRET,
    STATE,
    TOKEN,
    VERIFIER,
)
from tests.worlds import items

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

USER: Final = "user-1"
APPLICATION: Final[dict[str, Any]] = {"client_id": "app", "client_secret": CLIENT_SECRET}
BACK: Final = "https://app.test/back"
STORED: Final = encrypt(EncryptionKey.from_hex(Secret(ENCRYPTION_KEY), version=1), CONTENT)
REQUEST: Final = {"id": "req-1", "status": "approved", "memoryKey": MEMORY_KEY, "reason": "why"}
CREDENTIALS: Final = {
    "user_id": USER,
    "memory_key": MEMORY_KEY,
    "encryption_key": ENCRYPTION_KEY,
    "key_version": 1,
}
BLOB: Final = {"id": "mem-1", "user_id": USER, "content": STORED}
TAG: Final = {"id": "tag-1", "name": "travel"}
TOKENS: Final = {
    "access_token": ACCESS_TOKEN,
    "refresh_token": REFRESH_TOKEN,
    "memory_key": MEMORY_KEY,
    "token_type": "bearer",
    "expires_in": 3600,
}
ISSUED: Final = {"token": TOKEN, "expires_at": "2040-01-01T00:00:00Z", "token_type": "Bearer"}


def good(request: httpx.Request) -> httpx.Response:
    """What a sound service says."""
    return httpx.Response(201 if request.method == "POST" else 200, content=json.dumps(_body(request)))


def _body(request: httpx.Request) -> object:
    path = request.url.path
    lists = {
        "access-requests": ("items", REQUEST),
        "memory-blobs": ("memoryBlobs", BLOB),
        "tags": ("items", TAG),
    }
    last = path.rpartition("/")[2]
    if path.endswith("/auth/token"):
        return ISSUED
    if path.endswith("/oauth/token"):
        return TOKENS
    if last == "credentials":
        return CREDENTIALS
    if last in lists and request.method == "GET":
        member, item = lists[last]
        return {member: [item], "next_cursor": None}
    return next((item for name, (_, item) in lists.items() if name in path), BLOB)


def credentials() -> AccessCredentials:
    """The user's, as if they had been fetched."""
    return AccessCredentials(
        user_id=USER, memory_key=Secret(MEMORY_KEY), encryption_key=Secret(ENCRYPTION_KEY), key_version=1
    )


async def _first_page(pager: Any) -> Any:
    return await pager.first_page()


async def _page_by_page(pager: Any) -> list[Any]:
    return [page async for page in pager.pages()]


async def _ahead(pager: Any) -> list[Any]:
    async with pager.ahead() as read_ahead:
        return [item async for item in read_ahead]


async def _page(pager: Any) -> Any:
    return await pager.page(None)


LINKED: Final[Grant] = (
    Grant()
    .linked(Secret(MEMORY_KEY), access_token=Secret(ACCESS_TOKEN), refresh_token=Secret(REFRESH_TOKEN))
    .asked("req-1", approved=True)
)
"""A user who has linked an account and approved."""

CALLS: Final[dict[str, Callable[[Any], Awaitable[Any]]]] = {
    "connect": lambda client: client.connect(MEMORY_KEY, reason="why"),
    "request": lambda client: client.request(
        "POST", "/notes", params={"limit": 1}, json={"key": MEMORY_KEY, "content": CONTENT}
    ),
    "access_requests.create": lambda client: client.access_requests.create(MEMORY_KEY, reason="why"),
    "access_requests.get": lambda client: client.access_requests.get("req-1"),
    "access_requests.list": lambda client: items(client.access_requests.list()),
    "access_requests.credentials": lambda client: client.access_requests.credentials("req-1"),
    "access_requests.wait": lambda client: client.access_requests.wait("req-1", timeout=20),
    "memory_blobs.create": lambda client: client.memory_blobs.create(
        user_id=USER, memory_key=MEMORY_KEY, content=CONTENT
    ),
    "memory_blobs.update": lambda client: client.memory_blobs.update(
        "mem-1", user_id=USER, memory_key=MEMORY_KEY, content=CONTENT
    ),
    "memory_blobs.get": lambda client: client.memory_blobs.get("mem-1", user_id=USER),
    "memory_blobs.delete": lambda client: client.memory_blobs.delete("mem-1", user_id=USER),
    "memory_blobs.list": lambda client: items(client.memory_blobs.list(user_id=USER)),
    "pager.first_page": lambda client: _first_page(client.memory_blobs.list(user_id=USER)),
    "pager.ahead": lambda client: _ahead(client.memory_blobs.list(user_id=USER)),
    "pager.page": lambda client: _page(client.memory_blobs.list(user_id=USER)),
    "pager.pages": lambda client: _page_by_page(client.memory_blobs.list(user_id=USER)),
    "tags.get": lambda client: client.tags.get("tag-1", user_id=USER),
    "tags.list": lambda client: items(client.tags.list(user_id=USER)),
    "flow.complete": lambda client: flow(client).complete(f"{BACK}?code={CODE}&state={STATE}"),
    "oauth.refresh": lambda client: client.oauth.refresh(
        REFRESH_TOKEN, client_id="app", client_secret=CLIENT_SECRET
    ),
    "connections.begin": lambda client: connections(client).begin("ada", return_to="/notes"),
    "connections.complete": lambda client: begun(client).complete("ada", f"{BACK}?code={CODE}&state={STATE}"),
    "connections.link": lambda client: connections(client).link("ada", MEMORY_KEY),
    "connections.status": lambda client: connections(client, LINKED).status("ada"),
    "connections.store": lambda client: connections(client, LINKED).store("ada"),
    "connections.tokens": lambda client: connections(client, LINKED).tokens("ada"),
    "connections.disconnect": lambda client: connections(client, LINKED).disconnect("ada"),
    "store.create": lambda client: client.open(credentials()).create(CONTENT, title="a title"),
    "store.update": lambda client: client.open(credentials()).update("mem-1", content=CONTENT),
    "store.get": lambda client: client.open(credentials()).get("mem-1"),
    "store.delete": lambda client: client.open(credentials()).delete("mem-1"),
    "store.list": lambda client: items(client.open(credentials()).list()),
    "store.list_tags": lambda client: items(client.open(credentials()).list_tags()),
    "store.recall": lambda client: client.open(credentials()).recall(CONTENT),
}
"""Methods that send something."""


def connections(client: Any, grant: Grant | None = None, pending: PendingFlow | None = None) -> Any:
    """Connections with one user, sealed with the planted secret."""
    grants = MemoryGrantStore()
    seal = SecretSeal([Secret(SEALING_SECRET)], purpose=GRANT_PURPOSE)
    rows = GrantRows(grants, seal, endpoint=_endpoint(client))
    if grant is not None:
        rows.swap("ada", rows.read("ada"), grant)
    if pending is not None:
        rows.begin(pending, wall=pending.flow.began)
    return client.connections(grants, redirect_uri=BACK, reason="why", secret=SEALING_SECRET)


def begun(client: Any) -> Any:
    """Connections with a flow of a planted state and verifier."""
    return connections(client, pending=PendingFlow(user="ada", return_to=None, flow=_planted(client)))


def _endpoint(client: Any) -> str:
    address: str = client.oauth.begin(client_id="app", redirect_uri=BACK).url
    return address.partition("?")[0]


def sealed(client: Any) -> str:
    """A flow with a planted state and verifier, sealed with the planted secret."""
    planted = _planted(client)
    seal = SecretSeal([Secret(SEALING_SECRET)], purpose=FLOW_PURPOSE)
    return seal.seal(planted.written(), context=planted.endpoint.encode())


def _planted(client: Any) -> Flow:
    return Flow(
        endpoint=_endpoint(client),
        client_id="app",
        redirect_uri=BACK,
        scope=None,
        params={},
        state=Secret(STATE),
        code_verifier=Secret(VERIFIER),
        began=2_000_000_000,
    )


def flow(client: Any) -> Any:
    """A flow with a planted state and verifier."""
    return client.oauth.restore(sealed(client), secret=SEALING_SECRET, client_secret=CLIENT_SECRET)
