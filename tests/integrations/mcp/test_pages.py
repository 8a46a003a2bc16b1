"""The pages that link accounts, when the issuer or the application has faults."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import attrs
import httpx2
import pytest
from starlette.applications import Starlette

from memoram_async import MemoryGrantStore
from memoram_async.core.sealing import sealing_secrets
from memoram_async.core.secret import Secret
from memoram_async.integrations.mcp import token_user
from memoram_async.integrations.mcp.issuer import Issuer
from memoram_async.integrations.mcp.link_pages import LINK_SECONDS, LinkPages, Sealed
from memoram_async.integrations.mcp.sign_in import SignIn
from tests.integrations.mcp.command import SECRET
from tests.integrations.mcp.id_provider import CLIENT_ID, id_provider

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.integrations.mcp.conftest import Stage

SITE: Final = "https://memories.test"


@attrs.frozen
class Site:
    """Our pages, and a browser that is in front of them."""

    pages: LinkPages
    browser: httpx2.AsyncClient

    def page_for(self, subject: str, *, issuer: str) -> str:
        """The address that this user is given."""
        return self.pages.url_for(token_user(issuer=issuer, subject=subject))


@asynccontextmanager
async def site(stage: Stage, issuer: str, **options: Any) -> AsyncGenerator[Site]:
    """Pages whose users sign in at an issuer."""
    secrets = sealing_secrets(SECRET, name="secret", api_key=Secret("mem_1"))
    sign_in = SignIn(
        Issuer(issuer),
        client_id=CLIENT_ID,
        client_secret=Secret("known to both"),
        callback_url=f"{SITE}/memoram/signed-in",
        secrets=secrets,
    )
    async with stage.memoram(**options) as memoram:
        connections = memoram.connections(
            MemoryGrantStore(), redirect_uri="https://app.test/callback", reason="Remembers"
        )
        pages = sign_in.pages = LinkPages(
            connections,
            link_url=f"{SITE}/memoram/link",
            callback_url=f"{SITE}/memoram/callback",
            secrets=secrets,
            sign_in=sign_in.begin,
        )
        app = Starlette(routes=[*pages.routes(), *sign_in.routes()])
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=SITE) as browser:
            yield Site(pages, browser)


@pytest.mark.anyio
async def test_an_issuer_that_does_not_answer_is_said_on_the_page(stage: Stage) -> None:
    nobody = "http://127.0.0.1:9"
    async with site(stage, nobody) as it:
        answer = await it.browser.get(it.page_for("ada", issuer=nobody))
    assert answer.status_code == 503
    assert "The issuer does not answer" in answer.text


@pytest.mark.anyio
@pytest.mark.parametrize("fault", ["null", "no object", "nothing", "nonsense", "nonce", "audience", "none"])
async def test_only_who_the_issuer_names_for_this_sign_in_is_signed_in(stage: Stage, fault: str) -> None:
    with id_provider() as provider:
        async with site(stage, provider.url) as it, httpx2.AsyncClient() as elsewhere:
            page = it.page_for("ada", issuer=provider.url)
            asked = await it.browser.get(page)
            nonce = httpx2.URL(asked.headers["location"]).params["nonce"]
            back = (await elsewhere.get(asked.headers["location"])).headers["location"]
            whole = provider.answer
            answers: dict[str, Any] = {
                "null": None,
                "no object": [],
                "nothing": {},
                "nonsense": {"id_token": "nonsense"},
                "nonce": {"id_token": provider.token("ada", audience=CLIENT_ID, nonce="another")},
                "audience": {"id_token": provider.token("ada", audience="another", nonce=nonce)},
                "none": {"id_token": provider.token("ada", audience=CLIENT_ID, nonce=nonce)},
            }

            def answer(path: str, query: dict[str, str]) -> Any:
                return answers[fault] if path == "/token_endpoint" else whole(path, query)

            provider.answer = answer  # type: ignore[method-assign]
            signed_in = await it.browser.get(back)
            if fault == "none":
                assert signed_in.headers["location"] == page.removeprefix(SITE)
                assert (await it.browser.get(page)).headers["location"].startswith(stage.url)
                return
            assert (signed_in.status_code, "You are not signed in" in signed_in.text) == (403, True)
            again = await it.browser.get(page)
            assert again.headers["location"].startswith(provider.url)


@pytest.mark.anyio
async def test_what_the_application_lacks_is_said_on_the_page(stage: Stage) -> None:
    with id_provider() as provider:
        async with site(stage, provider.url, client_id=None) as it, httpx2.AsyncClient() as elsewhere:
            page = it.page_for("ada", issuer=provider.url)
            asked = await it.browser.get(page)
            await it.browser.get((await elsewhere.get(asked.headers["location"])).headers["location"])
            answer = await it.browser.get(page)
    assert answer.status_code == 503
    assert "No account can be linked now" in answer.text


def test_an_address_is_good_for_an_hour_and_for_nothing_else() -> None:
    now = [1_000.0]
    secrets = sealing_secrets(SECRET, name="secret", api_key=Secret("mem_1"))
    addresses, visitors = (
        Sealed(secrets, purpose=purpose, clock=lambda: now[0]) for purpose in ("address", "visitor")
    )
    user = "ada@id.test"  # which no base64 can hold by chance
    written = addresses.write(user)
    assert user not in written
    assert visitors.read(written) is None
    for other in (None, "", "nonsense", "\u00e9", written[:-1]):
        assert addresses.read(other) is None
    now[0] += LINK_SECONDS - 1
    assert addresses.read(written) == user
    now[0] += 1
    assert addresses.read(written) is None
