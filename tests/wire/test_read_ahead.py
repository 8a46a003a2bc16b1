"""Lists that are read one page ahead."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest

from memoram_async import ConfigurationError, PaginationError, PermissionDeniedError, ServerError
from tests.wire.test_paging import listing, page
from tests.worlds import Service, World, failure, items

pytestmark = pytest.mark.anyio


async def asked_for(service: Service, pages: int) -> None:
    """Wait until that many pages were asked for, by a task or a thread."""
    with anyio.fail_after(10):
        while len(service.requests) < pages:  # noqa: ASYNC110 - the thread of the sync world has no event to set
            await anyio.sleep(0.001)


async def test_it_reads_what_iterating_reads(world: World) -> None:
    service = Service.answering(page("a", "b", cursor="1"), page(cursor="2"), page("c"))
    async with world.client(service) as client, listing(client).ahead() as blobs:
        assert [blob.id for blob in await items(blobs)] == ["a", "b", "c"]
    assert [request.url.params.get("cursor") for request in service.requests] == [None, "1", "2"]


async def test_the_next_page_is_fetched_while_this_one_is_worked_on(world: World) -> None:
    service = Service.answering(page("a", cursor="1"), page("b", cursor="2"), page("c"))
    async with world.client(service) as client, listing(client).ahead() as blobs:
        assert (await anext(aiter(blobs))).id == "a"
        await asked_for(service, pages=2)


async def test_it_is_no_more_than_one_page_ahead(world: World) -> None:
    service = Service.answering(
        page("a", cursor="1"), page("b", cursor="2"), page("c", cursor="3"), page("d")
    )
    async with world.client(service) as client, listing(client).ahead() as blobs:
        await anext(aiter(blobs))
        await asked_for(service, pages=2)
        await anyio.wait_all_tasks_blocked()
        assert len(service.requests) == 2


async def test_leaving_early_leaves_nothing_behind(world: World) -> None:
    service = Service.answering(page("a", cursor="1"), page("b", cursor="2"), page("c"))
    async with world.client(service) as client:
        async with listing(client).ahead() as blobs:
            await anext(aiter(blobs))
        asked = len(service.requests)
        await anyio.wait_all_tasks_blocked()
        assert len(service.requests) == asked <= 2


async def test_a_page_that_fails_raises_where_it_is_needed_and_can_be_asked_for_again(world: World) -> None:
    service = Service.answering(page("a", cursor="1"), httpx.Response(403), page("b"))
    async with world.client(service) as client, listing(client).ahead() as blobs:
        assert (await anext(aiter(blobs))).id == "a"
        await failure(anext(aiter(blobs)), PermissionDeniedError)
        await anyio.wait_all_tasks_blocked()
        assert len(service.requests) == 2, "nothing is tried again before somebody asks"
        assert [blob.id for blob in await items(blobs)] == ["b"]


async def test_the_first_page_may_fail(world: World) -> None:
    service = Service.answering(httpx.Response(500), page("a"))
    async with world.client(service, max_retries=0) as client, listing(client).ahead() as blobs:
        await failure(anext(aiter(blobs)), ServerError)
        assert [blob.id for blob in await items(blobs)] == ["a"]


async def fail_inside(ahead: Any) -> None:
    async with ahead as blobs:
        await anext(aiter(blobs))
        raise ZeroDivisionError


async def test_an_error_inside_passes_through_unwrapped(world: World) -> None:
    async with world.client(Service.answering(page("a", cursor="1"), page("b"))) as client:
        await failure(fail_inside(listing(client).ahead()), ZeroDivisionError)


async def test_a_circle_of_cursors_is_noticed(world: World) -> None:
    service = Service.answering(page("a", cursor="1"))
    async with world.client(service) as client, listing(client).ahead() as blobs:
        await failure(items(blobs), PaginationError)


async def test_the_end_stays_the_end(world: World) -> None:
    async with world.client(Service.answering(page("a"))) as client, listing(client).ahead() as blobs:
        assert len(await items(blobs)) == 1
        assert await items(blobs) == []


async def test_outside_of_its_with_it_reads_nothing(world: World) -> None:
    service = Service.answering(page("a"))
    async with world.client(service) as client:
        ahead = listing(client).ahead()
        await failure(items(ahead), ConfigurationError)
        async with ahead:
            pass
        await failure(items(ahead), ConfigurationError)
        with pytest.raises(ConfigurationError):
            async with ahead:
                pass
    assert len(service.requests) <= 1


@pytest.mark.parametrize("world", ["asyncio", "trio"], indirect=True)
async def test_cancelling_ends_it(world: World) -> None:
    reading: Any = None
    async with world.client(Service.answering(page("a", cursor="1"), page("b"))) as client:
        with anyio.CancelScope() as scope:
            async with listing(client).ahead() as reading:
                await anext(aiter(reading))
                scope.cancel()
                await anyio.sleep(10)
        assert scope.cancelled_caught
        await failure(anext(aiter(reading)), ConfigurationError)
