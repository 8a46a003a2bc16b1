"""The token endpoint: codes and refresh tokens, and which clients may use them."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from memoram_local import Clock, LocalServer, MemoramLocal, RegisteredApp, User

PASSWORD = "correct horse"
REDIRECT_URI = "http://localhost:3000/callback?from=memoram"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def exchange(
    http: httpx.Client, app: RegisteredApp, given: str | None, /, **changes: str | None
) -> httpx.Response:
    values: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "code": given,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": REDIRECT_URI,
        **changes,
    }
    return http.post(
        "/oauth/token", data={name: value for name, value in values.items() if value is not None}
    )


def refresh(http: httpx.Client, app: RegisteredApp, refresh_token: str) -> httpx.Response:
    return exchange(
        http, app, None, redirect_uri=None, grant_type="refresh_token", refresh_token=refresh_token
    )


@pytest.fixture
def app(local: MemoramLocal) -> RegisteredApp:
    return local.register_app(name="Trip Planner", redirect_uris=[REDIRECT_URI])


@pytest.fixture
def user(local: MemoramLocal) -> User:
    return local.create_user(email="ada@example.test", password=PASSWORD)


@pytest.fixture
def code(local: MemoramLocal, app: RegisteredApp, user: User) -> str:
    return local.authorize(user_id=user.id, client_id=app.client_id, redirect_uri=REDIRECT_URI)


def test_a_code_works_once_and_its_replay_revokes_what_it_gave(
    http: httpx.Client, app: RegisteredApp, code: str
) -> None:
    tokens = exchange(http, app, code).json()

    replayed = exchange(http, app, code)

    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")
    assert refresh(http, app, tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_replay_revokes_refreshed_tokens_too(http: httpx.Client, app: RegisteredApp, code: str) -> None:
    tokens = exchange(http, app, code).json()
    tokens = refresh(http, app, tokens["refresh_token"]).json()

    exchange(http, app, code)

    assert refresh(http, app, tokens["refresh_token"]).status_code == 400


def test_a_code_is_good_for_a_minute(http: httpx.Client, app: RegisteredApp, code: str, clock: Clock) -> None:
    clock.advance(60)

    assert exchange(http, app, code).json()["error"] == "invalid_grant"


def test_a_code_belongs_to_its_application(
    http: httpx.Client, local: MemoramLocal, app: RegisteredApp, code: str
) -> None:
    other = local.register_app(name="Other", redirect_uris=[REDIRECT_URI])

    assert exchange(http, other, code).json()["error"] == "invalid_grant"
    assert exchange(http, app, code).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "http://localhost:3000/other"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"code": "guessed"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"code_verifier": VERIFIER}, "invalid_grant"),
    ],
)
def test_mistakes_at_the_token_endpoint_have_their_names(
    http: httpx.Client, app: RegisteredApp, code: str, changes: dict[str, str | None], error: str
) -> None:
    answer = exchange(http, app, code, **changes)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["error_description"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_secret": "secret_wrong"},
        {"client_id": "client_none"},
        {"client_secret": None},
        {"client_id": None, "client_secret": None},
    ],
)
def test_a_client_that_cannot_prove_itself_is_met_with_401(
    http: httpx.Client, app: RegisteredApp, code: str, changes: dict[str, str | None]
) -> None:
    answer = exchange(http, app, code, **changes)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_client_may_prove_itself_by_basic(http: httpx.Client, app: RegisteredApp, code: str) -> None:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}

    wrong = http.post("/oauth/token", data=form, auth=(app.client_id, "secret_wrong"))
    right = http.post("/oauth/token", data=form, auth=(app.client_id, app.client_secret))

    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert right.status_code == 200


@pytest.mark.parametrize("header", ["Bearer x", "Basic", "Basic ***", "Basic eA=="])
def test_a_strange_authorization_header_proves_nothing(
    http: httpx.Client, app: RegisteredApp, code: str, header: str
) -> None:
    form = {"grant_type": "authorization_code", "code": code, "client_id": app.client_id}

    answer = http.post("/oauth/token", data=form, headers={"authorization": header})

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_client_proves_itself_in_one_way_only(http: httpx.Client, app: RegisteredApp, code: str) -> None:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
    basic = (app.client_id, app.client_secret)

    both = http.post("/oauth/token", data={**form, "client_secret": app.client_secret}, auth=basic)
    differing = http.post("/oauth/token", data={**form, "client_id": "client_other"}, auth=basic)

    assert both.json()["error"] == differing.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x"]
)
def test_the_token_endpoint_takes_forms_only(http: httpx.Client, content_type: str) -> None:
    answer = http.post("/oauth/token", content=b"{}", headers={"content-type": content_type})

    assert (answer.status_code, answer.json()["error"]) == (415, "invalid_request")


def test_a_repeated_form_field_is_a_mistake(http: httpx.Client) -> None:
    answer = http.post(
        "/oauth/token",
        content=b"grant_type=refresh_token&grant_type=refresh_token",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert answer.json() == {
        "error": "invalid_request",
        "error_description": "grant_type is there more than once.",
    }


def test_a_challenge_must_be_met(
    http: httpx.Client, local: MemoramLocal, app: RegisteredApp, user: User
) -> None:
    code = local.authorize(
        user_id=user.id, client_id=app.client_id, redirect_uri=REDIRECT_URI, code_challenge=CHALLENGE
    )

    for verifier in (None, "wrong", CHALLENGE):
        assert exchange(http, app, code, code_verifier=verifier).json()["error"] == "invalid_grant"
    assert exchange(http, app, code, code_verifier=VERIFIER).status_code == 200


def test_every_refresh_gives_another_refresh_token(
    http: httpx.Client, app: RegisteredApp, user: User, code: str
) -> None:
    first = exchange(http, app, code).json()

    answer = refresh(http, app, first["refresh_token"])

    assert answer.status_code == 200
    assert answer.json()["refresh_token"] != first["refresh_token"]
    assert answer.json()["memory_key"] == user.memory_key


def test_a_replaced_refresh_token_works_for_ten_seconds_more(
    http: httpx.Client, app: RegisteredApp, code: str, clock: Clock
) -> None:
    first = exchange(http, app, code).json()["refresh_token"]
    refresh(http, app, first)
    clock.advance(10)

    assert refresh(http, app, first).status_code == 200


def test_a_replaced_refresh_token_used_late_revokes_everything(
    http: httpx.Client, app: RegisteredApp, code: str, clock: Clock
) -> None:
    first = exchange(http, app, code).json()["refresh_token"]
    second = refresh(http, app, first).json()["refresh_token"]
    clock.advance(11)

    assert refresh(http, app, first).json()["error"] == "invalid_grant"
    assert refresh(http, app, second).json()["error"] == "invalid_grant"


def test_an_access_token_refreshes_nothing(http: httpx.Client, app: RegisteredApp, code: str) -> None:
    tokens = exchange(http, app, code).json()

    assert refresh(http, app, tokens["access_token"]).json()["error"] == "invalid_grant"


def test_the_server_describes_itself(http: httpx.Client, server: LocalServer) -> None:
    metadata = http.get("/.well-known/oauth-authorization-server").json()

    assert metadata["issuer"] == server.auth_url
    assert metadata["authorization_endpoint"] == f"{server.auth_url}/oauth/authorize"
    assert metadata["token_endpoint"] == f"{server.auth_url}/oauth/token"
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
