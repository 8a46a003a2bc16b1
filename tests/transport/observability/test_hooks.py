"""Hooks follow a call's course and cannot disturb it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_async import APIConnectionError, Attempt, ConfigurationError, Hooks, NotFoundError, Outcome
from tests.worlds import TOKEN, Service, Time, World, failure

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.anyio

OK = httpx.Response(200, json={"id": "tag_1"}, headers={"x-request-id": "req-1"})


class Recorder(Hooks):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Attempt, Outcome | None, float | None]] = []

    def before_request(self, attempt: Attempt) -> Mapping[str, str]:
        self.events.append(("before", attempt, None, None))
        return {"x-trace": f"{attempt.operation}-{attempt.number}"}

    def after_response(self, attempt: Attempt, outcome: Outcome) -> None:
        self.events.append(("after", attempt, outcome, None))

    def on_retry(self, attempt: Attempt, outcome: Outcome, delay: float) -> None:
        self.events.append(("retry", attempt, outcome, delay))


def get(client: Any) -> Any:
    return client.tags.get("tag_1", user_id="u")


async def test_every_request_is_told_before_and_after(world: World) -> None:
    hooks = Recorder()
    async with world.client(Service.answering(httpx.ReadError("x"), OK), hooks=hooks) as client:
        await get(client)
    told = [(name, attempt.operation, attempt.number) for name, attempt, _, _ in hooks.events]
    assert told == [
        ("before", "createToken", 1),
        ("after", "createToken", 1),
        ("before", "getTag", 1),
        ("after", "getTag", 1),
        ("retry", "getTag", 1),
        ("before", "getTag", 2),
        ("after", "getTag", 2),
    ]
    (_, attempt, failed, _), (_, again, _, delay), (_, _, _, _), (_, _, succeeded, _) = hooks.events[3:]
    assert attempt is again
    assert (attempt.method, attempt.url, attempt.template) == (
        "GET",
        "https://api.test/api/v1/tags/tag_1",
        "/tags/{tagId}",
    )
    assert failed is not None
    assert (failed.status, failed.error) == (None, "APIConnectionError")
    assert delay == 0.25
    assert succeeded is not None
    assert (succeeded.status, succeeded.request_id, succeeded.error) == (200, "req-1", None)


async def test_header_fields_of_a_hook_are_sent_but_replace_none_of_ours(world: World) -> None:
    class Greedy(Hooks):
        def before_request(self, attempt: Attempt) -> Mapping[str, str]:
            return {"authorization": "stolen", "accept": "text/html", "traceparent": "00-1-2-01"}

    service = Service.answering(OK)
    async with world.client(service, hooks=Greedy()) as client:
        await get(client)
    headers = service.requests[0].headers
    assert headers["traceparent"] == "00-1-2-01"
    assert headers["authorization"].startswith("Bearer eyJ")
    assert headers["accept"] == "application/json"


async def test_a_hook_that_raises_is_logged_and_disturbs_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty(Hooks):
        def before_request(self, attempt: Attempt) -> None:
            raise LookupError("CANARY")

        def after_response(self, attempt: Attempt, outcome: Outcome) -> None:
            raise LookupError("CANARY")

        def on_retry(self, attempt: Attempt, outcome: Outcome, delay: float) -> None:
            raise LookupError("CANARY")

    with caplog.at_level(logging.WARNING, "memoram"):
        async with world.client(Service.answering(httpx.Response(500), OK), hooks=Faulty()) as client:
            assert (await get(client)).id == "tag_1"
    assert "a hook raised LookupError" in caplog.text
    assert "CANARY" not in caplog.text


async def test_hooks_that_override_nothing_do_nothing(world: World) -> None:
    async with world.client(Service.answering(httpx.Response(500), OK), hooks=Hooks()) as client:
        assert (await get(client)).id == "tag_1"


async def test_a_clone_keeps_the_hooks(world: World) -> None:
    hooks = Recorder()
    async with world.client(Service.answering(OK), hooks=hooks) as client:
        await get(client.with_options(max_retries=0))
    assert [name for name, *_ in hooks.events] == ["before", "after"] * 2


async def test_results_tell_how_the_call_went(world: World) -> None:
    time = Time()
    async with world.client(Service.answering(httpx.Response(503), OK), time=time) as client:
        info = (await get(client)).info
    assert (info.operation, info.status, info.request_id, info.attempts) == ("getTag", 200, "req-1", 2)
    assert info.elapsed == pytest.approx(0.25)
    assert not info.replayed


async def test_a_page_tells_how_its_call_went_and_its_items_do_not(world: World) -> None:
    answer = httpx.Response(200, json={"items": [{"id": "t", "info": "ours"}]}, headers={"x-request-id": "r"})
    async with world.client(Service.answering(answer)) as client:
        page = await client.tags.list(user_id="u").first_page()
    assert page.info.request_id == "r"
    assert [item.info for item in page.items] == [None]


async def test_a_replay_is_told(world: World) -> None:
    answer = httpx.Response(201, json={"id": "m"}, headers={"idempotency-replayed": "true"})
    async with world.client(Service.answering(answer)) as client:
        blob = await client.memory_blobs.create(user_id="u", memory_key="k", content="c")
        assert blob.info.replayed
        response = await client.request("GET", "/memory-blobs")
    assert (response.info.operation, response.info.attempts) == ("request", 1)


async def test_errors_tell_how_the_call_went(world: World) -> None:
    gone = httpx.Response(404, headers={"x-request-id": "req-9"})
    async with world.client(Service.answering(httpx.Response(500), gone)) as client:
        error = await failure(get(client), NotFoundError)
    assert (error.info.attempts, error.info.status, error.info.request_id) == (2, 404, "req-9")
    async with world.client(Service.answering(httpx.ConnectError("x")), max_retries=1) as client:
        error = await failure(get(client), APIConnectionError)
    assert (error.info.attempts, error.info.status) == (2, None)


async def test_an_answer_that_cannot_be_understood_tells_how_the_call_went(world: World) -> None:
    async with world.client(Service.answering(httpx.Response(200, text="{"))) as client:
        error = await failure(get(client), Exception)
    assert error.info.operation == "getTag"
    async with world.client(Service.answering(httpx.Response(200, json=[]))) as client:
        error = await failure(get(client), Exception)
    assert error.info.attempts == 1


async def test_the_log_tells_operation_status_time_and_request_id(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "memoram"):
        async with world.client(Service.answering(httpx.Response(500), OK)) as client:
            await get(client)
    lines = [record.getMessage() for record in caplog.records if record.name == "memoram"]
    assert "getTag: HTTP 200 in 0.000 s, request id req-1" in lines
    assert any("sending again" in line for line in lines)
    assert {record.levelname for record in caplog.records if "sending again" in record.getMessage()} == {
        "INFO"
    }


# --- hooks that are none -----------------------------------------------------------------------


class Coroutines(Hooks):
    async def after_response(self, attempt: Attempt, outcome: Outcome) -> None:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride]
        """Would never run."""


class Disguised(Hooks):
    """Its methods are plain, and answer what somebody should await."""

    def before_request(self, attempt: Attempt) -> Any:
        return self.later()

    def on_retry(self, attempt: Attempt, outcome: Outcome, delay: float) -> Any:
        return self.later()

    async def later(self) -> None:
        """Would never run."""


@pytest.mark.parametrize(
    ("hooks", "words"),
    [
        (Coroutines(), r"Coroutines\.after_response is not one: .* not async def"),
        (object(), r"object\.before_request is not one"),
        ("hooks", r"str\.before_request is not one"),
        (Hooks, r"pass Hooks\(\), not the class"),
    ],
)
async def test_what_cannot_be_called_as_hooks_is_refused_at_once(
    world: World, hooks: Any, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        world.client(Service.answering(OK), hooks=hooks)


async def test_a_hook_that_answers_a_coroutine_is_logged_and_the_call_goes_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async with world.client(Service.answering(httpx.ReadError("x"), OK), hooks=Disguised()) as client:
        assert (await get(client)).id == "tag_1"
    assert "a hook raised TypeError" in caplog.text


ODD_FIELDS: dict[str, Any] = {
    "a number": {"x-attempt": 1},
    "None": {"x-attempt": None},
    "bytes": {"x-attempt": b"1"},
    "a name that is none": {"x attempt": "1"},
    "a name of another type": {1: "1"},
    "a newline": {"x-attempt": "1\r\nauthorization: Bearer other"},
    "a character beyond ASCII": {"x-attempt": "\u00e9"},
    "no mapping": ["x-attempt"],
}


@pytest.mark.parametrize("fields", ODD_FIELDS.values(), ids=ODD_FIELDS.keys())
async def test_a_header_field_that_is_none_is_left_out_and_logged(
    world: World, fields: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(Hooks):
        def before_request(self, attempt: Attempt) -> Any:
            return fields

    service = Service.answering(OK)
    async with world.client(service, hooks=Odd()) as client:
        await get(client)
    assert "x-attempt" not in service.requests[0].headers
    assert service.requests[0].headers.get_list("authorization") == [f"Bearer {TOKEN}"]
    assert "a hook" in caplog.text


async def test_a_hook_cannot_put_a_second_authorization_beside_the_first(world: World) -> None:
    class Other(Hooks):
        def before_request(self, attempt: Attempt) -> Mapping[str, str]:
            return {"Authorization": "Bearer other"}

    service = Service.answering(OK)
    async with world.client(service, hooks=Other()) as client:
        await get(client)
    assert service.requests[0].headers.get_list("authorization") == [f"Bearer {TOKEN}"]
