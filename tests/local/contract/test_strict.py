"""`strict`: requests and answers that differ from the contract are told so."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from memoram_local import MemoramLocal
from memoram_local.api.answers import refusal
from memoram_local.contract.strict import StrictContract
from tests.local.conftest import Application, Memories

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from memoram_local import Clock, RegisteredApp, User

JSON = {"content-type": "application/json"}


@pytest.fixture
def local(clock: Clock) -> Any:
    with MemoramLocal(password_profile="fast", clock=clock, strict=True) as platform:
        yield platform


@pytest.fixture
def application_of(
    server: Any, client_for: Callable[[str], httpx.Client]
) -> Callable[[RegisteredApp], Application]:
    def sign_in(registered: RegisteredApp) -> Application:
        client = client_for(server.api_url)
        client.headers["content-type"] = "application/json"
        answer = client.post("/auth/token", json={"api_key": registered.api_key})
        assert answer.status_code == 200, answer.text
        client.headers["authorization"] = f"Bearer {answer.json()['token']}"
        return Application(registered, client)

    return sign_in


def test_everything_that_keeps_to_the_contract_works(memories: Memories, local: MemoramLocal) -> None:
    http, whose = memories.http, {"user_id": memories.user.id}
    blob_id = memories.create(tags=["travel"], importance=0.5, title="Seat", summary=None)
    (tag_id,) = memories.get(blob_id).json()["tag_ids"]
    etag = memories.get(blob_id).headers["etag"]
    key = {"idempotency-key": "k"}

    statuses = {
        "list requests": http.get("/access-requests", headers={"prefer": "wait=1"}).status_code,
        "get request": http.get(f"/access-requests/{memories.request_id}").status_code,
        "credentials": http.get(
            f"/access-requests/{memories.request_id}/credentials", params={"key_version": 1}
        ).status_code,
        "list": http.get("/memory-blobs", params={**whose, "limit": 3, "importance": 0.1}).status_code,
        "head": http.head("/memory-blobs", params=whose).status_code,
        "unchanged": http.get(
            f"/memory-blobs/{blob_id}", params=whose, headers={"if-none-match": etag}
        ).status_code,
        "patch": memories.patch(blob_id, tags=None).status_code,
        "tags": http.get("/tags", params=whose).status_code,
        "tag": http.get(f"/tags/{tag_id}", params=whose).status_code,
        "delete": http.delete(f"/memory-blobs/{blob_id}", params=whose, headers=key).status_code,
        "gone": memories.get(blob_id).status_code,
        "unknown": http.get("/nothing").status_code,
        "method": http.put("/tags", content="{}").status_code,
    }

    assert {name: status for name, status in statuses.items() if status != 200} == {
        "unchanged": 304,
        "gone": 404,
        "unknown": 404,
        "method": 405,
    }
    local.revoke(memories.request_id)
    assert memories.post().status_code == 403


def test_the_oauth_flow_keeps_to_the_contract(
    http: httpx.Client, local: MemoramLocal, app: RegisteredApp, user: User
) -> None:
    (redirect_uri,) = app.redirect_uris
    code = local.authorize(user_id=user.id, client_id=app.client_id, redirect_uri=redirect_uri)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    in_form = {"client_id": app.client_id, "client_secret": app.client_secret}

    answers = [
        http.post("/oauth/token", data={**form, **in_form}),
        http.post("/oauth/token", data=form, auth=(app.client_id, app.client_secret)),
        http.post("/oauth/token", data={**form, "client_id": "x", "client_secret": "y"}),
        http.get("/.well-known/oauth-authorization-server"),
        http.get(
            "/oauth/authorize",
            params={"response_type": "code", "client_id": app.client_id, "redirect_uri": redirect_uri},
        ),
    ]

    assert [answer.status_code for answer in answers] == [200, 400, 401, 200, 303]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"colour": "blue"}, "unknown members: colour"),
        ({"content": None}, "body.content must meet type"),
        ({"importance": "high"}, "body.importance must meet type"),
        ({"tags": [""]}, "body.tags.0 must meet minLength"),
        ({"user_id": "me"}, "body.user_id must meet format"),
    ],
)
def test_a_body_that_differs_is_refused_and_told_why(
    memories: Memories, change: dict[str, object], said: str
) -> None:
    answer = memories.post(**change)

    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_a_missing_member_is_named_and_no_value_is_shown(memories: Memories) -> None:
    answer = memories.http.post("/memory-blobs", json={"memoryKey": "a secret", "content": 7})

    assert "body misses user_id" in answer.json()["error"]["message"]
    assert "a secret" not in answer.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "user_id is missing"),
        ("user_id={0}&sort=up", "sort is not known"),
        ("user_id={0}&limit=0", "limit must meet minimum"),
        ("user_id={0}&limit=ten", "limit must meet type"),
        ("user_id={0}&importance=x", "importance must meet type"),
        ("user_id={0}&tags=a&tags=b", "tags is there more than once"),
    ],
)
def test_a_query_that_differs_is_refused_and_told_why(memories: Memories, query: str, said: str) -> None:
    answer = memories.http.get(f"/memory-blobs?{query.format(memories.user.id)}")

    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("content", "content_type", "said"),
    [
        (b"{", "application/json", "the body is not application/json"),
        (b"\xff", "application/json", "the body is not application/json"),
        (b"{}", "text/plain", "content-type must be application/json"),
        (b"[]", "application/json", "body must meet type"),
    ],
)
def test_what_is_no_json_is_refused(memories: Memories, content: bytes, content_type: str, said: str) -> None:
    answer = memories.http.post("/memory-blobs", content=content, headers={"content-type": content_type})

    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_a_body_that_is_too_large_is_met_with_413_as_ever(memories: Memories) -> None:
    assert memories.post(content="x" * (4 * 1024 * 1024)).status_code == 413


def test_without_strict_unknown_members_and_parameters_are_ignored(clock: Clock) -> None:
    with (
        MemoramLocal(password_profile="fast", clock=clock) as local,
        local.serve() as server,
        httpx.Client(base_url=server.api_url, trust_env=False) as http,
    ):
        app = local.register_app(name="App")
        answer = http.post("/auth/token?x=1", json={"api_key": app.api_key, "colour": "blue"})
        http.headers["authorization"] = f"Bearer {answer.json()['token']}"

        assert answer.status_code == 200
        assert http.get("/access-requests?sort=up").status_code == 200


def answering(answer: Response) -> ASGIApp:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(scope, receive, send)

    return application


def refuse(path: str, status: int, message: str) -> Response:
    del path
    return refusal(status, "refused", message)


REQUEST = {
    "id": f"c{'0' * 24}",
    "status": "pending",
    "reason": "Trips",
    "memoryKey": "mk",
    "aiConnectorId": "c",
    "createdAt": "2030-01-01T00:00:00Z",
    "updatedAt": "2030-01-01T00:00:00Z",
}
ETAG = {"etag": f'"{"0" * 32}"'}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (JSONResponse(REQUEST, headers=ETAG), None),
        (JSONResponse({}, 500), None),
        (JSONResponse({**REQUEST, "colour": "blue"}, headers=ETAG), "unknown members: colour"),
        (JSONResponse({**REQUEST, "status": "aproved"}, headers=ETAG), "body.status must meet enum"),
        (JSONResponse({**REQUEST, "createdAt": "today"}, headers=ETAG), "body.createdAt must meet format"),
        (JSONResponse({**REQUEST, "createdAt": "2030-01-01"}, headers=ETAG), "must meet format"),
        (JSONResponse(REQUEST), "header: etag is missing"),
        (JSONResponse(REQUEST, 201, headers=ETAG), "does not answer with 201"),
        (Response(json.dumps(REQUEST), headers=ETAG), "content-type must be"),
        (Response("{}", 304, headers=ETAG), "304 has no body"),
    ],
)
async def test_an_answer_that_differs_becomes_500_and_is_logged(
    anyio_backend: str, caplog: pytest.LogCaptureFixture, answer: Response, said: str | None
) -> None:
    del anyio_backend
    transport = httpx.ASGITransport(StrictContract(answering(answer), refuse=refuse))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        got = await http.get("/api/v1/access-requests/cx")

    if said is None:
        assert got.status_code == answer.status_code
        assert got.content == answer.body
        assert not caplog.records
    else:
        assert got.status_code == 500
        assert said in got.json()["error"]["message"]
        (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert said in record.getMessage()
