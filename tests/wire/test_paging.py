"""Walking through lists."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from memoram_async import InvalidArgumentError, PaginationError, ServerError
from tests.worlds import Service, World, failure, items

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
