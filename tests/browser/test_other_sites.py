"""What pages of other sites can do with a signed-in user's browser: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.conftest import Platform

pytestmark = pytest.mark.service("chromium")


def test_a_form_of_another_origin_decides_nothing(
    signed_in: Page, platform: Platform, elsewhere: Callable[[str], str]
) -> None:
    request_id = platform.ask()
    target = f"{platform.server.url}/dashboard/requests/{request_id}/approve"
    # Another port of this machine counts as the same site, so the cookie is sent along: the origin tells.
    signed_in.goto(elsewhere(f'<form method="post" action="{target}"><button>Win a prize</button></form>'))
    signed_in.get_by_role("button").click()

    expect(signed_in.get_by_role("alert")).to_have_text("This form was sent from another site.")
    (request,) = platform.local.access_requests()
    assert request.status == "pending"


def test_a_script_of_another_origin_decides_and_reads_nothing(
    signed_in: Page, platform: Platform, elsewhere: Callable[[str], str]
) -> None:
    request_id = platform.ask()
    signed_in.goto(elsewhere("<h1>Elsewhere</h1>"))
    outcomes = signed_in.evaluate(
        """async ([origin, id]) => {
            const tries = [
                fetch(`${origin}/dashboard`, {credentials: "include"}),
                fetch(`${origin}/dashboard/requests/${id}/approve`, {method: "POST", credentials: "include"}),
                fetch(`${origin}/api/v1/tags`),
            ];
            return (await Promise.allSettled(tries)).map((each) => each.status);
        }""",
        [platform.server.url, request_id],
    )
    platform.complaints.clear()

    assert outcomes == ["rejected"] * 3
    (request,) = platform.local.access_requests()
    assert request.status == "pending"


def test_no_page_can_be_framed(signed_in: Page, platform: Platform, elsewhere: Callable[[str], str]) -> None:
    signed_in.goto(elsewhere(f'<iframe src="{platform.server.url}/dashboard"></iframe>'))
    frame = signed_in.frames[1]
    platform.complaints.clear()

    assert "memory-key" not in frame.content()
