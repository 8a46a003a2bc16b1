from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.token_store.issuer import Scene
from tests.token_store.redis_server import RedisServer
from tests.worlds import World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["asyncio", "trio", "sync"])
def world(request: pytest.FixtureRequest) -> World:
    """Each of the worlds that the SDK runs in."""
    return World(request.param)


@pytest.fixture
def anyio_backend(world: World) -> str:
    """The loop to run the test on; the sync world runs inside one too, as in a notebook."""
    return "trio" if world.name == "trio" else "asyncio"


@pytest.fixture
def scene(world: World) -> Scene:
    """A service and an empty store."""
    return Scene(world)


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """One Redis for all tests that do not stop it."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_server(shared_redis: RedisServer) -> RedisServer:
    """A Redis without any keys."""
    shared_redis.clear()
    return shared_redis


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that the test may stop."""
    with RedisServer() as server:
        yield server
