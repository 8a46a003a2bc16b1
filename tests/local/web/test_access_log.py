"""The log of who read and wrote a user's memories."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx

from memoram_local import MemoramLocal
from memoram_local.store import access_log
from tests.local.web.conftest import PASSWORD, register, sign_in, text_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from memoram_local import Clock, User
    from tests.local.conftest import Memories

ACTIVITY = "/dashboard/activity"


def test_everything_that_applications_do_shows(browser: httpx.Client, memories: Memories) -> None:
    http = memories.http
    http.get(f"/access-requests/{memories.request_id}/credentials")
    blob_id = memories.create(title="Seats")
    memories.get(blob_id)
    memories.page()
    memories.patch(blob_id, title="Better seats")
    http.get("/tags", params={"user_id": memories.user.id})
    gone = memories.create(title="Gone")
    memories.delete(gone)
    browser.post(f"/dashboard/memories/{blob_id}/delete")
    page = text_of(browser.get(ACTIVITY))

    for line in (
        "Trip Planner was given your encryption key",
        "Trip Planner added a memory that is gone",
        "Trip Planner read a memory that is gone",
        "Trip Planner listed memories",
        "Trip Planner changed a memory that is gone",
        "Trip Planner read your tags",
        "Trip Planner deleted a memory that is gone",
        "You deleted a memory that is gone",
    ):
        assert line in page
    assert "Seats" not in page


def test_a_memory_has_its_own_log(browser: httpx.Client, memories: Memories) -> None:
    blob_id, other = memories.create(title="Seats"), memories.create(title="Other")
    memories.get(blob_id)
    memories.get(other)
    page = text_of(browser.get(f"/dashboard/memories/{blob_id}"))

    assert page.count("Trip Planner read this memory") == 1
    assert page.count("Trip Planner added this memory") == 1
    link = f'<a href="/dashboard/memories/{blob_id}"><bdi>Seats</bdi></a>'
    assert f"read {link}" in " ".join(browser.get(ACTIVITY).text.split())


def test_what_is_done_again_within_ten_minutes_is_one_line(
    browser: httpx.Client, memories: Memories, clock: Clock
) -> None:
    blob_id = memories.create(title="Seats")
    for _ in range(3):
        memories.get(blob_id)
        clock.advance(60)
    # Written before the next ones come: those are added to what stands.
    assert "read Seats , 3 times 17 May 2030, 12:00 UTC to 17 May 2030, 12:02 UTC" in text_of(
        browser.get(ACTIVITY)
    )
    clock.advance(300)
    memories.get(blob_id)
    assert "read Seats , 4 times" in text_of(browser.get(ACTIVITY))
    clock.advance(601)
    memories.get(blob_id)
    page = text_of(browser.get(ACTIVITY))
    assert page.count("Trip Planner read Seats") == 2
    assert "read Seats , 4 times" in page


def test_what_is_refused_or_undone_does_not_show(browser: httpx.Client, memories: Memories) -> None:
    memories.get("mem_" + "0" * 24)
    memories.delete("mem_" + "0" * 24)
    memories.post(content=7)
    page = text_of(browser.get(ACTIVITY))

    assert "Nothing has happened yet." in page


def test_the_log_is_its_users_alone(http: httpx.Client, memories: Memories, stranger: User) -> None:
    memories.create(title="Seats")
    sign_in(http, stranger)

    assert "Nothing has happened yet." in http.get(ACTIVITY).text


def test_the_log_is_bounded_and_paged(
    browser: httpx.Client, memories: Memories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_log, "ENTRIES_KEPT", 60)
    for number in range(70):
        memories.create(title=f"No. {number}")
    first = browser.get(ACTIVITY)
    older = re.search(rf'href="({ACTIVITY}\?before=[0-9-]+)"', first.text)

    assert older is not None
    second = browser.get(older[1])
    lines = [page.text.count("</strong> added") for page in (first, second)]
    assert sum(lines) <= 61
    assert lines[0] == 50
    assert "before=" not in second.text


def test_both_logs_survive_a_restart(tmp_path: Path) -> None:
    with MemoramLocal(data=tmp_path, password_profile="fast") as local, local.serve() as server:
        user = local.create_user(email="ada@example.test", password=PASSWORD)
        with httpx.Client(base_url=server.url, trust_env=False) as http:
            sign_in(http, user)
            path, secrets = register(http)
            token = http.post("/api/v1/auth/token", json={"api_key": secrets["api-key"]}).json()["token"]
            http.headers["authorization"] = f"Bearer {token}"
            body = {"memoryKey": user.memory_key, "reason": "To plan trips"}
            request_id = http.post("/api/v1/access-requests", json=body).json()["id"]
            local.approve(request_id)
            http.get(f"/api/v1/access-requests/{request_id}/credentials")

    with (
        MemoramLocal(data=tmp_path, password_profile="fast") as local,
        local.serve() as server,
        httpx.Client(base_url=server.url, trust_env=False) as http,
    ):
        sign_in(http, user)
        assert "Diary was given your encryption key" in text_of(http.get(ACTIVITY))
        calls = text_of(http.get(path))
    assert "/access-requests/{request_id}/credentials" in calls
    assert "Last used" in calls


def test_a_reset_forgets_and_a_snapshot_remembers_what_was_not_written_yet(
    local: MemoramLocal, browser: httpx.Client, memories: Memories
) -> None:
    memories.create(title="Seats")
    snapshot = local.snapshot()
    memories.create(title="Later")
    local.restore(snapshot)
    sign_in(browser, memories.user)
    page = text_of(browser.get(ACTIVITY))

    assert "added Seats" in page
    assert "gone" not in page
    memories.page()
    local.reset()
    local.create_user(email=memories.user.email, password=PASSWORD)
    sign_in(browser, memories.user)
    assert "Nothing has happened yet." in text_of(browser.get(ACTIVITY))
