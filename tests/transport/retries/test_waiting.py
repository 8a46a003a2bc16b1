"""How long is waited between tries, and what limits all of it."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_async import (
    APITimeoutError,
    MemoramError,
    OAuthError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerError,
)
from tests.worlds import Service, Time, failure, link

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.worlds import World

pytestmark = pytest.mark.anyio

OK = httpx.Response(200, json={"id": "tag_1"})
MADE = httpx.Response(201, json={"id": "tag_1"})
LOST = httpx.ReadError("x")


class Echoing(Service):
    """A service that acknowledges idempotency keys."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = super().__call__(request)
        key = request.headers.get("idempotency-key")
        if key is not None:
            answer.headers["idempotency-key"] = key
        return answer


def get(client: Any) -> Any:
    return client.tags.get("tag_1", user_id="u")


def create(client: Any) -> Any:
    return client.memory_blobs.create(user_id="u", memory_key="mk", content="x")


def refused(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("write", [get, create])
@pytest.mark.parametrize("status", [429, 503])
async def test_a_date_to_come_back_at_is_counted_by_the_clock_that_wrote_it(
    world: World, write: Callable[[Any], Any], status: int
) -> None:
    time = Time()
    an_hour_off = time.epoch + 3600
    answer = refused(
        status, retry_after=formatdate(an_hour_off + 9, usegmt=True), date=formatdate(an_hour_off)
    )
    async with world.client(Service.answering(answer, MADE), time=time) as client:
        await write(client)
    assert time.slept == [9.0]


@pytest.mark.parametrize(
    "retry_after", ["61", "99999999999999999999", formatdate(2_000_000_000, usegmt=True)]
)
async def test_a_wait_of_more_than_a_minute_is_the_callers_to_decide(world: World, retry_after: str) -> None:
    time = Time()
    service = Service.answering(refused(429, retry_after=retry_after), OK)
    async with world.client(service, time=time, timeout=None) as client:
        error = await failure(get(client), RateLimitedError)
    assert time.slept == []
    assert error.retry_after > 60


async def test_the_steps_double_and_any_part_of_a_step_is_waited(world: World) -> None:
    time = Time()
    async with world.client(Service.answering(refused(500)), time=time, max_retries=7) as client:
        await failure(get(client), ServerError)
    half = 0.5  # the clocked runtimes' random number
    assert time.slept == [step * half for step in (0.5, 1, 2, 4, 8, 8, 8)]


async def test_the_total_timeout_covers_the_waiting_between_tries(world: World) -> None:
    time = Time()
    service = Service.answering(refused(500))
    async with world.client(service, time=time, timeout=3.0, max_retries=100) as client:
        error = await failure(get(client), ServerError)
    assert sum(time.slept) < 3.0
    assert error.info.attempts == len(service.requests) == len(time.slept) + 1
    assert error.info.elapsed == sum(time.slept)


async def test_the_timeout_of_one_request_shrinks_with_what_is_left_of_the_total(world: World) -> None:
    service, time = Service.answering(refused(503, retry_after="7"), OK), Time()
    async with world.client(service, time=time, timeout=10, request_timeout=5) as client:
        await get(client)
    first, second = [request.extensions["timeout"] for request in service.requests]
    assert set(first.values()) == {5.0}
    assert set(second.values()) == {3.0}


async def test_options_of_a_call_do_not_change_the_client(world: World) -> None:
    service = Service.answering(refused(500))
    async with world.client(service) as client:
        await failure(get(client.with_options(max_retries=0)), ServerError)
        assert len(service.requests) == 1
        await failure(get(client), ServerError)
    assert len(service.requests) == 4


async def test_a_key_is_minted_once_a_call_and_reading_has_none(world: World) -> None:
    service = Service.answering(*[refused(503, retry_after="1")] * 2, MADE)
    async with world.client(service) as client:
        await create(client)
        await create(client)
        await get(client)
    keys = [request.headers.get("idempotency-key") for request in service.requests]
    assert len(keys) == 5
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert None not in keys[:4]
    assert keys[4] is None


async def test_attempts_time_and_request_id_are_told_of_results_and_errors(world: World) -> None:
    service = Service.answering(
        refused(503, x_request_id="req-1", retry_after="0.25"),
        httpx.Response(201, json={"id": "m"}, headers={"x-request-id": "req-2"}),
    )
    async with world.client(service) as client:
        info = (await create(client)).info
    assert (info.operation, info.status, info.request_id) == ("createMemoryBlob", 201, "req-2")
    assert (info.attempts, info.elapsed, info.replayed) == (2, 0.25, False)
    async with world.client(Service.answering(refused(503, x_request_id="req-3", retry_after="1"))) as client:
        info = (await failure(create(client), ServerError)).info
    assert (info.operation, info.status, info.request_id, info.attempts) == (
        "createMemoryBlob",
        503,
        "req-3",
        3,
    )


@pytest.mark.parametrize("status", [500, 502, 504, 408])
async def test_a_status_that_leaves_a_write_open_says_so_and_how_to_find_out(
    world: World, status: int
) -> None:
    async with world.client(Service.answering(refused(status))) as client:
        error = await failure(create(client), MemoramError)
        of_reading = await failure(get(client), MemoramError)
    assert error.status == status
    assert "may or may not have been carried out; read the resource back" in str(error)
    assert "may or may not" not in str(of_reading)


@pytest.mark.parametrize(
    "later",
    [
        httpx.ConnectError("x"),
        refused(401),
        refused(403),
        refused(409),
        refused(429),
        refused(503, retry_after="1"),
    ],
)
async def test_a_write_in_doubt_stays_so_whatever_its_repetitions_meet(world: World, later: Any) -> None:
    service = Echoing.answering(MADE, LOST, later)
    async with world.client(service) as client:
        await create(client)
        error = await failure(create(client), OutcomeUnknownError)
    assert error.sent
    assert error.info.attempts > 1
    assert isinstance(error.__cause__, MemoramError)


async def test_an_answer_that_is_given_again_settles_what_was_in_doubt(world: World) -> None:
    service = Echoing.answering(MADE, LOST, refused(422, idempotency_replayed="true"))
    async with world.client(service) as client:
        await create(client)
        error = await failure(create(client), MemoramError)
    assert error.status == 422
    assert error.info.replayed


async def test_time_that_ran_out_before_anything_was_sent_leaves_nothing_in_doubt(world: World) -> None:
    def no_token(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("x")

    async with world.client(no_token) as client:
        error = await failure(create(client), APITimeoutError)
    assert type(error) is APITimeoutError
    assert error.sent is False


@pytest.mark.parametrize(
    "fault", [LOST, refused(500), refused(502), refused(503), refused(429), refused(408)]
)
@pytest.mark.parametrize("operation", ["complete", "refresh"])
async def test_one_use_secrets_leave_once(world: World, operation: str, fault: Any) -> None:
    service = Service.answering(fault)
    async with world.client(service) as client:
        if operation == "refresh":
            call = client.oauth.refresh("r", client_id="a", client_secret="b")
        else:
            call = link(client, client_id="a", client_secret="b")
        error = await failure(call, MemoramError)
    assert len(service.requests) == 1
    assert "idempotency-key" not in service.requests[0].headers
    if not isinstance(error, RateLimitedError | OAuthError):
        assert "may be spent" in str(error)
