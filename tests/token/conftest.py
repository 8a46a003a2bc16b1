from __future__ import annotations

import pytest

from tests.worlds import World


@pytest.fixture(params=["asyncio", "trio", "sync"])
def world(request: pytest.FixtureRequest) -> World:
    """Each of the worlds that the SDK runs in."""
    return World(request.param)
