"""Getting access: what is asked of the service and of the user, and what may go wrong on the way."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest

from memoram_async import (
    AccessCredentials,
    AccessRejected,
    AccessRevoked,
    ApprovalProgress,
    ApprovalRequired,
    ApprovalTimeout,
    AuthenticationError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    Secret,
    ServerError,
)
from tests.worlds import TOKEN, Time, World, failure

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

KEY = "ab" * 32
CREDENTIALS = {"user_id": "u1", "memory_key": "mk1", "encryption_key": KEY, "key_version": 1}
WHY = "Remembers your travel preferences"


def status(value: int, **options: Any) -> httpx.Response:
    return httpx.Response(value, json={}, **options)


def request(state: str = "pending", *, name: str = "c1", key: str = "mk1", app: str | None = None) -> Any:
    return {"id": name, "status": state, "memoryKey": key} | ({} if app is None else {"aiConnectorId": app})


@attrs.define
class Approvals:
    """A service that only knows access requests, and answers each operation from a script.

    A script is what the nth call of an operation is answered with; the last answer stays.
    """

    looks: list[Any] = attrs.field(factory=lambda: ["approved"])
    lists: list[Any] = attrs.field(factory=lambda: [[]])
    creates: list[Any] = attrs.field(factory=lambda: [request()])
    credentials: list[Any] = attrs.field(factory=lambda: [CREDENTIALS])
    counts: Counter[str] = attrs.field(factory=Counter[str])
    requests: list[httpx.Request] = attrs.field(factory=list[httpx.Request])

    def __call__(self, sent: httpx.Request) -> httpx.Response:
        path, method = sent.url.path, sent.method
        if path.endswith("/auth/token"):
            return httpx.Response(200, json={"token": TOKEN, "expires_at": "2040-01-01T00:00:00Z"})
        self.requests.append(sent)
        if path.endswith("/credentials"):
            return self._answer("credentials", lambda body: body)
        if method == "POST" and path.endswith("/access-requests"):
            return self._answer("creates", lambda body: body, status=201)
        if path.endswith("/access-requests"):
            return self._answer("lists", lambda items: {"items": items})
        if "/access-requests/" in path:
            return self._answer("looks", lambda state: request(state, name=path.rpartition("/")[2]))
        return status(403)

    def _answer(self, name: str, body: Callable[[Any], Any], *, status: int = 200) -> httpx.Response:
        script = getattr(self, name)
        answer = script[min(self.counts[name], len(script) - 1)]
        self.counts[name] += 1
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return httpx.Response(status, json=body(answer))


async def connect(client: Any, **options: Any) -> Any:
    return await client.connect("mk1", **{"reason": WHY, **options})


# --- what is checked first ---------------------------------------------------------------------

BAD: list[dict[str, Any]] = [
    {"timeout": -1},
    {"timeout": float("nan")},
    {"timeout": "abc"},
    {"timeout": 0},
    {"reason": ""},
    {"reason": "x" * 256},
    {"reason": None},
    {"on_status": 5},
    {"on_status": "x"},
    {"wait": "no"},
    {"request_id": "a/b"},
]


@pytest.mark.parametrize("bad", BAD, ids=str)
async def test_everything_is_checked_before_anything_is_sent(world: World, bad: dict[str, Any]) -> None:
    service = Approvals()
    async with world.client(service, time=Time()) as client:
        await failure(connect(client, **bad), InvalidArgumentError)
    assert service.requests == []


async def test_a_coroutine_function_is_no_callback(world: World) -> None:
    async def tell(_: ApprovalProgress) -> None:
        pass

    service = Approvals()
    async with world.client(service, time=Time()) as client:
        await failure(connect(client, on_status=tell), InvalidArgumentError)
        await failure(client.access_requests.wait("c1", on_status=tell), InvalidArgumentError)
        await failure(client.access_requests.wait("c1", timeout=-1), InvalidArgumentError)
        with pytest.raises(InvalidArgumentError):
            client.access_requests.watch()
        with pytest.raises(InvalidArgumentError):
            client.access_requests.watch("a", "a/b")
    assert service.requests == []


# --- asking ------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["pending", "approved"])
async def test_an_open_or_approved_request_is_used_again(world: World, state: str) -> None:
    service = Approvals(lists=[[request("rejected", name="old"), request(state)]])
    async with world.client(service, time=Time()) as client:
        await connect(client)
    assert service.counts["creates"] == 0


async def test_an_odd_item_in_the_list_does_not_matter(world: World) -> None:
    service = Approvals(lists=[[{"id": 7}, None, request("approved")]])
    async with world.client(service, time=Time()) as client:
        await connect(client)
    assert service.counts["creates"] == 0


async def test_a_known_request_is_gone_on_with_and_nothing_is_looked_up(world: World) -> None:
    service = Approvals(looks=["approved"])
    async with world.client(service, time=Time()) as client:
        await connect(client, request_id="c9")
    assert set(service.counts) == {"looks", "credentials"}


async def test_a_request_that_was_made_although_its_answer_was_lost_is_used(world: World) -> None:
    service = Approvals(creates=[httpx.ReadTimeout("lost")], lists=[[], [request()]])
    async with world.client(service, time=Time()) as client:
        await connect(client)
    assert service.counts["creates"] == 1


async def test_progress_is_told(world: World) -> None:
    seen: list[ApprovalProgress] = []
    service = Approvals(looks=["pending", "under_review", "approved"])
    async with world.client(service, time=Time()) as client:
        await connect(client, on_status=seen.append)
    assert [each.status for each in seen] == ["pending", "under_review", "approved"]
    assert [each.request_id for each in seen] == ["c1"] * 3
    assert seen[-1].polls > seen[0].polls == 0
    assert seen[1].next_poll > 0


async def test_without_waiting_the_user_is_sent_to_the_dashboard(world: World) -> None:
    service = Approvals()
    dashboard = "https://dashboard.test/requests"
    async with world.client(service, time=Time(), dashboard_url=dashboard) as client:
        error = await failure(connect(client, wait=False), ApprovalRequired)
        again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        assert (again.kind, again.url, again.request_id) == ("approve", dashboard, "c1")
        assert dashboard in str(error)
        await connect(client, wait=False, request_id=again.request_id)
    assert service.counts["creates"] == 1


async def test_without_a_dashboard_the_message_says_so(world: World) -> None:
    async with world.client(Approvals(), time=Time()) as client:
        error = await failure(connect(client, wait=False), ApprovalRequired)
    assert error.url is None
    assert "MEMORAM_DASHBOARD_URL" in str(error)


# --- another application of the account --------------------------------------------------------


@pytest.mark.parametrize("refused", [403, 404])
async def test_the_request_of_another_application_is_left_to_it(world: World, refused: int) -> None:
    theirs, ours = request("approved", name="c0", app="theirs"), request("approved", app="ours")
    service = Approvals(lists=[[theirs]], creates=[ours], credentials=[*[status(refused)] * 12, CREDENTIALS])
    service.credentials = [status(refused)] * 11 + [CREDENTIALS]
    time = Time()
    async with world.client(service, time=time) as client:
        await connect(client)
        assert service.counts["creates"] == 1
        asked = service.counts["credentials"]
        service.lists.append([theirs, ours])
        await connect(client)
    assert service.counts["creates"] == 1
    assert service.counts["credentials"] == asked + 1
    assert time.moment - 1000 < 15


# --- the user's decision -----------------------------------------------------------------------


@pytest.mark.parametrize(("state", "kind"), [("rejected", AccessRejected), ("revoked", AccessRevoked)])
async def test_a_decision_against_it_is_an_error_of_its_own(world: World, state: str, kind: Any) -> None:
    async with world.client(Approvals(looks=["pending", state]), time=Time()) as client:
        error = await failure(connect(client), kind)
    assert error.request_id == "c1"


async def test_the_timeout_says_what_was_seen(world: World) -> None:
    service, time = Approvals(looks=["pending", status(500)]), Time()
    async with world.client(service, time=time) as client:
        error = await failure(client.access_requests.wait("c1", timeout=30), ApprovalTimeout)
    assert time.moment - 1000 == pytest.approx(30)
    assert error.polls == service.counts["looks"]
    assert (error.last_status, type(error.last_error)) == ("pending", ServerError)
    assert "within 30 s: its status was pending" in str(error)
    assert "ServerError (HTTP 500)" in str(error)


async def test_any_request_of_ours_for_the_memory_key_will_do(world: World) -> None:
    service = Approvals(
        looks=["pending"], lists=[[], [request()], [request(), request("approved", name="c2")]]
    )
    async with world.client(service, time=Time()) as client:
        await connect(client)
    assert "c2" in str(service.requests[-1].url)


async def test_a_watch_tells_each_status_once_and_goes_on_to_revoked(world: World) -> None:
    service = Approvals(
        looks=["pending", "pending", "approved", "pending", "approved", status(503), "revoked"]
    )
    async with world.client(service, time=Time()) as client:
        seen = [each.status async for each in client.access_requests.watch("c1")]
    assert seen == ["pending", "approved", "revoked"]


async def test_a_watch_goes_on_with_the_others_where_one_cannot_be_followed(world: World) -> None:
    def answer(sent: httpx.Request) -> httpx.Response:
        if sent.url.path.endswith("/gone"):
            return status(404)
        return service(sent)

    service = Approvals(looks=["pending"] * 9 + ["rejected"])
    async with world.client(answer, time=Time()) as client:
        watch = client.access_requests.watch("gone", "c1")
        assert (await watch.__anext__()).id == "c1"
        await failure(watch.__anext__(), NotFoundError)
        assert [each.status async for each in watch] == ["rejected"]


async def test_a_list_that_stays_the_same_is_known_again_and_a_change_is_seen(world: World) -> None:
    names = ("a", "b", "c")
    same = [request(name=each) for each in names]
    service = Approvals(lists=[same] * 5 + [[request("approved", name=each) for each in names]])
    async with world.client(service, time=Time()) as client:
        watch = client.access_requests.watch(*names)
        seen = [await watch.__anext__() for _ in range(6)]
    assert [(each.id, each.status) for each in seen] == [
        (each, state) for state in ("pending", "approved") for each in names
    ]
    assert service.counts["looks"] == 0


# --- passing trouble ---------------------------------------------------------------------------

TROUBLE = {
    "500": status(500),
    "502": status(502),
    "503 with Retry-After": status(503, headers={"retry-after": "3"}),
    "429": status(429),
    "429 with Retry-After": status(429, headers={"retry-after": "7"}),
    "408": status(408),
    "425": status(425),
    "not JSON": httpx.Response(200, content=b"<html>"),
    "another shape": httpx.Response(200, json={"id": "c1", "status": None}),
    "no connection": httpx.ConnectError("x"),
    "cut off": httpx.ReadError("x"),
    "timeout": httpx.ReadTimeout("x"),
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
async def test_nothing_that_may_pass_ends_a_wait(world: World, trouble: Any) -> None:
    service = Approvals(looks=["pending", trouble, trouble, trouble, "approved"])
    async with world.client(service, time=Time()) as client:
        assert (await client.access_requests.wait("c1")).status == "approved"


@pytest.mark.parametrize("slip", [301, 400, 403, 404, 409, 422])
async def test_a_slip_of_a_moment_does_not_end_a_wait(world: World, slip: int) -> None:
    service = Approvals(looks=["pending", status(slip), "approved"])
    async with world.client(service, time=Time()) as client:
        assert (await client.access_requests.wait("c1")).status == "approved"


async def test_one_401_is_answered_with_a_fresh_token_and_a_second_ends_the_wait(world: World) -> None:
    service = Approvals(looks=["pending", status(401), "pending", status(401), status(401)])
    async with world.client(service, time=Time()) as client:
        await failure(client.access_requests.wait("c1"), AuthenticationError)


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
async def test_nothing_that_may_pass_keeps_the_credentials_away(world: World, trouble: Any) -> None:
    service = Approvals(credentials=[trouble, trouble, trouble, CREDENTIALS])
    async with world.client(service, time=Time()) as client:
        await connect(client)


@pytest.mark.parametrize("refused", [401, 403, 404, 409])
async def test_the_credentials_may_lag_behind_the_approval(world: World, refused: int) -> None:
    service = Approvals(credentials=[status(refused)] * 5 + [CREDENTIALS])
    async with world.client(service, time=Time()) as client:
        await connect(client)


async def test_an_approval_that_was_taken_back_before_the_credentials_is_revoked(world: World) -> None:
    service = Approvals(looks=["approved", "revoked"], credentials=[status(403)])
    async with world.client(service, time=Time()) as client:
        await failure(connect(client), AccessRevoked)


async def test_credentials_that_stay_refused_are_an_error_in_the_end(world: World) -> None:
    service, time = Approvals(credentials=[status(403)]), Time()
    async with world.client(service, time=time) as client:
        await failure(connect(client), PermissionDeniedError)
    assert 10 <= time.moment - 1000 < 20


async def test_lookups_that_fail_are_errors(world: World) -> None:
    async with world.client(Approvals(lists=[status(500)]), time=Time()) as client:
        await failure(connect(client), ServerError)


# --- the store ---------------------------------------------------------------------------------


async def test_a_store_tells_a_revoked_access_from_others_that_are_refused(world: World) -> None:
    service = Approvals(looks=["approved", "revoked"])
    async with world.client(service, time=Time()) as client:
        credentials = await client.access_requests.credentials("c1")
        assert credentials.request_id == "c1"
        store = client.open(credentials)
        await failure(store.get("m1"), PermissionDeniedError)
        for call in (
            store.get("m1"),
            store.create("x"),
            store.update("m1", title="x"),
            store.delete("m1"),
            store.list().first_page(),
            store.list_tags().first_page(),
        ):
            error = await failure(call, AccessRevoked)
            assert error.request_id == "c1"


async def test_a_store_that_does_not_know_its_request_is_just_refused(world: World) -> None:
    service = Approvals(looks=["revoked"])
    bare = AccessCredentials(user_id="u1", memory_key=Secret("mk1"), encryption_key=Secret(KEY))
    async with world.client(service, time=Time()) as client:
        await failure(client.open(bare).get("m1"), PermissionDeniedError)
        assert service.counts["looks"] == 0
        await failure(client.open(bare, request_id="c1").get("m1"), AccessRevoked)
        with pytest.raises(InvalidArgumentError):
            client.open(bare, request_id="a/b")
