"""`Prefer: wait`: an answer that comes as soon as there is news."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest
from anyio import to_thread

from memoram_local import MemoramLocal
from memoram_local.testing import AfterSeconds

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from memoram_local import Clock, RegisteredApp, User
    from tests.local.conftest import Application, Memories

# Longer than any test may take: an answer that came did not come because the time was over.
LONG = 60


@pytest.fixture
def pending(application: Application, user: User) -> str:
    return application.ask(user.memory_key)


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def prefer(seconds: object, **headers: str) -> dict[str, str]:
    return {"prefer": f"wait={seconds}", **{name.replace("_", "-"): text for name, text in headers.items()}}


@contextmanager
def waiting(
    callers: ThreadPoolExecutor,
    local: MemoramLocal,
    application: Application,
    path: str,
    headers: Mapping[str, str],
) -> Generator[Future[httpx.Response]]:
    """A request that waits; the platform has got it when this yields."""
    before = len(local.journal.entries(method="GET"))

    def call() -> httpx.Response:
        return application.http.get(path, headers=headers, timeout=LONG)

    answer = callers.submit(call)
    local.wait_for_request(method="GET", count=before + 1, over=False)
    yield answer
    assert answer.result().status_code in {200, 304}


def test_a_decision_ends_the_wait(
    local: MemoramLocal, application: Application, pending: str, callers: ThreadPoolExecutor
) -> None:
    with waiting(callers, local, application, f"/access-requests/{pending}", prefer(LONG)) as answer:
        local.approve(pending)

    assert answer.result().json()["status"] == "approved"
    assert answer.result().headers["preference-applied"] == f"wait={LONG}"


def test_what_was_decided_is_not_waited_for(
    local: MemoramLocal, application: Application, pending: str
) -> None:
    local.reject(pending)

    answer = application.http.get(f"/access-requests/{pending}", headers=prefer(LONG))

    assert answer.json()["status"] == "rejected"
    assert answer.headers["preference-applied"] == f"wait={LONG}"


def test_when_the_time_is_over_the_answer_is_what_stands(
    local: MemoramLocal,
    application: Application,
    pending: str,
    callers: ThreadPoolExecutor,
    clock: Clock,
) -> None:
    with waiting(callers, local, application, f"/access-requests/{pending}", prefer(30)) as answer:
        # Whether the wait had begun when the clock was first advanced cannot be seen from outside.
        while not wait_for([answer], timeout=0.02).done:
            clock.advance(30)

    assert answer.result().json()["status"] == "pending"
    assert answer.result().headers["preference-applied"] == "wait=30"


def test_where_the_clock_stands_still_real_time_ends_the_wait(application: Application, pending: str) -> None:
    started = time.monotonic()

    answer = application.http.get(f"/access-requests/{pending}", headers=prefer(1))

    assert answer.json()["status"] == "pending"
    assert time.monotonic() - started >= 1


def test_with_an_etag_any_difference_ends_the_wait(
    local: MemoramLocal, memories: Memories, callers: ThreadPoolExecutor
) -> None:
    path = f"/access-requests/{memories.request_id}"
    etag = memories.http.get(path).headers["etag"]

    headers = prefer(LONG, if_none_match=etag)
    with waiting(callers, local, memories.application, path, headers) as answer:
        local.revoke(memories.request_id)

    assert answer.result().json()["status"] == "revoked"


def test_with_an_etag_that_still_stands_the_end_is_304(memories: Memories) -> None:
    path = f"/access-requests/{memories.request_id}"
    etag = memories.http.get(path).headers["etag"]

    answer = memories.http.get(path, headers=prefer(0, if_none_match=etag))

    assert answer.status_code == 304
    assert answer.headers["preference-applied"] == "wait=0"


@pytest.mark.parametrize("news", ["a new request", "a decision"])
def test_the_list_waits_for_any_change(
    local: MemoramLocal,
    application: Application,
    pending: str,
    user: User,
    callers: ThreadPoolExecutor,
    news: str,
) -> None:
    etag = application.http.get("/access-requests").headers["etag"]

    headers = prefer(LONG, if_none_match=etag)
    with waiting(callers, local, application, "/access-requests", headers) as answer:
        if news == "a new request":
            application.ask(user.memory_key)
        else:
            local.approve(pending)

    assert answer.result().status_code == 200
    assert answer.result().headers["etag"] != etag
    assert answer.result().headers["preference-applied"] == f"wait={LONG}"


def test_without_an_etag_the_list_comes_at_once(application: Application, pending: str) -> None:
    del pending
    answer = application.http.get("/access-requests", headers=prefer(LONG))

    assert answer.json()["total"] == 1
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize(
    ("header", "applied"),
    [
        ("wait=61", "wait=60"),
        ("wait=999999999", "wait=60"),
        ("WAIT=5", "wait=5"),
        ('wait="5"', "wait=5"),
        ("wait = 5 ; x=y", "wait=5"),
        ("respond-async, wait=5", "wait=5"),
        ("wait=5, wait=7", "wait=5"),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=", None),
        ("wait", None),
        ("wait=1000000000000", None),
        ("return=minimal", None),
    ],
)
def test_wishes_are_read_as_the_standard_says(
    local: MemoramLocal, application: Application, pending: str, header: str, applied: str | None
) -> None:
    local.approve(pending)

    answer = application.http.get(f"/access-requests/{pending}", headers={"prefer": header})

    assert answer.headers.get("preference-applied") == applied


def test_an_unknown_request_is_not_waited_for(application: Application) -> None:
    assert application.http.get("/access-requests/cx", headers=prefer(LONG)).status_code == 404


def test_a_request_that_goes_away_ends_the_wait(
    local: MemoramLocal, application: Application, pending: str, callers: ThreadPoolExecutor
) -> None:
    path = f"/access-requests/{pending}"
    answer = callers.submit(lambda: application.http.get(path, headers=prefer(LONG), timeout=LONG))
    local.wait_for_request("getAccessRequest", over=False)

    local.reset()

    # A reset lets tokens expire too: whether this one was looked at before or after cannot be seen.
    assert answer.result().status_code in {401, 404}


def test_what_a_policy_decides_ends_the_wait(clock: Clock) -> None:
    with (
        MemoramLocal(password_profile="fast", clock=clock, decide=AfterSeconds(20)) as local,
        local.serve() as server,
        httpx.Client(base_url=server.api_url, trust_env=False, timeout=LONG) as http,
        ThreadPoolExecutor(1) as callers,
    ):
        path = f"/access-requests/{asked(local, http)}"
        answer = callers.submit(http.get, path, headers=prefer(LONG))
        while not wait_for([answer], timeout=0.02).done:
            clock.advance(1)

    assert answer.result().json()["status"] == "approved"


def asked(local: MemoramLocal, http: httpx.Client) -> str:
    """A new application signs in and asks a new user for access."""
    app = local.register_app(name="App")
    user = local.create_user(email="ada@example.test", password="correct horse")
    token = http.post("/auth/token", json={"api_key": app.api_key}).json()["token"]
    http.headers["authorization"] = f"Bearer {token}"
    answer = http.post("/access-requests", json={"memoryKey": user.memory_key, "reason": "Trips"})
    return str(answer.json()["id"])


def test_a_server_that_stops_sends_everybody_home_within_a_second(clock: Clock) -> None:
    with (
        MemoramLocal(password_profile="fast", clock=clock) as local,
        httpx.Client(trust_env=False, timeout=LONG) as http,
        ThreadPoolExecutor(4) as callers,
    ):
        with local.serve() as server:
            http.base_url = server.api_url
            path = f"/access-requests/{asked(local, http)}"
            answers = [callers.submit(http.get, path, headers=prefer(LONG)) for _ in range(4)]
            local.wait_for_request("getAccessRequest", count=4, over=False)
            stopping = time.monotonic()
        stopped = time.monotonic()

    assert [answer.result().json()["status"] for answer in answers] == ["pending"] * 4
    assert stopped - stopping < 1


@pytest.mark.anyio
async def test_who_waits_holds_no_thread(anyio_backend: str) -> None:
    del anyio_backend
    statuses: list[str] = []
    with MemoramLocal(password_profile="fast") as local:
        app = local.register_app(name="Busy")
        user = local.create_user(email="ada@example.test", password="correct horse")
        transport = httpx.ASGITransport(local.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as http:
            path = await asked_by(http, app, user)
            threads = threading.active_count()

            async def call() -> None:
                answer = await http.get(path, headers=prefer(LONG))
                statuses.append(answer.json()["status"])

            async with anyio.create_task_group() as calls:
                for _ in range(100):
                    calls.start_soon(call)
                await local.wait_for_request_async("getAccessRequest", count=100, over=False)
                # The store has one thread here; trio may add a few of its own to reach it.
                assert threading.active_count() - threads < 60
                await to_thread.run_sync(local.approve, path.rpartition("/")[2])

    assert statuses == ["approved"] * 100


async def asked_by(http: httpx.AsyncClient, app: RegisteredApp, user: User) -> str:
    """The path of a new access request."""
    token = (await http.post("/auth/token", json={"api_key": app.api_key})).json()["token"]
    http.headers["authorization"] = f"Bearer {token}"
    body = {"memoryKey": user.memory_key, "reason": "Trips"}
    return f"/access-requests/{(await http.post('/access-requests', json=body)).json()['id']}"


def test_who_leaves_is_waited_for_no_longer(
    local: MemoramLocal, application: Application, pending: str
) -> None:
    path = f"/api/v1/access-requests/{pending}"
    url = application.http.base_url
    token = application.http.headers["authorization"]
    with socket.create_connection((url.host, url.port or 0)) as caller:
        caller.sendall(
            f"GET {path} HTTP/1.1\r\nhost: {url.host}\r\nauthorization: {token}\r\n"
            f"prefer: wait={LONG}\r\n\r\n".encode()
        )
        local.wait_for_request("getAccessRequest", over=False)

    # Nothing was decided, and the clock stands still: only leaving can have ended it.
    assert local.wait_for_request("getAccessRequest", over=True).path.endswith(path.rpartition("/")[2])
