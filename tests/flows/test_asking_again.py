"""Asking a user who said no, in both worlds: the SDK says until when it is too early."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from memoram_async import AccessRejected, ConflictError
from tests.worlds import failure

if TYPE_CHECKING:
    from tests.flows.conftest import Stage

pytestmark = pytest.mark.anyio

WHY = "Plans journeys"


async def test_asking_too_early_after_a_rejection_is_a_rejection_that_says_until_when(stage: Stage) -> None:
    async with stage.client() as client:
        request = await client.access_requests.create(stage.user.memory_key, reason=WHY)
        stage.local.reject(request.id)

        for asking in (
            client.access_requests.create(stage.user.memory_key, reason=WHY),
            client.connect(stage.user.memory_key, reason=WHY),
        ):
            error = await failure(asking, AccessRejected)

            assert error.until is not None
            assert timedelta(0) < error.until - datetime.now(UTC) <= timedelta(seconds=60)
            assert error.request_id is None
            assert error.until.isoformat() in str(error)
            assert pickle.loads(pickle.dumps(error)).until == error.until  # noqa: S301 - our own


async def test_asking_that_is_blocked_is_a_rejection_too(stage: Stage) -> None:
    async with stage.client() as client:
        for _ in range(5):
            request = await client.access_requests.create(stage.user.memory_key, reason=WHY)
            stage.local.reject(request.id)
            stage.local.clock.advance(61)

        error = await failure(
            client.access_requests.create(stage.user.memory_key, reason=WHY), AccessRejected
        )

    assert error.until is not None
    assert "in a row" in str(error)


async def test_too_many_open_requests_are_a_conflict(stage: Stage) -> None:
    async with stage.client() as client:
        for _ in range(20):
            await client.access_requests.create(stage.user.memory_key, reason=WHY)

        error = await failure(client.access_requests.create(stage.user.memory_key, reason=WHY), ConflictError)

    assert error.code == "too_many_pending"
    assert error.until is None


async def test_a_list_goes_on_after_pages_in_which_nothing_was_found(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        wanted = await store.create("needle", title="needle")
        for _ in range(3):
            await store.create("hay")
        limited = stage.local._services.limits  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
        object.__setattr__(limited, "rows_looked_at", 1)
        found = [memory.id async for memory in store.list(search="needle")]

    assert found == [wanted.id]
