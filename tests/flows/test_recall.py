"""Memories found by what they say, which the service cannot read."""

from __future__ import annotations

import json
import re
import textwrap
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from memoram_async import (
    AccessRevoked,
    APIConnectionError,
    ClientClosedError,
    InvalidArgumentError,
    NotFoundError,
)
from memoram_async.recall import SWEEP_SECONDS
from memoram_local.testing import DropAfterCommit, DropBeforeCommit
from tests.worlds import Time, failure

if TYPE_CHECKING:
    from memoram_local import MemoramLocal
    from tests.flows.conftest import Stage

pytestmark = pytest.mark.anyio


async def contents(store: Any, query: str, **options: Any) -> list[str]:
    return [memory.content for memory in await store.recall(query, **options)]


def lists(local: MemoramLocal) -> int:
    return sum(entry.operation == "listMemoryBlobs" for entry in local.journal.entries())


def reads(local: MemoramLocal) -> int:
    return sum(entry.operation == "getMemoryBlob" for entry in local.journal.entries())


async def test_memories_are_found_by_their_content(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        await store.create("Prefers window seats on trains")
        await store.create("Hikes in the Dolomites every summer")
        await store.create("Is allergic to hazelnuts", tags=["health"])

        assert (await contents(store, "Which seat on a train?"))[0] == "Prefers window seats on trains"
        assert await contents(store, "hiking") == ["Hikes in the Dolomites every summer"]
        assert await contents(store, "HEALTH") == ["Is allergic to hazelnuts"]
        assert await contents(store, "submarine") == []


def recall_in_the_readme() -> str:
    text = Path(__file__).resolve().parents[2].joinpath("README.md").read_text("utf-8")
    (code,) = re.findall(
        r"^```python\n(for memory in await store.recall.*?)^```$", text, re.DOTALL | re.MULTILINE
    )
    return textwrap.indent(code, "    ")


async def test_the_readmes_question_is_answered(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        await store.create("Prefers window seats on trains")
        names: dict[str, Any] = {"store": store}
        exec(f"async def asked():\n{recall_in_the_readme()}", names)  # noqa: S102 - the README's own
        await names["asked"]()
    assert capsys.readouterr().out == "Prefers window seats on trains\n"


async def test_the_question_goes_nowhere(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        await store.create("Prefers window seats")
        await store.recall("a question about windows")
    assert "question" not in json.dumps([str(entry) for entry in stage.local.journal.entries()])


async def test_all_pages_are_listed_once_a_minute(stage: Stage) -> None:
    time = Time()
    async with stage.client(time=time) as client:
        store = await stage.store(client)
        writer = await stage.store(client)
        for number in range(101):
            await writer.create(f"note {number}")
        assert await contents(store, "note 7", limit=1) == ["note 7"]
        assert lists(stage.local) == 2
        await writer.create("written by somebody else")
        assert await contents(store, "somebody") == []
        time.pass_by(SWEEP_SECONDS - 1)
        assert await contents(store, "somebody") == []
        assert lists(stage.local) == 2
        time.pass_by(1)
        assert await contents(store, "somebody") == ["written by somebody else"]
        assert lists(stage.local) == 4


async def test_questions_at_the_same_time_share_one_list(stage: Stage) -> None:
    found: list[int] = []
    async with stage.client() as client:
        store = await stage.store(client)
        await store.create("Likes jazz")

        async def ask() -> None:
            found.append(len(await store.recall("jazz")))

        def ask_in_a_thread() -> None:
            with suppress(StopIteration):
                ask().send(None)  # which never suspends

        if stage.world.is_sync:
            threads = [threading.Thread(target=ask_in_a_thread) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        else:
            async with anyio.create_task_group() as group:
                for _ in range(8):
                    group.start_soon(ask)
    assert found == [1] * 8
    assert lists(stage.local) == 1


async def test_own_writes_are_known_at_once(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        await store.create("Prefers aisle seats", title="Travel")
        assert await contents(store, "seats") == ["Prefers aisle seats"]
        made = await store.create("Drinks tea")
        assert await contents(store, "tea") == ["Drinks tea"]
        await store.update(made.id, content="Drinks coffee")
        assert await contents(store, "tea") == []
        assert await contents(store, "coffee") == ["Drinks coffee"]
        await store.update(made.id, title="Breakfast")
        assert await contents(store, "breakfast") == ["Drinks coffee"]
        await store.delete(made.id)
        assert await contents(store, "coffee breakfast") == []
        assert lists(stage.local) == 1


async def test_a_title_given_to_an_unknown_memory_brings_that_memory_alone(stage: Stage) -> None:
    async with stage.client() as client:
        store, writer = await stage.store(client), await stage.store(client)
        assert await contents(store, "tea") == []
        made, other = await writer.create("Drinks tea"), await writer.create("Drinks milk")
        await store.update(made.id, title="Breakfast")
        await store.update(made.id, importance=0.5)
        assert reads(stage.local) == 0
        for _ in range(2):
            assert await contents(store, "breakfast") == ["Drinks tea"]
        assert await contents(store, "milk") == []
        await store.update(other.id, content="Drinks juice")
        assert await contents(store, "juice") == ["Drinks juice"]
    assert (lists(stage.local), reads(stage.local)) == (1, 1)


async def test_what_became_of_a_write_whose_answer_was_lost_is_read(stage: Stage) -> None:
    async with stage.client(max_retries=0) as client:
        store = await stage.store(client)
        tea, bread = await store.create("Drinks tea"), await store.create("Eats bread")
        assert len(await store.recall("tea bread")) == 2
        for fault, drink in ((DropBeforeCommit(), "tea"), (DropAfterCommit(), "coffee")):
            stage.local.faults.add(fault, route="updateMemoryBlob", nth=1)
            await failure(store.update(tea.id, content="Drinks coffee"), APIConnectionError)
            assert await contents(store, "drinks") == [f"Drinks {drink}"]
        for fault, left in ((DropBeforeCommit(), ["Eats bread"]), (DropAfterCommit(), [])):
            stage.local.faults.add(fault, route="deleteMemoryBlob", nth=1)
            await failure(store.delete(bread.id), APIConnectionError)
            assert await contents(store, "bread") == left
    assert (lists(stage.local), reads(stage.local)) == (1, 4)


async def test_a_memory_that_a_write_finds_gone_is_gone(stage: Stage) -> None:
    async with stage.client() as client:
        store, writer = await stage.store(client), await stage.store(client)
        tea, bread = await writer.create("Drinks tea"), await writer.create("Eats bread")
        assert len(await store.recall("tea bread")) == 2
        for memory in (tea, bread):
            await writer.delete(memory.id)
        await failure(store.update(tea.id, title="Breakfast"), NotFoundError)
        assert await contents(store, "tea bread") == ["Eats bread"]
        await failure(store.delete(bread.id), NotFoundError)
        assert await contents(store, "tea bread") == []
    assert (lists(stage.local), reads(stage.local)) == (1, 0)


async def test_what_is_written_before_the_first_question_and_after_a_minute_is_listed_and_not_read(
    stage: Stage,
) -> None:
    time = Time()
    async with stage.client(time=time) as client:
        store = await stage.store(client)
        made = await store.create("Drinks tea")
        await store.update(made.id, title="Breakfast")
        assert await contents(store, "breakfast") == ["Drinks tea"]
        other = await (await stage.store(client)).create("Drinks milk")
        await store.update(other.id, title="Supper")
        time.pass_by(SWEEP_SECONDS)
        await store.update(other.id, title="Dinner")
        assert await contents(store, "dinner") == ["Drinks milk"]
        assert await contents(store, "supper") == []
    assert (lists(stage.local), reads(stage.local)) == (2, 0)


async def test_a_memory_that_cannot_be_read_after_a_write_fails_the_question_or_is_not_found(
    stage: Stage,
) -> None:
    async with stage.client(max_retries=0) as client:
        store, writer = await stage.store(client), await stage.store(client)
        assert await contents(store, "tea") == []
        made = await writer.create("Drinks tea")
        await store.update(made.id, title="Breakfast")
        stage.local.faults.add(DropBeforeCommit(), route="getMemoryBlob", nth=1)
        await failure(store.recall("breakfast"), APIConnectionError)
        assert await contents(store, "breakfast") == ["Drinks tea"]

        plain = await client.memory_blobs.create(
            user_id=stage.user.id, memory_key=stage.user.memory_key, content="plain jazz"
        )
        await store.update(plain.id, title="Jazz")
        assert await contents(store, "jazz") == []
    assert lists(stage.local) == 1


async def test_what_somebody_else_deleted_or_changed_is_so_after_a_minute(stage: Stage) -> None:
    time = Time()
    async with stage.client(time=time) as client:
        store, writer = await stage.store(client), await stage.store(client)
        tea = await writer.create("Drinks tea")
        bread = await writer.create("Eats bread")
        assert len(await store.recall("tea bread")) == 2
        await writer.delete(tea.id)
        await writer.update(bread.id, content="Eats cake")
        time.pass_by(SWEEP_SECONDS)
        assert await contents(store, "tea bread cake") == ["Eats cake"]


async def test_among_equals_the_important_come_first_and_then_the_new(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        for importance in (0.1, None, 0.9, 0.1):
            await store.create("Likes jazz", importance=importance)
            stage.local.clock.advance(60)
        found = await store.recall("jazz", limit=4)
        assert [memory.importance for memory in found] == [0.9, 0.1, 0.1, None]
        assert found[1].created_at > found[2].created_at
        assert [memory.importance for memory in await store.recall("jazz", limit=1)] == [0.9]


async def test_what_cannot_be_read_is_not_found_and_spoils_nothing(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        await store.create("Likes jazz")
        await client.memory_blobs.create(
            user_id=stage.user.id,
            memory_key=stage.user.memory_key,
            content="plain jazz",
            title="jazz",
        )
        assert await contents(store, "jazz") == ["Likes jazz"]


async def test_a_list_that_fails_is_the_questions_failure_and_is_tried_again(stage: Stage) -> None:
    async with stage.client(max_retries=0) as client:
        store = await stage.store(client)
        await store.create("Likes jazz")
        stage.local.faults.add(DropBeforeCommit(), route="listMemoryBlobs", nth=1)
        await failure(store.recall("jazz"), APIConnectionError)
        assert await contents(store, "jazz") == ["Likes jazz"]


@pytest.mark.parametrize("query", ["", "  \n", None, 7, b"tea", ["tea"]])
async def test_a_question_says_something(stage: Stage, query: Any) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        error = await failure(store.recall(query), InvalidArgumentError)
        assert "query" in str(error)
        await failure(store.recall("tea", limit=0), InvalidArgumentError)
        await failure(store.recall("tea", limit=None), InvalidArgumentError)
    assert lists(stage.local) == 0


async def test_a_closed_store_remembers_nothing(stage: Stage) -> None:
    async with stage.client() as client:
        store = await stage.store(client)
        await store.create("Likes jazz")
        await store.recall("jazz")
        store.close()
        await failure(store.recall("jazz"), ClientClosedError)


async def test_revoked_access_is_told(stage: Stage) -> None:
    time = Time()
    async with stage.client(time=time) as client:
        request = await client.access_requests.create(stage.user.memory_key, reason="Plans journeys")
        stage.local.approve(request.id)
        store = client.open(await client.access_requests.credentials(request.id))
        await store.create("Likes jazz")
        await store.recall("jazz")
        stage.local.revoke(request.id)
        time.pass_by(SWEEP_SECONDS)
        await failure(store.recall("jazz"), AccessRevoked)
