"""Memory blobs: stored, read, changed and deleted by applications that were let in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from memoram_local import Clock, MemoramLocal, RegisteredApp, User
    from tests.local.conftest import Application, Memories


def test_a_blob_is_answered_without_its_content(memories: Memories) -> None:
    answer = memories.post(
        content="sealed", title="Seat", summary="Window", source="chat", importance=1, confidence=0.25
    )

    assert answer.status_code == 201
    blob = answer.json()
    assert re.fullmatch(r"mem_[0-9a-f]{24}", blob.pop("id"))
    assert blob == {
        "user_id": memories.user.id,
        "created_at": blob["created_at"],
        "updated_at": blob["created_at"],
        "source": "chat",
        "title": "Seat",
        "summary": "Window",
        "importance": 1.0,
        "confidence": 0.25,
        "tags": [],
        "tag_ids": [],
    }
    assert re.fullmatch(r"2030-05-17T12:00:00\.\d{6}Z", blob["created_at"])


def test_what_is_left_out_or_null_is_null(memories: Memories) -> None:
    for blob in (memories.post().json(), memories.post(title=None, tags=None, importance=None).json()):
        assert [blob[name] for name in ("source", "title", "summary", "importance", "confidence")] == [
            None
        ] * 5
        assert blob["tags"] == []


@pytest.mark.parametrize("content", ["", "sealed", "nul \0 inside", "\0", "ÄÖ🧳\u202e", "x" * 1_000_000])
def test_content_comes_back_as_it_was_sent(memories: Memories, content: str) -> None:
    blob_id = memories.create(content=content)

    answer = memories.get(blob_id)

    assert answer.status_code == 200
    assert answer.json()["content"] == content
    assert answer.json()["id"] == blob_id


def test_tags_keep_their_order_without_duplicates(memories: Memories) -> None:
    blob = memories.post(tags=["b", "a", "b", " a", "B", "nul\0"]).json()

    assert blob["tags"] == ["b", "a", " a", "B", "nul\0"]
    assert len(set(blob["tag_ids"])) == 5
    assert memories.get(blob["id"]).json()["tag_ids"] == blob["tag_ids"]


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"user_id": "me"}, "user_id"),
        ({"user_id": 7}, "user_id"),
        ({"memoryKey": None}, "memoryKey"),
        ({"content": None}, "content"),
        ({"content": {"a": 1}}, "content"),
        ({"content": "\udfff"}, "content"),
        ({"title": 5}, "title"),
        ({"summary": []}, "summary"),
        ({"source": False}, "source"),
        ({"tags": "travel"}, "tags"),
        ({"tags": ["travel", 5]}, "tags"),
        ({"tags": [""]}, "tags"),
        ({"tags": ["\ud800"]}, "tags"),
        ({"importance": "high"}, "importance"),
        ({"importance": True}, "importance"),
        ({"importance": 10**400}, "importance"),
        ({"confidence": []}, "confidence"),
    ],
)
def test_a_wrong_member_is_named(memories: Memories, members: dict[str, object], named: str) -> None:
    created = memories.post(**members)
    assert created.status_code == 400
    assert created.json()["error"]["message"].startswith(named)

    patched = memories.patch(memories.create(), **members)
    assert patched.status_code == 400
    assert patched.json()["error"]["message"].startswith(named)


@pytest.mark.parametrize("missing", ["user_id", "memoryKey", "content"])
def test_a_missing_member_is_named(memories: Memories, missing: str) -> None:
    body = {"user_id": memories.user.id, "memoryKey": memories.user.memory_key, "content": "x"}
    del body[missing]

    answer = memories.http.post("/memory-blobs", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"{missing} is missing."


def every_call(http: httpx.Client, user: User, blob_id: str) -> list[httpx.Response]:
    who = {"user_id": user.id}
    body = {**who, "memoryKey": user.memory_key, "content": "x"}
    return [
        http.get("/memory-blobs", params=who),
        http.post("/memory-blobs", json=body),
        http.get(f"/memory-blobs/{blob_id}", params=who),
        http.patch(f"/memory-blobs/{blob_id}", json=body),
        http.delete(f"/memory-blobs/{blob_id}", params=who),
        http.get("/tags", params=who),
        http.get("/tags/tag_x", params=who),
    ]


@pytest.mark.parametrize("status", ["never asked", "pending", "rejected"])
def test_without_approval_every_call_is_met_with_403(
    memories: Memories, local: MemoramLocal, stranger: User, status: str
) -> None:
    if status != "never asked":
        request_id = memories.application.ask(stranger.memory_key)
        if status == "rejected":
            local.reject(request_id)

    for answer in every_call(memories.http, stranger, memories.create()):
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "access_not_approved"


def test_revoking_ends_access_at_once(memories: Memories, local: MemoramLocal) -> None:
    blob_id = memories.create()
    local.revoke(memories.request_id)

    assert {answer.status_code for answer in every_call(memories.http, memories.user, blob_id)} == {403}


def test_approval_of_one_application_lets_no_other_in(
    memories: Memories, local: MemoramLocal, application_of: Callable[[RegisteredApp], Application]
) -> None:
    other = application_of(local.register_app(name="Other"))

    answers = every_call(other.http, memories.user, memories.create())

    assert {answer.status_code for answer in answers} == {403}


def test_a_user_that_does_not_exist_is_met_like_one_who_said_no(memories: Memories) -> None:
    answer = memories.http.get("/memory-blobs", params={"user_id": str(uuid4())})

    assert answer.status_code == 403


def test_the_memory_key_of_another_user_is_refused(memories: Memories, stranger: User) -> None:
    blob_id = memories.create()

    for answer in (
        memories.post(memoryKey=stranger.memory_key),
        memories.patch(blob_id, memoryKey=stranger.memory_key, title="x"),
    ):
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "memory_key_mismatch"


def test_a_blob_of_another_user_does_not_exist(
    memories: Memories, local: MemoramLocal, stranger: User
) -> None:
    local.approve(memories.application.ask(stranger.memory_key))
    answer = memories.post(user_id=stranger.id, memoryKey=stranger.memory_key)
    foreign = answer.json()["id"]

    assert memories.get(foreign).status_code == 404
    assert memories.patch(foreign, title="x").status_code == 404
    assert memories.delete(foreign).status_code == 404


def test_a_patch_changes_what_it_names_and_nothing_else(memories: Memories, clock: Clock) -> None:
    blob_id = memories.create(title="Seat", summary="Window", importance=0.5, tags=["travel", "seat"])
    clock.advance(5)

    answer = memories.patch(blob_id, title="Sitz", unknown=1)

    assert answer.status_code == 200
    assert "content" not in answer.json()
    blob = memories.get(blob_id).json()
    assert {**blob, "content": None} == {**answer.json(), "content": None}
    assert (blob["title"], blob["summary"], blob["importance"]) == ("Sitz", "Window", 0.5)
    assert (blob["content"], blob["tags"]) == ("sealed", ["travel", "seat"])
    assert blob["created_at"] < blob["updated_at"] == "2030-05-17T12:00:05.250000Z"


def test_null_in_a_patch_empties(memories: Memories) -> None:
    described = {
        "title": "a",
        "summary": "b",
        "source": "c",
        "importance": 1,
        "confidence": 1,
        "tags": ["x"],
    }
    blob_id = memories.create(**described)

    blob = memories.patch(blob_id, **dict.fromkeys(described)).json()

    assert {name: blob[name] for name in described} == {**dict.fromkeys(described), "tags": []}


def test_tags_in_a_patch_replace_all_tags(memories: Memories) -> None:
    blob_id = memories.create(tags=["a", "b"])

    assert memories.patch(blob_id, tags=["c", "a"]).json()["tags"] == ["c", "a"]
    assert memories.ids(tags="b") == []
    assert memories.ids(tags="c") == [blob_id]
    assert memories.patch(blob_id, tags=[]).json()["tags"] == []


def test_a_patch_replaces_content(memories: Memories) -> None:
    blob_id = memories.create(content="Ä old")
    memories.patch(blob_id, content="new")

    assert memories.get(blob_id).json()["content"] == "new"
    assert memories.ids(searchQuery="old") == []
    assert memories.ids(searchQuery="NEW") == [blob_id]


def test_a_deleted_blob_is_gone(memories: Memories) -> None:
    blob_id = memories.create(tags=["travel"])

    answer = memories.delete(blob_id)

    assert answer.status_code == 200
    assert answer.json() == {"id": blob_id, "deleted": True}
    assert memories.get(blob_id).status_code == 404
    assert memories.delete(blob_id).status_code == 404
    assert memories.patch(blob_id, title="x").status_code == 404
    assert memories.ids() == memories.ids(tags="travel") == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/memory-blobs"),
        ("GET", "/memory-blobs/mem_x"),
        ("DELETE", "/memory-blobs/mem_x"),
        ("GET", "/tags"),
        ("GET", "/tags/tag_x"),
    ],
)
@pytest.mark.parametrize("query", ["", "?user_id=", "?user_id=me"])
def test_the_query_needs_a_user_id(memories: Memories, method: str, path: str, query: str) -> None:
    answer = memories.http.request(method, path + query)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("user_id")
