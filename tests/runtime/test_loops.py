"""A client belongs to the event loop that it was first used in."""

from __future__ import annotations

import asyncio
import gc
import warnings
import weakref
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio
import uvloop

from memoram_async import AsyncMemoram, ConfigurationError
from memoram_local import MemoramLocal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterator


@pytest.fixture
def new_client() -> Iterator[Callable[[], AsyncMemoram]]:
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Planner")
        yield partial(AsyncMemoram, app.api_key, base_url=server.api_url, auth_url=server.auth_url)


@pytest.fixture
def client(new_client: Callable[[], AsyncMemoram]) -> AsyncMemoram:
    return new_client()


async def count(client: AsyncMemoram) -> int:
    return len((await client.access_requests.list().first_page()).items)


def asyncio_run(doing: Callable[[AsyncMemoram], Coroutine[Any, Any, Any]], client: AsyncMemoram) -> Any:
    return asyncio.run(doing(client))


def uvloop_run(doing: Callable[[AsyncMemoram], Coroutine[Any, Any, Any]], client: AsyncMemoram) -> Any:
    return uvloop.run(doing(client))


@contextmanager
def no_complaints() -> Generator[None]:
    """Every warning is an error, those of what is collected as garbage too."""
    complaints: list[object] = []
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("error")
        patch.setattr("sys.unraisablehook", complaints.append)
        yield
        gc.collect()
    assert complaints == []


@pytest.mark.parametrize("run", [asyncio_run, uvloop_run, trio.run])
def test_a_second_run_complains_of_nothing(client: AsyncMemoram, run: Any) -> None:
    with no_complaints():
        for _ in range(3):
            assert run(count, client) == 0
            gc.collect()
        run(AsyncMemoram.aclose, client)


@pytest.mark.parametrize("run", [asyncio_run, uvloop_run, trio.run])
def test_what_nobody_closes_ends_with_its_loop(new_client: Callable[[], AsyncMemoram], run: Any) -> None:
    with no_complaints():
        assert run(count, new_client()) == 0


def test_a_loop_that_has_ended_can_be_followed_by_another_kind(client: AsyncMemoram) -> None:
    with no_complaints():
        for run in (asyncio_run, trio.run, uvloop_run, trio.run, asyncio_run):
            assert run(count, client) == 0
        run(AsyncMemoram.aclose, client)


def test_a_loop_that_has_ended_is_not_kept(client: AsyncMemoram) -> None:
    async def main() -> weakref.ref[asyncio.AbstractEventLoop]:
        await count(client)
        return weakref.ref(asyncio.get_running_loop())

    ended = asyncio.run(main())
    asyncio.run(count(client))
    gc.collect()
    assert ended() is None


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
