"""Answers that are lost on a real socket, after a real platform has committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from memoram_async import OutcomeUnknownError
from memoram_local import MemoramLocal
from memoram_local.testing import DropAfterCommit
from tests.worlds import Time, items

if TYPE_CHECKING:
    from tests.worlds import World

pytestmark = pytest.mark.anyio

WRITES: Final = 50


async def test_each_memory_is_stored_once_though_every_other_answer_is_lost(world: World) -> None:
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Planner")
        user = local.create_user(email="ada@example.com", password="correct horse battery")
        client = world.real_client(
            time=Time(), api_key=app.api_key, base_url=f"{server.url}/api/v1", auth_url=server.url
        )
        async with client:
            request = await client.access_requests.create(user.memory_key, reason="Plans journeys")
            local.approve(request.id)
            store = client.open(await client.access_requests.credentials(request.id))
            with local.faults.add(DropAfterCommit(), route="createMemoryBlob", every=2):
                made = [await store.create(f"memory {number}") for number in range(WRITES)]
            assert {memory.info.attempts for memory in made} == {1, 2}
            assert {memory.info.replayed for memory in made if memory.info.attempts == 2} == {True}
            await store.delete(made[0].id)
            with local.faults.add(DropAfterCommit(), route="deleteMemoryBlob", nth=2, times=1):
                await store.delete(made[1].id)
            kept = await items(store.list(page_size=100))
    assert sorted(memory.id for memory in kept) == sorted(memory.id for memory in made[2:])


async def test_a_client_that_knows_nothing_of_the_platform_says_that_it_does_not_know(world: World) -> None:
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Planner")
        user = local.create_user(email="ada@example.com", password="correct horse battery")
        client = world.real_client(api_key=app.api_key, base_url=f"{server.url}/api/v1", auth_url=server.url)
        async with client:
            local.faults.add(DropAfterCommit(), route="createAccessRequest", nth=1, times=1)
            with pytest.raises(OutcomeUnknownError, match="read the resource back"):
                await client.access_requests.create(user.memory_key, reason="Plans journeys")
            found = await items(client.access_requests.list())
    assert [request.reason for request in found] == ["Plans journeys"]
