"""Policies: who decides while nobody does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memoram_local.testing import (
    AfterPolls,
    AfterSeconds,
    AutoApprove,
    AutoReject,
    ByHand,
    Pending,
    PerApp,
    PerUser,
)

if TYPE_CHECKING:
    from memoram_async import AsyncMemoram
    from memoram_local import Clock, MemoramLocal, User
    from tests.local.controls.conftest import Caller


def test_without_a_policy_requests_stay_pending(caller: Caller) -> None:
    assert caller.local.policy == ByHand()
    assert caller.status(caller.ask()) == "pending"


def test_asking_is_always_answered_with_pending(caller: Caller) -> None:
    caller.local.policy = AutoApprove()
    body = {"memoryKey": caller.user.memory_key, "reason": "Plans journeys"}

    assert caller.http.post("/access-requests", json=body).json()["status"] == "pending"


@pytest.mark.parametrize(("policy", "status"), [(AutoApprove(), "approved"), (AutoReject(), "rejected")])
def test_requests_can_be_decided_at_once(
    caller: Caller, policy: AutoApprove | AutoReject, status: str
) -> None:
    caller.local.policy = policy

    assert caller.status(caller.ask()) == status


def test_a_decision_is_seen_first_wherever_one_looks_first(caller: Caller) -> None:
    caller.local.policy = AutoApprove()

    request_id = caller.ask()
    assert caller.http.get(f"/access-requests/{request_id}/credentials").status_code == 200

    caller.ask()
    assert {request.status for request in caller.local.access_requests()} == {"approved"}

    caller.ask()
    items = caller.http.get("/access-requests").json()["items"]
    assert {item["status"] for item in items} == {"approved"}


def test_memories_open_without_anybody_looking_at_the_request(caller: Caller) -> None:
    caller.local.policy = AutoApprove()
    caller.ask()

    assert caller.write().status_code == 201


@pytest.mark.parametrize(
    ("policy", "status"), [(AfterSeconds(30), "approved"), (AfterSeconds(30, then="reject"), "rejected")]
)
def test_requests_can_be_decided_after_some_time(
    caller: Caller, clock: Clock, policy: AfterSeconds, status: str
) -> None:
    caller.local.policy = policy
    request_id = caller.ask()

    clock.advance(29.9)
    assert caller.status(request_id) == "pending"
    clock.advance(0.1)
    assert caller.status(request_id) == status


def test_requests_can_be_decided_after_some_looks(caller: Caller) -> None:
    caller.local.policy = AfterPolls(3)
    request_id, other = caller.ask(), caller.ask()

    assert [caller.status(request_id) for _ in range(3)] == ["pending", "pending", "approved"]
    assert caller.status(other) == "pending"


def test_a_list_counts_as_a_look_at_everything_in_it(caller: Caller) -> None:
    caller.local.policy = AfterPolls(2)
    request_id = caller.ask()
    caller.http.get("/access-requests")

    assert caller.status(request_id) == "approved"


def test_others_do_not_look_for_the_application(caller: Caller) -> None:
    caller.local.policy = AfterPolls(1)
    request_id = caller.ask()
    stranger = caller.local.register_app(name="Stranger")
    own = caller.http.headers["authorization"]
    token = caller.http.post("/auth/token", json={"api_key": stranger.api_key}).json()["token"]

    caller.http.get("/access-requests", headers={"authorization": f"Bearer {token}"})
    caller.http.get(f"/access-requests/{request_id}", headers={"authorization": "Bearer nonsense"})
    assert [request.status for request in caller.local.access_requests()] == ["pending"]

    caller.http.get("/access-requests", headers={"authorization": own})
    assert [request.status for request in caller.local.access_requests()] == ["approved"]


def test_applications_and_users_can_have_policies_of_their_own(caller: Caller) -> None:
    caller.local.policy = PerApp({caller.app.id: AutoReject()}, otherwise=AutoApprove())
    assert caller.status(caller.ask()) == "rejected"

    caller.local.policy = PerApp({"another": AutoReject()})
    assert caller.status(caller.ask()) == "pending"

    caller.local.policy = PerUser({caller.user.id: AutoApprove()}, otherwise=AutoReject())
    assert caller.status(caller.ask()) == "approved"


def test_a_policy_can_be_a_function(caller: Caller) -> None:
    seen: list[Pending] = []

    def undecided(pending: Pending) -> None:
        seen.append(pending)

    caller.local.policy = undecided
    request_id = caller.ask()
    caller.local.clock.advance(5)

    assert caller.status(request_id) == "pending"
    assert (seen[0].request.id, seen[0].age, seen[0].polls) == (request_id, 5.0, 1)


def test_people_decide_beside_a_policy(caller: Caller) -> None:
    caller.local.policy = AfterPolls(99)
    request_id = caller.ask()

    assert caller.local.reject(request_id).status == "rejected"
    assert caller.status(request_id) == "rejected"


class TestThroughTheSDK:
    """What the whole is for: the client waits, and the policy decides."""

    @pytest.fixture
    def memoram_options(self, clock: Clock) -> dict[str, object]:
        # Polls are seconds apart.
        clock.scale = 200
        return {"clock": clock, "decide": AfterPolls(3)}

    @pytest.mark.anyio
    async def test_connecting_waits_for_the_policy(
        self, memoram_local: MemoramLocal, memoram_client: AsyncMemoram, memoram_user: User
    ) -> None:
        statuses: list[str | None] = []
        store = await memoram_client.connect(
            memoram_user.memory_key,
            reason="Plans journeys",
            on_status=lambda progress: statuses.append(progress.status),
        )
        await store.create("Prefers window seats")

        assert statuses == ["pending", "approved"]
        assert [memory.content async for memory in store.list()] == ["Prefers window seats"]
        assert len(memoram_local.journal.entries("listAccessRequests")) >= 3
