"""No user ever gets another's store, key, URL or flow, however tasks, threads and processes interleave."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any, Final

import anyio
import attrs
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memoram_async import AsyncMemoram, MemoryGrantStore
from memoram_local import MemoramLocal
from memoram_local.testing import AutoApprove
from memoram_sync import Memoram
from tests.grants.interleaving import (
    BACK,
    VERBS,
    Action,
    Crowd,
    Person,
    act_in_process,
    act_in_threads,
)
from tests.grants.worker import CONNECTIONS
from tests.worlds import Lifted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

USERS: Final = ("ada", "bob", "bob ", "cy")
# Often what leads to open stores, and seldom what ends them.
OFTEN: Final = (*VERBS, *("link", "begin", "complete", *(3 * ["store"])))
ACTIONS: Final = st.tuples(st.sampled_from(USERS), st.sampled_from(OFTEN))
SCRIPTS: Final = st.lists(st.lists(ACTIONS, min_size=6, max_size=16), min_size=2, max_size=4)
LONGEST: Final = 120.0
slow = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Scripts = list[list[Action]]


@attrs.frozen
class Stage:
    """A platform that approves everything, an application on it, and its users."""

    local: MemoramLocal
    settings: dict[str, Any]
    people: dict[str, Person]

    def consent(self, owner: str, url: str) -> str:
        """The owner of a flow consents."""
        query = httpx.URL(url).params
        code = self.local.authorize(
            user_id=self.people[owner].account,
            client_id=query["client_id"],
            redirect_uri=BACK,
            code_challenge=query["code_challenge"],
        )
        return f"{BACK}?code={code}&state={query['state']}"

    def check(self, asked: set[tuple[str, str]], faults: list[str]) -> None:
        """Nobody met what is another's, and everybody was told of their own access requests alone."""
        owners = {request.id: request.user_id for request in self.local.access_requests()}
        assert faults == []
        assert {user for user, each in asked if owners[each] != self.people[user].account} == set()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        local.policy = AutoApprove()
        app = local.register_app(name="Notes", redirect_uris=[BACK])
        told: dict[str, Any] = {
            "api_key": app.api_key,
            "base_url": server.api_url,
            "auth_url": server.auth_url,
        }
        told |= {"client_id": app.client_id, "client_secret": app.client_secret}
        people: dict[str, Person] = {}
        with Memoram(**told) as client:
            for number, user in enumerate(USERS):
                account = local.create_user(
                    email=f"user{number}@example.com", password="correct horse battery"
                )
                people[user] = Person(account.id, account.memory_key, f"a note of {user}")
                with client.connect(account.memory_key, reason="Keeps notes") as store:
                    store.create(people[user].note)
        yield Stage(local, told, people)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@slow
@given(scripts=SCRIPTS)
def test_tasks_of_two_workers(stage: Stage, backend: str, scripts: Scripts) -> None:
    async def act() -> None:
        grants = MemoryGrantStore()
        async with AsyncMemoram(**stage.settings) as one, AsyncMemoram(**stage.settings) as other:
            crowds = [
                Crowd(stage.people, client.connections(grants, **CONNECTIONS), stage.consent)
                for client in (one, other)
            ]
            crowds[1].begun = crowds[0].begun
            async with anyio.create_task_group() as group:
                for number, script in enumerate(scripts):
                    group.start_soon(crowds[number % 2].act, script)
        for crowd in crowds:
            stage.check(crowd.asked, crowd.faults)

    anyio.run(act, backend=backend)


@slow
@given(scripts=SCRIPTS)
def test_threads(stage: Stage, scripts: Scripts) -> None:
    with Memoram(**stage.settings) as client:
        connections = client.connections(MemoryGrantStore(), **CONNECTIONS)
        crowd = Crowd(stage.people, Lifted(connections), stage.consent)
        act_in_threads(crowd, scripts)
    stage.check(crowd.asked, crowd.faults)


@pytest.fixture(scope="module")
def processes(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Connection]]:
    """Three of them, with one file of grants."""
    context = multiprocessing.get_context("forkserver")
    url = f"sqlite:///{tmp_path_factory.mktemp('grants')}/grants.db"
    started: list[Any] = []
    lines: list[Connection] = []
    for _ in range(3):
        ours, theirs = context.Pipe()
        arguments = (stage.people, stage.settings, url, theirs)
        process = context.Process(target=act_in_process, args=arguments, daemon=True)
        process.start()
        theirs.close()
        started.append(process)
        lines.append(ours)
    yield lines
    for line, process in zip(lines, started, strict=True):
        line.send(None)
        process.join(LONGEST)
        assert process.exitcode == 0
        process.close()
        line.close()


@pytest.mark.endurance
@settings(slow, max_examples=4)
@given(scripts=st.lists(SCRIPTS, min_size=3, max_size=3))
def test_threads_of_three_processes(
    stage: Stage, processes: list[Connection], scripts: list[Scripts]
) -> None:
    for line, script in zip(processes, scripts, strict=True):
        line.send(script)
    for line in processes:
        assert line.poll(LONGEST), "a process does not come back"
        stage.check(*line.recv())
