"""The exchange of the API key goes by the options of the client that was made first, whoever leads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_async import ServerError
from tests.worlds import TOKEN, failure

if TYPE_CHECKING:
    from tests.worlds import World

pytestmark = pytest.mark.anyio

ISSUED = {"token": TOKEN, "expires_at": "2040-01-01T00:00:00Z"}


def is_exchange(request: httpx.Request) -> bool:
    return request.url.path.endswith("/auth/token")


@pytest.mark.parametrize(("own", "clones"), [(0, 5), (2, 0)])
async def test_it_is_tried_again_as_often_as_the_first_client_says(
    world: World, own: int, clones: int
) -> None:
    exchanges: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert is_exchange(request)
        exchanges.append(request)
        return httpx.Response(500)

    async with world.client(answer, max_retries=own) as client:
        clone = client.with_options(max_retries=clones)
        await failure(clone.tags.get("tag_1", user_id="u"), ServerError)
    assert len(exchanges) == own + 1


async def test_its_parts_may_take_as_long_as_the_first_client_says(world: World) -> None:
    timeouts: dict[bool, Any] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        timeouts[is_exchange(request)] = request.extensions["timeout"]["read"]
        return httpx.Response(200, json=ISSUED if is_exchange(request) else {"id": "tag_1"})

    async with world.client(answer, request_timeout=7) as client:
        await client.with_options(request_timeout=3).tags.get("tag_1", user_id="u")
    assert timeouts == {True: 7, False: 3}
