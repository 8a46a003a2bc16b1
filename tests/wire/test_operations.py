"""Each operation, as it stands on the wire and in the contract."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from memoram_async import AccessStatus, Secret
from memoram_async.core.oauth import code_challenge
from tests.worlds import API_KEY, TOKEN, Service, World, items

pytestmark = pytest.mark.anyio

USER = "8c1f7c1e-6f0a-4f0e-9b7e-3f6f3f1f2a10"
BLOB = {"id": "mem_1", "user_id": USER, "content": "x", "tags": ["a"], "created_at": "2026-01-02T03:04:05Z"}
REQUEST = {
    "id": "cm1",
    "status": "pending",
    "reason": "why",
    "memoryKey": "mk_1",
    "createdAt": "2026-01-02T03:04:05Z",
}
CREDENTIALS = {"user_id": USER, "memory_key": "mk_1", "encryption_key": "ab" * 32, "key_version": 3}
TAG = {"id": "tag_1", "name": "travel", "color": "#3366FF", "is_enabled": True}

CALLS: list[tuple[str, str, dict[str, Any], str, str, dict[str, str], Any, Any]] = [
    (
        "access_requests",
        "create",
        {"memory_key": "mk_1", "reason": "why"},
        "POST",
        "/api/v1/access-requests",
        {},
        {"memoryKey": "mk_1", "reason": "why"},
        (201, REQUEST),
    ),
    (
        "access_requests",
        "get",
        {"request_id": "cm1"},
        "GET",
        "/api/v1/access-requests/cm1",
        {},
        None,
        (200, REQUEST),
    ),
    (
        "access_requests",
        "credentials",
        {"request_id": "cm1"},
        "GET",
        "/api/v1/access-requests/cm1/credentials",
        {},
        None,
        (200, CREDENTIALS),
    ),
    (
        "memory_blobs",
        "get",
        {"blob_id": "mem_1", "user_id": USER},
        "GET",
        "/api/v1/memory-blobs/mem_1",
        {"user_id": USER},
        None,
        (200, BLOB),
    ),
    (
        "memory_blobs",
        "create",
        {
            "user_id": USER,
            "memory_key": "mk_1",
            "content": "c",
            "title": "t",
            "summary": "s",
            "tags": ["a", "b,c"],
            "importance": 0.5,
            "confidence": 1,
            "source": "chat",
        },
        "POST",
        "/api/v1/memory-blobs",
        {},
        {
            "user_id": USER,
            "memoryKey": "mk_1",
            "content": "c",
            "title": "t",
            "summary": "s",
            "tags": ["a", "b,c"],
            "importance": 0.5,
            "confidence": 1,
            "source": "chat",
        },
        (201, BLOB),
    ),
    (
        "memory_blobs",
        "update",
        {"blob_id": "mem_1", "user_id": USER, "memory_key": "mk_1", "title": None, "tags": []},
        "PATCH",
        "/api/v1/memory-blobs/mem_1",
        {},
        {"user_id": USER, "memoryKey": "mk_1", "title": None, "tags": []},
        (200, BLOB),
    ),
    (
        "memory_blobs",
        "delete",
        {"blob_id": "mem_1", "user_id": USER},
        "DELETE",
        "/api/v1/memory-blobs/mem_1",
        {"user_id": USER},
        None,
        (200, {"any": "thing"}),
    ),
    (
        "tags",
        "get",
        {"tag_id": "tag_1", "user_id": USER},
        "GET",
        "/api/v1/tags/tag_1",
        {"user_id": USER},
        None,
        (200, TAG),
    ),
]


@pytest.mark.parametrize(
    ("resource", "method", "arguments", "verb", "path", "query", "body", "answer"),
    CALLS,
    ids=[f"{call[0]}.{call[1]}" for call in CALLS],
)
async def test_an_operation_sends_what_the_contract_says(
    world: World,
    resource: str,
    method: str,
    arguments: dict[str, Any],
    verb: str,
    path: str,
    query: dict[str, str],
    body: Any,
    answer: tuple[int, Any],
) -> None:
    service = Service.answering(httpx.Response(answer[0], json=answer[1]))
    async with world.client(service) as client:
        await getattr(getattr(client, resource), method)(**arguments)
    (request,) = service.requests
    assert (request.method, request.url.path) == (verb, path)
    assert dict(request.url.params) == query
    assert (json.loads(request.content) if request.content else None) == body
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


async def test_the_api_key_is_exchanged_once_and_sent_nowhere_else(world: World) -> None:
    service = Service.answering(httpx.Response(200, json=TAG))
    async with world.client(service, token_lifetime=900) as client:
        assert service.exchanges == []
        for _ in range(3):
            await client.tags.get("tag_1", user_id=USER)
    (exchange,) = service.exchanges
    assert json.loads(exchange.content) == {"api_key": API_KEY, "expires_in": 900}
    assert "authorization" not in exchange.headers
    assert all(API_KEY not in str(request.headers.raw) + str(request.url) for request in service.requests)


async def test_a_list_of_blobs_filters_with_the_names_of_the_wire(world: World) -> None:
    service = Service.answering(httpx.Response(200, json={"memoryBlobs": [BLOB], "next_cursor": None}))
    async with world.client(service) as client:
        (blob,) = await items(
            client.memory_blobs.list(
                user_id=USER, tags=["a", "b"], search="win dow", importance=0.25, page_size=50
            )
        )
    assert dict(service.requests[0].url.params) == {
        "user_id": USER,
        "limit": "50",
        "tags": "a,b",
        "searchQuery": "win dow",
        "importance": "0.25",
    }
    assert (blob.id, blob.content, blob.tags) == ("mem_1", "x", ("a",))
    assert blob.created_at.tzinfo is not None


async def test_tags_and_access_requests_are_lists_of_items(world: World) -> None:
    service = Service.answering(httpx.Response(200, json={"items": [TAG], "total": 1}))
    async with world.client(service) as client:
        page = await client.tags.list(user_id=USER).first_page()
        assert ([tag.name for tag in page.items], page.total, page.next_cursor) == (["travel"], 1, None)
        service.answers.clear()
        service.answers.append(httpx.Response(200, json={"items": [REQUEST]}))
        (request,) = await items(client.access_requests.list())
    assert (request.status, request.memory_key.reveal()) == (AccessStatus.PENDING, "mk_1")


async def test_credentials_wrap_their_secrets(world: World) -> None:
    async with world.client(Service.answering(httpx.Response(200, json=CREDENTIALS))) as client:
        credentials = await client.access_requests.credentials("cm1")
    assert credentials.encryption_key.reveal() == "ab" * 32
    assert "ab" * 32 not in repr(credentials)
    assert credentials.key_version == 3


@pytest.mark.parametrize("wrap", [str, Secret])
async def test_a_code_is_exchanged_as_a_form_at_the_authorization_server(world: World, wrap: Any) -> None:
    service = Service.answering(
        httpx.Response(
            200, json={"access_token": "at", "token_type": "bearer", "memory_key": "mk_1", "expires_in": 9}
        )
    )
    async with world.client(service) as client:
        flow = client.oauth.begin(
            redirect_uri="https://app.test/back", client_id="app", client_secret=wrap("s&cret")
        )
        tokens = await flow.complete({"code": "code-1", "state": flow.state.reveal()})
    (request,) = service.requests
    assert str(request.url) == "https://auth.test/oauth/token"
    form = dict(parse_qsl(request.content.decode()))
    assert httpx.URL(flow.url).params["code_challenge"] == code_challenge(form.pop("code_verifier"))
    assert form == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "client_id": "app",
        "client_secret": "s&cret",
        "redirect_uri": "https://app.test/back",
    }
    assert "authorization" not in request.headers
    assert service.exchanges == []
    assert tokens.memory_key.reveal() == "mk_1"


async def test_a_refresh_token_is_exchanged_as_a_form(world: World) -> None:
    service = Service.answering(httpx.Response(200, json={"access_token": "at", "refresh_token": "rt2"}))
    async with world.client(service) as client:
        tokens = await client.oauth.refresh("rt1", client_id="app", client_secret="shh")
    assert dict(parse_qsl(service.requests[0].content.decode()))["refresh_token"] == "rt1"
    assert (tokens.refresh_token.reveal(), tokens.memory_key) == ("rt2", None)


async def test_the_way_out_of_a_flow(world: World) -> None:
    async with world.client(Service.answering(httpx.Response(500))) as client:
        flow = client.oauth.begin(client_id="app", redirect_uri="https://app.test/back", scope="read")
    url = httpx.URL(flow.url)
    assert url.copy_with(query=None) == httpx.URL("https://auth.test/oauth/authorize")
    assert url.params["response_type"] == "code"
    assert url.params["code_challenge_method"] == "S256"
    assert len(url.params["state"]) >= 22


async def test_a_free_request_goes_with_the_token_and_comes_back_whole(world: World) -> None:
    service = Service.answering(httpx.Response(202, json={"new": True}, headers={"X-New": "yes"}))
    async with world.client(service) as client:
        answer = await client.request("POST", "/novelties/1", params={"q": "é", "none": None}, json={"a": 1})
    (request,) = service.requests
    assert str(request.url) == "https://api.test/api/v1/novelties/1?q=%C3%A9"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert (answer.status, answer.headers["x-new"], answer.json()) == (202, "yes", {"new": True})


@pytest.mark.parametrize(
    "answer", [httpx.Response(204), httpx.Response(200, text="gone"), httpx.Response(200, json=[])]
)
async def test_any_success_is_enough_for_a_delete(world: World, answer: httpx.Response) -> None:
    async with world.client(Service.answering(answer)) as client:
        assert await client.memory_blobs.delete("mem_1", user_id=USER) is None
