"""What developers do with an application that they registered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.local.web.conftest import after, register, shown, sign_in, text_of

if TYPE_CHECKING:
    import httpx

    from memoram_local import Clock, User


def exchanged(http: httpx.Client, api_key: str) -> int:
    return http.post("/api/v1/auth/token", json={"api_key": api_key}).status_code


def revocation_of(browser: httpx.Client, path: str, api_key: str) -> str:
    """Where the form is sent that revokes a key."""
    item = next(item for item in browser.get(path).text.split("<li>") if f"{api_key[:10]}…" in item)
    found = re.search(r'action="([^"]+/revoke)"', item)
    assert found is not None
    return found[1]


def test_a_key_is_rolled_without_a_gap(browser: httpx.Client) -> None:
    path, secrets = register(browser)
    old = secrets["api-key"]
    page = after(browser, browser.post(f"{path}/keys"))
    new = shown(page, "api-key")

    assert re.fullmatch(r"mem_[0-9a-f]{48}", new)
    assert new != old
    assert f"export MEMORAM_API_KEY={new}" in page.text
    assert (exchanged(browser, old), exchanged(browser, new)) == (200, 200)

    revoked = browser.post(revocation_of(browser, path, old))
    assert (revoked.status_code, revoked.headers["location"]) == (303, path)
    assert (exchanged(browser, old), exchanged(browser, new)) == (401, 200)


def test_keys_are_shown_by_their_beginning_with_when_they_were_used(
    browser: httpx.Client, clock: Clock
) -> None:
    path, secrets = register(browser)
    api_key = secrets["api-key"]
    before = text_of(browser.get(path))
    clock.advance(3600)
    exchanged(browser, api_key)
    after = browser.get(path)

    assert f"{api_key[:10]}… Works Created 17 May 2030, 12:00 UTC . Never used." in before
    assert "Last used 17 May 2030, 13:00 UTC" in text_of(after)
    for secret in (api_key, secrets["client-secret"]):
        assert secret not in after.text
        assert secret[:16] not in after.text


def test_revoking_the_last_key_is_possible_and_said(browser: httpx.Client) -> None:
    path, secrets = register(browser)
    assert "It is the last one that works" in text_of(browser.get(path))
    where = revocation_of(browser, path, secrets["api-key"])

    for _ in range(2):
        assert browser.post(where).status_code == 303
    assert "No key works: Diary cannot call the API." in text_of(browser.get(path))


def test_tokens_of_a_revoked_key_end_with_it(browser: httpx.Client) -> None:
    path, secrets = register(browser)
    token = browser.post("/api/v1/auth/token", json={"api_key": secrets["api-key"]}).json()["token"]

    def call() -> int:
        headers = {"authorization": f"Bearer {token}"}
        return browser.get("/api/v1/access-requests", headers=headers).status_code

    assert call() == 200
    browser.post(revocation_of(browser, path, secrets["api-key"]))
    assert call() == 401


def test_a_client_secret_is_replaced_at_once(browser: httpx.Client) -> None:
    path, secrets = register(browser)
    page = after(browser, browser.post(f"{path}/client-secret"))
    new = shown(page, "client-secret")

    def is_known(secret: str) -> bool:
        form = {"grant_type": "refresh_token", "refresh_token": "x"}
        answer = browser.post("/oauth/token", data=form, auth=(secrets["client-id"], secret))
        return bool(answer.json()["error"] == "invalid_grant")

    assert re.fullmatch(r"secret_[0-9a-f]{48}", new)
    assert is_known(new)
    assert not is_known(secrets["client-secret"])


def test_redirect_uris_are_changed(browser: httpx.Client) -> None:
    path, secrets = register(browser, redirect_uris="http://localhost/old")
    answer = browser.post(
        f"{path}/redirect-uris", data={"redirect_uris": "http://localhost/a\r\ncom.example:/b"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, path)

    def asks(redirect_uri: str) -> int:
        query = {"response_type": "code", "client_id": secrets["client-id"], "redirect_uri": redirect_uri}
        return browser.get("/oauth/authorize", params=query).status_code

    assert [asks(uri) for uri in ("http://localhost/a", "com.example:/b")] == [200, 200]
    assert asks("http://localhost/old") == 400


def test_a_redirect_uri_that_cannot_be_used_changes_nothing_and_stays_in_the_field(
    browser: httpx.Client,
) -> None:
    path, _ = register(browser, redirect_uris="http://localhost/old")
    page = browser.post(f"{path}/redirect-uris", data={"redirect_uris": "http://localhost/a\njavascript:x"})

    assert page.status_code == 400
    assert "scheme 'javascript'" in shown(page, "problem")
    assert "javascript:x" in page.text
    assert "http://localhost/old" in browser.get(path).text


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", ""),
        ("GET", "/calls"),
        ("POST", "/keys"),
        ("POST", "/keys/key_x/revoke"),
        ("POST", "/client-secret"),
        ("POST", "/redirect-uris"),
    ],
)
def test_an_application_is_its_developers_alone(
    browser: httpx.Client, stranger: User, method: str, rest: str
) -> None:
    path, secrets = register(browser)
    sign_in(browser, stranger)

    answer = browser.request(method, f"{path}{rest}")
    assert answer.status_code == 404
    assert shown(answer, "problem") == "There is no such application."
    assert exchanged(browser, secrets["api-key"]) == 200


def test_a_key_of_another_application_cannot_be_revoked_through_ones_own(
    browser: httpx.Client, stranger: User
) -> None:
    path, secrets = register(browser)
    key_id = revocation_of(browser, path, secrets["api-key"]).split("/")[-2]
    sign_in(browser, stranger)
    own, _ = register(browser, "Own")

    assert browser.post(f"{own}/keys/{key_id}/revoke").status_code == 404
    assert exchanged(browser, secrets["api-key"]) == 200
