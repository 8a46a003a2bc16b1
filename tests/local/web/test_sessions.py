"""Sign-ins, and what a program can do that has stolen one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from memoram_local import MemoramLocal
from memoram_local.store.accounts import SESSION_SECONDS
from memoram_local.web.confirmation import CONFIRMED_SECONDS
from tests.local.web.conftest import PASSWORD, after, register, session_of, shown, sign_in, text_of, word_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memoram_local import Clock, LocalServer, User

KEY = "/dashboard/key"
TAB = "0123456789abcdef" * 4


def test_platforms_of_one_host_name_do_not_sign_each_other_out() -> None:
    with (
        MemoramLocal(password_profile="fast", seed=1) as one,
        MemoramLocal(password_profile="fast", seed=1) as two,
        one.serve() as first,
        two.serve() as second,
        httpx.Client(trust_env=False) as browser,
    ):
        for local, server in ((one, first), (two, second)):
            user = local.create_user(email="ada@example.test", password=PASSWORD)
            # One cookie jar for both: as in browsers, its cookies ignore ports.
            browser.post(f"{server.url}/signin", data={"email": user.email, "password": PASSWORD})

        assert len(browser.cookies) == 2
        for server in (first, second):
            assert browser.get(f"{server.url}/dashboard").status_code == 200


def test_a_sign_in_outlives_a_restart_on_another_port(tmp_path: Path) -> None:
    with httpx.Client(trust_env=False) as browser:
        with MemoramLocal(data=tmp_path, password_profile="fast") as local, local.serve() as server:
            user = local.create_user(email="ada@example.test", password=PASSWORD)
            browser.post(f"{server.url}/signin", data={"email": user.email, "password": PASSWORD})
        with MemoramLocal(data=tmp_path, password_profile="fast") as local, local.serve() as server:
            assert browser.get(f"{server.url}/dashboard").status_code == 200


def test_behind_https_the_cookie_is_of_this_host_alone() -> None:
    with (
        MemoramLocal(password_profile="fast", base_url="https://memoram.test") as local,
        local.serve() as server,
    ):
        user = local.create_user(email="ada@example.test", password=PASSWORD)
        form = {"email": user.email, "password": PASSWORD}
        with httpx.Client(base_url=server.url, trust_env=False, headers={"host": "memoram.test"}) as browser:
            answer = browser.post("/signin", data=form)
            name, _, rest = answer.headers["set-cookie"].partition("=")
            cookie = f"{name}={rest.partition(';')[0]}"
            page = browser.get("/dashboard", headers={"cookie": cookie})

    assert name.startswith("__Host-memoram_session_")
    assert "; Secure" in rest
    assert "Domain" not in rest
    assert page.status_code == 200


@pytest.fixture
def thief(
    browser: httpx.Client, server: LocalServer, client_for: Callable[[str], httpx.Client]
) -> httpx.Client:
    """A program that was sent the cookies of a user who has just signed in."""
    program = client_for(server.url)
    program.cookies.update(browser.cookies)
    assert program.get("/dashboard").status_code == 200
    return program


@pytest.mark.parametrize(
    "form", [{}, {"password": ""}, {"password": "wrong password"}, {"tab": TAB}, {"tab": "x"}]
)
def test_a_stolen_session_reveals_and_destroys_nothing(
    thief: httpx.Client, user: User, form: dict[str, str]
) -> None:
    path, secrets = register(thief)
    refused = [
        thief.post(f"{KEY}/versions", data=form),
        thief.post(f"{KEY}/rotate", data=form),
        thief.post(f"{path}/delete", data=form),
        thief.post("/dashboard/account/delete", data=form),
    ]

    assert [answer.status_code for answer in refused] == [403] * 4
    assert not [answer for answer in refused if user.encryption_key in answer.text]
    for page in refused[1:]:
        assert shown(page, "problem") in {"Type your password to go on.", "That is not your password."}
    assert thief.get(path).status_code == 200
    assert thief.post("/api/v1/auth/token", json={"api_key": secrets["api-key"]}).status_code == 200


def test_what_is_confirmed_is_remembered_for_its_tab_alone_and_for_five_minutes(
    browser: httpx.Client, thief: httpx.Client, user: User, clock: Clock
) -> None:
    def reveal(client: httpx.Client, **form: str) -> httpx.Response:
        return client.post(f"{KEY}/versions", data=form)

    first = reveal(browser, password=PASSWORD, tab=TAB)
    assert first.json()["confirmedSeconds"] == CONFIRMED_SECONDS
    assert [key["key"] for key in first.json()["keys"]] == [user.encryption_key]
    assert reveal(browser, tab=TAB).status_code == 200
    # The same session, but nothing of what the tab keeps.
    assert reveal(thief).status_code == 403
    assert reveal(thief, tab=TAB[::-1]).status_code == 403

    clock.advance(CONFIRMED_SECONDS - 1)
    assert reveal(browser, tab=TAB).status_code == 200
    clock.advance(1)
    assert reveal(browser, tab=TAB).status_code == 403


def test_a_new_session_has_confirmed_nothing(browser: httpx.Client, user: User) -> None:
    browser.post(f"{KEY}/versions", data={"password": PASSWORD, "tab": TAB})
    browser.post("/signout")
    sign_in(browser, user)

    assert browser.post(f"{KEY}/versions", data={"tab": TAB}).status_code == 403


def test_a_tab_without_a_name_is_not_remembered(browser: httpx.Client) -> None:
    for tab in ("", "short", TAB.upper()):
        assert browser.post(f"{KEY}/versions", data={"password": PASSWORD, "tab": tab}).status_code == 200
        assert browser.post(f"{KEY}/versions", data={"tab": tab}).status_code == 403


def test_the_password_of_another_user_confirms_nothing(
    browser: httpx.Client, local: MemoramLocal, user: User
) -> None:
    local.create_user(email="eve@example.test", password="another password")

    assert browser.post(f"{KEY}/versions", data={"password": "another password"}).status_code == 403


def test_the_key_comes_in_an_answer_that_nothing_keeps(
    browser: httpx.Client, local: MemoramLocal, user: User
) -> None:
    local.rotate_key(user.id)
    answer = browser.post(f"{KEY}/versions", data={"password": PASSWORD})

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert [(key["version"], key["retiredAt"] is None) for key in answer.json()["keys"]] == [
        (2, True),
        (1, False),
    ]


def test_a_stolen_session_cannot_guess_the_password(thief: httpx.Client, user: User, clock: Clock) -> None:
    def guess(password: str) -> str:
        return str(thief.post(f"{KEY}/versions", data={"password": password}).json().get("problem"))

    assert [guess(f"guess {number}") for number in range(10)] == ["That is not your password."] * 10
    assert guess(PASSWORD).startswith("Too many wrong passwords")
    page = thief.post("/dashboard/account/delete", data={"password": PASSWORD})
    assert shown(page, "problem").startswith("Too many wrong passwords")
    clock.advance(301)
    assert guess(PASSWORD) == "None"
    del user


def test_strangers_get_no_key_and_no_seal(http: httpx.Client) -> None:
    assert http.post(f"{KEY}/versions", data={"password": PASSWORD}).status_code == 401
    assert http.get(f"{KEY}/seal").status_code == 401


def test_the_seal_of_a_tab_is_the_sessions_own(browser: httpx.Client, user: User) -> None:
    def seal() -> str:
        return str(browser.get(f"{KEY}/seal").json()["seal"])

    first = seal()
    _, secret = session_of(browser)
    assert seal() == first
    assert secret not in first
    browser.post("/signout")
    assert browser.get(f"{KEY}/seal").status_code == 401
    sign_in(browser, user)
    assert seal() != first


def test_signing_out_everywhere_else_ends_a_stolen_session(
    browser: httpx.Client, user: User, clock: Clock
) -> None:
    thief = httpx.Client(base_url=browser.base_url, trust_env=False)
    with thief:
        sign_in(thief, user)
        assert "In this browser and 1 more." in text_of(browser.get("/dashboard/account"))
        answer = browser.post("/dashboard/account/sign-out-others")
        assert word_of(browser, answer) == "The other browser is signed out."
        assert thief.get("/dashboard").status_code == 303
        assert browser.get("/dashboard").status_code == 200
        assert (
            word_of(browser, browser.post("/dashboard/account/sign-out-others"))
            == "No other browser was signed in."
        )
        sign_in(thief, user)
    clock.advance(SESSION_SECONDS)
    assert browser.get("/dashboard").status_code == 303


def test_an_account_is_deleted_with_its_session_and_applications(browser: httpx.Client, user: User) -> None:
    _, secrets = register(browser)
    assert "The application that you registered is deleted too." in text_of(browser.get("/dashboard/account"))
    answer = browser.post("/dashboard/account/delete", data={"password": PASSWORD})

    assert word_of(browser, answer) == "Your account is deleted, with everything that was in it."
    assert answer.headers["clear-site-data"] == '"storage"'
    assert browser.get("/dashboard").status_code == 303
    assert browser.post("/signin", data={"email": user.email, "password": PASSWORD}).status_code == 400
    assert browser.post("/api/v1/auth/token", json={"api_key": secrets["api-key"]}).status_code == 401


def test_deleting_the_account_asks_each_time(browser: httpx.Client) -> None:
    browser.post(f"{KEY}/versions", data={"password": PASSWORD, "tab": TAB})

    assert browser.post("/dashboard/account/delete", data={"tab": TAB}).status_code == 403


def test_an_application_is_deleted(browser: httpx.Client) -> None:
    path, secrets = register(browser)
    answer = browser.post(f"{path}/delete", data={"password": PASSWORD})

    assert word_of(browser, answer) == "Diary is deleted, with its keys and all the access that it had."
    assert after(browser, answer).url.path == "/portal"
    assert browser.get(path).status_code == 404
    assert browser.post("/api/v1/auth/token", json={"api_key": secrets["api-key"]}).status_code == 401
