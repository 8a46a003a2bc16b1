"""The authorization endpoint: users are asked, and applications are told by redirect."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from memoram_local import RegistrationError

if TYPE_CHECKING:
    import httpx

    from memoram_local import LocalServer, MemoramLocal, RegisteredApp, User

PASSWORD = "correct horse"
REDIRECT_URI = "http://localhost:3000/callback?from=memoram"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def parameters(app: RegisteredApp, **changes: str | None) -> dict[str, str]:
    values: dict[str, str | None] = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": REDIRECT_URI,
        "state": "a state & more=1",
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def sign_in(http: httpx.Client, user: User) -> None:
    answer = http.post("/signin", data={"email": user.email, "password": PASSWORD})
    assert answer.status_code == 303


def returned(answer: httpx.Response) -> dict[str, str]:
    """What a redirect brings the application."""
    assert answer.status_code in {302, 303}
    location = answer.headers["location"]
    assert location.startswith(f"{REDIRECT_URI}&")
    assert answer.headers["cache-control"] == "no-store"
    return {name: value for name, (value,) in parse_qs(urlsplit(location).query).items()}


def exchange(http: httpx.Client, app: RegisteredApp, code: str, **more: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, **more}
    return http.post("/oauth/token", data=form, auth=(app.client_id, app.client_secret))


@pytest.fixture
def app(local: MemoramLocal) -> RegisteredApp:
    return local.register_app(name="Trip Planner", redirect_uris=[REDIRECT_URI])


@pytest.fixture
def user(local: MemoramLocal) -> User:
    return local.create_user(email="ada@example.test", password=PASSWORD)


def test_the_whole_flow_ends_with_the_users_memory_key(
    http: httpx.Client, app: RegisteredApp, user: User, server: LocalServer
) -> None:
    asked = http.get("/oauth/authorize", params=parameters(app))
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/signin?next=%2Foauth%2Fauthorize%3F")

    then = parse_qs(urlsplit(asked.headers["location"]).query)["next"][0]
    signed_in = http.post("/signin", data={"email": user.email, "password": PASSWORD, "next": then})
    assert signed_in.headers["location"] == then

    page = http.get(then)
    assert page.status_code == 200
    assert "Trip Planner" in page.text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
    assert {name: value.replace("&amp;", "&") for name, value in fields.items()} == parameters(app)

    back = returned(http.post("/oauth/authorize", data={**parameters(app), "decision": "allow"}))
    assert back.pop("state") == "a state & more=1"
    assert back.pop("iss") == server.url

    answer = exchange(http, app, back["code"])
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    assert tokens.pop("access_token") != tokens.pop("refresh_token")
    assert tokens == {"token_type": "bearer", "expires_in": 3600, "memory_key": user.memory_key}


def test_saying_no_is_told_by_redirect(http: httpx.Client, app: RegisteredApp, user: User) -> None:
    sign_in(http, user)

    back = returned(http.post("/oauth/authorize", data={**parameters(app), "decision": "deny"}))

    assert (back["error"], back["state"]) == ("access_denied", "a state & more=1")
    assert "code" not in back


def test_asking_does_not_consent(http: httpx.Client, app: RegisteredApp, user: User) -> None:
    sign_in(http, user)

    answer = http.get("/oauth/authorize", params={**parameters(app), "decision": "allow"})

    assert answer.status_code == 200


def test_consent_needs_a_sign_in(http: httpx.Client, app: RegisteredApp) -> None:
    answer = http.post("/oauth/authorize", data={**parameters(app), "decision": "allow"})

    assert answer.headers["location"].startswith("/signin")


def test_the_consent_page_may_lead_its_form_to_the_application(
    http: httpx.Client, local: MemoramLocal, user: User
) -> None:
    targets = {
        "http://localhost:3000/cb": "http://localhost:3000",
        "https://app.example/cb?a=1": "https://app.example",
        "com.example.app:/cb": "com.example.app:",
        "http://[::1]:3000/cb": "http:",
    }
    app = local.register_app(name="App", redirect_uris=list(targets))
    sign_in(http, user)

    for uri, source in targets.items():
        page = http.get("/oauth/authorize", params=parameters(app, redirect_uri=uri))
        policy = page.headers["content-security-policy"]
        assert policy.endswith(f"form-action 'self' {source}")


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "client_none"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "http://localhost:3000/callback"},
        {"redirect_uri": REDIRECT_URI + "&more=1"},
        {"redirect_uri": "https://evil.example/"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_application_or_address_is_never_redirected_to(
    http: httpx.Client, app: RegisteredApp, changes: dict[str, str | None], method: str
) -> None:
    values = parameters(app, **changes)
    if method == "GET":
        answer = http.get("/oauth/authorize", params=values)
    else:
        answer = http.post("/oauth/authorize", data=values)

    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
    ],
)
def test_other_mistakes_are_told_by_redirect(
    http: httpx.Client,
    app: RegisteredApp,
    server: LocalServer,
    changes: dict[str, str | None],
    error: str,
) -> None:
    back = returned(http.get("/oauth/authorize", params=parameters(app, **changes)))

    assert back["error"] == error
    assert back["error_description"]
    assert (back["state"], back["iss"]) == ("a state & more=1", server.url)


def test_a_repeated_parameter_is_a_mistake(http: httpx.Client, app: RegisteredApp) -> None:
    pairs = list(parameters(app).items())

    told = http.get("/oauth/authorize", params=[*pairs, ("scope", "a"), ("scope", "b")])
    shown = http.get("/oauth/authorize", params=[*pairs, ("client_id", app.client_id)])

    assert returned(told)["error"] == "invalid_request"
    assert shown.status_code == 400


def test_the_query_of_a_redirect_uri_comes_back_as_it_was(
    http: httpx.Client, local: MemoramLocal, user: User, server: LocalServer
) -> None:
    """Whatever it repeats, and however it is spelt: nothing takes it apart and puts it together again."""
    uri = "https://app.example/cb?a=2&a=1&&b&state=own&code=own&c=%7e%20+&iss="
    app = local.register_app(name="Diary", redirect_uris=[uri])
    sign_in(http, user)
    asked = {**parameters(app), "redirect_uri": uri, "state": "s"}

    page = http.get("/oauth/authorize", params=asked)
    for decision in ("allow", "deny"):
        location = http.post("/oauth/authorize", data={**asked, "decision": decision}).headers["location"]
        own, added = location[: len(uri)], location[len(uri) :]
        assert own == uri
        assert re.fullmatch(
            r"&(code=[^&]+|error=access_denied&error_description=[^&]+)&state=s&iss=[^&]+", added
        )
    assert page.status_code == 200


@pytest.mark.parametrize(
    "uri",
    ["http://app.example/cb", "http://192.168.1.7/cb", "http://localhost.app.example/cb", "http://[::2]/cb"],
)
def test_http_beyond_this_machine_is_registered_by_nobody(
    http: httpx.Client, local: MemoramLocal, app: RegisteredApp, user: User, uri: str
) -> None:
    sign_in(http, user)

    with pytest.raises(RegistrationError, match="https is needed there"):
        local.register_app(name="Diary", redirect_uris=[uri])
    page = http.post("/portal/apps", data={"name": "Diary", "redirect_uris": uri})
    asked = http.get("/oauth/authorize", params=parameters(app, redirect_uri=uri))

    assert (page.status_code, asked.status_code) == (400, 400)
    assert "https is needed there" in page.text
    assert "location" not in asked.headers


def test_a_challenge_given_on_the_consent_page_is_kept(
    http: httpx.Client, app: RegisteredApp, user: User
) -> None:
    sign_in(http, user)
    asked = parameters(app, code_challenge=CHALLENGE, code_challenge_method="S256", scope="memories")

    back = returned(http.post("/oauth/authorize", data={**asked, "decision": "allow"}))

    assert exchange(http, app, back["code"]).status_code == 400
    answer = exchange(http, app, back["code"], code_verifier=VERIFIER)
    assert answer.json()["scope"] == "memories"


def test_consent_from_python_checks_what_the_page_checks(
    local: MemoramLocal, app: RegisteredApp, user: User
) -> None:
    who = {"user_id": user.id, "client_id": app.client_id}

    with pytest.raises(RegistrationError):
        local.authorize(**who, redirect_uri="https://evil.example/")
    with pytest.raises(RegistrationError):
        local.authorize(**who, redirect_uri=REDIRECT_URI, code_challenge="short")
