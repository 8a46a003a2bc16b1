"""The fixtures of tests that run in all three worlds; a conftest imports them for its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mocked_network import MockedNetwork
from tests.worlds import World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["asyncio", "trio", "sync"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Each of the worlds that the SDK runs in."""
    with MockedNetwork() as network:
        yield World(request.param, network)


@pytest.fixture
def anyio_backend(world: World) -> object:
    """The loop to run the test on."""
    return world.backend
