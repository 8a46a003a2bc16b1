"""A platform with an application and its users, MCP servers over it, and agents that follow a script."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

import attrs
import pytest
from mcp import Client
from mcp.types import ElicitRequestURLParams, ElicitResult, TextContent

from memoram_async import AsyncMemoram
from memoram_async.integrations.mcp import KeyHolder, MemoryServer
from memoram_local import MemoramLocal, User

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator

    from mcp.types import CallToolResult

DASHBOARD: Final = "https://dashboard.test/requests"
ERAS: Final = ("2026-07-28", "legacy")
"""What a client is made with, so that it speaks the newest revision, or begins with a handshake."""


def text_of(result: CallToolResult) -> str:
    """The text of a result."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


@attrs.define
class Person:
    """Who sits before a client that shows URLs.

    Attributes:
        action: What the client answers.
        does: What the person does before, with the URL that is shown.
        shown: The URLs.
    """

    action: Any = "accept"
    does: Callable[[str], object] = attrs.field(default=lambda url: None)
    shown: list[str] = attrs.field(factory=list[str])

    async def __call__(self, context: Any, params: Any) -> ElicitResult:
        assert isinstance(params, ElicitRequestURLParams)
        self.shown.append(params.url)
        self.does(params.url)
        return ElicitResult(action=self.action)


@attrs.frozen
class Stage:
    """A platform on a socket, an application, and a user."""

    local: MemoramLocal
    app: Any
    user: User
    url: str

    def memoram(self, **options: Any) -> AsyncMemoram:
        """A client of the application."""
        settings: dict[str, Any] = {
            "base_url": f"{self.url}/api/v1",
            "auth_url": self.url,
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secret,
            "secret": "a secret of the application's own, of 32 bytes",
            "dashboard_url": DASHBOARD,
            **options,
        }
        return AsyncMemoram(self.app.api_key, **settings)

    @asynccontextmanager
    async def server(
        self, *, memory_key: str | None = None, dashboard_url: str | None = DASHBOARD, **options: Any
    ) -> AsyncGenerator[MemoryServer]:
        """A server for one user."""
        async with self.memoram(dashboard_url=dashboard_url) as memoram:
            key = self.user.memory_key if memory_key is None else memory_key
            holder = KeyHolder(memoram, key, reason="Remembers for an agent")
            settings: dict[str, Any] = {"consent_seconds": 20.0, **options}
            yield MemoryServer(holder, **settings)

    def approve(self, *_: object) -> None:
        """The user approves what is asked."""
        for request in self.local.access_requests():
            if request.status == "pending":
                self.local.approve(request.id)

    @asynccontextmanager
    async def approved(self, **options: Any) -> AsyncGenerator[Client]:
        """A client of a server that the user has let in."""
        async with self.server(**options) as server, Client(server) as client:
            await client.call_tool("tags", {})
            self.approve()
            yield client


@contextmanager
def staged() -> Generator[Stage]:
    """A fresh platform."""
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Agent", redirect_uris=["https://app.test/callback"])
        user = local.create_user(email="ada@example.com", password="correct horse battery")
        yield Stage(local, app, user, server.url)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A fresh platform for each test."""
    with staged() as stage:
        yield stage


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """The official server configures the root logger, which other tests look at."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
