"""Every page looked at by axe-core, in light and dark, wide and narrow; and used with the keyboard alone."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Guise, confirm, encrypted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.browser.conftest import Platform

pytestmark = pytest.mark.service("chromium")

AXE = Path(__file__).parent / "axe-core" / "axe.min.js"
LOOK = """() => axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    resultTypes: ["violations"],
})"""


def test_axe_is_the_one_that_was_vendored() -> None:
    said = re.search(r"SHA-256: `(\w+)`", (AXE.parent / "VENDORED.md").read_text())
    assert said is not None
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == said[1]


def pages_of_strangers(page: Page, platform: Platform) -> Iterator[str]:
    for path in ("/", "/signin", "/signup", "/nowhere"):
        page.goto(path)
        yield path
    page.goto("/signin")
    page.get_by_label("Email address").fill("nobody@example.test")
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "/signin, refused"
    page.get_by_label("Email address").fill(platform.user.email)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


def pages_of_users(page: Page, platform: Platform) -> Iterator[str]:
    for path in ("/dashboard", "/dashboard/applications", "/dashboard/memories", "/dashboard/activity"):
        page.goto(path)
        yield f"{path}, empty"
    platform.be_let_in()
    memories = [
        platform.remember(encrypted(f"Memory {n}", platform.user.encryption_key), title=f"T{n}", tags=["a"])
        for n in (1, 2)
    ]
    # Rejected last: an application that was rejected may not ask again for a while.
    for decide in (platform.local.revoke, None, platform.local.reject):
        request_id = platform.ask("A reason that is not short at all. " * 7)
        if decide == platform.local.revoke:
            platform.local.approve(request_id)
        if decide is not None:
            decide(request_id)
    page.goto("/dashboard")
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    yield "/dashboard"
    page.goto("/dashboard/memories?tag=a")
    page.get_by_role("button", name="Decrypt this page").click()
    expect(page.get_by_text("Type your password to go on.")).to_be_visible()
    yield "/dashboard/memories, no password"
    confirm(page, "Decrypt this page")
    expect(page.get_by_text("2 of 2 decrypted")).to_be_visible()
    yield "/dashboard/memories, decrypted"
    page.goto(f"/dashboard/memories/{memories[0]}")
    page.get_by_role("button", name="Decrypt this page").click()
    expect(page.get_by_text("1 of 1 decrypted")).to_be_visible()
    for summary in page.locator("summary").all():
        summary.click()
    yield "/dashboard/memories/one"
    page.goto("/dashboard/activity")
    yield "/dashboard/activity"
    platform.sign_in_to(platform.app)
    platform.local.register_app(name=platform.app.name)
    page.goto("/dashboard/applications")
    for summary in page.locator("summary").all():
        summary.click()
    yield "/dashboard/applications"
    page.goto("/dashboard/key")
    yield "/dashboard/key"
    platform.local.rotate_key(platform.user.id)
    page.get_by_role("button", name="Show my key").click()
    expect(page.get_by_text("Version 2, encrypts new memories")).to_be_visible()
    page.get_by_text("Replace my key").click()
    yield "/dashboard/key, shown"
    page.goto("/dashboard/account")
    for summary in page.locator("summary").all():
        summary.click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "/dashboard/account, refused"
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(page.get_by_text("No other browser was signed in.")).to_be_visible()
    yield "/dashboard/account, with a word"
    parameters = {
        "response_type": "code",
        "client_id": platform.app.client_id,
        "redirect_uri": platform.app.redirect_uris[0],
    }
    page.goto(f"/oauth/authorize?{httpx.QueryParams(parameters)}")
    page.get_by_text("Technical details").click()
    yield "/oauth/authorize"


def pages_of_developers(page: Page, platform: Platform) -> Iterator[str]:
    page.goto("/portal")
    yield "/portal, empty"
    page.get_by_label("Name").fill("A name of one hundred characters".ljust(100, "x"))
    page.get_by_label("Redirect URIs").fill("http://localhost:3000/" + "long" * 40)
    page.get_by_role("button", name="Register").click()
    api_key = page.locator("#api-key").inner_text()
    yield "/portal/apps, registered"
    platform.http.post("/auth/token", json={"api_key": api_key})
    page.get_by_role("link", name="Go on to").click()
    for summary in page.locator("summary").all():
        summary.click()
    yield "/portal/apps/one"
    page.get_by_role("button", name="Create a key").click()
    yield "/portal/apps/one/keys"
    page.get_by_role("link", name="Back to").click()
    page.get_by_role("link", name="All calls").click()
    yield "/portal/apps/one/calls"
    page.go_back()
    page.get_by_text("Replace the client secret").click()
    page.get_by_role("button", name="Replace it").click()
    yield "/portal/apps/one/client-secret"
    page.goto("/portal")
    yield "/portal"
    page.get_by_role("link", name="Memory API").click()
    yield "/portal/memory-api, empty"
    page.get_by_label("Name").fill("Planner")
    page.get_by_role("button", name="Open it").click()
    key = page.locator("#memory-api-key").inner_text()
    yield "/portal/memory-api/one/secrets"
    for number in range(21):
        body = {"text": f"Memory {number} " + "with a long_word" * 20}
        httpx.post(
            f"{platform.server.url}/v1/memories", json=body, headers={"x-api-key": key}, trust_env=False
        )
    page.get_by_role("link", name="Go on to the organization").click()
    for summary in page.locator("summary").all():
        summary.click()
    yield "/portal/memory-api/one"
    page.get_by_role("button", name="Revoke it for good").click()
    expect(page.get_by_text("The key is revoked")).to_be_visible()
    yield "/portal/memory-api/one, with a word"
    page.get_by_role("button", name="Create a key").click()
    yield "/portal/memory-api/one/keys, refused"
    page.goto("/portal/memory-api")
    page.get_by_label("One of its admin keys").fill(key)
    page.get_by_role("button", name="Show it here").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "/portal/memory-api, refused"


@pytest.mark.parametrize("guise", [Guise(DESKTOP, "light"), Guise(PHONE, "dark")], ids=str)
def test_axe_finds_no_fault_on_any_page_and_none_is_wider_than_the_screen(
    page: Page, platform: Platform, guise: Guise
) -> None:
    source = AXE.read_text(encoding="utf-8")
    faults: list[str] = []
    seen = 0
    for pages in (pages_of_strangers, pages_of_users, pages_of_developers):
        for name in pages(page, platform):
            seen += 1
            page.evaluate(source)
            found: dict[str, Any] = page.evaluate(LOOK)
            faults += [
                f"{name}: {fault['id']} ({fault['impact']}): {node['html']}: {node['failureSummary']}"
                for fault in found["violations"]
                for node in fault["nodes"]
            ]
            width: int = page.evaluate("document.documentElement.scrollWidth")
            if width > guise.size[0]:
                faults.append(f"{name} is {width} pixels wide")

    assert not faults, "\n\n".join(faults)
    assert seen == 33


@pytest.mark.parametrize("guise", [Guise((320, 600), "light")], ids=["320 pixels"])
def test_nothing_needs_sideways_scrolling_at_the_width_of_wcag(page: Page, platform: Platform) -> None:
    too_wide: list[str] = []
    for pages in (pages_of_strangers, pages_of_users, pages_of_developers):
        for name in pages(page, platform):
            width: int = page.evaluate("document.documentElement.scrollWidth")
            if width > 320:
                too_wide.append(f"{name}: {width}")

    assert too_wide == []


def test_a_request_is_decided_with_the_keyboard_alone(signed_in: Page, platform: Platform) -> None:
    request_id = platform.ask()
    expect(signed_in.get_by_text("One application waits")).to_be_visible()
    signed_in.goto("/dashboard")
    reached: list[str] = []

    def press_tab() -> str:
        signed_in.keyboard.press("Tab")
        focused = signed_in.evaluate_handle("document.activeElement").as_element()
        assert focused is not None
        # Whoever uses the keyboard must see where they are.
        assert focused.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
        name: str = focused.evaluate("element => element.ariaLabel ?? element.textContent.trim()")
        return name

    while not reached or not reached[-1].startswith("Approve"):
        reached.append(press_tab())
        assert len(reached) < 20, reached
    assert reached[0] == "Skip to the content"
    assert reached[-1] == "Approve Trip Planner"
    signed_in.keyboard.press("Enter")
    expect(signed_in.locator(f"#request-{request_id}").get_by_text("Has access")).to_be_visible()

    # The button is gone, and focus is where it was, not at the page's start.
    expect(signed_in.locator(f"#request-{request_id}")).to_be_focused()
    assert press_tab() == "Revoke access of Trip Planner"
    signed_in.keyboard.press("Enter")
    assert press_tab() == "Revoke Trip Planner"
    signed_in.keyboard.press("Enter")
    expect(signed_in.locator(f"#request-{request_id}").get_by_text("Revoked").first).to_be_visible()


def test_the_skip_link_leads_past_the_navigation(signed_in: Page) -> None:
    signed_in.keyboard.press("Tab")
    signed_in.keyboard.press("Enter")
    signed_in.keyboard.press("Tab")

    expect(signed_in.get_by_role("navigation", name="Dashboard").get_by_role("link").first).to_be_focused()


@pytest.mark.parametrize("guise", [Guise(DESKTOP, "light"), Guise(DESKTOP, "dark")], ids=str)
def test_pages_follow_the_colours_of_the_system(page: Page, guise: Guise) -> None:
    page.goto("/")
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    lightness = sum(map(int, re.findall(r"\d+", colour)[:3])) / 3

    assert lightness > 200 if guise.scheme == "light" else lightness < 60


def test_a_key_is_copied(signed_in: Page, platform: Platform) -> None:
    signed_in.context.grant_permissions(["clipboard-read", "clipboard-write"])
    signed_in.get_by_role("button", name="Copy").click()
    expect(signed_in.get_by_role("button", name="Copied")).to_be_visible()

    assert signed_in.evaluate("navigator.clipboard.readText()") == platform.user.memory_key
