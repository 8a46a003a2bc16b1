# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false
# The calls of its tables are lambdas on clients of three worlds, whose types they cannot name.
"""Each operation of Memory API, as it stands on the wire and in the contract."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_async import APIResponseError, InvalidArgumentError, PaginationError, Secret
from memoram_async.memory_api import Environment, Scope
from tests.memory_api.answers import ACCOUNT, KEY, LISTED_KEY, MEMORY, NEW_KEY, good
from tests.worlds import Service, failure, items

if TYPE_CHECKING:
    from tests.worlds import World

pytestmark = pytest.mark.anyio

MATCH = {"id": "mem_1", "text": "t", "relevance_score": 0.5, "relevance_reasoning": "r", "metadata": None}

CALLS: list[tuple[str, Any, str, str, dict[str, str], Any, Any]] = [
    ("account.get", lambda api: api.account.get(), "GET", "/v1/account", {}, None, good(ACCOUNT)),
    (
        "api_keys.create",
        lambda api: api.account.api_keys.create(
            scopes=["admin", Scope.READ, "read"], name="R", environment="test", expires_in_days=30
        ),
        "POST",
        "/v1/account/api-keys",
        {},
        {"scopes": ["read", "admin"], "name": "R", "environment": "test", "expires_in_days": 30},
        good(NEW_KEY, status=201),
    ),
    (
        "api_keys.create, least",
        lambda api: api.account.api_keys.create(scopes=("read",)),
        "POST",
        "/v1/account/api-keys",
        {},
        {"scopes": ["read"]},
        good(NEW_KEY),
    ),
    (
        "api_keys.revoke",
        lambda api: api.account.api_keys.revoke("key_1"),
        "DELETE",
        "/v1/account/api-keys/key_1",
        {},
        None,
        good(None),
    ),
    (
        "memories.create",
        lambda api: api.memories.create("t", metadata={"a": [1]}, memory_id="own"),
        "POST",
        "/v1/memories",
        {},
        {"text": "t", "metadata": {"a": [1]}, "memory_id": "own"},
        good(MEMORY, status=201),
    ),
    (
        "memories.create, wrapped",
        lambda api: api.memories.create(Secret("t")),
        "POST",
        "/v1/memories",
        {},
        {"text": "t"},
        good(MEMORY),
    ),
    (
        "memories.get",
        lambda api: api.memories.get("a b".replace(" ", "+")),
        "GET",
        "/v1/memories/a+b",
        {},
        None,
        good(MEMORY),
    ),
    (
        "memories.update",
        lambda api: api.memories.update("mem_1", text="u", metadata={}),
        "PUT",
        "/v1/memories/mem_1",
        {},
        {"text": "u", "metadata": {}},
        good(MEMORY),
    ),
    (
        "memories.delete",
        lambda api: api.memories.delete("mem_1"),
        "DELETE",
        "/v1/memories/mem_1",
        {},
        None,
        good({}),
    ),
    (
        "memories.delete_all",
        lambda api: api.memories.delete_all(confirm=True),
        "DELETE",
        "/v1/memories",
        {"confirm": "true"},
        None,
        good({}),
    ),
    (
        "query",
        lambda api: api.query("c", max_memories=3, relevance_threshold=0, include_metadata=False),
        "POST",
        "/v1/query",
        {},
        {"context": "c", "max_memories": 3, "relevance_threshold": 0, "include_metadata": False},
        good({"memories": [MATCH], "query_context": "c", "total_memories_searched": 1}),
    ),
    (
        "query_answer",
        lambda api: api.query_answer("c", prompt_template="p"),
        "POST",
        "/v1/query/answer",
        {},
        {"context": "c", "prompt_template": "p"},
        good({"answer": "a", "memories_used": 2, "model": "m"}),
    ),
    (
        "extract",
        lambda api: api.extract("c", content_type="notes", metadata={"a": 1}),
        "POST",
        "/v1/query/extract",
        {},
        {"content": "c", "content_type": "notes", "metadata": {"a": 1}},
        good({"extracted_count": 1, "memory_ids": ["mem_1"]}),
    ),
    ("usage.get", lambda api: api.usage.get(), "GET", "/v1/usage", {}, None, good({"requests": 1})),
    ("usage.history", lambda api: api.usage.history(), "GET", "/v1/usage/history", {}, None, good([])),
    (
        "usage.projection",
        lambda api: api.usage.projection(),
        "GET",
        "/v1/usage/projection",
        {},
        None,
        good(None),
    ),
]


@pytest.mark.parametrize(
    ("call", "verb", "path", "query", "body", "answer"),
    [call[1:] for call in CALLS],
    ids=[call[0] for call in CALLS],
)
async def test_an_operation_sends_what_the_contract_says(
    world: World, call: Any, verb: str, path: str, query: dict[str, str], body: Any, answer: httpx.Response
) -> None:
    service = Service.answering(answer)
    async with world.memory_api(service) as api:
        await call(api)

    (request,) = service.requests
    assert (request.method, request.url.path, dict(request.url.params)) == (verb, path, query)
    assert (json.loads(request.content) if request.content else None) == body
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert "x-api-key" not in request.headers
    assert "idempotency-key" not in request.headers


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda api: api.health(), "/v1/health"),
        (lambda api: api.signup(name="Planner", email="ada@example.test"), "/v1/signup"),
    ],
)
async def test_what_needs_no_key_sends_none(world: World, call: Any, path: str) -> None:
    service = Service.answering(good({"id": "key_1", "key": NEW_KEY["key"], "name": "Default Key"}))
    async with world.memory_api(service) as api:
        await call(api)

    (request,) = service.requests
    assert request.url.path == path
    assert not {"authorization", "x-api-key"} & set(request.headers)


async def test_a_key_may_be_sent_in_a_header_of_its_own(world: World) -> None:
    service = Service.answering(good(ACCOUNT))
    async with world.memory_api(service, auth_header="x-api-key") as api:
        await api.account.get()

    assert service.requests[0].headers["x-api-key"] == KEY
    assert "authorization" not in service.requests[0].headers


async def test_a_memory_is_read_with_all_that_it_has(world: World) -> None:
    async with world.memory_api(Service.answering(good(MEMORY))) as api:
        memory = await api.memories.get("mem_1")

    assert (memory.id, memory.text, memory.metadata) == ("mem_1", "Prefers window seats", {"source": "chat"})
    assert memory.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert "window" not in repr(memory)


async def test_a_new_key_is_wrapped(world: World) -> None:
    async with world.memory_api(
        Service.answering(good({**NEW_KEY, "expires_at": "2026-02-01T00:00:00Z"}))
    ) as api:
        made = await api.account.api_keys.create(scopes=["read"])

    assert made.key.reveal() == NEW_KEY["key"]
    assert str(NEW_KEY["key"]) not in f"{made} {made.key}"
    assert made.expires_at == datetime(2026, 2, 1, tzinfo=UTC)


async def test_what_a_version_to_come_may_send_stays_text(world: World) -> None:
    listed = {**LISTED_KEY, "environment": "staging", "scopes": ["read", "fly"]}
    async with world.memory_api(Service.answering(good([listed, LISTED_KEY]))) as api:
        odd, known = await items(api.account.api_keys.list())

    assert (odd.environment, odd.scopes) == ("staging", (Scope.READ, "fly"))
    assert known.environment is Environment.LIVE
    assert not hasattr(known, "expires_at")


async def test_a_matches_answer_is_structured(world: World) -> None:
    answer = good({"memories": [MATCH], "query_context": "c", "total_memories_searched": 9})
    async with world.memory_api(Service.answering(answer)) as api:
        result = await api.query("c")

    (match,) = result.memories
    assert (match.text, match.relevance_score, match.relevance_reasoning) == ("t", 0.5, "r")
    assert (result.query_context, result.total_memories_searched) == ("c", 9)


async def test_how_the_call_went_is_told(world: World) -> None:
    headers = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "59", "x-ratelimit-reset": "1800000060"}
    async with world.memory_api(Service.answering(good(MEMORY, headers=headers))) as api:
        info = (await api.memories.get("mem_1")).info

    assert (info.operation, info.request_id, info.processing_time) == ("getMemory", "req_body", 0.0125)
    assert (info.rate_limit.limit, info.rate_limit.remaining) == (60, 59)
    assert info.rate_limit.resets_at == datetime.fromtimestamp(1800000060, UTC)


@pytest.mark.parametrize(
    ("answer", "data"),
    [(good({"status": "ok"}), {"status": "ok"}), (good(None), None)],
)
async def test_an_open_answer_is_handed_out_as_it_is(world: World, answer: httpx.Response, data: Any) -> None:
    async with world.memory_api(Service.answering(answer)) as api:
        assert (await api.health()).data == data
        assert (await api.usage.get()).data == data


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"null", b'{"success": false, "data": {}}', b'{"success": true}', b"x"]
)
async def test_an_answer_of_another_shape_is_an_error(world: World, body: bytes) -> None:
    async with world.memory_api(Service.answering(httpx.Response(200, content=body))) as api:
        error = await failure(api.memories.get("mem_1"), APIResponseError)

    assert error.status == 200


def page(number: int, *, of: int, size: int = 2) -> httpx.Response:
    pagination = {
        "total": of * size,
        "page": number,
        "per_page": size,
        "total_pages": of,
        "has_next": number < of,
    }
    return good([{**MEMORY, "id": f"mem_{number}_{each}"} for each in range(size)], pagination=pagination)


async def test_numbered_pages_are_walked_like_others(world: World) -> None:
    service = Service.answering(page(1, of=2), page(2, of=2))
    async with world.memory_api(service) as api:
        found = await items(api.memories.list(page_size=2))

    assert [memory.id for memory in found] == ["mem_1_0", "mem_1_1", "mem_2_0", "mem_2_1"]
    assert [dict(request.url.params) for request in service.requests] == [
        {"page": "1", "per_page": "2"},
        {"page": "2", "per_page": "2"},
    ]


async def test_a_page_can_be_resumed_at_its_cursor(world: World) -> None:
    service = Service.answering(page(3, of=4))
    async with world.memory_api(service) as api:
        found = await api.memories.list().page("3")

    assert (found.total, found.next_cursor, len(found.items)) == (8, "4", 2)
    assert found.info.operation == "listMemories"


@pytest.mark.parametrize("cursor", ["", "0", "-1", "x", "1.0", "٣", "9" * 20, 1])
async def test_a_cursor_that_no_page_gave_is_refused(world: World, cursor: Any) -> None:
    service = Service.answering(page(1, of=1))
    async with world.memory_api(service) as api:
        await failure(api.memories.list().page(cursor), InvalidArgumentError)

    assert service.requests == []


async def test_a_service_that_repeats_a_page_is_noticed(world: World) -> None:
    service = Service.answering(page(1, of=9))
    async with world.memory_api(service) as api:
        await failure(items(api.memories.list()), PaginationError)

    assert len(service.requests) == 2


async def test_a_page_without_items_is_the_last(world: World) -> None:
    empty = good([], pagination={"total": 9, "page": 1, "has_next": True})
    service = Service.answering(empty)
    async with world.memory_api(service) as api:
        assert await items(api.memories.list()) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda api: api.memories.create(""),
        lambda api: api.memories.create("x" * 50_001),
        lambda api: api.memories.create(1),
        lambda api: api.memories.create("a", metadata=["a"]),
        lambda api: api.memories.create("a", metadata={1: "a"}),
        lambda api: api.memories.create("a", metadata={"a": float("nan")}),
        lambda api: api.memories.create("a", memory_id="a/b"),
        lambda api: api.memories.get(".."),
        lambda api: api.memories.update("mem_1"),
        lambda api: api.memories.update("mem_1", text=" "),
        lambda api: api.memories.delete(""),
        lambda api: api.memories.delete_all(confirm=False),
        lambda api: api.memories.delete_all(confirm="yes"),
        lambda api: api.query(" "),
        lambda api: api.query("a", max_memories=0),
        lambda api: api.query("a", max_memories=101),
        lambda api: api.query("a", relevance_threshold=1.1),
        lambda api: api.query("a", relevance_threshold=float("nan")),
        lambda api: api.query_answer("a", prompt_template=""),
        lambda api: api.extract("a", content_type="song"),
        lambda api: api.account.api_keys.create(scopes=[]),
        lambda api: api.account.api_keys.create(scopes="read"),
        lambda api: api.account.api_keys.create(scopes=["fly"]),
        lambda api: api.account.api_keys.create(scopes=None),
        lambda api: api.account.api_keys.create(scopes=["read"], environment="staging"),
        lambda api: api.account.api_keys.create(scopes=["read"], expires_in_days=0),
        lambda api: api.account.api_keys.create(scopes=["read"], name=""),
        lambda api: api.account.api_keys.revoke("a/b"),
        lambda api: api.account.api_keys.rotate(""),
        lambda api: api.account.api_keys.rotate("key_1", expires_in_days=-1),
        lambda api: api.signup(name="", email="a@b.c"),
        lambda api: api.request("GET", "memories"),
    ],
)
async def test_what_cannot_be_sent_is_refused_and_nothing_is_sent(world: World, call: Any) -> None:
    service = Service.answering(good(MEMORY))
    async with world.memory_api(service) as api:
        await failure(call(api), InvalidArgumentError)

    assert service.requests == []


async def test_scopes_must_be_said(world: World) -> None:
    async with world.memory_api(Service.answering(good(NEW_KEY))) as api:
        with pytest.raises(TypeError):
            await api.account.api_keys.create()


@pytest.mark.parametrize("size", [0, 101, "2"])
async def test_a_page_size_that_cannot_be_is_refused(world: World, size: Any) -> None:
    async with world.memory_api(Service.answering(page(1, of=1))) as api:
        with pytest.raises(InvalidArgumentError):
            api.memories.list(page_size=size)


async def test_clones_share_the_key(world: World) -> None:
    service = Service.answering(good(ACCOUNT))
    async with world.memory_api(service) as api:
        clone = api.with_options(timeout=5, max_retries=0)
        await clone.account.get()
        await clone.aclose()
        answer = await api.request("GET", "/memories", params={"page": 1})

    assert answer.json()["success"] is True
    assert {request.headers["authorization"] for request in service.requests} == {f"Bearer {KEY}"}
