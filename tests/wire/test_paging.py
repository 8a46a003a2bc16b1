"""Walking through lists."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import httpx
import pytest
import respx

import memoram_sync
from memoram_async import ConfigurationError, InvalidArgumentError, PaginationError, ServerError
from tests.worlds import API_KEY, Service, World, failure, items

pytestmark = pytest.mark.anyio


def page(*ids: str, cursor: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"memoryBlobs": [{"id": name} for name in ids], "next_cursor": cursor})


def listing(client: Any) -> Any:
    return client.memory_blobs.list(user_id="u")


async def test_iterating_follows_every_cursor_across_empty_pages(world: World) -> None:
    service = Service.answering(page("a", "b", cursor="1"), page(cursor="2"), page("c"))
    async with world.client(service) as client:
        assert [blob.id for blob in await items(listing(client))] == ["a", "b", "c"]
    assert [request.url.params.get("cursor") for request in service.requests] == [None, "1", "2"]


async def test_pages_come_whole(world: World) -> None:
    async with world.client(Service.answering(page("a", "b", cursor="1"), page("c"))) as client:
        pages = await items(listing(client).pages())
    assert [[blob.id for blob in each.items] for each in pages] == [["a", "b"], ["c"]]


async def test_the_first_page_alone_sends_one_request(world: World) -> None:
    service = Service.answering(page("a", cursor="1"), page("b"))
    async with world.client(service) as client:
        first = await listing(client).first_page()
        assert (len(service.requests), first.next_cursor) == (1, "1")
        second = await listing(client).page(first.next_cursor)
    assert [blob.id for blob in second.items] == ["b"]


async def test_making_a_list_sends_nothing(world: World) -> None:
    service = Service.answering(page())
    async with world.client(service) as client:
        listing(client)
    assert (service.requests, service.exchanges) == ([], [])


async def test_each_iteration_starts_anew(world: World) -> None:
    async with world.client(Service.answering(page("a"))) as client:
        pager = listing(client)
        assert len(await items(pager)) == len(await items(pager)) == 1


@pytest.mark.parametrize("cursors", [["1", "1"], ["1", "2", "1"], ["1", "2", "3", "2"]])
async def test_a_cursor_that_comes_back_ends_the_walk(world: World, cursors: list[str]) -> None:
    async with world.client(Service.answering(*[page("a", cursor=name) for name in cursors])) as client:
        error = await failure(items(listing(client)), PaginationError)
    assert "same cursor twice" in str(error)


ENDS = {"its own": ["1", "1"], "one that cannot be sent": ["1", "\ud800"]}


@pytest.mark.parametrize("cursors", ENDS.values(), ids=ENDS.keys())
async def test_a_page_with_a_cursor_that_leads_nowhere_gives_its_items_before_it_raises(
    world: World, cursors: list[str]
) -> None:
    answers = [
        httpx.Response(200, content=json.dumps({"memoryBlobs": [{"id": cursor[0]}], "next_cursor": cursor}))
        for cursor in cursors
    ]
    service = Service.answering(*answers)
    async with world.client(service) as client:
        walk = listing(client).__aiter__()
        for cursor in cursors:
            assert (await walk.__anext__()).id == cursor[0]
        for _ in range(2):
            await failure(walk.__anext__(), PaginationError)
    assert len(service.requests) == 2


@pytest.mark.parametrize("world", ["asyncio", "trio"], indirect=True)
async def test_tasks_that_share_an_iterator_are_told_so(world: World) -> None:
    started, go_on = anyio.Event(), anyio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/token"):
            return httpx.Response(200, json={"token": "t"})
        started.set()
        await go_on.wait()
        return page("a", "b")

    async with world.client(slow) as client:
        walk = listing(client).__aiter__()
        found: list[str] = []

        async def read() -> None:
            found.append((await walk.__anext__()).id)

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await started.wait()
            with pytest.raises(ConfigurationError, match="give each an iterator of its own"):
                await walk.__anext__()
            go_on.set()
        assert (found, (await walk.__anext__()).id) == (["a"], "b")


@respx.mock
def test_threads_that_share_an_iterator_are_told_so(respx_mock: respx.MockRouter) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow(_: httpx.Request) -> httpx.Response:
        started.set()
        assert go_on.wait(30)
        return page("a", "b")

    respx_mock.post(path__regex=r"/auth/token$").respond(json={"token": "t"})
    respx_mock.get(path__regex=r"/memory-blobs$").mock(side_effect=slow)
    with memoram_sync.Memoram(API_KEY) as client:
        walk = iter(client.memory_blobs.list(user_id="u"))
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(next, walk)
            assert started.wait(30)
            with pytest.raises(ConfigurationError, match="give each an iterator of its own"):
                next(walk)
            go_on.set()
            assert first.result().id == "a"
        assert next(walk).id == "b"


async def test_a_page_that_failed_can_be_asked_for_again(world: World) -> None:
    service = Service.answering(page("a", cursor="1"), httpx.Response(500), page("b"))
    async with world.client(service, max_retries=0) as client:
        walk = listing(client).__aiter__()
        assert (await walk.__anext__()).id == "a"
        await failure(walk.__anext__(), ServerError)
        assert (await walk.__anext__()).id == "b"


@pytest.mark.parametrize(
    "arguments",
    [
        {"page_size": 0},
        {"page_size": True},
        {"page_size": 2.5},
        {"tags": "travel"},
        {"tags": ["a,b"]},
        {"tags": [""]},
        {"tags": 3},
        {"search": 3},
        {"importance": float("nan")},
        {"importance": True},
        {"user_id": ".."},
    ],
)
async def test_a_filter_that_cannot_be_sent_is_refused_before_anything_is(
    world: World, arguments: dict[str, Any]
) -> None:
    service = Service.answering(page())
    async with world.client(service) as client:
        with pytest.raises(InvalidArgumentError):
            client.memory_blobs.list(**{"user_id": "u", **arguments})
    assert service.exchanges == []
