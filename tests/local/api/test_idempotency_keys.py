"""Idempotency-Key: what is sent again is not done again."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from memoram_local import MemoramLocal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memoram_local import Clock, RegisteredApp, User
    from tests.local.conftest import Application, Memories

DAY = 24 * 3600


def keyed(
    http: httpx.Client, method: str, path: str, members: object = None, *, key: str = "k-1"
) -> httpx.Response:
    content = None if members is None else json.dumps(members)
    return http.request(method, path, content=content, headers={"idempotency-key": key})


def blob(memories: Memories, **members: object) -> dict[str, object]:
    return {"user_id": memories.user.id, "memoryKey": memories.user.memory_key, "content": "x", **members}


def changes(memories: Memories, **members: object) -> dict[str, object]:
    return {"user_id": memories.user.id, "memoryKey": memories.user.memory_key, **members}


def assert_replayed(first: httpx.Response, again: httpx.Response) -> None:
    assert first.is_success
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"]


def test_a_memory_is_created_once(memories: Memories) -> None:
    first, again = [keyed(memories.http, "POST", "/memory-blobs", blob(memories)) for _ in range(2)]

    assert_replayed(first, again)
    assert memories.ids() == [first.json()["id"]]


def test_access_is_asked_for_once(application: Application, user: User) -> None:
    asked = {"memoryKey": user.memory_key, "reason": "Trips"}

    first, again = [keyed(application.http, "POST", "/access-requests", asked) for _ in range(2)]

    assert_replayed(first, again)
    assert application.http.get("/access-requests").json()["total"] == 1


def test_a_memory_is_changed_once(memories: Memories) -> None:
    path = f"/memory-blobs/{memories.create()}"
    first = keyed(memories.http, "PATCH", path, changes(memories, title="One"))
    memories.patch(path.rpartition("/")[2], title="Two")

    again = keyed(memories.http, "PATCH", path, changes(memories, title="One"))

    assert (first.json()["title"], again.json()["title"]) == ("One", "Two")
    assert again.headers["idempotency-replayed"] == "true"
    assert memories.get(path.rpartition("/")[2]).json()["title"] == "Two"


def test_a_memory_is_deleted_once(memories: Memories) -> None:
    path = f"/memory-blobs/{memories.create()}?user_id={memories.user.id}"

    first, again = [keyed(memories.http, "DELETE", path) for _ in range(2)]

    assert_replayed(first, again)
    assert memories.http.delete(path).status_code == 404


@pytest.mark.parametrize("other", [{"content": "y"}, {"title": "new"}, {"title": None}])
def test_the_same_key_for_another_body_is_refused(memories: Memories, other: dict[str, object]) -> None:
    keyed(memories.http, "POST", "/memory-blobs", blob(memories))

    answer = keyed(memories.http, "POST", "/memory-blobs", blob(memories, **other))

    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "idempotency_key_reuse"
    assert answer.headers["idempotency-key"] == "k-1"
    assert len(memories.ids()) == 1


def test_keys_of_other_operations_and_applications_are_others(
    memories: Memories,
    local: MemoramLocal,
    application_of: Callable[[RegisteredApp], Application],
) -> None:
    other = application_of(local.register_app(name="Other"))
    local.approve(other.ask(memories.user.memory_key))
    first = keyed(memories.http, "POST", "/memory-blobs", blob(memories))
    path = f"/memory-blobs/{first.json()['id']}"

    answers = [
        keyed(other.http, "POST", "/memory-blobs", blob(memories)),
        keyed(memories.http, "PATCH", path, changes(memories)),
        keyed(memories.http, "DELETE", f"{path}?user_id={memories.user.id}"),
    ]

    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert not any("idempotency-replayed" in answer.headers for answer in answers)


def test_a_key_is_honoured_for_a_day(memories: Memories, clock: Clock) -> None:
    first = keyed(memories.http, "POST", "/memory-blobs", blob(memories))

    clock.advance(DAY - 1)
    sign_in_again(memories)
    again = keyed(memories.http, "POST", "/memory-blobs", blob(memories))
    clock.advance(1)
    sign_in_again(memories)
    anew = keyed(memories.http, "POST", "/memory-blobs", blob(memories))

    assert_replayed(first, again)
    assert anew.json()["id"] != first.json()["id"]
    assert "idempotency-replayed" not in anew.headers


def sign_in_again(memories: Memories) -> None:
    api_key = memories.application.registered.api_key
    token = memories.http.post("/auth/token", json={"api_key": api_key}).json()["token"]
    memories.http.headers["authorization"] = f"Bearer {token}"


def test_a_refusal_leaves_the_key_free(application: Application, user: User) -> None:
    unknown = {"memoryKey": "mk_nobody", "reason": "Trips"}
    refused = keyed(application.http, "POST", "/access-requests", unknown)

    answer = keyed(application.http, "POST", "/access-requests", {**unknown, "memoryKey": user.memory_key})

    assert refused.status_code == 404
    assert answer.status_code == 201


def test_after_a_revocation_nothing_is_told_again(memories: Memories, local: MemoramLocal) -> None:
    keyed(memories.http, "POST", "/memory-blobs", blob(memories))

    local.revoke(memories.request_id)

    assert keyed(memories.http, "POST", "/memory-blobs", blob(memories)).status_code == 403


def test_what_was_deleted_is_told_to_nobody_again(memories: Memories) -> None:
    """Deleted is deleted: a kept answer is no place where a title outlives its memory."""
    secret = {"title": "Prefers window seats", "summary": "told in confidence", "tags": ["private-matter"]}
    created = keyed(memories.http, "POST", "/memory-blobs", blob(memories, **secret))
    path = f"/memory-blobs/{created.json()['id']}"
    changed = keyed(memories.http, "PATCH", path, changes(memories, title="Hates window seats"))
    deleted = [keyed(memories.http, "DELETE", f"{path}?user_id={memories.user.id}") for _ in range(2)]

    again = keyed(memories.http, "POST", "/memory-blobs", blob(memories, **secret))
    changed_again = keyed(memories.http, "PATCH", path, changes(memories, title="Hates window seats"))

    assert created.status_code == 201
    assert changed.status_code == 200
    assert_replayed(*deleted)
    for refused in (again, changed_again):
        assert (refused.status_code, refused.json()["error"]["code"]) == (410, "gone")
    assert memories.ids() == []


def test_no_answer_is_kept_with_what_it_told(
    memories: Memories, local: MemoramLocal, application: Application, stranger: User
) -> None:
    told = {"title": "Prefers window seats", "summary": "told in confidence", "source": "a chat"}
    keyed(memories.http, "POST", "/memory-blobs", blob(memories, **told))
    asked = {"memoryKey": stranger.memory_key, "reason": "Plans surprise trips"}
    keyed(application.http, "POST", "/access-requests", asked)

    kept = kept_answers(local)

    assert [sorted(json.loads(body)) for body in kept] == [["id"], ["id"]]


def kept_answers(local: MemoramLocal) -> list[bytes]:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(local.snapshot().store)
        return [row[0] for row in connection.execute("SELECT body FROM idempotent_answers")]


def test_who_asks_again_is_told_how_it_is_now(memories: Memories) -> None:
    first = keyed(memories.http, "POST", "/memory-blobs", blob(memories, title="before"))
    memories.patch(first.json()["id"], title="after")

    again = keyed(memories.http, "POST", "/memory-blobs", blob(memories, title="before"))

    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["title"] == "after"


def test_every_refusal_echoes_the_key(memories: Memories, http: httpx.Client) -> None:
    nowhere = "/memory-blobs/mem_none"
    answers = {
        400: keyed(memories.http, "POST", "/memory-blobs", {}),
        401: keyed(http, "POST", "/api/v1/memory-blobs", {}),
        403: keyed(memories.http, "POST", "/memory-blobs", blob(memories, memoryKey="mk_other")),
        404: keyed(memories.http, "PATCH", nowhere, changes(memories)),
        413: keyed(memories.http, "POST", "/memory-blobs", "x" * (4 * 1024 * 1024)),
    }

    assert {status: answer.status_code for status, answer in answers.items()} == {s: s for s in answers}
    assert all(answer.headers["idempotency-key"] == "k-1" for answer in answers.values())


@pytest.mark.parametrize("key", ["", "two words", "k" * 256, "schlüssel", "a\tb"])
def test_a_malformed_key_is_refused(memories: Memories, key: str) -> None:
    answer = memories.http.post(
        "/memory-blobs",
        content=json.dumps(blob(memories)),
        headers={b"idempotency-key": key.encode("latin-1")},
    )

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("Idempotency-Key")
    assert "idempotency-key" not in answer.headers
    assert memories.ids() == []


def test_two_keys_are_none(memories: Memories) -> None:
    headers = [("idempotency-key", "one"), ("idempotency-key", "two")]

    answer = memories.http.post("/memory-blobs", content=json.dumps(blob(memories)), headers=headers)

    assert answer.status_code == 400


@pytest.mark.parametrize("key", ["!", "k" * 255, '"8e03978e-40d5-43e8-bc93-6894a57f9324"'])
def test_any_visible_ascii_is_a_key(memories: Memories, key: str) -> None:
    answers = [keyed(memories.http, "POST", "/memory-blobs", blob(memories), key=key) for _ in range(2)]

    assert_replayed(*answers)
    assert answers[0].headers["idempotency-key"] == key


def test_reading_does_not_know_keys(memories: Memories) -> None:
    answers = [keyed(memories.http, "GET", f"/tags?user_id={memories.user.id}") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert not any(name.startswith("idempotency") for answer in answers for name in answer.headers)


def test_of_many_at_once_one_is_done(memories: Memories) -> None:
    def create(_: int) -> httpx.Response:
        return keyed(memories.http, "POST", "/memory-blobs", blob(memories))

    with ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(create, range(32)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert len(memories.ids()) == 1


def test_the_first_answer_outlives_the_process(tmp_path: Path) -> None:
    answers: list[httpx.Response] = []
    with MemoramLocal(data=tmp_path, password_profile="fast") as local:
        app = local.register_app(name="App")
        user = local.create_user(email="ada@example.test", password="correct horse")
    for _ in range(2):
        with (
            MemoramLocal(data=tmp_path, password_profile="fast") as local,
            local.serve() as server,
            httpx.Client(base_url=server.api_url, trust_env=False) as http,
        ):
            token = http.post("/auth/token", json={"api_key": app.api_key}).json()["token"]
            http.headers["authorization"] = f"Bearer {token}"
            asked = {"memoryKey": user.memory_key, "reason": "Trips"}
            answers.append(keyed(http, "POST", "/access-requests", asked))

    assert_replayed(*answers)
