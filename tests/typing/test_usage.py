"""What the type checkers accept also works, against a whole platform.

That mypy and pyright accept the one and refuse the other is checked where they run over everything.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import attrs
import pytest

from memoram_async import AsyncMemoram
from memoram_local import MemoramLocal
from memoram_sync import UNSET, Memoram
from tests.typing import async_usage, sync_usage

if TYPE_CHECKING:
    from collections.abc import Iterator

BACK = "https://app.test/back"


@attrs.frozen
class Settings:
    """What a client is made of, and whose memories it may read."""

    local: MemoramLocal
    url: str
    api_key: str
    memory_key: str
    request_id: str

    def blocking(self) -> Memoram:
        return Memoram(self.api_key, base_url=f"{self.url}/api/v1", auth_url=self.url)

    def asynchronous(self) -> AsyncMemoram:
        return AsyncMemoram(self.api_key, base_url=f"{self.url}/api/v1", auth_url=self.url)


@pytest.fixture
def settings() -> Iterator[Settings]:
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Planner", redirect_uris=[BACK])
        user = local.create_user(email="ada@example.com", password="correct horse battery")
        with Memoram(app.api_key, base_url=server.api_url, auth_url=server.auth_url) as client:
            request = client.access_requests.create(user.memory_key, reason="Plans journeys")
        local.approve(request.id)
        yield Settings(local, server.url, app.api_key, user.memory_key, request.id)


def test_blocking_code(settings: Settings) -> None:
    with settings.blocking() as client:
        store = client.connect(settings.memory_key, reason="Plans journeys")
        sync_usage.memories(store, "Seat")
        store = client.connect(settings.memory_key, reason="Plans journeys")
        sync_usage.pages(store)
        sync_usage.resources(client, settings.memory_key, settings.request_id)
        assert sync_usage.errors(client, settings.memory_key) is None
    sync_usage.first_steps(settings.blocking(), settings.memory_key)


@pytest.mark.anyio
async def test_asynchronous_code(settings: Settings) -> None:
    async with settings.asynchronous() as client:
        store = await client.connect(settings.memory_key, reason="Plans journeys")
        await async_usage.memories(store, "Seat")
        store = await client.connect(settings.memory_key, reason="Plans journeys")
        await async_usage.pages(store)
        await async_usage.resources(client, settings.memory_key, settings.request_id)
        assert await async_usage.errors(client, settings.memory_key) is None
    await async_usage.first_steps(settings.asynchronous(), settings.memory_key)


def test_every_way_to_make_a_client() -> None:
    assert len(sync_usage.clients()) == len(async_usage.clients())


def test_unset_is_told_from_none() -> None:
    for usage in (async_usage, sync_usage):
        assert usage.changes(UNSET) is None
        assert usage.changes("title") == "title"


def test_mistakes_are_only_mistakes_of_type() -> None:
    assert importlib.import_module("tests.typing.mistakes").__doc__
