"""Every kind of grant store, on the real thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.postgresql_server import PostgreSQLServer
from tests.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_server(shared_redis: RedisServer) -> RedisServer:
    """A Redis without any keys."""
    shared_redis.clear()
    return shared_redis


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL database for all tests, each of which has a table of its own."""
    with PostgreSQLServer() as server, server.database() as url:
        yield url
