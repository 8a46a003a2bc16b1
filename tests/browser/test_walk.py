"""All that people do on the pages, from the first visit on, in every guise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, Guise, Scheme, confirm, encrypted

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from playwright.sync_api import Page

    from tests.browser.conftest import Platform

pytestmark = pytest.mark.service("chromium")

SCHEMES: tuple[Scheme, ...] = ("light", "dark")
GUISES = [
    Guise(size, scheme, scripts)
    for size, scheme, scripts in product((DESKTOP, PHONE), SCHEMES, (True, False))
]


def sign_up(page: Page, email: str) -> None:
    page.get_by_role("link", name="Create one").click()
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()


@dataclass(frozen=True)
class Registered:
    """What a developer copied from the page."""

    api_key: str
    client_id: str
    client_secret: str
    redirect_uri: str


def register(page: Page, redirect_uri: str) -> Registered:
    page.goto("/")
    page.get_by_role("link", name="Open the portal").click()
    sign_up(page, "dev@example.test")
    expect(page.get_by_text("None yet.")).to_be_visible()
    page.get_by_label("Name").fill("Diary")
    page.get_by_label("Redirect URIs").fill(redirect_uri)
    page.get_by_role("button", name="Register").click()
    api_key, client_id, client_secret = (
        page.locator(f"#{name}").inner_text() for name in ("api-key", "client-id", "client-secret")
    )
    page.get_by_role("button", name="Sign out").click()
    return Registered(api_key, client_id, client_secret, redirect_uri)


def consent(page: Page, app: Registered, api: httpx.Client, token_endpoint: str) -> str:
    """The memory key that the application gets."""
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "state": "s",
    }
    page.goto(f"/oauth/authorize?{urlencode(query)}")
    sign_up(page, "eve@example.test")
    expect(page.get_by_role("heading", level=1)).to_have_text("Diary would like to know you")
    expect(page.get_by_text("You are signed in as eve@example.test.")).to_be_visible()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Back at the application")
    came_back = parse_qs(urlsplit(page.url).query)
    assert came_back["state"] == ["s"]
    form = {
        "grant_type": "authorization_code",
        "code": came_back["code"][0],
        "redirect_uri": app.redirect_uri,
    }
    tokens = api.post(token_endpoint, data=form, auth=(app.client_id, app.client_secret)).json()
    return str(tokens["memory_key"])


def decide(page: Page, guise: Guise, api: httpx.Client, memory_key: str) -> str:
    """Let one request in and another one not; the id of the first."""
    page.goto("/dashboard")
    assert page.locator("#memory-key").inner_text() == memory_key
    expect(page.get_by_text("Nobody has asked yet.")).to_be_visible()
    wanted, unwanted = (
        api.post("/access-requests", json={"memoryKey": memory_key, "reason": reason}).json()["id"]
        for reason in ("Remembers what you write", "Remembers everything")
    )
    if not guise.scripts:
        page.reload()
    expect(page.get_by_text("2 applications wait for your decision.")).to_be_visible()
    article = page.locator(f"#request-{wanted}")
    expect(article.get_by_text("Remembers what you write")).to_be_visible()
    article.get_by_role("button", name="Approve Diary").click()
    expect(article.get_by_text("Has access")).to_be_visible()
    expect(page.get_by_text("Diary has access now.")).to_be_visible()
    refused = page.locator(f"#request-{unwanted}")
    refused.get_by_role("button", name="Reject Diary").click()
    expect(refused.get_by_text("Rejected").first).to_be_visible()
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    return str(wanted)


def look_and_delete(page: Page, guise: Guise, content: str) -> None:
    page.get_by_role("navigation", name="Dashboard").get_by_role("link", name="Memories").click()
    page.get_by_role("link", name="travel & trips").click()
    if guise.scripts:
        confirm(page, "Decrypt this page")
        expect(page.get_by_text(content)).to_be_visible()
    else:
        expect(page.get_by_text("needs JavaScript")).to_be_visible()
        expect(page.get_by_role("button", name="Decrypt this page")).to_be_hidden()
    page.get_by_role("link", name="Seats").click()
    expect(page.get_by_text("Diary added this memory")).to_be_visible()
    page.get_by_text("Delete this memory").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("The memory is deleted.")).to_be_visible()
    expect(page.get_by_text("Nothing is kept of you yet.")).to_be_visible()


@pytest.mark.parametrize("guise", GUISES, ids=str)
def test_from_registering_to_revoking(
    page: Page, platform: Platform, guise: Guise, elsewhere: Callable[[str], str]
) -> None:
    api = platform.http
    app = register(page, f"{elsewhere('<h1>Back at the application</h1>')}back")
    token = api.post("/auth/token", json={"api_key": app.api_key}).json()["token"]
    api.headers["authorization"] = f"Bearer {token}"
    memory_key = consent(page, app, api, f"{platform.server.url}/oauth/token")
    request_id = decide(page, guise, api, memory_key)
    credentials = api.get(f"/access-requests/{request_id}/credentials").json()
    content = "Prefers window seats ✈"
    body = {
        "user_id": credentials["user_id"],
        "memoryKey": memory_key,
        "content": encrypted(content, credentials["encryption_key"]),
        "title": "Seats",
        "tags": ["travel & trips"],
    }
    assert api.post("/memory-blobs", json=body).status_code == 201
    look_and_delete(page, guise, content)

    page.get_by_role("link", name="Activity").click()
    expect(page.get_by_text("You deleted a memory that is gone")).to_be_visible()
    expect(page.get_by_text("Diary was given your encryption key")).to_be_visible()
    page.get_by_role("link", name="Requests").click()
    article = page.locator(f"#request-{request_id}")
    article.get_by_text("Revoke access").click()
    article.get_by_role("button", name="Revoke Diary").click()
    expect(article.get_by_text("Revoked").first).to_be_visible()
    expect(page.locator("#word")).to_have_text(
        "Diary is locked out: the approved request is revoked, and your sign-in is undone, with its tokens."
    )
    assert api.get(f"/access-requests/{request_id}/credentials").status_code == 403


@pytest.mark.parametrize("guise", GUISES, ids=str)
def test_from_the_list_of_applications_to_deleting_the_account(
    signed_in: Page, platform: Platform, guise: Guise
) -> None:
    page, places = signed_in, signed_in.get_by_role("navigation", name="Dashboard")
    platform.be_let_in()
    platform.sign_in_to(platform.app)
    places.get_by_role("link", name="Applications").click()
    application = page.locator(f"#application-{platform.app.id}")
    expect(application.get_by_text("Has access")).to_be_visible()
    application.get_by_text("Undo the sign-in").click()
    application.get_by_role("button", name="Undo Trip Planner").click()
    expect(page.get_by_text("Your sign-in to Trip Planner is undone")).to_be_visible()
    application.get_by_text("Revoke all access").click()
    application.get_by_role("button", name="Revoke Trip Planner").click()
    expect(page.get_by_text("Trip Planner is locked out: the approved request is revoked.")).to_be_visible()
    expect(application.get_by_text("Had access")).to_be_visible()

    places.get_by_role("link", name="My key").click()
    page.get_by_text("Replace my key").click()
    confirm(page, "Replace it")
    expect(page.get_by_text("Your key is replaced.")).to_be_visible()
    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(page.get_by_text("No other browser was signed in.")).to_be_visible()
    page.get_by_text(f"Delete {platform.user.email}").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("alert")).to_have_text("Type your password to go on.")
    confirm(page, "Delete for good")
    expect(page.get_by_text("Your account is deleted, with everything that was in it.")).to_be_visible()
    page.goto("/dashboard")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_developer_rolls_a_key(page: Page, platform: Platform) -> None:
    page.goto("/portal")
    sign_up(page, "dev@example.test")
    page.get_by_label("Name").fill("Diary")
    page.get_by_role("button", name="Register").click()
    old = page.locator("#api-key").inner_text()
    page.get_by_role("link", name="Go on to Diary").click()
    page.get_by_role("button", name="Create a key").click()
    new = page.locator("#api-key").inner_text()

    def works(key: str) -> bool:
        return platform.http.post("/auth/token", json={"api_key": key}).status_code == 200

    assert works(old)
    assert works(new)
    page.get_by_role("link", name="Back to Diary").click()
    row = page.get_by_role("listitem").filter(has=page.get_by_text(f"{old[:10]}…"))
    row.get_by_text("Revoke").first.click()
    row.get_by_role("button", name="Revoke it for good").click()

    expect(row.get_by_text("Revoked").first).to_be_visible()
    assert not works(old)
    assert works(new)
    expect(page.get_by_text("POST /api/v1/auth/token")).to_have_count(2)


def test_a_developer_deletes_an_application_and_pressing_twice_registers_one(page: Page) -> None:
    page.goto("/portal")
    sign_up(page, "dev@example.test")
    page.get_by_label("Name").fill("Diary")
    page.get_by_role("button", name="Register").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Diary is registered")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Diary is registered")
    page.goto("/portal")
    expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_role("link", name="Diary", exact=True).click()
    page.get_by_text("Delete this application").click()
    confirm(page, "Delete for good")
    expect(page.get_by_text("Diary is deleted, with its keys")).to_be_visible()
    expect(page.get_by_text("None yet.")).to_be_visible()


def test_a_developer_changes_redirect_uris(page: Page) -> None:
    page.goto("/portal")
    sign_up(page, "dev@example.test")
    page.get_by_label("Name").fill("Diary")
    page.get_by_role("button", name="Register").click()
    page.get_by_role("link", name="Go on to Diary").click()
    field = page.get_by_label("Redirect URIs")
    field.fill("nonsense")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("alert")).to_contain_text("not an absolute redirect URI")
    expect(field).to_have_value("nonsense")
    field.fill("http://localhost:3000/a\nhttp://localhost:3000/b")
    page.get_by_role("button", name="Save").click()
    page.goto("/portal")
    expect(page.get_by_text("http://localhost:3000/b")).to_be_visible()
