from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from memoram_local import MemoramLocal
from memoram_local.platform import User
from tests.flows.hall import hall
from tests.in_worlds import anyio_backend, world
from tests.worlds import Time, World

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["anyio_backend", "hall", "world"]


BACK = "http://localhost:9/back"


@attrs.frozen
class Stage:
    """A platform on a socket with an application and a user, and the world to use it from."""

    world: World
    local: MemoramLocal
    url: str
    app: Any
    user: User

    def client(self, *, time: Time | None = None, **options: Any) -> Any:
        """A client of the application."""
        return self.world.real_client(
            time=time,
            **{
                "api_key": self.app.api_key,
                "base_url": f"{self.url}/api/v1",
                "auth_url": self.url,
                **options,
            },
        )

    async def store(self, client: Any) -> Any:
        """A store of the user, whose access request is made and approved on the way."""
        request = await client.access_requests.create(self.user.memory_key, reason="Plans journeys")
        self.local.approve(request.id)
        return client.open(await client.access_requests.credentials(request.id))


@pytest.fixture
def stage(world: World) -> Iterator[Stage]:
    """A fresh platform for each test."""
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Planner", redirect_uris=[BACK])
        user = local.create_user(email="ada@example.com", password="correct horse battery")
        yield Stage(world, local, server.url, app, user)
