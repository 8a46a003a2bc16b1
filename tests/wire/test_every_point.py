"""Trouble that passes, at every point of a wait: it never costs an approval."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest

from memoram_async import AccessRejected, AccessRevoked, ApprovalProgress, ServerError
from tests.worlds import TOKEN, Time, failure

if TYPE_CHECKING:
    from tests.worlds import World

pytestmark = pytest.mark.anyio

WHY = "Remembers your travel preferences"
CREDENTIALS = {"user_id": "u1", "memory_key": "mk-a", "encryption_key": "ab" * 32, "key_version": 1}

TROUBLE: dict[str, Callable[[], httpx.Response]] = {
    "408": lambda: httpx.Response(408),
    "425": lambda: httpx.Response(425),
    "429": lambda: httpx.Response(429),
    "429 with Retry-After": lambda: httpx.Response(429, headers={"retry-after": "7"}),
    "500": lambda: httpx.Response(500),
    "502": lambda: httpx.Response(502),
    "503 with Retry-After": lambda: httpx.Response(503, headers={"retry-after": "3"}),
    "not JSON": lambda: httpx.Response(200, content=b"<html>"),
    "another shape": lambda: httpx.Response(200, json=[]),
    "no connection": lambda: _raise(httpx.ConnectError("x")),
    "cut off": lambda: _raise(httpx.ReadError("x")),
    "closed": lambda: _raise(httpx.RemoteProtocolError("x")),
    "too late": lambda: _raise(httpx.ReadTimeout("x")),
}


def _raise(error: Exception) -> httpx.Response:
    raise error


@attrs.define
class Users:
    """A service whose users approve a minute after it was first asked; some of its calls go wrong.

    Attributes:
        time: Its clock.
        trouble: What goes wrong.
        struck: Which calls about access requests, from 1.
        verdicts: What the users decide, by the request's id; they approve if nothing else is said.
        calls: What was asked.
    """

    time: Time
    trouble: Callable[[], httpx.Response] = lambda: httpx.Response(500)
    struck: frozenset[int] = frozenset()
    verdicts: dict[str, str] = attrs.field(factory=dict[str, str])
    calls: list[httpx.Request] = attrs.field(factory=list[httpx.Request])
    began: float | None = None

    def status(self, name: str) -> str:
        began = self.began if self.began is not None else self.time.moment
        return "pending" if self.time.moment < began + 60 else self.verdicts.get(name, "approved")

    def item(self, name: str) -> dict[str, Any]:
        return {"id": name, "status": self.status(name), "memoryKey": f"mk-{name}"}

    def __call__(self, sent: httpx.Request) -> httpx.Response:
        path = sent.url.path
        if path.endswith("/auth/token"):
            return httpx.Response(200, json={"token": TOKEN, "expires_at": "2040-01-01T00:00:00Z"})
        self.began = self.time.moment if self.began is None else self.began
        self.calls.append(sent)
        if len(self.calls) in self.struck:
            return self.trouble()
        if path.endswith("/credentials"):
            return httpx.Response(200, json=CREDENTIALS)
        if path.endswith("/access-requests"):
            return httpx.Response(200, json={"items": [self.item(each) for each in "abc"], "total": 3})
        return httpx.Response(200, json=self.item(path.rpartition("/")[2]))


def thrice(at: int) -> frozenset[int]:
    """Three calls in a row go wrong."""
    return frozenset(range(at, at + 3))


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
async def test_it_never_ends_a_wait_for_one(world: World, trouble: Any) -> None:
    for at in count(1):
        users = Users(Time(), trouble, thrice(at))
        async with world.client(users, time=users.time) as client:
            assert (await client.access_requests.wait("a")).status == "approved"
        assert users.time.moment - 1000 < 120
        if len(users.calls) < at:
            return


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
async def test_it_never_ends_a_watch_of_several_whose_list_is_read(world: World, trouble: Any) -> None:
    verdicts = {"b": "rejected", "c": "revoked"}
    for at in count(1):
        users = Users(Time(), trouble, thrice(at), verdicts)
        async with world.client(users, time=users.time) as client:
            watch = client.access_requests.watch(*"abc")
            told = {"a": "", "b": "", "c": ""}
            while "pending" in (states := set(told.values())) or "" in states:
                request = await watch.__anext__()
                told[request.id] = request.status
        assert told == {"a": "approved", **verdicts}
        assert users.time.moment - 1000 < 120
        if len(users.calls) < at:
            return


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
async def test_it_never_ends_a_connect_once_the_request_is_known(world: World, trouble: Any) -> None:
    for at in count(2):  # the look-up before it is a call like any other
        users = Users(Time(), trouble, frozenset({at, at + 1}))
        async with world.client(users, time=users.time) as client:
            assert (await client.connect("mk-a", reason=WHY)).user_id == "u1"
        if len(users.calls) < at:
            return


@pytest.mark.parametrize(("verdict", "kind"), [("rejected", AccessRejected), ("revoked", AccessRevoked)])
async def test_it_never_hides_what_the_user_decided(world: World, verdict: str, kind: Any) -> None:
    for at in count(1):
        users = Users(Time(), TROUBLE["500"], thrice(at), {"a": verdict})
        async with world.client(users, time=users.time) as client:
            await failure(client.access_requests.wait("a"), kind)
        if len(users.calls) < at:
            return


async def test_trouble_that_lasts_is_told_of_once_and_so_is_its_end(world: World) -> None:
    seen: list[ApprovalProgress] = []
    users = Users(Time(), TROUBLE["500"], frozenset({2, 3, 4, 5}))
    async with world.client(users, time=users.time) as client:
        await client.access_requests.wait("a", on_status=seen.append)
    told = [(each.status, type(each.last_error)) for each in seen]
    assert told == [
        ("pending", type(None)),
        ("pending", ServerError),
        ("pending", type(None)),
        ("approved", type(None)),
    ]


async def test_a_long_poll_may_take_its_time_and_ten_seconds_whatever_the_client_is_set_to(
    world: World,
) -> None:
    users = Users(Time())

    def granting(sent: httpx.Request) -> httpx.Response:
        answer = users(sent)
        if "prefer" in sent.headers:
            users.time.pass_by(25)
            answer.headers["preference-applied"] = sent.headers["prefer"]
        return answer

    async with world.client(granting, time=users.time, request_timeout=3) as client:
        await client.access_requests.wait("a")
    first, *polls = [(each.headers.get("prefer"), each.extensions["timeout"]["read"]) for each in users.calls]
    assert first == (None, pytest.approx(10))
    assert set(polls[:-1]) == {("wait=25", 35.0)}


LISTS: dict[str, list[str]] = {
    "shrinks": ["abc", "ab", "a", "", "abc"],
    "reorders": ["abc", "cab", "bca"],
    "repeats": ["aabbcc", "abcabc", "ccc"],
    "omits one": ["ab"],
    "omits most": ["a"],
    "omits all": [""],
}


@pytest.mark.parametrize("paged", [False, True])
@pytest.mark.parametrize("lists", LISTS.values(), ids=LISTS.keys())
async def test_no_list_is_so_odd_that_it_costs_an_approval(
    world: World, lists: list[str], *, paged: bool
) -> None:
    users, readings = Users(Time()), count()

    def answer(sent: httpx.Request) -> httpx.Response:
        plain = users(sent)
        if not sent.url.path.endswith("/access-requests"):
            return plain
        names = lists[next(readings) % len(lists)]
        page: dict[str, Any] = {"items": [users.item(each) for each in names], "total": 3}
        cursor = int(sent.url.params.get("cursor", 0))
        if paged:  # a page each, and one that leads back to the first
            page["items"] = page["items"][cursor : cursor + 1]
            page["next_cursor"] = str((cursor + 1) % 3)
        return httpx.Response(200, json=page)

    async with world.client(answer, time=users.time) as client:
        watch = client.access_requests.watch(*"abc")
        approved: set[str] = set()
        while len(approved) < 3:
            request = await watch.__anext__()
            if request.status == "approved":
                approved.add(request.id)
    assert users.time.moment - 1000 < 120
    assert len(users.calls) < 200
