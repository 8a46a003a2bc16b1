"""Names that deceive: refused, shown apart from what is around, and marked when another one has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memoram_local import RegistrationError
from tests.local.web.conftest import shown, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from memoram_local import MemoramLocal, RegisteredApp, User
    from tests.local.conftest import Application, Memories

DECEPTIVE = ["Trip\u202eRennalP", "Trip\u200bPlanner", "Trip\nPlanner", "\u2066Trip", "Trip\x00", "\ufeff"]
MARK = "Another application has this name"


@pytest.mark.parametrize("name", DECEPTIVE)
def test_a_name_with_characters_that_nobody_sees_is_refused(
    browser: httpx.Client, local: MemoramLocal, name: str
) -> None:
    page = browser.post("/portal/apps", data={"name": name})

    assert page.status_code == 400
    assert "The name holds a character that nobody can see: U+" in shown(page, "problem")
    with pytest.raises(RegistrationError, match="nobody can see"):
        local.register_app(name=name)


@pytest.mark.parametrize("reason", DECEPTIVE)
def test_so_is_a_reason(application: Application, user: User, reason: str) -> None:
    body = {"memoryKey": user.memory_key, "reason": reason}
    answer = application.http.post("/access-requests", json=body)

    assert answer.status_code == 400
    assert "reason holds a character that nobody can see: U+" in answer.json()["error"]["message"]


def test_what_memories_hold_is_stored_as_it_is_and_shown_without_deceit(
    browser: httpx.Client, memories: Memories
) -> None:
    text = "seats\u202etxet\u200b"
    blob_id = memories.create(title=text, summary=text, tags=[text], source=text)

    assert memories.get(blob_id).json()["title"] == text
    for path in ("/dashboard/memories", f"/dashboard/memories/{blob_id}", "/dashboard/activity"):
        page = browser.get(path).text
        assert "<bdi>seats\ufffdtxet\ufffd</bdi>" in page
        assert "\u202e" not in page
        assert "\u200b" not in page


def test_names_and_reasons_keep_their_direction_to_themselves(
    browser: httpx.Client,
    local: MemoramLocal,
    user: User,
    application_of: Callable[[RegisteredApp], Application],
) -> None:
    app = local.register_app(name="مخطط (1", redirect_uris=["http://localhost/cb"])
    application_of(app).ask(user.memory_key, "خطط")
    query = {"response_type": "code", "client_id": app.client_id, "redirect_uri": "http://localhost/cb"}

    for path in ("/dashboard", "/dashboard/applications"):
        assert "<bdi>مخطط (1</bdi>" in browser.get(path).text
    assert "<bdi>خطط</bdi>" in browser.get("/dashboard").text
    assert (
        "<h1><bdi>مخطط (1</bdi> would like to know you</h1>"
        in browser.get("/oauth/authorize", params=query).text
    )


@pytest.mark.parametrize("name", ["Trip Planner", "TRIP  planner", "\uff34rip Planner"])
def test_a_name_that_another_application_has_is_marked_wherever_users_decide(
    browser: httpx.Client,
    local: MemoramLocal,
    user: User,
    application: Application,
    application_of: Callable[[RegisteredApp], Application],
    name: str,
) -> None:
    application.ask(user.memory_key)
    query = {
        "response_type": "code",
        "client_id": application.registered.client_id,
        "redirect_uri": application.registered.redirect_uris[0],
    }

    def marks() -> list[int]:
        consent = browser.get("/oauth/authorize", params=query)
        pages = [browser.get(path) for path in ("/dashboard", "/dashboard/applications")]
        return [text_of(page).count(MARK) for page in (*pages, consent)]

    assert marks() == [0, 0, 0]
    other = local.register_app(name=name)
    application_of(other).ask(user.memory_key)
    # Both of them: nobody but the user knows which one was meant. Their ids tell them apart.
    assert marks() == [2, 2, 1]
    assert other.id in browser.get("/dashboard").text
    local.delete_app(other.id)
    assert marks() == [0, 0, 0]


def test_developers_see_the_mark_too(browser: httpx.Client, app: RegisteredApp) -> None:
    page = browser.get(browser.post("/portal/apps", data={"name": app.name}).headers["location"])

    assert page.status_code == 200
    assert MARK in text_of(browser.get("/portal"))
