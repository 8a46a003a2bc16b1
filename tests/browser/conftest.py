"""A real Chromium, and a platform with people around it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import httpx
import pytest
from joserfc import jwe
from joserfc.jwk import OctKey

from memoram_local import MemoramLocal
from memoram_local.process.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page
    from starlette.types import Receive, Scope, Send

    from memoram_local import LocalServer, RegisteredApp, User

PASSWORD = "correct horse battery"
Scheme = Literal["light", "dark"]

PHONE, DESKTOP = (390, 844), (1280, 900)
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

_HAS_PLAYWRIGHT = find_spec("playwright") is not None
# In CI they are collected, and fail, so that it cannot lose them.
collect_ignore_glob = [] if _HAS_PLAYWRIGHT or os.environ.get("CI") == "true" else ["test_*.py"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say why there are no tests."""
    if collect_ignore_glob:
        terminalreporter.write_line(
            "left out the browser tests: Playwright's Python package is not installed"
        )


@dataclass(frozen=True)
class Guise:
    """How a page is looked at."""

    size: tuple[int, int]
    scheme: Scheme
    scripts: bool = True

    def __str__(self) -> str:
        width = "phone" if self.size == PHONE else "desktop"
        return f"{width}-{self.scheme}-{'scripts' if self.scripts else 'no scripts'}"


@dataclass
class Platform:
    """A platform that is served, and what its pages were seen to do."""

    local: MemoramLocal
    server: LocalServer
    app: RegisteredApp
    user: User
    http: httpx.Client
    complaints: list[str] = field(default_factory=list[str])

    def ask(
        self, reason: str = "Remembers your travel preferences", *, app: RegisteredApp | None = None
    ) -> str:
        self.authorize(app or self.app)
        answer = self.http.post(
            "/access-requests", json={"memoryKey": self.user.memory_key, "reason": reason}
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def authorize(self, app: RegisteredApp) -> None:
        token = self.http.post("/auth/token", json={"api_key": app.api_key}).json()["token"]
        self.http.headers["authorization"] = f"Bearer {token}"

    def sign_in_to(self, app: RegisteredApp) -> None:
        (uri,) = app.redirect_uris
        code = self.local.authorize(user_id=self.user.id, client_id=app.client_id, redirect_uri=uri)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": uri}
        answer = httpx.post(
            f"{self.server.url}/oauth/token",
            data=form,
            auth=(app.client_id, app.client_secret),
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text

    def be_let_in(self) -> str:
        request_id = self.ask()
        self.local.approve(request_id)
        return request_id

    def remember(self, content: str, **members: object) -> str:
        body = {"user_id": self.user.id, "memoryKey": self.user.memory_key, "content": content, **members}
        answer = self.http.post("/memory-blobs", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Not for longer than a module: while it is open, this thread counts as one that runs an event loop.
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - not installed everywhere

    # What is waited for comes at once; machines that do much else at the same time need patience.
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.fixture
def platform() -> Iterator[Platform]:
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Trip Planner", redirect_uris=["http://localhost:1/back"])
        user = local.create_user(email="ada@example.test", password=PASSWORD)
        with httpx.Client(base_url=server.api_url, trust_env=False) as http:
            yield Platform(local, server, app, user, http)


@pytest.fixture
def guise() -> Guise:
    """Tests that look in several ways parametrize it."""
    return Guise(DESKTOP, "light")


@pytest.fixture
def context(chromium: Browser, platform: Platform, guise: Guise) -> Iterator[BrowserContext]:
    """A fresh browser profile; after the test, nothing must have gone wrong in it or left this machine."""
    width, height = guise.size
    with chromium.new_context(
        base_url=platform.server.url,
        viewport={"width": width, "height": height},
        color_scheme=guise.scheme,
        java_script_enabled=guise.scripts,
        locale="en-GB",
    ) as context:
        context.set_default_timeout(20_000)
        context.on("console", lambda message: _note(platform, message.type, message.text))
        context.on("weberror", lambda error: platform.complaints.append(str(error.error)))
        yield context
    assert platform.complaints == []


def _note(platform: Platform, kind: str, text: str) -> None:
    # A refusal is an answer like any other; what the page does with it is what tests look at.
    is_refusal = text.startswith("Failed to load resource: the server responded with a status of 4")
    if kind in {"error", "warning"} and not is_refusal:
        platform.complaints.append(text)


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def signed_in(page: Page, platform: Platform) -> Page:
    """A page on the dashboard of a user who signed in before."""
    url = platform.server.url
    form = {"email": platform.user.email, "password": PASSWORD}
    with httpx.Client(trust_env=False) as http:
        http.post(f"{url}/signin", data=form)
        ((name, session),) = http.cookies.items()
    page.context.add_cookies([{"name": name, "value": session, "url": url}])
    page.goto("/dashboard")
    return page


def encrypted(content: str, key: str, *, enc: str = "A256GCM", version: int = 1) -> str:
    """A content as applications store it, by another library than the SDK's own code."""
    header = {"alg": "dir", "enc": enc, "kid": str(version), "typ": "memoram-content+jwe"}
    secret = OctKey.import_key(bytes.fromhex(key))
    return jwe.encrypt_compact(header, content.encode(), secret, algorithms=["dir", enc])


def confirm(page: Page, button: str) -> None:
    """Type the password where a form asks for it again, and press its button."""
    form = page.locator("form").filter(has=page.get_by_role("button", name=button, exact=True))
    form.get_by_label("Your password").fill(PASSWORD)
    form.get_by_role("button", name=button, exact=True).click()


def sign_in(page: Page, email: str, *, at: str = "") -> None:
    page.goto(f"{at}/signin")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


@pytest.fixture
def elsewhere() -> Iterator[Callable[[str], str]]:
    """Serves a page of another origin, and gives its address."""
    content = ""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content.encode()})

    def put(html: str) -> str:
        nonlocal content
        content = f'<!doctype html><link rel="icon" href="data:,">{html}'
        return f"{server.url}/"

    with serving(app, host="127.0.0.1", port=0) as server:
        yield put
