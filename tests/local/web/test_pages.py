"""The pages, as people and simple HTTP clients use them: plain forms."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from tests.local.web.conftest import after, session_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from memoram_local import Clock, LocalServer, MemoramLocal, RegisteredApp, User
    from tests.local.conftest import Application

PASSWORD = "correct horse"


def shown(page: httpx.Response, element_id: str) -> str:
    """The text of an element."""
    found = re.search(rf'id="{element_id}"[^>]*>([^<]*)<', page.text)
    assert found is not None, page.text
    return unescape(found[1])


def sign_in(http: httpx.Client, user: User) -> None:
    answer = http.post("/signin", data={"email": user.email, "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")


def test_a_developer_registers_an_application_that_works(
    http: httpx.Client, application_of: Callable[[RegisteredApp], Application], server: LocalServer
) -> None:
    asked = http.get("/portal")
    assert asked.headers["location"] == "/signin?next=%2Fportal"
    signed_up = http.post(
        "/signup", data={"email": "Dev@Example.test", "password": PASSWORD, "next": "/portal"}
    )
    assert (signed_up.status_code, signed_up.headers["location"]) == (303, "/portal")
    assert "None yet." in http.get("/portal").text

    form = {"name": " Planner <b> ", "redirect_uris": "http://localhost:3000/cb\r\ncom.example:/cb\r\n"}
    page = after(http, http.post("/portal/apps", data=form))

    assert page.status_code == 200
    api_key = shown(page, "api-key")
    assert re.fullmatch(r"mem_[0-9a-f]{48}", api_key)
    assert f"export MEMORAM_API_KEY={api_key}" in page.text
    assert f"export MEMORAM_BASE_URL={server.api_url}" in page.text
    assert "Planner &lt;b&gt;" in page.text
    assert http.post("/api/v1/auth/token", json={"api_key": api_key}).status_code == 200

    portal = http.get("/portal").text
    assert "com.example:/cb" in portal
    assert shown(page, "client-id") in portal
    for secret in (api_key, shown(page, "client-secret")):
        assert secret not in portal


@pytest.fixture
def user(local: MemoramLocal) -> User:
    return local.create_user(email="ada@example.test", password=PASSWORD)


def test_developers_see_their_own_applications_only(
    http: httpx.Client, local: MemoramLocal, user: User
) -> None:
    local.register_app(name="Of nobody")
    sign_in(http, user)

    assert "Of nobody" not in http.get("/portal").text


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "redirect_uris": ""},
        {"name": "x" * 101, "redirect_uris": ""},
        {"name": "App", "redirect_uris": "/relative"},
        {"name": "App", "redirect_uris": "https://app.example/#fragment"},
        {"name": "App", "redirect_uris": "javascript:alert(1)"},
        {"name": "App", "redirect_uris": "http://"},
        {"name": "App", "redirect_uris": "https://app.example/ü"},
        {"name": "App", "redirect_uris": "http://[oops/"},
    ],
)
def test_an_application_that_cannot_be_registered_is_explained(
    http: httpx.Client, user: User, fields: dict[str, str]
) -> None:
    sign_in(http, user)

    page = http.post("/portal/apps", data=fields)

    assert page.status_code == 400
    assert shown(page, "problem")


def test_a_user_approves_and_revokes(http: httpx.Client, application: Application, user: User) -> None:
    request_id = application.ask(user.memory_key, "To <plan> trips")
    sign_in(http, user)
    page = http.get("/dashboard")
    assert shown(page, "memory-key") == user.memory_key
    assert "Trip Planner" in page.text
    assert "To &lt;plan&gt; trips" in page.text
    assert "17 May 2030, 12:00 UTC" in page.text
    assert user.encryption_key not in page.text

    for decision, status in (("approve", "approved"), ("revoke", "revoked")):
        assert f'action="/dashboard/requests/{request_id}/{decision}"' in http.get("/dashboard").text
        answer = http.post(f"/dashboard/requests/{request_id}/{decision}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
        assert application.http.get(f"/access-requests/{request_id}").json()["status"] == status

    assert http.post(f"/dashboard/requests/{request_id}/approve").status_code == 409


def test_a_user_rejects(http: httpx.Client, application: Application, user: User) -> None:
    request_id = application.ask(user.memory_key)
    sign_in(http, user)

    http.post(f"/dashboard/requests/{request_id}/reject")

    assert application.http.get(f"/access-requests/{request_id}").json()["status"] == "rejected"


def test_nobody_decides_for_another_user(
    http: httpx.Client, application: Application, user: User, stranger: User
) -> None:
    request_id = application.ask(user.memory_key)
    sign_in(http, stranger)

    assert application.registered.name not in http.get("/dashboard").text
    for decision in ("approve", "reject", "revoke"):
        assert http.post(f"/dashboard/requests/{request_id}/{decision}").status_code == 404
    assert application.http.get(f"/access-requests/{request_id}").json()["status"] == "pending"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/dashboard"),
        ("POST", "/dashboard/requests/x/approve"),
        ("GET", "/portal"),
        ("POST", "/portal/apps"),
    ],
)
def test_pages_ask_who_one_is(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, path)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/signin?next=")


def test_signing_out_ends_the_session_for_good(http: httpx.Client, user: User) -> None:
    sign_in(http, user)
    name, secret = session_of(http)
    assert http.get("/dashboard").status_code == 200

    assert http.post("/signout").headers["location"] == "/"

    assert name not in http.cookies
    http.cookies.set(name, secret)
    assert http.get("/dashboard").status_code == 303


def test_a_session_ends_after_thirty_days(http: httpx.Client, user: User, clock: Clock) -> None:
    sign_in(http, user)
    name, secret = session_of(http)
    clock.advance(30 * 24 * 3600)

    http.cookies.set(name, secret)
    assert http.get("/dashboard").status_code == 303


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(http: httpx.Client, user: User) -> None:
    answer = http.post("/signin", data={"email": user.email, "password": PASSWORD})

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/;" in cookie
    assert "secure" not in cookie


@pytest.mark.parametrize(
    ("email", "password"), [("ada@example.test", "wrong"), ("no@example.test", PASSWORD), ("", "")]
)
def test_a_wrong_sign_in_does_not_tell_what_was_wrong(
    http: httpx.Client, user: User, email: str, password: str
) -> None:
    del user
    page = http.post("/signin", data={"email": email, "password": password})

    assert page.status_code == 400
    assert shown(page, "problem") == "No account has this email address and password."
    assert "set-cookie" not in page.headers


def test_the_case_of_an_email_address_does_not_matter(http: httpx.Client, user: User) -> None:
    answer = http.post("/signin", data={"email": f" {user.email.upper()}", "password": PASSWORD})

    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.test", PASSWORD),
        ("ADA@example.test", PASSWORD),
        ("nobody", PASSWORD),
        ("a b@example.test", PASSWORD),
        ("new@example.test", "short"),
        ("new@example.test", "x" * 1025),
    ],
)
def test_an_account_that_cannot_be_opened_is_explained(
    http: httpx.Client, user: User, email: str, password: str
) -> None:
    del user
    page = http.post("/signup", data={"email": email, "password": password})

    assert page.status_code == 400
    assert shown(page, "problem")


@pytest.mark.parametrize(
    "then",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "dashboard",
        "/a\r\nset-cookie: x=1",
        "/ü",
    ],
)
def test_signing_in_leads_to_no_other_site(http: httpx.Client, user: User, then: str) -> None:
    answer = http.post("/signin", data={"email": user.email, "password": PASSWORD, "next": then})

    assert answer.headers["location"] == "/dashboard"


@pytest.mark.parametrize("path", ["/", "/signin", "/signup?next=%22%3E%3Cscript%3E", "/nowhere"])
def test_pages_are_protected_by_their_headers(http: httpx.Client, path: str) -> None:
    page = http.get(path)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["cache-control"] == "no-store"
    assert "<script" not in page.text


def test_every_field_has_a_label(http: httpx.Client, user: User) -> None:
    pages = [http.get("/signin").text, http.get("/signup").text]
    sign_in(http, user)
    pages.append(http.get("/portal").text)

    for page in pages:
        fields = re.findall(r'<(?:input|textarea) id="(\w+)"', page)
        assert fields
        for field in fields:
            assert f'<label for="{field}">' in page


def test_the_stylesheet_is_served(http: httpx.Client) -> None:
    answer = http.get("/static/style.css")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in answer.text


def test_a_page_that_is_not_there_says_so_in_html(http: httpx.Client) -> None:
    answer = http.get("/nowhere")

    assert answer.status_code == 404
    assert shown(answer, "problem") == "There is nothing here."


def test_the_dashboard_shows_so_many_requests_and_says_how_many_wait(
    http: httpx.Client,
    local: MemoramLocal,
    application_of: Callable[[RegisteredApp], Application],
    user: User,
) -> None:
    for number in range(6):
        asking = application_of(local.register_app(name=f"App {number}"))
        for _ in range(20 if number else 3):
            asking.ask(user.memory_key, f"Reason {number}")
    sign_in(http, user)

    page = http.get("/dashboard").text

    assert page.count("<article") == 100
    assert "103 applications wait" in page
    assert "the newest 100" in page
    assert "Reason 0" not in page
