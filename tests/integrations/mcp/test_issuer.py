"""Which access tokens of an issuer are good, and how often it is asked for its keys."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from memoram_async import ConfigurationError
from memoram_async.integrations.mcp import UnknownUserError, token_user, user_of_token
from memoram_async.integrations.mcp.issuer import Issuer, IssuerTokens
from tests.integrations.mcp.id_provider import IdProvider, id_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio
HERE = "memories"


@pytest.fixture
def provider() -> Iterator[IdProvider]:
    with id_provider() as provider:
        yield provider


async def test_a_good_token_names_its_user(provider: IdProvider) -> None:
    tokens = IssuerTokens(Issuer(provider.url), audience=HERE)
    token = await tokens.verify_token(provider.token("ada", audience=HERE, scope="a b", client_id="agent"))
    assert token is not None
    assert (token.subject, token.scopes, token.client_id) == ("ada", ["a", "b"], "agent")
    assert user_of_token(token) == token_user(issuer=provider.url, subject="ada")
    assert user_of_token(token) != token_user(issuer=f"{provider.url}/other", subject="ada")


async def test_a_token_that_is_not_meant_for_us_or_not_signed_by_the_issuer_is_none(
    provider: IdProvider,
) -> None:
    tokens = IssuerTokens(Issuer(provider.url), audience=HERE)
    good = provider.token("ada", audience=HERE)
    head, claims, signature = good.split(".")
    unsigned = (
        base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "one"}).encode()).decode().rstrip("=")
    )
    by_shared_secret = jwt.encode(
        jwt.decode(good, options={"verify_signature": False}), "s" * 32, headers={"kid": "one"}
    )
    with id_provider() as other:
        foreign = other.token("ada", audience=HERE)
    for bad in (
        "",
        "nonsense",
        f"{head}.{claims}.",
        f"{unsigned}.{claims}.{signature}",
        f"{unsigned}.{claims}.",
        by_shared_secret,
        foreign,
        provider.token("ada", audience="others"),
        provider.token("ada", audience=HERE, exp=int(time.time()) - 60),
        provider.token("ada", audience=HERE, iss="https://evil.test"),
        provider.token("ada", audience=HERE, nbf=int(time.time()) + 600),
    ):
        assert await tokens.verify_token(bad) is None, bad
    assert await tokens.verify_token(good) is not None


async def test_tokens_with_unknown_keys_do_not_have_the_issuer_asked_again_and_again(
    provider: IdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    tokens = IssuerTokens(Issuer(provider.url, clock=lambda: now[0]), audience=HERE)
    asked: list[str] = []
    answer = provider.answer

    def counted(path: str, query: dict[str, str]) -> Any:
        asked.append(path)
        return answer(path, query)

    monkeypatch.setattr(provider, "answer", counted)
    good = provider.token("ada", audience=HERE)
    unknown = jwt.encode({"sub": "ada"}, "k" * 32, headers={"kid": "unknown"})
    for token in (good, unknown, unknown, good, unknown):
        await tokens.verify_token(token)
    assert asked.count("/jwks_uri") == 1
    now[0] = 31.0
    await tokens.verify_token(unknown)
    assert asked.count("/jwks_uri") == 2
    assert asked.count("/.well-known/openid-configuration") == 1


@pytest.mark.parametrize(
    "metadata",
    [
        '{"issuer": "https://evil.test", "jwks_uri": "OURS/jwks_uri"}',
        '{"issuer": "OURS", "jwks_uri": "http://keys.test/jwks_uri"}',
        '{"issuer": "OURS"}',
        '["OURS"]',
    ],
)
async def test_metadata_of_another_issuer_or_of_keys_without_tls_lets_nobody_in(
    provider: IdProvider, monkeypatch: pytest.MonkeyPatch, metadata: str
) -> None:
    whole = provider.answer

    def answer(path: str, query: dict[str, str]) -> Any:
        found = json.loads(metadata.replace("OURS", provider.url))
        return found if "/.well-known/" in path else whole(path, query)

    monkeypatch.setattr(provider, "answer", answer)
    tokens = IssuerTokens(Issuer(provider.url), audience=HERE)
    assert await tokens.verify_token(provider.token("ada", audience=HERE)) is None


async def test_an_issuer_that_does_not_answer_lets_nobody_in() -> None:
    tokens = IssuerTokens(Issuer("http://127.0.0.1:9"), audience=HERE)
    unknown = jwt.encode({"sub": "ada"}, "k" * 32, headers={"kid": "unknown"})
    assert await tokens.verify_token(unknown) is None


@pytest.mark.parametrize("url", ["http://id.test", "id.test", "", "ftp://id.test", "https://id .test"])
def test_an_issuer_without_tls_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must be an https URL"):
        Issuer(url)


async def test_a_token_without_a_user_is_nobodys(provider: IdProvider) -> None:
    tokens = IssuerTokens(Issuer(provider.url), audience=HERE)
    token = await tokens.verify_token(provider.token("ada", audience=HERE))
    assert token is not None
    for other in (token.model_copy(update={"subject": None}), token.model_copy(update={"claims": None})):
        with pytest.raises(UnknownUserError, match="names no user"):
            user_of_token(other)
