"""Every form: POST, redirect, GET; and a word of success, once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from memoram_local.web.handover import HANDOVER_SECONDS
from tests.local.web.conftest import PASSWORD, after, register, shown, sign_in, text_of, word_of

if TYPE_CHECKING:
    import httpx

    from memoram_local import Clock, User
    from tests.local.conftest import Application, Memories


def test_loading_the_page_again_registers_nothing_again_and_still_shows_the_secrets(
    browser: httpx.Client,
) -> None:
    answer = browser.post("/portal/apps", data={"name": "Diary"})
    page, again = after(browser, answer), after(browser, answer)

    assert shown(again, "api-key") == shown(page, "api-key")
    assert text_of(browser.get("/portal")).count("Keys and calls") == 1


def test_secrets_are_shown_to_their_developer_alone_and_for_ten_minutes(
    browser: httpx.Client, stranger: User, user: User, clock: Clock
) -> None:
    answer = browser.post("/portal/apps", data={"name": "Diary"})
    page = answer.headers["location"]
    api_key = shown(browser.get(page), "api-key")
    sign_in(browser, stranger)
    assert browser.get(page).status_code == 410
    sign_in(browser, user)
    clock.advance(HANDOVER_SECONDS - 1)
    assert api_key in browser.get(page).text
    clock.advance(1)
    gone = browser.get(page)
    assert gone.status_code == 410
    assert "These secrets are no longer shown." in text_of(gone)
    assert f'href="{page.rpartition("/secrets/")[0]}"' in gone.text


def test_secrets_end_with_their_application(browser: httpx.Client) -> None:
    answer = browser.post("/portal/apps", data={"name": "Diary"})
    page: str = answer.headers["location"]
    browser.post(f"{page.rpartition('/secrets/')[0]}/delete", data={"password": PASSWORD})

    assert browser.get(page).status_code == 404


def test_every_form_of_a_developer_redirects_with_a_word(browser: httpx.Client) -> None:
    path, secrets = register(browser)
    key_id = re.search(r"/keys/(\w+)/revoke", browser.get(path).text)
    assert key_id is not None
    for form in ("keys", "client-secret"):
        assert after(browser, browser.post(f"{path}/{form}")).status_code == 200
    for form, word in (
        (f"keys/{key_id[1]}/revoke", "The key is revoked."),
        ("redirect-uris", "The redirect URIs are saved."),
    ):
        answer = browser.post(f"{path}/{form}", data={"redirect_uris": "http://localhost/x"})
        assert answer.headers["location"] == path
        assert word_of(browser, answer) == word
    del secrets


def test_every_form_of_a_user_redirects_with_a_word(
    browser: httpx.Client, application: Application, user: User
) -> None:
    one, two = (application.ask(user.memory_key) for _ in range(2))
    words = [
        (f"requests/{one}/reject", "The request of Trip Planner is rejected."),
        (f"requests/{two}/approve", "Trip Planner has access now."),
        (f"requests/{two}/revoke", "Trip Planner is locked out: the approved request is revoked."),
        ("key/rotate", "Your key is replaced. The new one is version 2."),
    ]
    for form, word in words:
        answer = browser.post(f"/dashboard/{form}", data={"password": PASSWORD})
        assert "?" not in answer.headers["location"]
        assert word_of(browser, answer) == word


def test_signing_up_and_out_say_so(http: httpx.Client) -> None:
    opened = http.post("/signup", data={"email": "ada@example.test", "password": PASSWORD})
    assert word_of(http, opened) == "Your account is open, and you are signed in."
    assert word_of(http, http.post("/signout")) == "You are signed out."


def test_a_word_is_said_once_and_not_to_what_refreshes_itself(
    browser: httpx.Client, memories: Memories
) -> None:
    answer = browser.post(f"/dashboard/requests/{memories.request_id}/revoke")
    assert "is locked out" not in browser.get("/dashboard?live=1").text

    assert "is locked out" in word_of(browser, answer)
    assert word_of(browser, answer) == ""


@pytest.mark.parametrize("slip", ["", "x", "../../x", "A" * 22])
def test_a_made_up_slip_says_and_shows_nothing(browser: httpx.Client, slip: str) -> None:
    path, _ = register(browser)
    ((name, _),) = [item for item in browser.cookies.items() if "session" in item[0]]
    browser.cookies.set(name.replace("session", "word"), slip)

    assert 'id="word" class="notice good word" role="status"></p>' in browser.get("/dashboard").text
    if slip:
        assert browser.get(f"{path}/secrets/{slip}").status_code in {404, 410}
