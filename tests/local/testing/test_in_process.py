"""The platform in process: the SDK on asyncio and on trio, and what faults look like without a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from memoram_async import APIConnectionError, APITimeoutError, AsyncMemoram, OutcomeUnknownError
from memoram_local.testing import (
    AutoApprove,
    ConnectionDropped,
    Delay,
    DropAfterCommit,
    DropBeforeCommit,
    NotJSON,
    StaleRead,
    Status,
    Truncate,
)
from tests.worlds import failure

if TYPE_CHECKING:
    from memoram_async import AsyncMemoryStore
    from memoram_local import MemoramLocal, User
    from memoram_local.testing import Fault

pytestmark = pytest.mark.anyio


async def opened(local: MemoramLocal, client: AsyncMemoram, user: User) -> AsyncMemoryStore:
    request = await client.access_requests.create(user.memory_key, reason="Plans journeys")
    local.approve(request.id)
    return client.open(await client.access_requests.credentials(request.id))


async def test_the_client_works_without_a_socket(
    memoram_local: MemoramLocal, memoram_client: AsyncMemoram, memoram_user: User
) -> None:
    memoram_local.policy = AutoApprove()
    store = await opened(memoram_local, memoram_client, memoram_user)
    await store.create("Prefers window seats", tags=["travel"])

    assert [memory.content async for memory in store.list(tags=["travel"])] == ["Prefers window seats"]


async def test_the_client_tries_again_after_a_fault_that_passes(
    memoram_local: MemoramLocal, memoram_client: AsyncMemoram, memoram_user: User
) -> None:
    store = await opened(memoram_local, memoram_client, memoram_user)
    memoram_local.clock.scale = 100
    armed = memoram_local.faults.add(Status(503, retry_after=1), route="createMemoryBlob", nth=1)
    await store.create("Prefers window seats")

    assert armed.fired == 1
    assert len([memory async for memory in store.list()]) == 1


@pytest.mark.parametrize("fault", [DropBeforeCommit(), DropAfterCommit(), Truncate()])
async def test_a_dropped_connection_is_one_to_the_client(
    memoram_local: MemoramLocal, memoram_client: AsyncMemoram, memoram_user: User, fault: Fault
) -> None:
    request = await memoram_client.access_requests.create(memoram_user.memory_key, reason="Plans")
    memoram_local.faults.add(fault, route="getAccessRequest")
    unforgiving = memoram_client.with_options(max_retries=0)

    await failure(unforgiving.access_requests.get(request.id), APIConnectionError)


async def test_a_write_whose_answer_was_lost_is_in_doubt(
    memoram_local: MemoramLocal, memoram_client: AsyncMemoram, memoram_user: User
) -> None:
    store = await opened(memoram_local, memoram_client, memoram_user)
    memoram_local.clock.scale = 100
    memoram_local.faults.add(NotJSON(), route="createMemoryBlob")

    await failure(store.create("Prefers window seats"), OutcomeUnknownError)

    memoram_local.faults.clear()
    assert len([memory async for memory in store.list()]) == 1


async def test_without_a_client_that_knows_them_drops_are_raised_with_their_reason(
    memoram_local: MemoramLocal,
) -> None:
    memoram_local.faults.add(DropBeforeCommit(), route="listTags")
    transport = httpx.ASGITransport(memoram_local.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as http:
        with pytest.raises(ConnectionDropped, match="on purpose: before the request was carried out"):
            await http.get("/tags")


async def test_a_stale_read_works_in_every_loop(
    memoram_local: MemoramLocal, memoram_client: AsyncMemoram, memoram_user: User
) -> None:
    store = await opened(memoram_local, memoram_client, memoram_user)
    memoram_local.faults.add(StaleRead(), route="listMemoryBlobs", times=1)
    await store.create("Prefers window seats")

    assert [memory async for memory in store.list()] == []
    assert len([memory async for memory in store.list()]) == 1


async def test_a_request_that_takes_too_long_times_out(
    memoram_local: MemoramLocal, memoram_client: AsyncMemoram
) -> None:
    memoram_local.faults.add(Delay(3600), route="listAccessRequests")
    hurried = memoram_client.with_options(request_timeout=0.05, max_retries=0)

    await failure(anext(aiter(hurried.access_requests.list())), APITimeoutError)


async def test_a_total_timeout_passes_by_the_shared_clock(
    memoram_local: MemoramLocal, memoram_client: AsyncMemoram
) -> None:
    memoram_local.faults.add(Delay(36_000), route="listAccessRequests")
    memoram_local.clock.scale = 500

    hurried = memoram_client.with_options(timeout=30, request_timeout=3600, max_retries=0)
    await failure(anext(aiter(hurried.access_requests.list())), APITimeoutError)
