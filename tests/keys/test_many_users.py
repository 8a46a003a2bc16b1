"""Many users in one client: whatever the order, each sees their own memories, and nobody another's."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from memoram_async import AccessCredentials, AsyncMemoram, MemoryKeyStore, Secret
from memoram_async.crypto import EncryptionKey, encrypt
from memoram_sync import Memoram
from tests.worlds import API, API_KEY, AUTH

if TYPE_CHECKING:
    from collections.abc import Iterator

USERS = range(6)
VERSIONS = (1, 2, 3)


def key_of(user: int, version: int) -> str:
    return f"{16 * version + user:02x}" * 32


def credentials(user: int) -> AccessCredentials:
    return AccessCredentials(
        user_id=f"user-{user}",
        memory_key=Secret("mk"),
        encryption_key=Secret(key_of(user, 3)),
        key_version=3,
        request_id=f"req-{user}",
    )


def stored(user: int, number: int) -> dict[str, Any]:
    version = VERSIONS[number % len(VERSIONS)]
    key = EncryptionKey.from_hex(key_of(user, version), version=version)
    return {
        "id": f"m{number}",
        "user_id": f"user-{user}",
        "title": f"of {user}",
        "content": encrypt(key, f"of {user}, {number}"),
    }


def service(request: httpx.Request) -> httpx.Response:
    """One that mixes up every fifth page: it holds a memory of somebody else's."""
    path, params = request.url.path, request.url.params
    if path.endswith("/auth/token"):
        return httpx.Response(200, json={"token": "eyJ.a.b", "expires_at": "2040-01-01T00:00:00Z"})
    if path.endswith("/credentials"):
        user, version = int(path.split("/")[-2].removeprefix("req-")), int(params["key_version"])
        body = {"user_id": f"user-{user}", "memory_key": "mk", "key_version": version}
        return httpx.Response(200, json=body | {"encryption_key": key_of(user, version)})
    user = int(params["user_id"].removeprefix("user-"))
    if path.endswith("/memory-blobs"):
        at = int(params.get("cursor", "0"))
        blobs = [stored(user, number) for number in range(at, at + 3)]
        if at % 5 == 0:
            other = (user + 1) % len(USERS)
            blobs.append({**stored(other, at), "title": None} if at else stored(other, at))
        return httpx.Response(
            200, json={"memoryBlobs": blobs, "next_cursor": str(at + 3) if at < 9 else None}
        )
    return httpx.Response(200, json=stored(user, int(path.rpartition("/m")[2])))


def check(user: int, memories: Iterator[Any] | list[Any]) -> None:
    readable = 0
    for memory in memories:
        if memory.error is None:
            assert memory.content.startswith(f"of {user},")
            assert memory.title in {f"of {user}", None}
            readable += 1
        else:
            assert memory.title is None
            assert f"of {(user + 1) % len(USERS)}" not in repr(memory.error)
    assert readable == 12


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_threads_of_many_users_do_not_mix(order: random.Random) -> None:
    kept = MemoryKeyStore()
    jobs = [user for user in USERS for _ in range(4)]
    order.shuffle(jobs)
    with respx.mock() as network, Memoram(API_KEY, base_url=API, auth_url=AUTH, key_store=kept) as client:
        network.route().mock(side_effect=service)
        stores = {user: client.open(credentials(user)) for user in USERS}

        def work(user: int) -> None:
            check(user, list(stores[user].list()))
            assert stores[user].get("m4").content == f"of {user}, 4"
            with client.open(credentials(user)) as own, own.list().ahead() as memories:
                check(user, list(memories))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, jobs))


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(3))
async def test_tasks_of_many_users_do_not_mix(seed: int) -> None:
    order = random.Random(seed)  # noqa: S311 - an order, not a secret

    async def slowly(request: httpx.Request) -> httpx.Response:
        for _ in range(order.randrange(4)):
            await anyio.lowlevel.checkpoint()
        return service(request)

    with respx.mock() as network:
        network.route().mock(side_effect=slowly)
        async with AsyncMemoram(API_KEY, base_url=API, auth_url=AUTH) as client:
            stores = {user: client.open(credentials(user)) for user in USERS}

            async def work(user: int) -> None:
                check(user, [memory async for memory in stores[user].list()])
                assert (await stores[user].get("m4")).content == f"of {user}, 4"

            async with anyio.create_task_group() as group:
                for user in USERS:
                    for _ in range(4):
                        group.start_soon(work, user)
