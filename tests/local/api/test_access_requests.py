"""Asking users for access, and what they grant."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from memoram_local import DecisionError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from memoram_local import Clock, MemoramLocal, RegisteredApp, User
    from tests.local.conftest import Application


def test_a_new_request_is_pending_and_does_not_tell_who_the_user_is(
    application: Application, user: User
) -> None:
    body = {"memoryKey": user.memory_key, "reason": "Trips", "unknown": 1}

    answer = application.http.post("/access-requests", json=body)

    assert answer.status_code == 201
    request = answer.json()
    assert re.fullmatch(r"c[0-9a-z]{24}", request.pop("id"))
    assert request == {
        "status": "pending",
        "reason": "Trips",
        "memoryKey": user.memory_key,
        "aiConnectorId": application.registered.id,
        "createdAt": request["createdAt"],
        "updatedAt": request["createdAt"],
    }
    assert re.fullmatch(r"2030-05-17T12:00:00\.2500\d\dZ", request["createdAt"])


@pytest.mark.parametrize("reason", ["x", "ü" * 255, "a trip, 旅行 and 🧳"])
def test_a_reason_is_kept_as_it_is(application: Application, user: User, reason: str) -> None:
    request_id = application.ask(user.memory_key, reason)

    assert application.http.get(f"/access-requests/{request_id}").json()["reason"] == reason


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 256}, "reason"),
        ({"reason": None}, "reason"),
        ({"reason": ["x"]}, "reason"),
        ({"reason": "\ud800"}, "reason"),
        ({"memoryKey": ""}, "memoryKey"),
        ({"memoryKey": 5}, "memoryKey"),
        ({"memoryKey": "m" * 201}, "memoryKey"),
    ],
)
def test_a_wrong_member_is_named(
    application: Application, user: User, members: dict[str, object], named: str
) -> None:
    body = {"memoryKey": user.memory_key, "reason": "Trips", **members}

    answer = application.http.post("/access-requests", content=json.dumps(body))

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(named)


def test_a_memory_key_that_nobody_has_is_met_with_404(application: Application) -> None:
    answer = application.http.post("/access-requests", json={"memoryKey": "mk_none", "reason": "Trips"})

    assert answer.status_code == 404


def test_asking_twice_makes_two_requests(application: Application, user: User) -> None:
    assert application.ask(user.memory_key) != application.ask(user.memory_key)


def test_the_list_holds_all_requests_of_the_application_newest_first(
    application: Application,
    application_of: Callable[[RegisteredApp], Application],
    local: MemoramLocal,
    user: User,
) -> None:
    asked = [application.ask(user.memory_key) for _ in range(12)]
    application_of(local.register_app(name="Other")).ask(user.memory_key)

    listed = application.http.get("/access-requests").json()

    assert [item["id"] for item in listed["items"]] == asked[::-1]
    assert listed["total"] == 12


def test_approval_shows_and_tells_the_user_id(
    application: Application, local: MemoramLocal, user: User, clock: Clock
) -> None:
    request_id = application.ask(user.memory_key)
    clock.advance(60)
    local.approve(request_id)

    request = application.http.get(f"/access-requests/{request_id}").json()

    assert request["status"] == "approved"
    assert request["user_id"] == user.id
    assert request["updatedAt"] == "2030-05-17T12:01:00.250000Z"


def test_credentials_come_with_approval(application: Application, local: MemoramLocal, user: User) -> None:
    request_id = application.ask(user.memory_key)
    local.approve(request_id)

    answer = application.http.get(f"/access-requests/{request_id}/credentials")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert re.fullmatch("[0-9a-f]{64}", answer.json()["encryption_key"])
    assert answer.json() == {
        "user_id": user.id,
        "memory_key": user.memory_key,
        "encryption_key": user.encryption_key,
        "key_version": 1,
    }


@pytest.mark.parametrize("status", ["pending", "rejected", "revoked"])
def test_there_are_no_credentials_without_approval(
    application: Application, local: MemoramLocal, user: User, status: str
) -> None:
    request_id = application.ask(user.memory_key)
    if status == "rejected":
        local.reject(request_id)
    if status == "revoked":
        local.approve(request_id)
        local.revoke(request_id)

    answer = application.http.get(f"/access-requests/{request_id}/credentials")

    assert answer.status_code == 403
    assert status in answer.json()["error"]["message"]
    assert user.encryption_key not in answer.text


@pytest.mark.parametrize("path", ["/access-requests/{}", "/access-requests/{}/credentials"])
def test_a_request_of_another_application_does_not_exist(
    application: Application,
    application_of: Callable[[RegisteredApp], Application],
    local: MemoramLocal,
    user: User,
    path: str,
) -> None:
    request_id = application_of(local.register_app(name="Other")).ask(user.memory_key)
    local.approve(request_id)

    assert application.http.get(path.format(request_id)).status_code == 404
    assert application.http.get(path.format("cnone")).status_code == 404


def test_a_decision_may_be_repeated_but_not_reversed(
    application: Application, local: MemoramLocal, user: User
) -> None:
    request_id = application.ask(user.memory_key)
    local.reject(request_id)

    assert local.reject(request_id).status == "rejected"
    with pytest.raises(DecisionError, match="rejected cannot be approved"):
        local.approve(request_id)
    with pytest.raises(DecisionError):
        local.revoke(request_id)


def test_nothing_can_be_decided_about_a_request_that_is_not_there(local: MemoramLocal) -> None:
    with pytest.raises(NotFoundError):
        local.approve("cnone")


def test_requests_to_one_user_can_be_listed_from_python(
    application: Application, local: MemoramLocal, user: User, stranger: User
) -> None:
    request_id = application.ask(user.memory_key)
    application.ask(stranger.memory_key)

    (request,) = local.access_requests(user_id=user.id)

    assert (request.id, request.app_name, request.status) == (request_id, "Trip Planner", "pending")
    assert len(local.access_requests()) == 2
