"""Answers that say no, answers that are none, and no answer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from memoram_async import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    MemoramError,
    NotFoundError,
    OAuthError,
    OutcomeUnknownError,
    PermissionDeniedError,
    PoolTimeoutError,
    RateLimitedError,
    RedirectError,
    ServerError,
    UnprocessableError,
)
from tests.worlds import API_KEY, TOKEN, Service, Time, World, failure, link

pytestmark = pytest.mark.anyio

OK = httpx.Response(200, json={"id": "tag_1"})
BLOB = httpx.Response(201, json={"id": "mem_1"})


def get(client: Any) -> Any:
    return client.tags.get("tag_1", user_id="u")


def create(client: Any) -> Any:
    return client.memory_blobs.create(user_id="u", memory_key="mk", content="CANARY")


def exchange(client: Any) -> Any:
    return link(client, "CANARY", client_id="a", client_secret="CANARY")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (418, APIStatusError),
        (422, UnprocessableError),
        (429, RateLimitedError),
        (500, ServerError),
        (503, ServerError),
        (301, RedirectError),
        (307, RedirectError),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>oops CANARY</html>",
        b'{"error": {"code": "some_code", "message": "CANARY"}}',
        b'{"error": "some_code", "error_description": "CANARY"}',
        b'["CANARY"]',
        b"\xff\xfe",
    ],
)
async def test_an_error_status_is_an_error_of_its_kind(
    world: World, status: int, kind: type[APIStatusError], body: bytes
) -> None:
    headers = {"x-request-id": "req-7", "location": "https://evil.test/?CANARY"}
    service = Service.answering(httpx.Response(status, content=body, headers=headers))
    async with world.client(service, max_retries=0) as client:
        error = await failure(get(client), MemoramError)
    assert type(error) is kind
    assert (error.status, error.request_id) == (status, "req-7")
    assert error.code == ("some_code" if b"some_code" in body else None)
    assert str(status) in str(error)
    assert "req-7" in str(error)
    assert "CANARY" not in str(error) + repr(error)


@pytest.mark.parametrize("verb", [get, create, exchange])
async def test_a_redirect_is_never_followed(world: World, verb: Any) -> None:
    service = Service.answering(httpx.Response(307, headers={"location": "https://evil.test/"}))
    async with world.client(service) as client:
        error = await failure(verb(client), RedirectError)
    assert [request.url.host for request in service.requests] in (["api.test"], ["auth.test"])
    assert "evil" not in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>CANARY</html>"),
        httpx.Response(200, text='{"id": "CANARY'),
        httpx.Response(200, content=b"\xff\xfe{"),
        httpx.Response(200, json=["CANARY"]),
        httpx.Response(200, json={"id": 7, "name": "CANARY"}),
        httpx.Response(200, json={"name": "CANARY"}),
        httpx.Response(200, json={"id": ["CANARY"], "name": "t"}),
        httpx.Response(200, json=None),
        httpx.Response(204),
    ],
)
async def test_an_answer_that_cannot_be_understood_is_an_error_that_quotes_nothing(
    world: World, answer: httpx.Response
) -> None:
    async with world.client(Service.answering(answer)) as client:
        error = await failure(get(client), APIResponseError)
    assert error.status == answer.status_code
    assert "base_url" in str(error)
    assert "CANARY" not in str(error) + repr(error.__cause__) + repr(error.__context__)


@pytest.mark.parametrize(
    "body",
    [{"memoryBlobs": {}}, {"memoryBlobs": [1]}, {"items": []}, {}, [], {"memoryBlobs": [], "next_cursor": 3}],
)
async def test_a_list_of_another_shape_is_an_error(world: World, body: Any) -> None:
    async with world.client(Service.answering(httpx.Response(200, json=body))) as client:
        await failure(client.memory_blobs.list(user_id="u").first_page(), APIResponseError)


@pytest.mark.parametrize("status", [400, 401])
async def test_a_wrong_api_key_is_an_authentication_error_and_is_sent_once(world: World, status: int) -> None:
    seen: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, json={"error": {"code": "invalid_api_key", "message": API_KEY}})

    async with world.client(refuse) as client:
        error = await failure(get(client), AuthenticationError)
    assert len(seen) == 1
    assert error.status == status
    assert API_KEY not in str(error)


async def test_a_refused_token_is_exchanged_and_the_request_replayed_once(world: World) -> None:
    service = Service.answering(httpx.Response(401), OK)
    async with world.client(service) as client:
        await get(client)
    assert (len(service.requests), len(service.exchanges)) == (2, 2)


async def test_a_second_refusal_is_raised(world: World) -> None:
    service = Service.answering(httpx.Response(401))
    async with world.client(service) as client:
        await failure(get(client), AuthenticationError)
    assert (len(service.requests), len(service.exchanges)) == (2, 2)


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ReadError("x"),
        httpx.ConnectError("x"),
        httpx.ReadTimeout("x"),
        httpx.Response(500),
        httpx.Response(502),
        httpx.Response(503),
        httpx.Response(429),
    ],
)
async def test_reading_is_tried_again_after_what_may_pass(world: World, fault: Any) -> None:
    service, time = Service.answering(fault, fault, OK), Time()
    async with world.client(service, time=time) as client:
        await get(client)
    assert len(service.requests) == 3
    assert time.slept == [0.25, 0.5]


@pytest.mark.parametrize("fault", [httpx.ReadError("x"), httpx.Response(500)])
async def test_trying_again_ends(world: World, fault: Any) -> None:
    service = Service.answering(fault)
    async with world.client(service, max_retries=4) as client:
        await failure(get(client), MemoramError)
    assert len(service.requests) == 5


@pytest.mark.parametrize(
    "fault",
    [httpx.ReadError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x"), httpx.WriteError("x")],
)
@pytest.mark.parametrize("write", [create, exchange])
async def test_a_write_whose_answer_is_lost_is_not_sent_again_and_says_so(
    world: World, fault: Any, write: Any
) -> None:
    service = Service.answering(fault, BLOB)
    async with world.client(service) as client:
        error = await failure(write(client), OutcomeUnknownError)
    assert len(service.requests) == 1
    assert error.sent
    assert "CANARY" not in str(error)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_a_write_is_not_sent_again_after_a_status_that_leaves_it_open(
    world: World, status: int
) -> None:
    service = Service.answering(httpx.Response(status), BLOB)
    async with world.client(service) as client:
        await failure(create(client), APIStatusError)
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("x"),
        httpx.ConnectTimeout("x"),
        httpx.PoolTimeout("x"),
        httpx.Response(429),
        httpx.Response(503, headers={"retry-after": "1"}),
    ],
)
async def test_a_write_is_sent_again_when_nothing_happened(world: World, fault: Any) -> None:
    service = Service.answering(fault, BLOB)
    async with world.client(service) as client:
        await create(client)
    assert len(service.requests) == 2


@pytest.mark.parametrize("status", [429, 503])
async def test_a_code_is_never_sent_twice_once_it_arrived(world: World, status: int) -> None:
    service = Service.answering(httpx.Response(status))
    async with world.client(service) as client:
        await failure(exchange(client), APIStatusError)
    assert len(service.requests) == 1


async def test_retry_after_is_waited_for(world: World) -> None:
    time = Time()
    service = Service.answering(httpx.Response(429, headers={"retry-after": "7"}), OK)
    async with world.client(service, time=time) as client:
        await get(client)
    assert time.slept == [7.0]


async def test_a_retry_after_beyond_the_total_timeout_is_not_waited_for(world: World) -> None:
    time = Time()
    service = Service.answering(httpx.Response(429, headers={"retry-after": "7"}), OK)
    async with world.client(service, time=time, timeout=5) as client:
        error = await failure(get(client), RateLimitedError)
    assert (error.retry_after, time.slept) == (7.0, [])


@pytest.mark.parametrize(
    ("fault", "kind", "sent"),
    [
        (httpx.ConnectError("x"), APIConnectionError, False),
        (httpx.ConnectTimeout("x"), APITimeoutError, False),
        (httpx.PoolTimeout("x"), PoolTimeoutError, False),
        (httpx.ReadTimeout("x"), APITimeoutError, True),
        (httpx.ReadError("x"), APIConnectionError, True),
        (httpx.LocalProtocolError(f"Illegal header value b'Bearer {TOKEN}'"), APIConnectionError, False),
        (httpx.UnsupportedProtocol("x"), APIConnectionError, False),
        (OSError(24, "Too many open files"), APIConnectionError, False),
    ],
)
async def test_no_answer_says_whether_anything_was_sent_and_shows_no_request(
    world: World, fault: Exception, kind: type[APIConnectionError], sent: Any
) -> None:
    async with world.client(Service.answering(fault), max_retries=0) as client:
        error = await failure(get(client), kind)
    assert type(error) is kind
    assert error.sent is sent
    assert "https://api.test" in str(error)
    assert TOKEN not in str(error)
    assert (error.__cause__, error.__context__) == (None, None)


async def test_an_unknown_fault_of_the_http_client_is_not_swallowed(world: World) -> None:
    async with world.client(Service.answering(ZeroDivisionError())) as client:
        with pytest.raises(ZeroDivisionError):
            await get(client)


async def test_oauth_refusals_carry_their_registered_code(world: World) -> None:
    body = {"error": "invalid_grant", "error_description": "CANARY"}
    async with world.client(Service.answering(httpx.Response(400, json=body))) as client:
        error = await failure(exchange(client), OAuthError)
    assert (error.code, error.status) == ("invalid_grant", 400)
    assert "send the user through authorization again" in str(error)
    assert error.server_message.reveal() == "CANARY"
    assert "CANARY" not in str(error)


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "ä", 7, None])
async def test_a_token_that_cannot_be_a_header_is_refused_before_it_is_sent(world: World, token: Any) -> None:
    requests: list[httpx.Request] = []

    def issue(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"token": token})

    async with world.client(issue) as client:
        error = await failure(get(client), APIResponseError)
    assert [request.url.path for request in requests] == ["/api/v1/auth/token"]
    assert "a b" not in str(error)
