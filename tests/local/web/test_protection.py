"""What holds for every page: who may send, what the browser may load, and what is vendored."""

from __future__ import annotations

import hashlib
import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.routing import Mount, Route

import memoram_local.web
from memoram_local.clock import Clock
from memoram_local.hashing import PasswordProfile
from memoram_local.randomness import Randomness
from memoram_local.services.services import assemble
from memoram_local.store.database import Database
from memoram_local.web.assets import Assets
from memoram_local.web.pages import Pages
from memoram_local.web.routes import web_routes

if TYPE_CHECKING:
    import httpx

    from memoram_local import MemoramLocal

# A script asks, and cannot be sent to another page.
FOR_SCRIPTS = "/dashboard/key/versions"
WEB = Path(memoram_local.web.__file__).parent


def unsafe_paths() -> list[str]:
    """The paths of all routes of the pages that change something."""
    assets = Assets()
    with closing(Database(None)) as database:
        services = assemble(
            clock=Clock(),
            randomness=Randomness(),
            database=database,
            passwords=PasswordProfile.named("fast"),
            base_url=None,
        )
        routes = web_routes(services, Pages(assets, services), assets)
    assert not [route for route in routes if isinstance(route, Mount)]
    return sorted(
        re.sub(r"{[^}]+}", "x", route.path)
        for route in routes
        if isinstance(route, Route) and "POST" in (route.methods or ())
    )


def test_there_are_such_paths() -> None:
    paths = unsafe_paths()

    assert len(paths) == 24
    for path in ("/dashboard/requests/x/approve", "/dashboard/memories/x/delete", "/portal/apps/x/keys"):
        assert path in paths


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        # Another port of this machine.
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:1"},
        {"origin": "null"},
    ],
)
def test_no_other_site_can_change_anything(browser: httpx.Client, headers: dict[str, str]) -> None:
    for path in unsafe_paths():
        answer = browser.post(path, headers=headers)
        assert answer.status_code == 403, path
        assert "sent from another site" in answer.text


def test_whoever_is_not_signed_in_changes_nothing(http: httpx.Client) -> None:
    for path in unsafe_paths():
        if path.startswith(("/dashboard", "/portal")):
            answer = http.post(path)
            if path == FOR_SCRIPTS:
                assert answer.status_code == 401
                continue
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/signin?next=")


@pytest.mark.parametrize(
    "headers",
    [
        [("content-type", "text/plain")],
        [("content-type", "application/json")],
        [("content-type", "")],
        [("content-type", "application/x-www-form-urlencodedx")],
        [("content-type", "application/x-www-form-urlencoded"), ("content-type", "text/plain")],
    ],
)
def test_pages_take_forms_alone(browser: httpx.Client, headers: list[tuple[str, str]]) -> None:
    """Not even those that need no field are carried out: the sender thinks that something else is there."""
    for path in unsafe_paths():
        answer = browser.post(path, content=b"a=1", headers=headers)
        assert answer.status_code == 415, path
        assert "Pages take forms alone." in answer.text
    assert browser.get("/dashboard").status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "Multipart/Form-Data; boundary=x", None],
    ids=["urlencoded", "multipart", "no body"],
)
def test_every_kind_of_form_is_taken(browser: httpx.Client, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    body = b"--x--\r\n" if content_type is not None and "boundary" in content_type else b""

    assert browser.post("/signout", content=body, headers=headers).status_code == 303


def test_a_script_that_is_not_signed_in_leads_the_whole_page_to_the_sign_in(http: httpx.Client) -> None:
    answer = http.get("/dashboard", headers={"hx-request": "true"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["hx-redirect"] == "/signin?next=%2Fdashboard"


def test_signing_out_lets_the_browser_forget_what_it_kept(browser: httpx.Client) -> None:
    assert browser.post("/signout").headers["clear-site-data"] == '"storage"'


def test_signing_in_leads_back_to_where_one_was(http: httpx.Client) -> None:
    answer = http.get("/dashboard/memories?tag=a%20b&before=1-mem_0")

    assert answer.headers["location"] == (
        "/signin?next=%2Fdashboard%2Fmemories%3Ftag%3Da%2520b%26before%3D1-mem_0"
    )


@pytest.mark.parametrize(
    "path",
    ["/dashboard", "/dashboard/memories", "/dashboard/activity", "/dashboard/memories/x", "/portal", "/"],
)
def test_every_page_has_a_strict_policy_and_keeps_to_it(browser: httpx.Client, path: str) -> None:
    page = browser.get(path)

    assert page.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )
    assert page.headers["cross-origin-opener-policy"] == "same-origin"
    assert not re.search(
        r"<script(?![^>]* src=)|<style|\bstyle=|\bon[a-z]+=|javascript:|hx-on|js:", page.text
    )
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert address.startswith(("/", "#")), address


def test_the_consent_page_loads_no_script(browser: httpx.Client, local: MemoramLocal) -> None:
    uri = "https://app.example:8443/back"
    app = local.register_app(name="App", redirect_uris=[uri])
    query = {"response_type": "code", "client_id": app.client_id, "redirect_uri": uri}
    page = browser.get("/oauth/authorize", params=query)

    assert "<script" not in page.text
    assert "<strong>app.example:8443</strong>" in page.text


def test_what_pages_load_is_kept_for_a_year_under_a_name_of_its_content(browser: httpx.Client) -> None:
    page = browser.get("/dashboard").text
    addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)

    assert len(addresses) == 5
    for address in addresses:
        answer = browser.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        name, _, version = address.partition("?v=")
        assert hashlib.sha256(answer.content).hexdigest().startswith(version)
        for other in (name, f"{name}?v=older"):
            assert browser.get(other).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/static/", "/static/nothing.js", "/static/../pages.py", "/static/%2e%2e/pages.py"]
)
def test_nothing_else_is_served_beside_them(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404
    assert http.get("/static/vendor/VENDORED.md").status_code == 404


def test_vendored_files_are_what_their_record_says() -> None:
    vendor = WEB / "static" / "vendor"
    record = (vendor / "VENDORED.md").read_text()
    said = dict(re.findall(r"\| `([\w.-]+\.js)` \| `[^`]+` \| `(\w{64})` \|", record))

    assert said == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in vendor.glob("*.js")}
    for name in said:
        assert any(f"vendor/{name}" in page.read_text() for page in (WEB / "templates").glob("*.html"))
