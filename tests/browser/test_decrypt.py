"""Decrypting in the browser, with a key that stays there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import encrypted

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Request

    from tests.browser.conftest import Platform

pytestmark = pytest.mark.service("chromium")

KEY = "0123456789abcdef" * 4
# The header of another field of a memory, encoded; its typ is memoram-envelope+jwe.
HEADER_OF_ANOTHER_FIELD = (
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiMSIsInR5cCI6Im1lbW9yYW0tZW52ZWxvcGUrandlIn0"
)


def unlock(page: Page, key: str, *, remember: bool = False) -> None:
    page.get_by_label("Encryption key").fill(key)
    page.get_by_label("Keep it until this tab is closed").set_checked(remember)
    page.get_by_role("button", name="Decrypt").click()


def test_no_request_carries_the_key(signed_in: Page, context: BrowserContext, platform: Platform) -> None:
    platform.be_let_in()
    for content in ("First", "Second"):
        platform.remember(encrypted(content, KEY), title=content)
    sent: list[str] = []

    def note(request: Request) -> None:
        sent.append(f"{request.method} {request.url} {request.all_headers()} {request.post_data}")

    context.on("requestfinished", note)
    signed_in.goto("/dashboard/memories")
    unlock(signed_in, KEY.upper(), remember=True)
    expect(signed_in.get_by_text("2 of 2 decrypted")).to_be_visible()
    signed_in.get_by_role("link", name="Second").click()
    expect(signed_in.locator(".plain")).to_have_text("Second")
    signed_in.get_by_text("Delete this memory").click()
    signed_in.get_by_role("button", name="Delete for good").click()
    signed_in.goto("/portal")
    assert signed_in.evaluate("sessionStorage.length") == 1
    signed_in.get_by_role("button", name="Sign out").click()
    signed_in.wait_for_url("**/")

    assert len(sent) > 8
    assert not [line for line in sent if KEY[:16] in line.lower()]
    # Signing out leaves nothing behind.
    assert signed_in.evaluate("sessionStorage.length + localStorage.length") == 0
    assert not [cookie for cookie in context.cookies() if KEY in str(cookie).lower()]


def test_memories_are_shown_as_the_text_that_they_are(signed_in: Page, platform: Platform) -> None:
    platform.be_let_in()
    content = "<img src=x onerror=alert(1)>\n  日本語 🧳 \ufeff&amp;"
    platform.remember(encrypted(content, KEY))
    signed_in.goto("/dashboard/memories")
    unlock(signed_in, KEY)
    expect(signed_in.get_by_text("1 of 1 decrypted")).to_be_visible()

    assert signed_in.locator(".plain").evaluate("place => place.textContent") == content


def test_memories_of_several_keys_and_forms(signed_in: Page, platform: Platform) -> None:
    platform.be_let_in()
    token = encrypted("Intact", KEY)
    contents = {
        "mine": token,
        "other": encrypted("Of another key", "ff" * 32),
        "short": encrypted("Of a shorter key", "ff" * 16, enc="A128GCM"),
        "changed": token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
        "plain": "nobody encrypted this",
        "envelope": token.replace(token.split(".")[0], HEADER_OF_ANOTHER_FIELD),
    }
    for title, content in contents.items():
        platform.remember(content, title=title)
    signed_in.goto("/dashboard/memories")
    expect(signed_in.get_by_text("Not in a known encrypted form")).to_have_count(1)
    unlock(signed_in, KEY)
    expect(signed_in.get_by_text("1 of 6 decrypted")).to_be_visible()

    def shown(title: str) -> str:
        article = signed_in.get_by_role("article").filter(has=signed_in.get_by_role("link", name=title))
        return article.locator(".plain").inner_text()

    assert shown("mine") == "Intact"
    assert "This key does not open it. It was encrypted with key version 1" in shown("other")
    assert "needs a key of 32 digits" in shown("short")
    assert "or the content was changed" in shown("changed")
    assert "not encrypted in a form known here" in shown("plain")
    assert "memoram-envelope+jwe, not the content of a memory" in shown("envelope")
    unlock(signed_in, "ff" * 16)
    expect(signed_in.get_by_text("2 of 6 decrypted")).to_be_visible()
    assert shown("short") == "Of a shorter key"
    assert shown("mine") == "Intact"


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "this has 0 characters"),
        ("xyz", "this has 3 characters"),
        ("0x" + "f" * 64, "this has 66 characters"),
        ("ff" * 24, "cannot use keys of that length"),
    ],
)
def test_what_is_no_key_is_explained(signed_in: Page, platform: Platform, key: str, why: str) -> None:
    platform.be_let_in()
    platform.remember(encrypted("Hello", KEY))
    signed_in.goto("/dashboard/memories")
    unlock(signed_in, key)

    expect(signed_in.get_by_role("alert")).to_contain_text(why)
    expect(signed_in.get_by_label("Encryption key")).to_be_focused()


def test_a_key_is_kept_for_a_tab_only_when_asked_to_and_forgotten_when_told_to(
    signed_in: Page, context: BrowserContext, platform: Platform
) -> None:
    platform.be_let_in()
    platform.remember(encrypted("Hello", KEY))
    opened = signed_in.get_by_text("1 of 1 decrypted")
    signed_in.goto("/dashboard/memories")
    unlock(signed_in, KEY)
    expect(opened).to_be_visible()
    expect(signed_in.get_by_label("Encryption key")).to_have_value("")
    signed_in.reload()
    expect(signed_in.get_by_label("Encryption key")).to_be_visible()
    expect(opened).to_be_hidden()

    unlock(signed_in, KEY, remember=True)
    expect(opened).to_be_visible()
    signed_in.reload()
    expect(opened).to_be_visible()
    other = context.new_page()
    other.goto("/dashboard/memories")
    expect(other.get_by_label("Encryption key")).to_be_visible()
    expect(other.get_by_text("1 of 1 decrypted")).to_be_hidden()

    signed_in.get_by_role("button", name="Forget key").click()
    expect(signed_in.get_by_text("Nothing is remembered any more.")).to_be_visible()
    expect(signed_in.get_by_text("Hello")).to_be_hidden()
    signed_in.reload()
    expect(signed_in.get_by_label("Encryption key")).to_be_visible()
    expect(opened).to_be_hidden()
