"""The pages of the second service: organizations, keys and memories, each for its own account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memoram_local.web.handover import HANDOVER_SECONDS
from tests.local.web.conftest import after, shown, sign_in, text_of, word_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from memoram_local import Clock, LocalServer, MemoramLocal, User

PATH = "/portal/memory-api"


def opened(browser: httpx.Client) -> tuple[str, str]:
    """An organization that was opened on the page: its address and first key."""
    page = after(browser, browser.post(PATH, data={"name": "Planner"}))
    key = shown(page, "memory-api-key")
    (address,) = {
        part.split('"')[0] for part in page.text.split('href="')[1:] if part.startswith(f"{PATH}/org_")
    }
    return address, key


def test_an_organization_is_opened_and_its_key_is_shown_once(browser: httpx.Client) -> None:
    address, key = opened(browser)

    assert browser.get("/v1/account", headers={"x-api-key": key}).json()["data"]["name"] == "Planner"
    assert "Planner" in text_of(browser.get(PATH))
    page = browser.get(address)
    assert key not in page.text
    assert key[:14] in page.text


def test_its_memories_are_listed_by_environment_and_in_pages(browser: httpx.Client) -> None:
    address, key = opened(browser)
    for number in range(21):
        browser.post("/v1/memories", json={"text": f"<b>seat {number:02}"}, headers={"x-api-key": key})

    first, second = text_of(browser.get(address)), text_of(browser.get(f"{address}?page=2"))

    assert "Memories, live: 21" in first
    assert "<b>seat 20" in first
    assert "seat 00" in second
    assert "seat 01" not in second
    assert "There are none here." in text_of(browser.get(f"{address}?environment=test&page=x"))


def test_keys_are_made_and_revoked(browser: httpx.Client) -> None:
    address, first = opened(browser)

    form = {"name": "R", "environment": "test", "scope-read": "1"}
    page = after(browser, browser.post(f"{address}/keys", data=form))
    key = shown(page, "memory-api-key")
    keys = browser.get("/v1/account/api-keys", headers={"x-api-key": first}).json()["data"]

    assert (keys[1]["name"], keys[1]["environment"], keys[1]["scopes"]) == ("R", "test", ["read"])
    answer = browser.post(f"{address}/keys/{keys[1]['id']}/revoke")
    assert word_of(browser, answer) == "The key is revoked: it is good for nothing now."
    assert browser.get("/v1/account", headers={"x-api-key": key}).status_code == 401
    assert "Revoked" in text_of(browser.get(address))


@pytest.mark.parametrize(
    "fields", [{}, {"environment": "test"}, {"environment": "x", "scope-read": "1"}, {"scope-read": "1"}]
)
def test_a_key_needs_an_environment_and_a_scope(browser: httpx.Client, fields: dict[str, str]) -> None:
    address, _ = opened(browser)

    assert browser.post(f"{address}/keys", data=fields).status_code == 400


def test_loading_the_page_again_opens_and_makes_nothing_again(
    browser: httpx.Client, stranger: User, user: User, clock: Clock
) -> None:
    answer = browser.post(PATH, data={"name": "Planner"})
    page, again = after(browser, answer), after(browser, answer)

    assert shown(page, "memory-api-key") == shown(again, "memory-api-key")
    assert browser.get(PATH).text.count("<article") == 1
    sign_in(browser, stranger)
    assert browser.get(answer.headers["location"]).status_code == 410
    sign_in(browser, user)
    clock.advance(HANDOVER_SECONDS)
    gone = browser.get(answer.headers["location"])
    assert gone.status_code == 410
    assert "no longer shown" in text_of(gone)


@pytest.mark.parametrize("name", ["Plan\u200bner", "Planner\u202e", "Plan\tner"])
def test_a_name_with_a_character_that_nobody_can_see_is_refused(browser: httpx.Client, name: str) -> None:
    address, _ = opened(browser)
    form = {"name": name, "environment": "test", "scope-read": "1"}

    for answer in (browser.post(PATH, data={"name": name}), browser.post(f"{address}/keys", data=form)):
        assert answer.status_code == 400
        assert "nobody can see" in answer.text


def test_names_that_came_through_the_api_deceive_nobody(browser: httpx.Client, local: MemoramLocal) -> None:
    issued = local.memory_api.sign_up(name="Plan\u202ener")
    address = browser.post(f"{PATH}/link", data={"key": issued.key}).headers["location"]
    browser.post("/v1/memories", json={"text": "left\u202eright"}, headers={"x-api-key": issued.key})

    page = browser.get(address).text

    assert "\u202e" not in page
    assert page.count("<bdi>") >= 3


@pytest.mark.parametrize("name", ["", " ", "x" * 201])
def test_an_organization_needs_a_name(browser: httpx.Client, name: str) -> None:
    assert browser.post(PATH, data={"name": name}).status_code == 400


def test_an_organization_of_the_api_is_linked_by_an_admin_key(
    browser: httpx.Client, local: MemoramLocal
) -> None:
    issued = local.memory_api.sign_up(name="Elsewhere")
    reader = local.memory_api.issue_key(issued.org_id, scopes=["read"])

    for wrong in ("", "mem_live_none00000", reader.key):
        assert browser.post(f"{PATH}/link", data={"key": wrong}).status_code == 400
    assert "Elsewhere" not in text_of(browser.get(PATH))

    linked = browser.post(f"{PATH}/link", data={"key": issued.key})
    assert word_of(browser, linked) == "Elsewhere is shown here from now on."
    assert "Elsewhere" in text_of(browser.get(PATH))


def test_nobody_sees_the_organization_of_another(
    browser: httpx.Client, stranger: User, client_for: Callable[[str], httpx.Client], server: LocalServer
) -> None:
    address, key = opened(browser)
    other = client_for(server.url)
    assert other.get(address).status_code == 303
    sign_in(other, stranger)

    assert other.get(address).status_code == 404
    assert other.post(f"{address}/keys", data={"environment": "live", "scope-read": "1"}).status_code == 404
    assert other.post(f"{address}/keys/key_1/revoke").status_code == 404
    assert "Planner" not in text_of(other.get(PATH))
    assert browser.get("/v1/account", headers={"x-api-key": key}).status_code == 200
