"""Eight processes with one grant store: each user is asked once, and everybody gets a store of their own."""

from __future__ import annotations

import contextlib
import multiprocessing
from typing import TYPE_CHECKING, Any, Final

import pytest

from memoram_local import MemoramLocal
from tests.grants.worker import CALLS, work

if TYPE_CHECKING:
    from collections.abc import Generator
    from multiprocessing.connection import Connection
    from pathlib import Path

WORLDS: Final = ("asyncio", "trio", "sync", "asyncio", "trio", "sync", "asyncio", "sync")
USERS: Final = 20
LONGEST: Final = 120.0
PRELOADED: Final = ["tests.grants.worker", "httpcore", "anyio._backends._asyncio", "anyio._backends._trio"]


@contextlib.contextmanager
def workers(settings: dict[str, Any], grants_url: str) -> Generator[list[Connection]]:
    """Eight of them, which begin each order at the same moment; they are ended with the block."""
    # Each is forked from a process that has imported what they need, and done nothing else.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    together = context.Barrier(len(WORLDS))
    lines: list[Connection] = []
    processes: list[Any] = []
    try:
        for world in WORLDS:
            ours, theirs = context.Pipe()
            process = context.Process(
                target=work, args=(world, settings, grants_url, theirs, together), daemon=True
            )
            process.start()
            theirs.close()
            processes.append(process)
            lines.append(ours)
        yield lines
    finally:
        for process in processes:
            process.kill()
            process.join()
            process.close()
        for line in lines:
            line.close()


def answers(lines: list[Connection], users: list[tuple[str, str]]) -> dict[str, set[str]]:
    """What all workers came to, user by user, when they were told to open everybody's stores."""
    for number, line in enumerate(lines):
        line.send([users[(number * CALLS + call) % USERS] for call in range(CALLS)])
    found: dict[str, set[str]] = {user: set() for user, _ in users}
    for number, line in enumerate(lines):
        assert line.poll(LONGEST), f"worker {number} does not come back"
        for user, outcome in line.recv():
            found[user].add(outcome)
    return found


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.service("postgresql")),
        pytest.param("redis", marks=pytest.mark.service("redis-server")),
    ]
)
def grants_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the workers' grants lie."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/grants.db"
    if request.param == "redis":
        return str(request.getfixturevalue("redis_server").url)
    return str(request.getfixturevalue("postgresql"))


@pytest.mark.endurance
def test_two_hundred_calls_for_twenty_users_ask_twenty_times(grants_url: str) -> None:
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Notes")
        accounts = {
            f"user-{number}": local.create_user(
                email=f"user{number}@example.com", password="correct horse battery"
            )
            for number in range(USERS)
        }
        users = [(user, account.memory_key) for user, account in accounts.items()]
        settings = {"api_key": app.api_key, "base_url": server.api_url, "auth_url": server.auth_url}
        with workers(settings, grants_url) as lines:
            asked = answers(lines, users)
            requests = {request.user_id: request.id for request in local.access_requests()}
            assert len(local.journal.entries("createAccessRequest")) == len(requests) == USERS
            assert len(local.journal.entries("createToken")) == len(WORLDS)
            assert asked == {user: {requests[account.id]} for user, account in accounts.items()}

            for request_id in requests.values():
                local.approve(request_id)
            opened = answers(lines, users)
            assert opened == {user: {account.id} for user, account in accounts.items()}
