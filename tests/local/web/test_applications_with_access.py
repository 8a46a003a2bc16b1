"""The list of applications that know a user, and ending what they may do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.local.web.conftest import sign_in, text_of, word_of

if TYPE_CHECKING:
    import httpx

    from memoram_local import MemoramLocal, RegisteredApp, User
    from tests.local.conftest import Application, Memories

APPLICATIONS = "/dashboard/applications"
REDIRECT_URI = "http://localhost:3000/callback"


def tokens_of(http: httpx.Client, local: MemoramLocal, app: RegisteredApp, user: User) -> dict[str, str]:
    """What an application gets when a user signs in to it."""
    code = local.authorize(user_id=user.id, client_id=app.client_id, redirect_uri=REDIRECT_URI)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
    answer = http.post("/oauth/token", data=form, auth=(app.client_id, app.client_secret))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def can_refresh(http: httpx.Client, app: RegisteredApp, tokens: dict[str, str]) -> bool:
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return http.post("/oauth/token", data=form, auth=(app.client_id, app.client_secret)).status_code == 200


def card(browser: httpx.Client, app_id: str) -> str:
    """What the list says of one application; empty when it does not list it."""
    page = browser.get(APPLICATIONS)
    found = re.search(rf'<article[^>]*id="application-{app_id}".*?</article>', page.text, re.DOTALL)
    return "" if found is None else " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


def test_each_application_shows_why_it_is_there(
    browser: httpx.Client, local: MemoramLocal, application: Application, user: User
) -> None:
    app = application.registered
    assert "No application knows you." in text_of(browser.get(APPLICATIONS))
    tokens_of(browser, local, app, user)
    assert card(browser, app.id).startswith("Trip Planner Signed in to It cannot read your memories.")
    request_id = application.ask(user.memory_key)
    assert card(browser, app.id).startswith("Trip Planner Asks for access")
    local.approve(request_id)
    assert card(browser, app.id).startswith("Trip Planner Has access It has your encryption key")
    local.revoke(request_id)
    assert card(browser, app.id).startswith("Trip Planner Had access It can reach nothing here any more.")


def test_a_rejected_application_never_had_access(
    browser: httpx.Client, local: MemoramLocal, application: Application, user: User
) -> None:
    local.reject(application.ask(user.memory_key))

    assert card(browser, application.registered.id).startswith("Trip Planner Was rejected")


@pytest.mark.parametrize("where", ["application", "request"])
def test_revoking_ends_every_access_and_says_what_it_ended(
    browser: httpx.Client, local: MemoramLocal, memories: Memories, user: User, where: str
) -> None:
    app = memories.application.registered
    second = memories.application.ask(user.memory_key, "To plan other trips")
    local.approve(second)
    tokens = tokens_of(browser, local, app, user)
    blob_id = memories.create()
    path = f"{APPLICATIONS}/{app.id}" if where == "application" else f"/dashboard/requests/{second}"
    answer = browser.post(f"{path}/revoke")

    assert word_of(browser, answer) == (
        "Trip Planner is locked out: 2 approved requests are revoked, "
        "and your sign-in is undone, with its tokens."
    )
    assert memories.get(blob_id).status_code == 403
    for request_id in (memories.request_id, second):
        assert memories.http.get(f"/access-requests/{request_id}/credentials").status_code == 403
    assert not can_refresh(browser, app, tokens)
    assert "Had access" in card(browser, app.id)
    again = browser.post(f"{APPLICATIONS}/{app.id}/revoke")
    assert word_of(browser, again) == "Trip Planner had no access."


def test_undoing_a_sign_in_ends_its_tokens_and_leaves_access(
    browser: httpx.Client, local: MemoramLocal, memories: Memories, user: User
) -> None:
    app = memories.application.registered
    tokens = tokens_of(browser, local, app, user)
    assert "Undo the sign-in" in card(browser, app.id)
    answer = browser.post(f"{APPLICATIONS}/{app.id}/undo-sign-in")

    assert word_of(browser, answer) == "Your sign-in to Trip Planner is undone, and its tokens have ended."
    assert not can_refresh(browser, app, tokens)
    assert memories.http.get(f"/access-requests/{memories.request_id}/credentials").status_code == 200
    assert "Undo the sign-in" not in card(browser, app.id)


@pytest.mark.parametrize("form", ["revoke", "undo-sign-in"])
def test_nobody_ends_what_is_another_users(
    http: httpx.Client, memories: Memories, stranger: User, form: str
) -> None:
    app_id = memories.application.registered.id
    sign_in(http, stranger)

    assert card(http, app_id) == ""
    assert http.post(f"{APPLICATIONS}/{app_id}/{form}").status_code == 404
    assert memories.http.get(f"/access-requests/{memories.request_id}/credentials").status_code == 200
