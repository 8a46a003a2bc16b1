"""`/auth/token`, and what a token is good for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

if TYPE_CHECKING:
    import httpx

    from memoram_local import Clock, RegisteredApp

PATH = "/api/v1/auth/token"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_an_api_key_is_exchanged_for_a_bearer_token(http: httpx.Client, app: RegisteredApp) -> None:
    answer = http.post(PATH, json={"api_key": app.api_key})

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["token"].count(".") == 2
    assert re.fullmatch(r"2030-05-17T13:00:0[01]\.\d{6}Z", answer.json()["expires_at"])


def test_a_token_opens_the_api(http: httpx.Client, app: RegisteredApp) -> None:
    token = http.post(PATH, json={"api_key": app.api_key}).json()["token"]

    assert http.get("/api/v1/access-requests", headers=bearer(token)).status_code == 200


def test_the_wished_lifetime_is_honoured(http: httpx.Client, app: RegisteredApp, clock: Clock) -> None:
    token = http.post(PATH, json={"api_key": app.api_key, "expires_in": 5}).json()["token"]

    clock.advance(4.9)
    assert http.get("/api/v1/access-requests", headers=bearer(token)).status_code == 200

    clock.advance(1.1)
    answer = http.get("/api/v1/access-requests", headers=bearer(token))
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "The token has expired."


def test_a_lifetime_beyond_a_day_is_cut_to_a_day(http: httpx.Client, app: RegisteredApp) -> None:
    answer = http.post(PATH, json={"api_key": app.api_key, "expires_in": 10**30})

    assert answer.json()["expires_at"].startswith("2030-05-18T12:00:0")


def test_a_key_that_nobody_has_is_met_with_401(http: httpx.Client) -> None:
    answer = http.post(PATH, json={"api_key": "mem_" + "0" * 48})

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "api_key"),
        ({"api_key": 7}, "api_key"),
        ({"api_key": None}, "api_key"),
        ({"api_key": "mem_x", "expires_in": 0}, "expires_in"),
        ({"api_key": "mem_x", "expires_in": -1}, "expires_in"),
        ({"api_key": "mem_x", "expires_in": "60"}, "expires_in"),
        ({"api_key": "mem_x", "expires_in": 1.5}, "expires_in"),
        ({"api_key": "mem_x", "expires_in": True}, "expires_in"),
    ],
)
def test_a_wrong_member_is_named(http: httpx.Client, body: dict[str, object], named: str) -> None:
    answer = http.post(PATH, json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_request"
    assert answer.json()["error"]["message"].startswith(named)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer a.b.c", "Bearer ä", "Basic eDp5"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/access-requests"),
        ("POST", "/access-requests"),
        ("GET", "/access-requests/cx"),
        ("GET", "/access-requests/cx/credentials"),
        ("GET", "/memory-blobs"),
        ("POST", "/memory-blobs"),
        ("GET", "/memory-blobs/mem_x"),
        ("PATCH", "/memory-blobs/mem_x"),
        ("DELETE", "/memory-blobs/mem_x"),
        ("GET", "/tags"),
        ("GET", "/tags/tag_x"),
    ],
)
def test_every_operation_asks_for_a_token(
    http: httpx.Client, method: str, path: str, header: str | None
) -> None:
    headers = {} if header is None else {b"authorization": header.encode()}

    answer = http.request(method, f"/api/v1{path}", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("algorithm", ["HS256", "none"])
def test_a_token_signed_with_another_key_proves_nothing(http: httpx.Client, algorithm: str) -> None:
    claims = {"sub": "capp", "exp": 2**40}
    if algorithm == "none":
        token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYXBwIiwiZXhwIjoxMDk5NTExNjI3Nzc2fQ."
    else:
        token = jwt.encode({"alg": algorithm}, claims, OctKey.import_key(b"0" * 32))

    answer = http.get("/api/v1/access-requests", headers=bearer(token))

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_token"
