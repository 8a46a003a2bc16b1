"""The log of what an application called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_local.store import request_log
from tests.local.web.conftest import register, text_of

if TYPE_CHECKING:
    import httpx
    import pytest

    from memoram_local import Clock, User


def authorized(browser: httpx.Client) -> tuple[str, dict[str, str]]:
    """The path of a fresh application, and the headers of its calls."""
    path, secrets = register(browser)
    answer = browser.post("/api/v1/auth/token", json={"api_key": secrets["api-key"]})
    return path, {"authorization": f"Bearer {answer.json()['token']}"}


def test_calls_show_with_status_time_and_request_id(browser: httpx.Client, clock: Clock) -> None:
    path, headers = authorized(browser)
    clock.advance(60)
    called = browser.get("/api/v1/access-requests/cuid", headers=headers)
    page = text_of(browser.get(f"{path}/calls"))

    request_id = called.headers["x-request-id"]
    assert "GET /api/v1/access-requests/{request_id} 17 May 2030, 12:01 UTC" in page
    assert f"ms, {request_id} 404" in page
    assert "POST /api/v1/auth/token 17 May 2030, 12:00 UTC" in page
    assert page.index("/access-requests/") < page.index("/auth/token")


def test_nothing_that_a_caller_sends_is_kept(browser: httpx.Client, user: User) -> None:
    path, headers = authorized(browser)
    secret = "mem_" + "5e" * 24
    browser.get(f"/api/v1/memory-blobs/{secret}?user_id={user.id}&api_key={secret}", headers=headers)
    browser.get("/api/v1/memory-blobs", params={"user_id": user.id, "searchQuery": secret}, headers=headers)
    browser.post("/api/v1/access-requests", json={"memoryKey": secret, "reason": secret}, headers=headers)

    for page in (browser.get(path), browser.get(f"{path}/calls")):
        assert text_of(page).count("/api/v1/memory-blobs") == 2
        for hidden in (secret, user.id, user.memory_key, headers["authorization"][7:]):
            assert hidden not in page.text


def test_calls_through_oauth_show(browser: httpx.Client) -> None:
    path, secrets = register(browser)
    form = {"grant_type": "refresh_token", "refresh_token": "wrong"}
    browser.post("/oauth/token", data=form, auth=(secrets["client-id"], secrets["client-secret"]))

    assert "POST /oauth/token" in text_of(browser.get(path))


def test_calls_of_others_do_not_show(browser: httpx.Client) -> None:
    path, headers = authorized(browser)
    other, _ = authorized(browser)
    browser.get("/api/v1/tags", headers=headers)

    assert "/api/v1/tags" in browser.get(path).text
    assert "/api/v1/tags" not in browser.get(other).text


def test_the_newest_calls_are_kept_and_paged(browser: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "CALLS_KEPT", 120)
    path, headers = authorized(browser)
    for _ in range(125):
        browser.get("/api/v1/access-requests", headers=headers)
    browser.get("/api/v1/tags", headers=headers)
    addresses, seen = [f"{path}/calls"], 0
    while addresses:
        page = browser.get(addresses.pop()).text
        seen += page.count("<code>GET /api/v1/")
        assert "/auth/token" not in page
        addresses = [
            part.split('"')[0] for part in page.split('href="') if part.startswith(f"{path}/calls?before")
        ]

    assert seen == 120


def test_a_place_that_makes_no_sense_is_the_start(browser: httpx.Client) -> None:
    path, _ = authorized(browser)

    for place in ("x", "-1", "9" * 30, ""):
        page = browser.get(f"{path}/calls", params={"before": place})
        assert page.status_code == 200
        assert "POST /api/v1/auth/token" in text_of(page)
