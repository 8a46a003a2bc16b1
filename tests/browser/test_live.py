"""What changes by itself while a dashboard is open."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from memoram_local import MemoramLocal
from tests.browser.conftest import PASSWORD, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from memoram_local import User
    from tests.browser.conftest import Platform

pytestmark = pytest.mark.service("chromium")


def asked(local: MemoramLocal, user: User) -> str:
    """A request of Trip Planner's."""
    app = local.register_app(name="Trip Planner")
    with local.serve() as server, httpx.Client(base_url=server.api_url, trust_env=False) as http:
        token = http.post("/auth/token", json={"api_key": app.api_key}).json()["token"]
        body = {"memoryKey": user.memory_key, "reason": "To plan trips"}
        answer = http.post("/access-requests", json=body, headers={"authorization": f"Bearer {token}"})
    return str(answer.json()["id"])


def test_requests_and_decisions_appear_in_all_tabs(
    signed_in: Page, context: BrowserContext, platform: Platform
) -> None:
    other = context.new_page()
    other.goto("/dashboard")
    request_id = platform.ask()

    for tab in (signed_in, other):
        expect(tab.get_by_text("One application waits for your decision.")).to_be_visible()
    signed_in.get_by_role("button", name="Approve Trip Planner").click()
    for tab in (signed_in, other):
        expect(tab.locator(f"#request-{request_id}").get_by_text("Has access")).to_be_visible()
    platform.local.revoke(request_id)
    for tab in (signed_in, other):
        expect(tab.locator(f"#request-{request_id}").get_by_text("Revoked").first).to_be_visible()


def test_what_happens_while_the_server_is_away_is_caught_up_with(chromium: Browser) -> None:
    with MemoramLocal(password_profile="fast") as local, chromium.new_context() as context:
        user = local.create_user(email="ada@example.test", password=PASSWORD)
        app = local.register_app(name="Trip Planner")
        page = context.new_page()
        with local.serve() as first:
            page.goto(first.url)
            sign_in(page, user.email, at=first.url)
        with local.serve() as unseen, httpx.Client(base_url=unseen.api_url, trust_env=False) as http:
            token = http.post("/auth/token", json={"api_key": app.api_key}).json()["token"]
            body = {"memoryKey": user.memory_key, "reason": "To plan trips"}
            http.post("/access-requests", json=body, headers={"authorization": f"Bearer {token}"})
        with local.serve(port=first.port):
            expect(page.get_by_text("One application waits for your decision.")).to_be_visible()


def test_a_dashboard_says_that_the_platform_is_gone_and_goes_on_when_it_is_back(chromium: Browser) -> None:
    with MemoramLocal(password_profile="fast") as local, chromium.new_context() as context:
        user = local.create_user(email="ada@example.test", password=PASSWORD)
        request_id = asked(local, user)
        page = context.new_page()
        with local.serve() as first:
            sign_in(page, user.email, at=first.url)
            expect(page.get_by_text("One application waits for your decision.")).to_be_visible()
        gone = page.get_by_text("The platform does not answer.")
        expect(gone).to_be_visible()
        page.get_by_role("button", name="Approve Trip Planner").click()
        expect(page.get_by_text("Your decision did not arrive.")).to_be_visible()
        with local.serve(port=first.port):
            expect(gone).to_be_hidden()
            page.get_by_role("button", name="Approve Trip Planner").click()
            expect(page.locator(f"#request-{request_id}").get_by_text("Has access")).to_be_visible()


def test_a_decision_that_came_too_late_is_explained_where_it_was_made(
    signed_in: Page, platform: Platform
) -> None:
    request_id = platform.ask()
    signed_in.route("**/dashboard/events*", lambda route: route.fulfill(status=204))
    signed_in.goto("/dashboard")
    platform.local.reject(request_id)
    signed_in.get_by_role("button", name="Approve Trip Planner").click()

    expect(signed_in.get_by_role("alert")).to_have_text(
        "An access request that is rejected cannot be approved."
    )
    expect(signed_in.locator(f"#request-{request_id}").get_by_text("Rejected").first).to_be_visible()


def test_whoever_signed_out_in_another_tab_is_asked_to_sign_in(
    signed_in: Page, context: BrowserContext, platform: Platform
) -> None:
    platform.ask()
    expect(signed_in.get_by_role("button", name="Approve Trip Planner")).to_be_visible()
    context.clear_cookies()
    signed_in.get_by_role("button", name="Approve Trip Planner").click()

    expect(signed_in).to_have_url(f"{platform.server.url}/signin?next=%2Fdashboard")


def test_the_server_stops_within_a_second_while_dashboards_are_open(chromium: Browser) -> None:
    with MemoramLocal(password_profile="fast") as local:
        user = local.create_user(email="ada@example.test", password=PASSWORD)
        with local.serve() as server:
            context = chromium.new_context(base_url=server.url)
            for _ in range(3):
                page = context.new_page()
                if page is context.pages[0]:
                    sign_in(page, user.email)
                with page.expect_response("**/dashboard/events*"):
                    page.goto("/dashboard")
            stopping = time.monotonic()
        took = time.monotonic() - stopping
        context.close()

    assert took < 1
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, trust_env=False)


def test_clicking_twice_approves_and_does_not_revoke(signed_in: Page, platform: Platform) -> None:
    request_id = platform.ask()
    signed_in.get_by_role("button", name="Approve Trip Planner").dblclick()

    expect(signed_in.locator(f"#request-{request_id}").get_by_text("Has access")).to_be_visible()
    (request,) = platform.local.access_requests()
    assert request.status == "approved"
