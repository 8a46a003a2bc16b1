from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.in_worlds import anyio_backend
from tests.mocked_network import MockedNetwork
from tests.worlds import World

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["anyio_backend"]


@pytest.fixture(params=["asyncio", "uvloop", "trio", "sync"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Each of the worlds that the SDK runs in, asyncio on both of its event loops."""
    on_uvloop = request.param == "uvloop"
    with MockedNetwork() as network:
        yield World("asyncio" if on_uvloop else request.param, network, on_uvloop=on_uvloop)
