"""Takes the screenshots of the README, or with --all of every page in every guise, to look at.

Needs Playwright's Python package and a Chromium on the PATH:

    python tools/screenshots.py
    python tools/screenshots.py --all --out /tmp/pages
"""

from __future__ import annotations

import argparse
import shutil
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import httpx
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from playwright.sync_api import sync_playwright

from memoram_async.crypto.base64url import encode
from memoram_local import Clock, MemoramLocal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from memoram_local import LocalServer, RegisteredApp, User

ROOT = Path(__file__).parents[1]
PASSWORD = "correct horse battery"  # noqa: S105 - of a platform that lives for a minute
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
Scheme = Literal["light", "dark"]
ALL_GUISES: list[tuple[str, Scheme]] = [
    ("desktop", "light"),
    ("desktop", "dark"),
    ("phone", "light"),
    ("phone", "dark"),
]

MEMORIES = [
    (
        "Seats",
        "Where to sit",
        "Prefers window seats, and aisle seats on flights over four hours.",
        ["travel"],
    ),
    ("Food", "What not to order", "Allergic to peanuts. Vegetarian since 2019.", ["food", "health"]),
    ("Hotels", None, "Quiet rooms, away from the lift.", ["travel"]),
]


@dataclass(frozen=True)
class Stage:
    """A platform on which something has happened."""

    local: MemoramLocal
    server: LocalServer
    user: User
    app: RegisteredApp
    blob_id: str


def encrypted(content: str, key: str) -> str:
    """A memory's content as applications store it."""
    header = encode(b'{"alg":"dir","enc":"A256GCM","kid":"1","typ":"memoram-content+jwe"}')
    iv = bytes(range(12))
    sealed = AESGCM(bytes.fromhex(key)).encrypt(iv, content.encode(), header.encode())
    return f"{header}..{encode(iv)}.{encode(sealed[:-16])}.{encode(sealed[-16:])}"


def stage(stack: ExitStack) -> Stage:
    """Let a developer, a user and three applications do what they do."""
    clock = Clock(start=datetime(2026, 11, 20, 9, 30, tzinfo=UTC), running=False)
    local = stack.enter_context(MemoramLocal(clock=clock, seed="screenshots", password_profile="fast"))  # noqa: S106
    server = stack.enter_context(local.serve())
    user = local.create_user(email="ada@example.com", password=PASSWORD)
    with httpx.Client(base_url=server.url, trust_env=False, follow_redirects=True) as developer:
        developer.post("/signin", data={"email": user.email, "password": PASSWORD})
        page = developer.post(
            "/portal/apps", data={"name": "Trip Planner", "redirect_uris": "http://localhost:8000/back"}
        )
        api_key = page.text.split('id="api-key">')[1].split("<")[0]
    app = local.register_app(name="Diary", redirect_uris=["https://diary.example/signed-in"])
    others = [local.register_app(name=name).api_key for name in ("Recipe Box", "Fitness Coach")]
    reasons = [
        "Remembers your travel preferences",
        "Suggests what you like to cook",
        "Keeps your goals in mind",
    ]
    request_ids: list[str] = []
    blob_id = ""
    with httpx.Client(base_url=server.api_url, trust_env=False) as http:
        for key, reason in zip((api_key, *others), reasons, strict=True):
            clock.advance(3600)
            token = http.post("/auth/token", json={"api_key": key}).json()["token"]
            http.headers["authorization"] = f"Bearer {token}"
            asked = http.post(
                "/access-requests", json={"memoryKey": user.memory_key, "reason": reason}
            ).json()
            request_ids.append(asked["id"])
            if key == api_key:
                clock.advance(300)
                local.approve(asked["id"])
                http.get(f"/access-requests/{asked['id']}/credentials")
                blob_id = _remember(http, user, clock)
    local.reject(request_ids[2])
    _sign_in_to(app, local, server, user)
    clock.advance(1800)
    local.rotate_key(user.id)
    return Stage(local, server, user, app, blob_id)


def _sign_in_to(app: RegisteredApp, local: MemoramLocal, server: LocalServer, user: User) -> None:
    (uri,) = app.redirect_uris
    form = {
        "grant_type": "authorization_code",
        "redirect_uri": uri,
        "code": local.authorize(user_id=user.id, client_id=app.client_id, redirect_uri=uri),
    }
    auth = (app.client_id, app.client_secret)
    httpx.post(f"{server.url}/oauth/token", data=form, auth=auth, trust_env=False)


def _remember(http: httpx.Client, user: User, clock: Clock) -> str:
    blob_id = ""
    for title, summary, content, tags in MEMORIES:
        clock.advance(60)
        members = {
            "user_id": user.id,
            "memoryKey": user.memory_key,
            "content": encrypted(content, user.encryption_key),
            "title": title,
            "summary": summary,
            "tags": tags,
            "importance": 0.8,
            "source": "chat",
        }
        blob_id = http.post("/memory-blobs", json=members).json()["id"]
    clock.advance(900)
    for _ in range(3):
        http.get(f"/memory-blobs/{blob_id}", params={"user_id": user.id})
    http.get("/memory-blobs", params={"user_id": user.id, "tags": "travel"})
    return str(blob_id)


def open_page(browser: Browser, set_up: Stage, *, size: str, scheme: Scheme) -> Page:
    """A page of a signed-in user."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        base_url=set_up.server.url,
        timezone_id="UTC",
        locale="en-GB",
    )
    page = context.new_page()
    page.goto("/signin?next=/")
    page.get_by_label("Email address").fill(set_up.user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    return page


def consent(set_up: Stage) -> str:
    """The address that an application sends a user to."""
    parameters = httpx.QueryParams(
        response_type="code",
        client_id=set_up.app.client_id,
        redirect_uri=set_up.app.redirect_uris[0],
        state="x",
    )
    return f"/oauth/authorize?{parameters}"


def confirm(page: Page, button: str) -> None:
    """Type the password where a form asks for it, and press its button."""
    form = page.locator("form").filter(has=page.get_by_role("button", name=button, exact=True))
    form.get_by_label("Your password").fill(PASSWORD)
    form.get_by_role("button", name=button, exact=True).click()


def readme_pages(page: Page, set_up: Stage) -> Iterator[str]:
    """Bring up each page of the README and name it."""
    page.goto("/dashboard")
    yield "dashboard"
    page.goto("/dashboard/applications")
    yield "applications"
    page.goto(consent(set_up))
    yield "consent"
    page.goto("/dashboard/key")
    confirm(page, "Show my key")
    page.get_by_text("Version 2, encrypts").wait_for()
    yield "key"
    page.goto("/portal")
    page.get_by_role("link", name="Trip Planner", exact=True).click()
    yield "portal"


def all_pages(page: Page, set_up: Stage) -> Iterator[str]:
    """Bring up every page and name it."""
    yield from readme_pages(page, set_up)
    page.get_by_role("link", name="All calls").click()
    yield "calls"
    page.goto("/portal")
    yield "apps"
    page.get_by_label("Name").fill("Another")
    page.get_by_role("button", name="Register").click()
    yield "registered"
    page.evaluate("sessionStorage.clear()")
    page.goto("/dashboard/memories")
    yield "memories-locked"
    confirm(page, "Decrypt this page")
    page.get_by_text("3 of 3 decrypted").wait_for()
    yield "memories"
    page.goto(f"/dashboard/memories/{set_up.blob_id}")
    page.get_by_role("button", name="Decrypt this page").click()
    page.get_by_text("1 of 1 decrypted").wait_for()
    page.get_by_text("The content as it is stored").click()
    page.get_by_text("Delete this memory").click()
    yield "memory"
    page.goto("/dashboard/activity")
    yield "activity"
    page.goto("/dashboard/account")
    page.get_by_text("Delete ada").click()
    page.get_by_role("button", name="Delete for good").click()
    yield "account"
    yield from memory_api_pages(page, set_up)
    page.goto("/dashboard/applications")
    page.get_by_label("Revoke all access of").click()
    yield "applications-revoking"
    page.get_by_role("button", name="Revoke Trip Planner").click()
    yield "applications-revoked"
    page.goto("/")
    yield "home"
    page.get_by_role("button", name="Sign out").click()
    page.goto("/signup")
    page.get_by_label("Password").focus()
    yield "signup"
    page.goto("/nowhere")
    yield "error"


def memory_api_pages(page: Page, set_up: Stage) -> Iterator[str]:
    """The pages of the second service."""
    page.goto("/portal/memory-api")
    yield "memory-api-empty"
    page.get_by_label("Name").fill("Planner")
    page.get_by_role("button", name="Open it").click()
    key = page.locator("#memory-api-key").inner_text()
    yield "memory-api-key"
    for _, _, text, _ in MEMORIES:
        httpx.post(
            f"{set_up.server.url}/v1/memories",
            json={"text": text},
            headers={"x-api-key": key},
            trust_env=False,
        )
    page.get_by_role("link", name="Go on to the organization").click()
    page.locator("summary").first.click()
    yield "memory-api-organization"
    page.get_by_role("button", name="Revoke it for good").click()
    yield "memory-api-revoked"
    page.goto("/portal/memory-api")
    yield "memory-api"


def main() -> int:
    """Take them."""
    parser = argparse.ArgumentParser(description="Take screenshots of the pages.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--all", action="store_true", help="every page, at both sizes, light and dark")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("There is no Chromium on the PATH.", file=sys.stderr)
        return 1
    arguments.out.mkdir(parents=True, exist_ok=True)
    guises = ALL_GUISES if arguments.all else ALL_GUISES[:1]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for size, scheme in guises:
            with ExitStack() as stack:
                set_up = stage(stack)
                page = open_page(browser, set_up, size=size, scheme=scheme)
                for name in (all_pages if arguments.all else readme_pages)(page, set_up):
                    file = f"{name}-{size}-{scheme}.png" if arguments.all else f"{name}.png"
                    page.screenshot(path=arguments.out / file, full_page=arguments.all)
                    print(arguments.out / file)
                page.context.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
