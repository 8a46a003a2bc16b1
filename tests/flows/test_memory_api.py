"""Memory API over a real socket: from signing up to rotating the key that did it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memoram_async.memory_api import (
    DisabledAPIKeyError,
    ExpiredAPIKeyError,
    InsufficientScopeError,
    MemoryIDExistsError,
    MemoryNotFoundError,
    OrganizationDisabledError,
    RateLimitExceededError,
    RotationError,
)
from memoram_local import Clock, MemoramLocal
from memoram_local.services.rate_limits import Limits
from memoram_local.testing import Status
from tests.worlds import failure, items

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tests.worlds import World

pytestmark = pytest.mark.anyio


@pytest.fixture
def local() -> Iterator[MemoramLocal]:
    with MemoramLocal(password_profile="fast", strict=True, clock=Clock(running=False)) as platform:
        yield platform


@pytest.fixture
def url(local: MemoramLocal) -> Iterator[str]:
    with local.serve() as server:
        yield server.memory_api_url


def client(world: World, url: str, key: Any, **options: Any) -> Any:
    return world.real_memory_api(api_key=key, base_url=url, **options)


async def test_a_whole_life(world: World, url: str) -> None:
    async with client(world, url, None) as stranger:
        first = await stranger.signup(name="Planner", email="ada@example.test")
    async with client(world, url, first.key) as api:
        made = await api.memories.create("Ada prefers window seats", metadata={"n": 1}, memory_id="seat")
        await failure(api.memories.create("again", memory_id="seat"), MemoryIDExistsError)
        await api.memories.update(made.id, text="Ada prefers aisle seats")
        extracted = await api.extract("Ada: My dog is old.", content_type="conversation")
        result = await api.query("Which seats does Ada prefer?")
        answer = await api.query_answer("How old is the dog?")
        texts = [memory.text for memory in await items(api.memories.list(page_size=1))]
        await api.memories.delete(made.id)
        await failure(api.memories.get(made.id), MemoryNotFoundError)
        await api.memories.delete_all(confirm=True)

        assert [match.metadata for match in result.memories] == [{"n": 1}]
        assert (answer.answer, answer.model) == ("My dog is old.", "local-extractive")
        assert texts == ["My dog is old.", "Ada prefers aisle seats"]
        assert extracted.extracted_count == 1
        assert await items(api.memories.list()) == []
        assert (await api.usage.get()).data["memories_stored"] == 0


async def test_a_key_can_do_what_its_scopes_say(world: World, local: MemoramLocal, url: str) -> None:
    async with client(world, url, local.memory_api.sign_up().key) as admin:
        reader = await admin.account.api_keys.create(scopes=["read"], name="Reader")
    async with client(world, url, reader.key, auth_header="x-api-key") as api:
        error = await failure(api.memories.create("a"), InsufficientScopeError)
        assert await items(api.memories.list()) == []

    assert error.scope == "write"


async def test_rotating_its_own_key_leaves_a_client_that_works(
    world: World, local: MemoramLocal, url: str
) -> None:
    first = local.memory_api.sign_up()
    async with client(world, url, first.key) as api:
        new = await api.account.api_keys.rotate(first.id)
        keys = {key.id: key.is_active for key in await items(api.account.api_keys.list())}
    async with client(world, url, first.key) as old:
        await failure(old.account.get(), DisabledAPIKeyError)

    assert keys == {first.id: False, new.id: True}


async def test_a_rotation_that_cannot_revoke_leaves_both_keys_alive(
    world: World, local: MemoramLocal, url: str
) -> None:
    first = local.memory_api.sign_up()
    local.faults.add(Status(500), route="revokeApiKey")
    async with client(world, url, first.key) as api:
        error = await failure(api.account.api_keys.rotate(first.id), RotationError)
        assert error.new_key is not None
        assert error.alive == (first.id, error.new_key.id)
        assert len(await items(api.account.api_keys.list())) == 2


async def test_a_key_that_stops_working_says_why(world: World, local: MemoramLocal, url: str) -> None:
    first = local.memory_api.sign_up()
    short = local.memory_api.issue_key(first.org_id, scopes=["read"], expires_in_days=1)
    async with client(world, url, short.key) as api:
        await api.account.get()
        local.clock.advance(86_401)
        await failure(api.account.get(), ExpiredAPIKeyError)
    async with client(world, url, first.key) as api:
        local.memory_api.set_organization_active(first.org_id, active=False)
        await failure(api.account.get(), OrganizationDisabledError)


async def test_a_limit_says_how_long_to_wait(world: World, local: MemoramLocal, url: str) -> None:
    key = local.memory_api.sign_up().key
    local.memory_api.limits = Limits(per_minute=1)
    async with client(world, url, key, max_retries=0) as api:
        told = (await api.account.get()).info.rate_limit
        error = await failure(api.account.get(), RateLimitExceededError)

    assert (told.limit, told.remaining) == (1, 0)
    assert 0 < error.retry_after <= 60
    assert error.info.rate_limit.remaining == 0
