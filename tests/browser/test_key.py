"""The page of a user's encryption key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, Guise, confirm

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Platform

pytestmark = pytest.mark.service("chromium")

SHOW = "Show my key"


def test_every_version_is_shown_and_copied_after_the_password(signed_in: Page, platform: Platform) -> None:
    signed_in.context.grant_permissions(["clipboard-read", "clipboard-write"])
    platform.local.rotate_key(platform.user.id)
    signed_in.goto("/dashboard/key")
    assert platform.user.encryption_key not in signed_in.content()
    confirm(signed_in, SHOW)
    rows = signed_in.get_by_role("list", name="Versions of your key").get_by_role("listitem")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Version 2, encrypts new memories")
    expect(rows.last).to_contain_text(platform.user.encryption_key)
    rows.last.get_by_role("button", name="Copy").click()
    expect(rows.last.get_by_role("button", name="Copied")).to_be_visible()

    assert signed_in.evaluate("navigator.clipboard.readText()") == platform.user.encryption_key


def test_the_key_is_hidden_when_told_to_and_when_the_page_is_left(
    signed_in: Page, platform: Platform
) -> None:
    key = signed_in.get_by_text(platform.user.encryption_key)
    signed_in.goto("/dashboard/key")
    confirm(signed_in, SHOW)
    expect(key).to_be_visible()
    signed_in.get_by_role("button", name="Hide").click()
    expect(key).to_be_hidden()
    expect(signed_in.get_by_role("button", name=SHOW)).to_be_focused()
    signed_in.get_by_role("button", name=SHOW).click()
    expect(key).to_be_visible()
    signed_in.goto("/dashboard")
    signed_in.go_back()

    expect(signed_in.get_by_role("button", name=SHOW)).to_be_visible()
    expect(key).to_be_hidden()


@pytest.mark.parametrize("guise", [Guise(DESKTOP, "light", scripts=False)], ids=str)
def test_without_scripts_the_page_says_what_is_missing_and_the_rest_works(
    page: Page, platform: Platform, signed_in: Page
) -> None:
    page.goto("/dashboard/key")
    expect(page.get_by_text("Showing the key needs JavaScript")).to_be_visible()
    expect(page.get_by_role("button", name=SHOW)).to_be_hidden()
    page.get_by_text("Replace my key").click()
    confirm(page, "Replace it")

    expect(page.get_by_text("Your key is replaced. The new one is version 2.")).to_be_visible()


def test_replacing_asks_for_the_password_once_in_a_while(signed_in: Page) -> None:
    signed_in.goto("/dashboard/key")
    signed_in.get_by_text("Replace my key").click()
    signed_in.get_by_role("button", name="Replace it").click()
    expect(signed_in.get_by_role("alert")).to_have_text("Type your password to go on.")
    confirm(signed_in, "Replace it")
    expect(signed_in.get_by_text("The new one is version 2.")).to_be_visible()
    signed_in.get_by_text("Replace my key").click()
    expect(signed_in.get_by_label("Your password")).to_have_count(2)
    for field in signed_in.get_by_label("Your password").all():
        expect(field).to_be_hidden()
    signed_in.get_by_role("button", name="Replace it").click()

    expect(signed_in.get_by_text("The new one is version 3.")).to_be_visible()
