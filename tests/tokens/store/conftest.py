from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.in_worlds import anyio_backend, world
from tests.redis_server import RedisServer
from tests.tokens.store.issuer import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.worlds import World

__all__ = ["anyio_backend", "world"]


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
