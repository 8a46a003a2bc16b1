"""Decrypting in the browser, with a key that the script asks for and no page holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from memoram_local import MemoramLocal
from tests.browser.conftest import PASSWORD, confirm, encrypted, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Request

    from tests.browser.conftest import Platform

pytestmark = pytest.mark.service("chromium")

DECRYPT = "Decrypt this page"
KEEP = "Keep the key in this tab until I sign out"
# The header of another field of a memory, encoded; its typ is memoram-envelope+jwe.
HEADER_OF_ANOTHER_FIELD = (
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiMSIsInR5cCI6Im1lbW9yYW0tZW52ZWxvcGUrandlIn0"
)


def remember(platform: Platform, *contents: str) -> None:
    platform.be_let_in()
    for content in contents:
        platform.remember(encrypted(content, platform.user.encryption_key), title=content)


def test_one_button_decrypts_the_page_and_no_request_or_page_carries_the_key(
    signed_in: Page, context: BrowserContext, platform: Platform
) -> None:
    remember(platform, "First", "Second")
    sent: list[str] = []
    pages: list[str] = []

    def note(request: Request) -> None:
        sent.append(f"{request.method} {request.url} {request.all_headers()} {request.post_data}")
        answer = request.response()
        if answer is not None and "html" in answer.headers.get("content-type", ""):
            pages.append(answer.text())

    context.on("requestfinished", note)
    signed_in.goto("/dashboard/memories")
    signed_in.get_by_label(KEEP).check()
    confirm(signed_in, DECRYPT)
    expect(signed_in.get_by_text("2 of 2 decrypted")).to_be_visible()
    signed_in.get_by_role("link", name="Second").click()
    expect(signed_in.locator(".plain")).to_have_text("Second")
    signed_in.goto("/dashboard/key")
    signed_in.get_by_role("button", name="Show my key").click()
    expect(signed_in.get_by_text(platform.user.encryption_key)).to_be_visible()

    assert len(sent) > 8
    assert len(pages) == 3
    assert not [line for line in sent + pages if platform.user.encryption_key[:16] in line.lower()]
    assert not [cookie for cookie in context.cookies() if platform.user.encryption_key in str(cookie).lower()]


def test_memories_are_shown_as_the_text_that_they_are(signed_in: Page, platform: Platform) -> None:
    content = "<img src=x onerror=alert(1)>\n  日本語 🧳 \ufeff&amp;"
    remember(platform, content)
    signed_in.goto("/dashboard/memories")
    confirm(signed_in, DECRYPT)
    expect(signed_in.get_by_text("1 of 1 decrypted")).to_be_visible()

    assert signed_in.locator(".plain").evaluate("place => place.textContent") == content


def test_memories_of_several_versions_and_forms(signed_in: Page, platform: Platform) -> None:
    platform.be_let_in()
    first = platform.user.encryption_key
    token = encrypted("Intact", first)
    platform.local.rotate_key(platform.user.id)
    request_id = platform.local.access_requests()[0].id
    second = platform.http.get(f"/access-requests/{request_id}/credentials").json()["encryption_key"]
    contents = {
        "old": token,
        "new": encrypted("Of the new version", second, version=2),
        "other": encrypted("Of another key", "ff" * 32),
        "later": encrypted("Of a version to come", "ff" * 32, version=3),
        "short": encrypted("Of a shorter key", "ff" * 16, enc="A128GCM"),
        "changed": token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
        "plain": "nobody encrypted this",
        "envelope": token.replace(token.split(".")[0], HEADER_OF_ANOTHER_FIELD),
    }
    for title, content in contents.items():
        platform.remember(content, title=title)
    signed_in.goto("/dashboard/memories")
    expect(signed_in.get_by_text("Not in a known encrypted form")).to_have_count(1)
    confirm(signed_in, DECRYPT)
    expect(signed_in.get_by_text("2 of 8 decrypted")).to_be_visible()

    def shown(title: str) -> str:
        article = signed_in.get_by_role("article").filter(has=signed_in.get_by_role("link", name=title))
        return article.locator(".plain").inner_text()

    assert shown("old") == "Intact"
    assert shown("new") == "Of the new version"
    assert "No version of your key opens it. It says key version 1" in shown("other")
    assert "key version 3, which this tab does not have" in shown("later")
    assert "needs a key of 32 digits" in shown("short")
    assert "encrypted with another key, or changed" in shown("changed")
    assert "not encrypted in a form known here" in shown("plain")
    assert "memoram-envelope+jwe, not the content of a memory" in shown("envelope")


def test_a_wrong_password_decrypts_nothing(signed_in: Page, platform: Platform) -> None:
    remember(platform, "Hello")
    signed_in.goto("/dashboard/memories")
    for password, why in (
        ("", "Type your password to go on."),
        ("wrong password", "That is not your password."),
    ):
        signed_in.get_by_label("Your password").fill(password)
        signed_in.get_by_role("button", name=DECRYPT).click()
        expect(signed_in.get_by_text(why)).to_be_visible()
        expect(signed_in.get_by_label("Your password")).to_be_focused()

    expect(signed_in.locator(".plain")).to_be_hidden()


def test_a_key_is_kept_for_a_tab_only_when_asked_to_and_forgotten_when_told_to(
    signed_in: Page, context: BrowserContext, platform: Platform
) -> None:
    remember(platform, "Hello")
    opened = signed_in.get_by_text("1 of 1 decrypted")
    signed_in.goto("/dashboard/memories")
    confirm(signed_in, DECRYPT)
    expect(opened).to_be_visible()
    signed_in.reload()
    # The password was typed in this tab a moment ago: the button is enough.
    expect(signed_in.get_by_label("Your password")).to_be_hidden()
    expect(opened).to_be_hidden()
    signed_in.get_by_label(KEEP).check()
    signed_in.get_by_role("button", name=DECRYPT).click()
    expect(opened).to_be_visible()
    signed_in.reload()
    expect(opened).to_be_visible()
    other = context.new_page()
    other.goto("/dashboard/memories")
    expect(other.get_by_label("Your password")).to_be_visible()
    expect(other.get_by_text("1 of 1 decrypted")).to_be_hidden()

    signed_in.get_by_role("button", name="Forget the key").click()
    expect(signed_in.get_by_text("The key is forgotten.")).to_be_visible()
    expect(signed_in.locator(".plain")).to_be_hidden()
    signed_in.reload()
    expect(signed_in.get_by_role("button", name=DECRYPT)).to_be_visible()
    expect(opened).to_be_hidden()


def keep_key(page: Page) -> None:
    page.goto("/dashboard/memories")
    page.get_by_label(KEEP).check()
    confirm(page, DECRYPT)
    expect(page.get_by_text("1 of 1 decrypted")).to_be_visible()


def test_signing_out_in_one_tab_hides_and_forgets_in_the_others(
    signed_in: Page, context: BrowserContext, platform: Platform
) -> None:
    remember(platform, "Hello")
    keep_key(signed_in)
    other = context.new_page()
    other.goto("/dashboard/memories")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_text("You are signed out.")).to_be_visible()

    expect(signed_in.get_by_text("what was decrypted is hidden again")).to_be_visible()
    expect(signed_in.locator(".plain")).to_be_hidden()
    assert "Hello" not in signed_in.locator(".plain").evaluate("place => place.textContent")
    assert signed_in.evaluate("sessionStorage.getItem('memoram-kept-keys')") is None


def test_a_kept_key_is_worth_nothing_in_the_next_session(signed_in: Page, platform: Platform) -> None:
    remember(platform, "Hello")
    keep_key(signed_in)
    kept = signed_in.evaluate("sessionStorage.getItem('memoram-kept-keys')")
    assert platform.user.encryption_key not in kept
    # As after the session ran out, or was ended from another browser: nothing told this tab.
    signed_in.context.clear_cookies()
    sign_in(signed_in, platform.user.email)
    assert signed_in.evaluate("sessionStorage.getItem('memoram-kept-keys')") == kept
    signed_in.goto("/dashboard/memories")
    expect(signed_in.get_by_role("button", name=DECRYPT)).to_be_visible()

    expect(signed_in.locator(".plain")).to_be_hidden()
    signed_in.wait_for_function("sessionStorage.getItem('memoram-kept-keys') === null")


def test_a_session_that_ended_elsewhere_hides_what_a_tab_shows_once_one_looks_at_it(
    signed_in: Page, platform: Platform
) -> None:
    remember(platform, "Hello")
    keep_key(signed_in)
    with httpx.Client(base_url=platform.server.url, trust_env=False) as elsewhere:
        elsewhere.post("/signin", data={"email": platform.user.email, "password": PASSWORD})
        elsewhere.post("/dashboard/account/sign-out-others")
    signed_in.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(signed_in.get_by_text("what was decrypted is hidden again")).to_be_visible()
    expect(signed_in.locator(".plain")).to_be_hidden()


def test_a_page_says_when_the_platform_is_gone(chromium: Browser) -> None:
    with MemoramLocal(password_profile="fast") as local, chromium.new_context() as context:
        user = local.create_user(email="ada@example.test", password=PASSWORD)
        page = context.new_page()
        with local.serve() as server:
            sign_in(page, user.email, at=server.url)
            page.goto(f"{server.url}/dashboard/key")
        confirm(page, "Show my key")

        expect(page.get_by_text("The platform does not answer.")).to_be_visible()
