"""One of many workers of an application, in a process of its own: it opens stores when it is told to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio

from memoram_async import ApprovalRequired, AsyncMemoram, RedisGrantStore, SQLGrantStore
from memoram_sync import Memoram

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

CALLS: Final = 25
"""How many calls each worker makes at once."""

CONNECTIONS: Final[dict[str, Any]] = {
    "redirect_uri": "http://localhost/back",
    "reason": "Keeps notes",
    "secret": "a secret of the application's own, of 32 bytes",
}


def grants_at(url: str) -> Any:
    """The grant store at an address."""
    return RedisGrantStore.from_url(url, timeout=10) if url.startswith("redis") else SQLGrantStore(url)


def work(
    world: str, settings: dict[str, Any], grants_url: str, orders: Connection, together: Barrier
) -> None:
    """Obey until told to stop.

    An order is a list of users and their memory keys, of whom `CALLS` are opened at once; None ends it. It is
    answered with a list: whose store was opened, which access request the user has to decide on, or the
    error's name.
    """
    with grants_at(grants_url) as grants:
        if world == "sync":
            with Memoram(**settings) as client, ThreadPoolExecutor(CALLS) as pool:
                connections = client.connections(grants, **CONNECTIONS)
                while (users := orders.recv()) is not None:
                    together.wait()
                    orders.send(list(pool.map(partial(_blocking, connections), *zip(*users, strict=True))))
        else:
            anyio.run(partial(_async, settings, grants, orders, together), backend=world)


def _blocking(connections: Any, user: str, memory_key: str) -> tuple[str, str]:
    try:
        if connections.status(user).state == "not_linked":
            connections.link(user, memory_key)
        return user, connections.store(user).user_id
    except ApprovalRequired as required:
        return user, required.request_id or required.kind
    except Exception as error:  # noqa: BLE001 - told to the test
        return user, repr(error)


async def _async(settings: Any, grants: Any, orders: Connection, together: Barrier) -> None:
    async with AsyncMemoram(**settings) as client:
        connections = client.connections(grants, **CONNECTIONS)

        async def opened(user: str, memory_key: str) -> tuple[str, str]:
            try:
                if (await connections.status(user)).state == "not_linked":
                    await connections.link(user, memory_key)
                return user, (await connections.store(user)).user_id
            except ApprovalRequired as required:
                return user, required.request_id or required.kind
            except Exception as error:  # noqa: BLE001 - told to the test
                return user, repr(error)

        while (users := await anyio.to_thread.run_sync(orders.recv)) is not None:
            await anyio.to_thread.run_sync(together.wait)
            orders.send(await _all([partial(opened, *each) for each in users]))


async def _all(calls: list[Callable[[], Awaitable[tuple[str, str]]]]) -> list[tuple[str, str]]:
    """What all of the calls come to, made at once."""
    results: list[tuple[str, str]] = []

    async def one(call: Callable[[], Awaitable[tuple[str, str]]]) -> None:
        results.append(await call())

    async with anyio.create_task_group() as group:
        for call in calls:
            group.start_soon(one, call)
    return results
