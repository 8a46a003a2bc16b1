"""The fixtures of tests that run in all three worlds; a conftest imports them for its folder."""

from __future__ import annotations

import pytest

from tests.worlds import World


@pytest.fixture(params=["asyncio", "trio", "sync"])
def world(request: pytest.FixtureRequest) -> World:
    """Each of the worlds that the SDK runs in."""
    return World(request.param)


@pytest.fixture
def anyio_backend(world: World) -> str:
    """The loop to run the test on; the sync world runs inside one too, as in a notebook."""
    return "trio" if world.name == "trio" else "asyncio"
