"""Faults on a real socket: what goes wrong, for which requests, and what was done all the same."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from memoram_local.testing import (
    OPERATIONS,
    Bench,
    Delay,
    DropAfterCommit,
    DropBeforeCommit,
    ExpireTokens,
    Fault,
    NotJSON,
    OtherShape,
    Redirect,
    Skew,
    StaleRead,
    Status,
    Truncate,
    UnknownRouteError,
)

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from memoram_local import Clock, MemoramLocal
    from tests.local.controls.conftest import Caller


def test_a_status_replaces_the_answer_and_nothing_is_done(writer: Caller) -> None:
    writer.local.faults.add(Status(503, retry_after=2), route="createMemoryBlob")

    answer = writer.write()

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["error"]["code"] == "unavailable"
    assert writer.contents() == []


def test_a_status_can_come_after_the_work(writer: Caller) -> None:
    writer.local.faults.add(Status(500, after_commit=True, body=b"oops"), route="createMemoryBlob")

    answer = writer.write()

    assert (answer.status_code, answer.text) == (500, "oops")
    assert writer.contents() == ["sealed"]


def test_faults_strike_their_route_alone(writer: Caller) -> None:
    armed = writer.local.faults.add(Status(503), route="listTags")

    assert writer.write().status_code == 201
    assert armed.fired == armed.calls == 0


def test_a_fault_without_a_route_strikes_every_operation_but_no_page(
    writer: Caller, memoram_server_url: str
) -> None:
    writer.local.faults.add(Status(503))

    assert writer.write().status_code == 503
    assert writer.sign_in().status_code == 503
    assert writer.http.get(memoram_server_url).status_code == 200


@pytest.mark.parametrize(
    ("nth", "every", "times", "struck"),
    [
        (None, None, None, [1, 2, 3, 4, 5, 6]),
        (None, None, 2, [1, 2]),
        (3, None, None, [3]),
        (3, None, 2, [3, 4]),
        (None, 2, None, [2, 4, 6]),
        (None, 2, 1, [2]),
    ],
)
def test_faults_strike_the_calls_that_they_were_added_for(
    caller: Caller, nth: int | None, every: int | None, times: int | None, struck: list[int]
) -> None:
    armed = caller.local.faults.add(
        Status(429), route="listAccessRequests", nth=nth, every=every, times=times
    )

    statuses = [caller.http.get("/access-requests").status_code for _ in range(6)]

    assert [number for number, status in enumerate(statuses, 1) if status == 429] == struck
    assert (armed.calls, armed.fired) == (6, len(struck))


@pytest.mark.parametrize(
    ("nth", "every", "times"), [(0, None, None), (None, 0, None), (None, None, -1), (1, 1, None)]
)
def test_numbers_that_make_no_sense_are_refused(
    memoram_local: MemoramLocal, nth: int | None, every: int | None, times: int | None
) -> None:
    with pytest.raises(ValueError, match=r"counts from 1|exclude each other"):
        memoram_local.faults.add(Status(503), nth=nth, every=every, times=times)


def test_a_route_that_does_not_exist_is_refused_with_those_that_do(memoram_local: MemoramLocal) -> None:
    with pytest.raises(UnknownRouteError, match=r"createBlob.*createMemoryBlob") as refused:
        memoram_local.faults.add(Status(503), route="createBlob")

    assert all(name in str(refused.value) for name in OPERATIONS)


def test_faults_can_be_removed_one_by_one_and_at_once(caller: Caller) -> None:
    faults = caller.local.faults
    with faults.add(Status(503), route="listAccessRequests") as armed:
        assert caller.http.get("/access-requests").status_code == 503
        assert list(faults) == [armed]
    assert caller.http.get("/access-requests").status_code == 200

    faults.add(Status(503))
    faults.add(Status(500))
    faults.clear()
    armed.remove()

    assert len(faults) == 0
    assert caller.http.get("/access-requests").status_code == 200


def test_a_delay_lasts_until_the_clock_has_come_so_far(writer: Caller, clock: Clock) -> None:
    writer.local.faults.add(Delay(30), route="createMemoryBlob")
    answers: list[httpx.Response] = []
    late = threading.Thread(target=lambda: answers.append(writer.write()))
    late.start()
    writer.local.wait_for_request("createMemoryBlob", over=False)

    clock.advance(29)
    assert writer.contents() == []
    assert late.is_alive()
    clock.advance(1)
    late.join(5)

    assert answers[0].status_code == 201


def test_a_delay_can_come_after_the_work(writer: Caller, clock: Clock) -> None:
    writer.local.faults.add(Delay(30, after_commit=True), route="createMemoryBlob")
    late = threading.Thread(target=writer.write)
    late.start()
    # Blobs are written in turn, and this one comes second.
    writer.local.wait_for_request("createMemoryBlob", over=False)
    while not writer.contents():
        pass

    assert late.is_alive()
    clock.advance(30)
    late.join(5)
    assert not late.is_alive()


def test_a_connection_dropped_before_the_work_leaves_nothing_behind(writer: Caller) -> None:
    writer.local.faults.add(DropBeforeCommit(), route="createMemoryBlob", nth=1)

    with pytest.raises(httpx.TransportError):
        writer.write()

    assert writer.contents() == []


def test_a_connection_dropped_after_the_work_leaves_the_work(writer: Caller) -> None:
    writer.local.faults.add(DropAfterCommit(), route="createMemoryBlob", nth=1)

    with pytest.raises(httpx.TransportError):
        writer.write()

    assert writer.contents() == ["sealed"]


def test_a_truncated_answer_ends_in_the_middle(writer: Caller) -> None:
    writer.local.faults.add(Truncate(10), route="createMemoryBlob", nth=1)
    received = b""

    def read() -> None:
        nonlocal received
        body = {"user_id": writer.user.id, "memoryKey": writer.user.memory_key, "content": "sealed"}
        with writer.http.stream("POST", "/memory-blobs", json=body) as answer:
            assert answer.status_code == 201
            assert int(answer.headers["content-length"]) > 10
            for chunk in answer.iter_raw():
                received += chunk

    with pytest.raises(httpx.RemoteProtocolError):
        read()

    assert len(received) == 10
    assert writer.contents() == ["sealed"]


def test_an_answer_that_is_not_json_keeps_its_status(writer: Caller) -> None:
    writer.local.faults.add(NotJSON(), route="createMemoryBlob", nth=1)

    answer = writer.write()

    assert answer.status_code == 201
    assert answer.headers["content-type"] == "text/html"
    assert answer.text.startswith("<html>")
    assert writer.contents() == ["sealed"]


@pytest.mark.parametrize("content", [{"unexpected": True}, [1, 2], None, "text"])
def test_an_answer_can_have_another_shape(writer: Caller, content: object) -> None:
    writer.local.faults.add(OtherShape(content), route="createMemoryBlob", nth=1)

    answer = writer.write()

    assert (answer.status_code, answer.json()) == (201, content)


def test_a_stale_read_shows_what_was_there_before_the_latest_write(writer: Caller) -> None:
    with writer.local.faults.add(StaleRead(), route="listMemoryBlobs"):
        writer.write("first")
        assert writer.contents() == []
        writer.write("second")
        assert writer.contents() == ["first"]
    assert writer.contents() == ["second", "first"]


def test_a_refused_write_is_no_write_to_a_stale_read(writer: Caller) -> None:
    with writer.local.faults.add(StaleRead(), route="listMemoryBlobs"):
        writer.write("first")
        assert writer.write(user_id="nobody").status_code == 400
        assert writer.contents() == []


def test_a_stale_read_can_miss_a_decision(caller: Caller) -> None:
    request_id = caller.ask()
    with caller.local.faults.add(StaleRead(), route="getAccessRequest"):
        caller.local.approve(request_id)
        assert caller.status(request_id) == "pending"
    assert caller.status(request_id) == "approved"


def test_a_redirect_sends_the_client_elsewhere_and_does_nothing(writer: Caller) -> None:
    writer.local.faults.add(Redirect("http://elsewhere.test/x"), route="createMemoryBlob")

    answer = writer.write()

    assert (answer.status_code, answer.headers["location"]) == (307, "http://elsewhere.test/x")
    assert writer.contents() == []


def test_tokens_can_expire_in_the_middle_of_everything(writer: Caller) -> None:
    writer.local.faults.add(ExpireTokens(), route="createMemoryBlob", nth=1)

    assert writer.write().status_code == 401
    assert writer.write().status_code == 401
    assert writer.sign_in().status_code == 200
    assert writer.write().status_code == 201


def test_tokens_can_be_made_to_expire_without_a_request(writer: Caller) -> None:
    writer.local.expire_tokens()

    assert writer.write().status_code == 401
    writer.sign_in()
    assert writer.write().status_code == 201


def test_the_date_of_an_answer_is_the_platforms(caller: Caller) -> None:
    answer = caller.http.get("/access-requests")

    assert parsedate_to_datetime(answer.headers["date"]) == datetime(2030, 5, 17, 12, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [90, -90])
def test_answers_can_come_from_a_machine_whose_clock_is_wrong(caller: Caller, seconds: float) -> None:
    right = caller.sign_in()
    caller.local.faults.add(Skew(seconds), route="createToken")

    skewed = caller.sign_in()

    dates = [parsedate_to_datetime(answer.headers["date"]) for answer in (right, skewed)]
    expiries = [datetime.fromisoformat(answer.json()["expires_at"]) for answer in (right, skewed)]
    assert (dates[1] - dates[0]).total_seconds() == seconds
    assert (expiries[1] - expiries[0]).total_seconds() == seconds
    assert skewed.json()["expires_at"].endswith("Z")


def test_several_faults_strike_one_request_in_the_order_in_which_they_were_added(writer: Caller) -> None:
    writer.local.faults.add(Skew(60), route="createMemoryBlob")
    writer.local.faults.add(Status(502), route="createMemoryBlob")

    answer = writer.write()

    assert answer.status_code == 502
    assert parsedate_to_datetime(answer.headers["date"]) == datetime(2030, 5, 17, 12, 1, tzinfo=UTC)
    assert writer.local.journal[-1].faults == ("Skew", "Status")


def test_tests_can_bring_faults_of_their_own(caller: Caller) -> None:
    class Teapot(Fault):
        def around(self, app: ASGIApp, bench: Bench) -> ASGIApp:
            return Status(418).around(app, bench)

    caller.local.faults.add(Teapot(), route="listAccessRequests")

    assert caller.http.get("/access-requests").status_code == 418


def test_the_connection_serves_on_after_a_fault_that_keeps_it(caller: Caller) -> None:
    caller.local.faults.add(Status(503), route="listAccessRequests", nth=1)

    assert [caller.http.get("/access-requests").status_code for _ in range(3)] == [503, 200, 200]


@pytest.fixture
def memoram_server_url(caller: Caller) -> str:
    return str(caller.http.base_url.join("/"))
