"""A client belongs to the event loop that it was first used in."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import TYPE_CHECKING

import anyio
import pytest
import trio

from memoram_async import AsyncMemoram, ConfigurationError
from memoram_local import MemoramLocal

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def client() -> Iterator[AsyncMemoram]:
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Planner")
        yield AsyncMemoram(app.api_key, base_url=f"{server.url}/api/v1", auth_url=server.url)


async def count(client: AsyncMemoram) -> int:
    return len((await client.access_requests.list().first_page()).items)


@pytest.mark.parametrize("rest", ["close", "again"])
def test_a_second_run_complains_of_nothing(client: AsyncMemoram, rest: str) -> None:
    complaints: list[object] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.unraisablehook", complaints.append)
            assert asyncio.run(count(client)) == 0
            gc.collect()
            if rest == "again":
                assert asyncio.run(count(client)) == 0
                gc.collect()
            asyncio.run(client.aclose())
            gc.collect()
    assert complaints == []


def test_a_loop_that_has_ended_can_be_followed_by_another(client: AsyncMemoram) -> None:
    with warnings.catch_warnings():
        # The sockets of the first loop are nobody's to close once it has ended.
        warnings.simplefilter("ignore", ResourceWarning)
        assert asyncio.run(count(client)) == 0
        assert asyncio.run(count(client)) == 0
        assert trio.run(count, client) == 0
        assert trio.run(count, client) == 0
        assert asyncio.run(count(client)) == 0
        asyncio.run(client.aclose())
        del client
        gc.collect()


def test_a_loop_that_still_runs_does_not_share_its_client(client: AsyncMemoram) -> None:
    async def outer() -> None:
        assert await count(client) == 0

        def inner() -> None:
            with pytest.raises(ConfigurationError, match="another event loop"):
                asyncio.run(count(client))

        await asyncio.to_thread(inner)
        assert await count(client) == 0
        await client.aclose()

    asyncio.run(outer())


def test_a_trio_loop_that_still_runs_does_not_share_its_client(client: AsyncMemoram) -> None:
    async def outer() -> None:
        assert await count(client) == 0

        def inner() -> None:
            with pytest.raises(ConfigurationError, match="another event loop"):
                trio.run(count, client)

        await trio.to_thread.run_sync(inner)
        await client.aclose()

    trio.run(outer)


def test_hundreds_of_tasks_share_one_client_and_one_token(client: AsyncMemoram) -> None:
    async def main() -> None:
        async with client, anyio.create_task_group() as group:
            for _ in range(300):
                group.start_soon(count, client)

    anyio.run(main)
