"""A call that is cancelled while it asks gives the lease back, and another one asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from memoram_async import ApprovalRequired, AsyncMemoram, Attempt, Hooks, MemoryGrantStore, Secret
from memoram_async.core.grants import GRANT_PURPOSE, Grant
from memoram_async.crypto.secret_seal import SecretSeal
from memoram_async.grants.rows import GrantRows
from memoram_local import MemoramLocal
from memoram_local.testing import Delay
from tests.grants.worker import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.anyio,
    # trio and httpx: a request that is cancelled leaves the generator of its body to the collector.
    pytest.mark.filterwarnings("ignore:Async generator .*:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Seen(Hooks):
    """Tells when the list of access requests is asked for."""

    def __init__(self) -> None:
        self.asked = anyio.Event()

    def before_request(self, attempt: Attempt) -> None:
        if attempt.operation == "listAccessRequests":
            self.asked.set()


@pytest.fixture
def local() -> Iterator[MemoramLocal]:
    with MemoramLocal(password_profile="fast") as local:
        yield local


async def test_a_cancelled_call_gives_the_lease_back(local: MemoramLocal) -> None:
    grants = MemoryGrantStore()
    rows = GrantRows(grants, SecretSeal([Secret(CONNECTIONS["secret"])], purpose=GRANT_PURPOSE), endpoint="")
    user = local.create_user(email="ada@example.com", password="correct horse battery")
    assert rows.swap("ada", rows.read("ada"), Grant().linked(Secret(user.memory_key)))
    key = local.register_app(name="Notes").api_key
    with local.serve() as server:
        seen = Seen()
        addresses: dict[str, Any] = {"base_url": server.api_url, "auth_url": server.auth_url}
        async with AsyncMemoram(key, hooks=seen, **addresses) as client:
            connections = client.connections(grants, **CONNECTIONS)
            local.faults.add(Delay(30), route="listAccessRequests", nth=1)
            async with anyio.create_task_group() as group:
                group.start_soon(connections.store, "ada")
                await seen.asked.wait()
                assert rows.read("ada").grant.lease is not None
                group.cancel_scope.cancel()
            assert rows.read("ada").grant.lease is None
            local.faults.clear()
            with pytest.raises(ApprovalRequired):
                await connections.store("ada")
            local.clock.advance(60)  # the platform still holds the first answer back
    assert len(local.access_requests()) == 1
