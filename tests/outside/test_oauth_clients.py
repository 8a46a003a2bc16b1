"""OAuth clients that know nothing of Memoram walk the code flow, and a code works once."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx_oauth.oauth2 import GetAccessTokenError, OAuth2

from tests.outside.browser import Browser, signed_in
from tests.outside.stage import Stage, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

# These bring no types, or only partial ones.
OAuth2Session: Any = import_module("requests_oauthlib").OAuth2Session
InvalidGrantError: Any = import_module("oauthlib.oauth2").InvalidGrantError
AuthlibSession: Any = import_module("authlib.integrations.requests_client").OAuth2Session
AsyncOAuth2Client: Any = import_module("authlib.integrations.httpx_client").AsyncOAuth2Client
OAuthError: Any = import_module("authlib.integrations.base_client").OAuthError

NODE = Path(__file__).with_name("oauth4webapi")


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged() as ready:
        yield ready


@pytest.fixture(scope="module")
def browser(stage: Stage) -> Iterator[Browser]:
    with signed_in(stage) as ready:
        yield ready


@pytest.fixture(autouse=True)
def plain_http_is_good_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    # The libraries refuse http, even on this machine, unless told that it is a test.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def endpoints(stage: Stage) -> tuple[str, str]:
    return f"{stage.server.url}/oauth/authorize", f"{stage.server.url}/oauth/token"


def query_of(address: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


def assert_tokens(stage: Stage, tokens: Any) -> None:
    assert tokens["memory_key"] == stage.user.memory_key
    assert tokens["token_type"].lower() == "bearer"
    assert tokens["access_token"]
    assert tokens["refresh_token"]


def test_requests_oauthlib(stage: Stage, browser: Browser) -> None:
    authorize, token = endpoints(stage)
    with OAuth2Session(
        stage.app.client_id, redirect_uri=stage.redirect_uri, scope=["memories"], pkce="S256"
    ) as session:
        address, state = session.authorization_url(authorize)
        callback = browser.decide(address)
        secret = stage.app.client_secret

        tokens = session.fetch_token(token, authorization_response=callback, client_secret=secret)

        assert_tokens(stage, tokens)
        assert query_of(callback)["state"] == state
        credentials = {"client_id": stage.app.client_id, "client_secret": secret}
        refreshed = session.refresh_token(token, **credentials)
        assert refreshed["refresh_token"] != tokens["refresh_token"]
        with pytest.raises(InvalidGrantError):
            session.fetch_token(token, authorization_response=callback, client_secret=secret)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_on_requests(stage: Stage, browser: Browser, method: str) -> None:
    authorize, token = endpoints(stage)
    with AuthlibSession(
        stage.app.client_id,
        stage.app.client_secret,
        redirect_uri=stage.redirect_uri,
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
    ) as session:
        verifier = "v" * 48
        address, state = session.create_authorization_url(authorize, code_verifier=verifier)
        callback = browser.decide(address)
        arguments = {"authorization_response": callback, "state": state, "code_verifier": verifier}

        tokens = session.fetch_token(token, **arguments)

        assert_tokens(stage, tokens)
        assert session.refresh_token(token)["access_token"] != tokens["access_token"]
        with pytest.raises(OAuthError, match="invalid_grant"):
            session.fetch_token(token, **arguments)


def test_authlib_on_async_httpx(stage: Stage, browser: Browser) -> None:
    authorize, token = endpoints(stage)

    async def walk() -> None:
        verifier = "v" * 48
        async with AsyncOAuth2Client(
            stage.app.client_id,
            stage.app.client_secret,
            redirect_uri=stage.redirect_uri,
            code_challenge_method="S256",
        ) as client:
            address, state = client.create_authorization_url(authorize, code_verifier=verifier)
            callback = browser.decide(address)
            arguments = {"authorization_response": callback, "state": state, "code_verifier": verifier}
            tokens = await client.fetch_token(token, **arguments)
            assert_tokens(stage, tokens)
            refreshed = await client.refresh_token(token, refresh_token=tokens["refresh_token"])
            assert refreshed["access_token"] != tokens["access_token"]
            with pytest.raises(OAuthError, match="invalid_grant"):
                await client.fetch_token(token, **arguments)

    asyncio.run(walk())


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_httpx_oauth(stage: Stage, browser: Browser, method: Any) -> None:
    authorize, token = endpoints(stage)

    async def walk() -> None:
        client = OAuth2(
            stage.app.client_id,
            stage.app.client_secret,
            authorize,
            token,
            refresh_token_endpoint=token,
            token_endpoint_auth_method=method,
        )
        address = await client.get_authorization_url(stage.redirect_uri, state="a state")
        returned = query_of(browser.decide(address))
        tokens = await client.get_access_token(returned["code"], stage.redirect_uri)
        assert_tokens(stage, tokens)
        assert returned["state"] == "a state"
        refreshed = await client.refresh_token(tokens["refresh_token"])
        assert refreshed["access_token"] != tokens["access_token"]
        with pytest.raises(GetAccessTokenError) as refused:
            await client.get_access_token(returned["code"], stage.redirect_uri)
        assert refused.value.response is not None
        assert refused.value.response.json()["error"] == "invalid_grant"

    asyncio.run(walk())


@pytest.mark.service("node", "tests/outside/oauth4webapi/node_modules")  # npm ci brings it
@pytest.mark.parametrize("method", ["basic", "post"])
def test_oauth4webapi(stage: Stage, browser: Browser, method: str) -> None:
    app = stage.app
    node = shutil.which("node")
    assert node is not None
    command = [
        node,
        "flow.mjs",
        stage.server.url,
        app.client_id,
        app.client_secret,
        stage.redirect_uri,
        method,
    ]
    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=NODE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        callback = browser.decide(address) if address else ""
        output, errors = process.communicate(f"{callback}\n")

    assert process.returncode == 0, errors
    outcome = json.loads(output)
    assert_tokens(stage, outcome["tokens"])
    assert outcome["refreshed"]["access_token"] != outcome["tokens"]["access_token"]
    assert outcome["replay"] == {"status": 400, "error": "invalid_grant"}


def test_a_user_who_says_no_is_told_apart(stage: Stage, browser: Browser) -> None:
    authorize, _ = endpoints(stage)
    with OAuth2Session(stage.app.client_id, redirect_uri=stage.redirect_uri) as session:
        address, _ = session.authorization_url(authorize)

    assert query_of(browser.decide(address, "deny"))["error"] == "access_denied"
