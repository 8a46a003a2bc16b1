"""The FastAPI example in a real browser: somebody links an account, approves, keeps notes, takes it back."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD
from tests.examples.served_app import served

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.service("chromium")


def test_a_visitor_becomes_a_user_and_leaves_again(chromium: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as example, chromium.new_context(locale="en-GB") as context:
        complaints: list[str] = []
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.set_default_timeout(20_000)
        page = context.new_page()
        account = example.local.create_user(email="ada@example.test", password=PASSWORD)
        says, go = page.get_by_role("status"), page.get_by_role("link", name="Go there")

        page.goto(example.url)
        expect(says).to_contain_text("Sign in first.")
        expect(go).to_be_hidden()
        page.get_by_label("Name").fill("ada")
        page.get_by_role("button", name="Sign in").click()
        expect(says).to_contain_text("The user has to link an account first")

        go.click()
        page.get_by_label("Email address").fill(account.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Notes would like to know you")).to_be_visible()
        page.get_by_role("button", name="Allow").click()
        expect(says).to_contain_text("The user has to decide first")

        go.click()
        page.wait_for_url("**/dashboard")
        expect(page.get_by_text("Keeps your notes").first).to_be_visible()
        page.get_by_role("button", name="Approve Notes").click()
        page.goto(example.url)
        expect(says).to_contain_text("These are your notes.")
        page.get_by_label("Note").fill("Prefers <b>window</b> seats")
        page.get_by_role("button", name="Keep").click()
        expect(page.locator("#notes")).to_have_text("Prefers <b>window</b> seats")

        page.goto(f"{example.server.url}/dashboard")
        page.get_by_text("Revoke access").click()
        page.get_by_role("button", name="Revoke Notes").click()
        expect(page.get_by_text("Revoked").first).to_be_visible()
        page.goto(example.url)
        expect(says).to_contain_text("The user took the access back")
        expect(page.locator("#notes")).to_be_empty()
        assert complaints == []


def test_what_one_browser_began_links_nothing_in_another(chromium: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as example, ExitStack() as stack:
        pages: dict[str, Page] = {}
        for name in ("mallory", "bob"):
            context = stack.enter_context(chromium.new_context(locale="en-GB"))
            context.set_default_timeout(20_000)
            pages[name] = page = context.new_page()
            page.goto(example.url)
            page.get_by_label("Name").fill(name)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("status")).to_contain_text("The user has to link an account first")
        account = example.local.create_user(email="bob@example.test", password=PASSWORD)

        pages["mallory"].get_by_role("link", name="Go there").click()
        expect(pages["mallory"].get_by_label("Email address")).to_be_visible()
        begun, bob = pages["mallory"].url, pages["bob"]
        bob.goto(begun)  # which Mallory sent
        bob.get_by_label("Email address").fill(account.email)
        bob.get_by_label("Password").fill(PASSWORD)
        bob.get_by_role("button", name="Sign in").click()
        with bob.expect_response("**/memoram/callback?*") as answered:
            bob.get_by_role("button", name="Allow").click()
        assert answered.value.status == 400
        assert "another user" in answered.value.text()

        for page in pages.values():
            page.goto(example.url)
            expect(page.get_by_role("status")).to_contain_text("The user has to link an account first")
        assert example.local.access_requests(user_id=account.id) == []
