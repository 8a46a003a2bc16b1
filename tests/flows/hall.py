"""A platform whose clock runs fast, for those who wait there at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import attrs
import pytest

from memoram_async import AsyncMemoram, Hooks
from memoram_async.runtime.anyio_runtime import AnyioRuntime
from memoram_local import MemoramLocal
from memoram_local.clock import Clock
from memoram_sync import Memoram
from memoram_sync.runtime.blocking_runtime import BlockingRuntime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SPEED = 50
WHY = "Remembers your travel preferences"


@attrs.frozen
class Hall:
    """A platform whose clock runs fast, and an application with many users."""

    local: MemoramLocal
    url: str
    api_key: str

    def client(self, hooks: Hooks | None = None) -> AsyncMemoram:
        runtime = AnyioRuntime(clock=self.local.clock)
        base_url = f"{self.url}/api/v1"
        return AsyncMemoram(self.api_key, base_url=base_url, auth_url=self.url, hooks=hooks, runtime=runtime)

    def blocking(self, hooks: Hooks | None = None) -> Memoram:
        runtime = BlockingRuntime(clock=self.local.clock)
        base_url = f"{self.url}/api/v1"
        return Memoram(self.api_key, base_url=base_url, auth_url=self.url, hooks=hooks, runtime=runtime)

    def requests(self, number: int) -> list[str]:
        """So many users, each with an open request."""
        with self.blocking() as client:
            users = [
                self.local.create_user(email=f"user{each}@example.com", password="correct horse battery")
                for each in range(number)
            ]
            return [client.access_requests.create(user.memory_key, reason=WHY).id for user in users]

    def approved(self, number: int) -> list[str]:
        """The memory keys of so many users, each of whom has approved."""
        for request_id in self.requests(number):
            self.local.approve(request_id)
        return [request.memory_key for request in self.local.access_requests()]

    def calls(self) -> int:
        """How often the platform was asked about access requests."""
        operations = ("getAccessRequest", "listAccessRequests")
        return sum(len(self.local.journal.entries(operation)) for operation in operations)


@pytest.fixture
def hall() -> Iterator[Hall]:
    clock = Clock()
    clock.scale = SPEED
    with MemoramLocal(password_profile="fast", clock=clock) as local, local.serve() as server:
        app = local.register_app(name="Planner")
        yield Hall(local, server.url, app.api_key)


async def together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each of the calls comes to, all at once."""
    results: list[Any] = [None] * len(calls)

    async def one(index: int) -> None:
        try:
            results[index] = await calls[index]()
        except Exception as error:  # noqa: BLE001 - what it comes to
            results[index] = error

    async with anyio.create_task_group() as group:
        for index in range(len(calls)):
            group.start_soon(one, index)
    return results
