"""Memories: stored, read, listed, changed and deleted, each in its own space."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from memoram_local import Clock, MemoramLocal
    from tests.local.memory_api.conftest import Caller


def test_a_memory_is_stored_as_it_was_sent(caller: Caller, clock: Clock) -> None:
    metadata = {"source": "chat", "deep": {"er": [1, None, "ü"]}}

    made = caller.data("POST", "/memories", json={"text": "Prefers window seats\0", "metadata": metadata})

    assert made["id"].startswith("mem_")
    assert (made["text"], made["metadata"]) == ("Prefers window seats\0", metadata)
    assert made["created_at"] == made["updated_at"]
    assert made["created_at"].startswith("2030-05-17T12:00:00.25")
    assert caller.data("GET", f"/memories/{made['id']}") == made


def test_an_own_id_is_kept_and_may_be_used_once(caller: Caller) -> None:
    assert caller.remember("first", memory_id="seat:1") == "seat:1"

    again = {"text": "second", "memory_id": "seat:1"}
    assert caller.refusal("POST", "/memories", json=again) == (409, "MEMORY_ID_EXISTS")
    assert caller.data("GET", "/memories/seat:1")["text"] == "first"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_a_body_of_another_type_is_met_with_415(caller: Caller, headers: dict[str, str]) -> None:
    answer = caller.http.post("/memories", content=b'{"text": "a"}', headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert caller.data("GET", "/memories") == []


@pytest.mark.parametrize(
    "body", ['{"text": "a", "text": "b"}', '{"text": "a", "metadata": {"a": 1, "a": 2}}']
)
def test_a_member_that_is_there_twice_is_refused(caller: Caller, body: str) -> None:
    answer = caller.http.post("/memories", content=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert "more than once" in answer.json()["error"]["message"]
    assert caller.data("GET", "/memories") == []


def test_a_parameter_that_is_there_twice_is_refused(caller: Caller) -> None:
    answer = caller.http.get("/memories?page=1&page=2")

    assert answer.json()["error"]["details"]["field"] == "page"
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": " \n"}, "text"),
        ({"text": None}, "text"),
        ({"text": 1}, "text"),
        ({"text": "x" * 50_001}, "text"),
        ({"text": "\ud800"}, "text"),
        ({"text": "a", "metadata": None}, "metadata"),
        ({"text": "a", "metadata": []}, "metadata"),
        ({"text": "a", "metadata": {"\ud800": 1}}, "metadata"),
        ({"text": "a", "memory_id": "a/b"}, "memory_id"),
        ({"text": "a", "memory_id": ".."}, "memory_id"),
        ({"text": "a", "memory_id": ""}, "memory_id"),
    ],
)
def test_what_cannot_be_stored_is_refused(caller: Caller, body: dict[str, Any], field: str) -> None:
    answer = caller.http.post("/memories", content=json.dumps(body))

    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == field
    assert caller.data("GET", "/memories") == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"text": "a", "metadata": {"a": NaN}}', b"\xff"])
def test_what_is_no_json_object_is_refused(caller: Caller, content: bytes) -> None:
    assert caller.refusal("POST", "/memories", content=content) == (400, "VALIDATION_ERROR")


def test_the_longest_text_is_taken(caller: Caller) -> None:
    assert caller.remember("x" * 50_000)


def test_pages_are_numbered_and_the_newest_comes_first(caller: Caller) -> None:
    ids = [caller.remember(f"memory {number}") for number in range(5)]

    pages = [
        caller.http.get("/memories", params={"page": page, "per_page": 2}).json() for page in (1, 2, 3, 4)
    ]

    assert [[memory["id"] for memory in page["data"]] for page in pages] == [
        [ids[4], ids[3]],
        [ids[2], ids[1]],
        [ids[0]],
        [],
    ]
    assert pages[0]["pagination"] == {
        "total": 5,
        "page": 1,
        "per_page": 2,
        "total_pages": 3,
        "has_next": True,
    }
    assert [page["pagination"]["has_next"] for page in pages] == [True, True, False, False]


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=", "per_page=0", "per_page=101", "page=99999999999999999999"]
)
def test_a_page_that_cannot_be_is_refused(caller: Caller, query: str) -> None:
    assert caller.refusal("GET", f"/memories?{query}") == (400, "VALIDATION_ERROR")


def test_a_change_keeps_what_it_does_not_name(caller: Caller, clock: Clock) -> None:
    memory_id = caller.remember("window", metadata={"a": 1})
    clock.advance(60)

    changed = caller.data("PUT", f"/memories/{memory_id}", json={"text": "aisle"})
    assert (changed["text"], changed["metadata"]) == ("aisle", {"a": 1})
    assert changed["updated_at"] > changed["created_at"]

    changed = caller.data("PUT", f"/memories/{memory_id}", json={"metadata": {"b": 2}})
    assert (changed["text"], changed["metadata"]) == ("aisle", {"b": 2})


@pytest.mark.parametrize("body", [{"text": ""}, {"text": None}, {"metadata": 1}, {"text": "x" * 50_001}])
def test_a_change_that_cannot_be_changes_nothing(caller: Caller, body: dict[str, Any]) -> None:
    memory_id = caller.remember("window")
    before = caller.data("GET", f"/memories/{memory_id}")

    assert caller.refusal("PUT", f"/memories/{memory_id}", json=body) == (400, "VALIDATION_ERROR")
    assert caller.data("GET", f"/memories/{memory_id}") == before


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_is_not_there_is_met_with_404(caller: Caller, method: str) -> None:
    body = {"text": "a"} if method == "PUT" else None

    assert caller.refusal(method, "/memories/mem_1", json=body) == (404, "MEMORY_NOT_FOUND")


def test_a_deleted_memory_is_gone_and_so_are_its_words(caller: Caller) -> None:
    memory_id = caller.remember("window seats")
    caller.data("DELETE", f"/memories/{memory_id}")

    assert caller.refusal("GET", f"/memories/{memory_id}") == (404, "MEMORY_NOT_FOUND")
    assert caller.data("POST", "/query", json={"context": "window"})["total_memories_searched"] == 0
    assert caller.remember("aisle seats")
    assert caller.data("POST", "/query", json={"context": "window"})["memories"] == []


@pytest.mark.parametrize("query", ["", "?confirm=false", "?confirm=1", "?confirm=TRUE"])
def test_deleting_everything_wants_to_be_confirmed(caller: Caller, query: str) -> None:
    caller.remember("window")

    assert caller.refusal("DELETE", f"/memories{query}") == (400, "CONFIRMATION_REQUIRED")
    assert len(caller.data("GET", "/memories")) == 1


def test_deleting_everything_deletes_what_the_key_can_see(
    local: MemoramLocal, caller: Caller, caller_with: Any
) -> None:
    other = caller_with(local.memory_api.sign_up(name="Other"))
    sandbox = caller_with(
        local.memory_api.issue_key(caller.issued.org_id, scopes=["admin"], environment="test")
    )
    for each in (caller, other, sandbox):
        each.remember("window", memory_id="same")
    caller.remember("aisle")

    assert caller.data("DELETE", "/memories?confirm=true") == {"deleted_count": 2}

    assert caller.data("GET", "/memories") == []
    assert [len(each.data("GET", "/memories")) for each in (other, sandbox)] == [1, 1]


@pytest.mark.parametrize("environment", ["live", "test"])
def test_nobody_sees_the_memories_of_another_space(
    local: MemoramLocal, caller: Caller, caller_with: Any, environment: Any
) -> None:
    org_id = local.memory_api.sign_up().org_id if environment == "live" else caller.issued.org_id
    other = caller_with(local.memory_api.issue_key(org_id, scopes=["admin"], environment=environment))
    memory_id = caller.remember("window seats")

    assert other.data("GET", "/memories") == []
    assert other.data("POST", "/query", json={"context": "window"})["memories"] == []
    for method, body in (("GET", None), ("PUT", {"text": "mine"}), ("DELETE", None)):
        assert other.refusal(method, f"/memories/{memory_id}", json=body)[0] == 404
    assert caller.data("GET", f"/memories/{memory_id}")["text"] == "window seats"
