"""The journal: every request, no secret, and waiting for what has not come yet."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from memoram_local import MemoramLocal
from memoram_local.clock import to_micros
from memoram_local.controls.journal import Journal
from memoram_local.testing import Delay, DropAfterCommit, RequestNotSeenError, UnknownRouteError

if TYPE_CHECKING:
    from memoram_async import AsyncMemoram
    from memoram_local import Clock, RegisteredApp, User
    from tests.local.controls.conftest import Caller


def test_an_entry_says_what_was_asked_and_answered(writer: Caller) -> None:
    answer = writer.write(tags=["travel"], importance=0.5, title="Seats")

    entry = writer.local.journal[-1]

    assert (entry.operation, entry.method, entry.path) == (
        "createMemoryBlob",
        "POST",
        "/api/v1/memory-blobs",
    )
    assert entry.status == 201
    assert entry.is_over
    assert entry.request_id == answer.headers["x-request-id"]
    assert entry.at == datetime(2030, 5, 17, 12, tzinfo=UTC)
    assert entry.authorization == "Bearer [redacted]"
    assert entry.body == {
        "user_id": writer.user.id,
        "memoryKey": "[redacted]",
        "content": "[redacted]",
        "tags": ["travel"],
        "importance": 0.5,
        "title": "[redacted]",
    }


def test_queries_show_what_cannot_be_secret(writer: Caller) -> None:
    parameters = {"user_id": writer.user.id, "limit": "5", "searchQuery": "window seats"}
    writer.http.get("/memory-blobs", params=parameters)

    assert writer.local.journal[-1].query == (
        ("user_id", writer.user.id),
        ("limit", "5"),
        ("searchQuery", "[redacted]"),
    )


def test_no_secret_and_no_memory_is_in_the_journal(writer: Caller) -> None:
    writer.write("a memory of the sea", summary="a summary of the sea")
    root = writer.http.base_url.join("/")
    form = {
        "grant_type": "refresh_token",
        "refresh_token": "mrt_secret",
        "client_id": writer.app.client_id,
        "client_secret": writer.app.client_secret,
    }
    writer.http.post(root.join("/oauth/token"), data=form)
    writer.http.post(root.join("/oauth/token"), data=form, auth=("basic-name", "basic-secret"))
    writer.http.post(root.join("/signin"), data={"email": writer.user.email, "password": "a password"})
    writer.http.post("/auth/token", content=b"mem_not_json")
    writer.http.post("/auth/token", json=["mem_in_a_list"])
    writer.http.post("/auth/token", json={"mem_as_a_name": 1})
    token = writer.http.headers["authorization"].partition(" ")[2]

    shown = repr(list(writer.local.journal))

    for secret in (
        *(writer.app.api_key, writer.app.client_secret, writer.user.memory_key, writer.user.encryption_key),
        *("sea", "mrt_secret", "basic-name", "basic-secret", "a password", "mem_not_json"),
        *("mem_in_a_list", "mem_as_a_name", token),
    ):
        assert secret not in shown
    assert "refresh_token" in shown


def test_entries_can_be_chosen(writer: Caller) -> None:
    writer.write()
    writer.write(user_id="nobody")

    journal = writer.local.journal
    assert [entry.status for entry in journal.entries("createMemoryBlob")] == [201, 400]
    assert len(journal.entries("createMemoryBlob", status=400)) == 1
    assert {entry.operation for entry in journal.entries(method="POST", path="/api/v1/auth/token")} == {
        "createToken"
    }
    assert journal[:1] == [journal[0]]
    with pytest.raises(UnknownRouteError):
        journal.entries("createBlob")


def test_a_request_whose_connection_was_dropped_has_no_status(writer: Caller) -> None:
    writer.local.faults.add(DropAfterCommit(), route="createMemoryBlob")
    with pytest.raises(httpx.TransportError):
        writer.write()

    entry = writer.local.wait_for_request("createMemoryBlob")

    assert (entry.status, entry.is_over, entry.faults) == (None, True, ("DropAfterCommit",))


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("operation", "head"),
    [
        ("createToken", b"POST /api/v1/auth/token HTTP/1.1\r\nContent-Type: application/json\r\n"),
        (
            "exchangeCode",
            b"POST /oauth/token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n",
        ),
        (None, b"POST /signin HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"),
    ],
)
def test_a_client_that_leaves_in_mid_body_is_answered_nothing_and_logs_nothing(
    operation: str | None, head: bytes, caplog: pytest.LogCaptureFixture, *, strict: bool
) -> None:
    with MemoramLocal(password_profile="fast", strict=strict) as local, local.serve() as server:
        with socket.create_connection((server.host, server.port)) as client:
            client.sendall(head + b"Host: localhost\r\nContent-Length: 100\r\n\r\na")
            local.wait_for_request(operation, over=False)
        entry = local.wait_for_request(operation)

    assert (entry.status, entry.is_over) == (None, True)
    assert caplog.records == []


def test_pages_and_what_does_not_exist_are_noted_without_an_operation(caller: Caller) -> None:
    caller.http.get(caller.http.base_url.join("/"))
    caller.http.get("/nothing")

    assert [(entry.operation, entry.status) for entry in caller.local.journal[-2:]] == [
        (None, 200),
        (None, 404),
    ]


def test_waiting_finds_what_came_before(caller: Caller) -> None:
    assert caller.local.wait_for_request("createToken", timeout=0).status == 200


def test_waiting_ends_when_the_request_comes(caller: Caller) -> None:
    later = threading.Thread(target=caller.http.get, args=("/access-requests",))
    waiting = threading.Thread(target=lambda: found.append(caller.local.wait_for_request(
        "listAccessRequests", status=200)))  # fmt: skip
    found: list[object] = []
    waiting.start()
    later.start()
    later.join(5)
    waiting.join(5)

    assert len(found) == 1


def test_waiting_can_count(caller: Caller) -> None:
    for _ in range(3):
        caller.http.get("/access-requests")

    third = caller.local.wait_for_request("listAccessRequests", count=3)

    assert third == caller.local.journal[-1]
    with pytest.raises(RequestNotSeenError, match="listAccessRequests came 4 times"):
        caller.local.wait_for_request("listAccessRequests", count=4, timeout=0)


def test_waiting_in_vain_says_what_came_instead(caller: Caller) -> None:
    with pytest.raises(TimeoutError, match=r"getTag with status 200 .*what came: createToken 200"):
        caller.local.wait_for_request("getTag", status=200, timeout=0.01)


def test_the_journal_can_be_cleared_and_counts_on(caller: Caller) -> None:
    before = caller.local.journal[-1].number
    caller.local.journal.clear()
    caller.http.get("/access-requests")

    assert [entry.number for entry in caller.local.journal] == [before + 1]


def test_a_journal_keeps_the_newest() -> None:
    journal = Journal(kept=3)
    at = to_micros(datetime(2030, 1, 1, tzinfo=UTC))
    for number in range(5):
        journal.arrived(at=at, operation=None, method="GET", path=f"/{number}", query=(), authorization=None)

    assert [entry.path for entry in journal] == ["/2", "/3", "/4"]
    assert len(journal) == 3


@pytest.mark.anyio
async def test_an_event_loop_goes_on_while_it_waits(
    memoram_local: MemoramLocal,
    memoram_client: AsyncMemoram,
    memoram_app: RegisteredApp,
    memoram_user: User,
    clock: Clock,
) -> None:
    memoram_local.faults.add(Delay(30), route="createAccessRequest")
    async with anyio.create_task_group() as group:
        group.start_soon(_ask, memoram_client, memoram_user)
        await memoram_local.wait_for_request_async("createAccessRequest", over=False)
        clock.advance(30)
    entry = await memoram_local.wait_for_request_async("createAccessRequest", status=201)
    assert entry.faults == ("Delay",)

    with pytest.raises(RequestNotSeenError):
        await memoram_local.wait_for_request_async("getTag", timeout=0)


async def _ask(client: AsyncMemoram, user: User) -> None:
    await client.access_requests.create(user.memory_key, reason="Plans journeys")
