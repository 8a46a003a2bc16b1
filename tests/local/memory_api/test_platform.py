"""The second service has all that the platform has: strict mode, faults, the journal, snapshots, usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_local import MemoramLocal
from memoram_local.testing import DropAfterCommit, StaleRead, Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memoram_local import Clock
    from tests.local.memory_api.conftest import Caller


def test_answers_are_envelopes_that_name_their_request(caller: Caller) -> None:
    answer = caller.http.get("/account")

    assert answer.json()["meta"]["request_id"] == answer.headers["x-request-id"]
    assert answer.json()["meta"]["processing_time_ms"] >= 0
    assert answer.headers["cache-control"] == "no-store"


def test_it_is_alive_without_a_key(nobody: httpx.Client) -> None:
    assert nobody.get("/health").json()["data"] == {"status": "ok"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nothing", 404, "NOT_FOUND"), ("PATCH", "/memories", 405, "METHOD_NOT_ALLOWED")],
)
def test_what_no_route_sees_is_refused_in_the_envelope(
    nobody: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    answer = nobody.request(method, path)

    assert answer.status_code == status
    assert answer.json() == {
        "success": False,
        "error": {"code": code, "message": answer.json()["error"]["message"]},
    }


def test_a_body_that_is_too_large_is_refused(clock: Clock, server: Any, client_for: Any) -> None:
    with MemoramLocal(password_profile="fast", max_body_octets=100) as small, small.serve() as running:
        key = small.memory_api.sign_up().key
        http = client_for(running.memory_api_url)
        answer = http.post("/memories", json={"text": "x" * 200}, headers={"x-api-key": key})

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_strict_mode_holds_both_sides_to_the_contract(client_for: Callable[[str], httpx.Client]) -> None:
    with MemoramLocal(password_profile="fast", strict=True) as local, local.serve() as running:
        http = client_for(running.memory_api_url)
        http.headers["authorization"] = f"Bearer {local.memory_api.sign_up().key}"
        made = http.post("/memories", json={"text": "window"}).json()["data"]["id"]
        good = [
            http.get("/health"),
            http.get("/account"),
            http.get("/account/api-keys"),
            http.get("/memories", params={"per_page": 1}),
            http.get(f"/memories/{made}"),
            http.put(f"/memories/{made}", json={"metadata": {"a": 1}}),
            http.post("/query", json={"context": "window"}),
            http.post("/query/answer", json={"context": "window"}),
            http.post("/query/extract", json={"content": "The dog is old."}),
            *(http.get(f"/usage{each}") for each in ("", "/history", "/projection")),
            http.delete(f"/memories/{made}"),
            http.delete("/memories", params={"confirm": "true"}),
        ]
        refused = http.post("/memories", json={"text": "window", "title": "unknown"})

    assert {answer.status_code for answer in good} == {200}
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert "title" in refused.json()["error"]["message"]


def test_faults_strike_by_the_contracts_names(local: MemoramLocal, caller: Caller) -> None:
    local.faults.add(Status(503, retry_after=2), route="createMemory", nth=1)

    struck = caller.http.post("/memories", json={"text": "window"})

    assert (struck.status_code, struck.headers["retry-after"]) == (503, "2")
    assert struck.json()["success"] is False
    assert caller.remember("window")


def test_what_was_carried_out_before_a_drop_is_there(local: MemoramLocal, caller: Caller) -> None:
    with local.faults.add(DropAfterCommit(), route="createMemory"), pytest.raises(httpx.RemoteProtocolError):
        caller.http.post("/memories", json={"text": "window"})

    assert [memory["text"] for memory in caller.data("GET", "/memories")] == ["window"]


def test_a_stale_read_answers_from_the_past(local: MemoramLocal, caller: Caller) -> None:
    local.faults.add(StaleRead(), route="listMemories", nth=1)
    caller.remember("window")

    assert caller.data("GET", "/memories") == []
    assert len(caller.data("GET", "/memories")) == 1


def test_the_journal_shows_no_key_and_no_memory(local: MemoramLocal, caller: Caller) -> None:
    caller.remember("window seats", metadata={"where": "window"})
    caller.http.get("/account", headers={"authorization": "", "x-api-key": caller.issued.key})
    caller.http.get("/memories", params={"page": 1, "search": "window"})

    created, account, listed = list(local.journal)[-3:]

    assert (created.operation, created.status) == ("createMemory", 201)
    assert created.body == {"text": "[redacted]", "metadata": "[redacted]"}
    assert listed.query == (("page", "1"), ("search", "[redacted]"))
    assert account.operation == "getAccount"
    assert caller.issued.key not in repr([created, account, listed])


def test_a_key_in_a_header_of_its_own_is_noted_as_such(local: MemoramLocal, nobody: httpx.Client) -> None:
    nobody.get("/account", headers={"x-api-key": "mem_live_secret000"})

    assert local.journal[-1].authorization == "X-API-Key [redacted]"


def test_a_snapshot_holds_keys_memories_and_words(local: MemoramLocal, caller: Caller) -> None:
    caller.remember("window seats")
    snapshot = local.snapshot()
    caller.data("DELETE", "/memories?confirm=true")

    local.restore(snapshot)

    assert len(caller.data("POST", "/query", json={"context": "window"})["memories"]) == 1


def test_a_reset_leaves_nothing(local: MemoramLocal, caller: Caller, caller_with: Any) -> None:
    caller.remember("window seats")

    local.reset()

    assert caller.refusal("GET", "/account") == (401, "INVALID_API_KEY")
    fresh = caller_with(local.memory_api.sign_up())
    assert fresh.data("POST", "/query", json={"context": "window"})["total_memories_searched"] == 0


def test_usage_counts_calls_by_operation_and_day(caller: Caller, clock: Clock) -> None:
    caller.remember("window")
    caller.refusal("GET", "/memories/mem_1")
    clock.advance(86_400)

    usage = caller.data("GET", "/usage")
    history = caller.data("GET", "/usage/history")
    projection = caller.data("GET", "/usage/projection")

    assert usage == {
        "period": {"start": "2030-05-01", "end": "2030-05-31"},
        "requests": 3,
        "operations": {"createMemory": 1, "getMemory": 1, "getUsage": 1},
        "memories_stored": 1,
    }
    assert [(day["date"], day["requests"]) for day in history["days"]] == [
        ("2030-05-17", 2),
        ("2030-05-18", 2),
    ]
    assert (projection["requests_so_far"], projection["projected_requests"]) == (5, 9)


def test_memories_outlive_the_process(tmp_path: Any, client_for: Any) -> None:
    key = ""
    for reopened in (False, True):
        with MemoramLocal(data=tmp_path, password_profile="fast") as local, local.serve() as running:
            http = client_for(running.memory_api_url)
            if not reopened:
                key = local.memory_api.sign_up().key
            http.headers["authorization"] = f"Bearer {key}"
            if not reopened:
                assert http.post("/memories", json={"text": "window"}).status_code == 201
            answer = http.post("/query", json={"context": "window"}).json()["data"]
            assert len(answer["memories"]) == 1


def test_what_was_deleted_is_nowhere_in_the_data(tmp_path: Path, client_for: Any) -> None:
    with MemoramLocal(data=tmp_path, password_profile="fast") as local, local.serve() as running:
        http = client_for(running.memory_api_url)
        http.headers["authorization"] = f"Bearer {local.memory_api.sign_up().key}"
        for number in range(3):
            http.post("/memories", json={"text": "xylophone zeppelin", "memory_id": str(number)})
        http.put("/memories/0", json={"text": "tea"})
        http.delete("/memories/1")
        http.delete("/memories", params={"confirm": "true"})

    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"Planner" in stored
    assert b"xylophon" not in stored
    assert b"zeppelin" not in stored
