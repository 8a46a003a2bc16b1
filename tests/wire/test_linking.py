"""Linking a user's account: what is sent, what is checked, and what happens once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import anyio
import anyio.to_thread
import httpx
import pytest

from memoram_async import (
    APIConnectionError,
    ConfigurationError,
    InvalidArgumentError,
    OAuthError,
    OAuthFlowError,
    OutcomeUnknownError,
    ServerError,
)
from memoram_async.core.oauth import LONGEST_SEAL
from tests.worlds import API_KEY, Service, Time, World, failure, link

if TYPE_CHECKING:
    from memoram_async import OAuthTokens

pytestmark = pytest.mark.anyio

BUSY = httpx.Response(503, headers={"retry-after": "1"})

BACK = "https://app.test/back"
APP: dict[str, Any] = {"client_id": "app", "client_secret": "shh"}
SECRET = "s" * 32
TOKENS = {"access_token": "at", "refresh_token": "rt2", "memory_key": "mk_1"}


def tokens() -> httpx.Response:
    return httpx.Response(200, json=TOKENS)


def form(request: httpx.Request) -> dict[str, str]:
    return dict(parse_qsl(request.content.decode()))


def callback(flow: Any) -> str:
    return f"{BACK}?code=c&state={flow.state.reveal()}"


# --- settings ----------------------------------------------------------------------------------


async def test_the_application_is_known_from_the_client_or_the_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMORAM_CLIENT_ID", "from the environment".replace(" ", "-"))
    monkeypatch.setenv("MEMORAM_CLIENT_SECRET", "environment")
    service = Service.answering(tokens())
    async with world.client(service) as client:
        await link(client)
    async with world.client(service, client_id="option", client_secret="option") as client:
        await link(client)
        await client.oauth.refresh("rt")
    seen = [(form(request)["client_id"], form(request)["client_secret"]) for request in service.requests]
    assert seen == [("from-the-environment", "environment"), *[("option", "option")] * 2]


@pytest.mark.parametrize("missing", ["client_id", "client_secret"])
async def test_what_is_missing_is_named_and_nothing_is_sent(world: World, missing: str) -> None:
    service = Service.answering(tokens())
    given = {name: value for name, value in APP.items() if name != missing}
    async with world.client(service) as client:
        with pytest.raises(ConfigurationError, match=f"no {missing}: .*MEMORAM_{missing.upper()}"):
            await link(client, **given)
        await failure(client.oauth.refresh("rt", **given), ConfigurationError)
    assert service.requests == []


async def test_the_endpoints_can_be_elsewhere(world: World) -> None:
    service = Service.answering(tokens())
    options: dict[str, Any] = {
        "authorization_endpoint": "https://login.test/start/",
        "token_endpoint": "https://tokens.test/oauth/{v1}/token",
    }
    async with world.client(service, **APP, **options) as client:
        flow = client.oauth.begin(redirect_uri=BACK)
        assert flow.url.startswith("https://login.test/start/?")
        await flow.complete(callback(flow))
    assert str(service.requests[0].url) == "https://tokens.test/oauth/%7Bv1%7D/token"


async def test_further_parameters_go_along(world: World) -> None:
    service = Service.answering(tokens())
    async with world.client(service, **APP) as client:
        flow = client.oauth.begin(redirect_uri=BACK, params={"prompt": "login"})
        assert httpx.URL(flow.url).params["prompt"] == "login"
        await flow.complete(callback(flow), params={"resource": "memories"})
        await client.oauth.refresh("rt", params={"audience": "a"})
    assert form(service.requests[0])["resource"] == "memories"
    assert form(service.requests[1])["audience"] == "a"


# --- once --------------------------------------------------------------------------------------


async def test_a_flow_is_good_once(world: World) -> None:
    service = Service.answering(tokens())
    async with world.client(service, **APP) as client:
        flow = client.oauth.begin(redirect_uri=BACK)
        assert (await flow.complete(callback(flow))).memory_key.reveal() == "mk_1"
        await failure(flow.complete(callback(flow)), OAuthFlowError)
    assert len(service.requests) == 1


async def test_a_refused_callback_leaves_the_flow_as_it_was(world: World) -> None:
    service = Service.answering(tokens())
    async with world.client(service, **APP) as client:
        flow = client.oauth.begin(redirect_uri=BACK)
        await failure(flow.complete({"code": "c", "state": "forged"}), OAuthFlowError)
        await failure(flow.complete(None), InvalidArgumentError)
        await failure(flow.complete({"error": "access_denied", "state": flow.state.reveal()}), OAuthError)
        await flow.complete(callback(flow))
    assert len(service.requests) == 1


@pytest.mark.parametrize("fault", [httpx.ConnectError("x"), BUSY, httpx.Response(429)])
async def test_an_exchange_that_did_not_happen_can_be_made_again(world: World, fault: Any) -> None:
    service = Service.answering(fault, tokens())
    async with world.client(service, **APP, max_retries=0) as client:
        flow = client.oauth.begin(redirect_uri=BACK)
        await failure(flow.complete(callback(flow)), Exception)
        await flow.complete(callback(flow))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (httpx.ReadTimeout("x"), OutcomeUnknownError),
        (httpx.Response(500), ServerError),
        (httpx.Response(400, json={"error": "invalid_grant"}), OAuthError),
    ],
)
async def test_an_exchange_that_may_have_happened_cannot(world: World, fault: Any, kind: Any) -> None:
    service = Service.answering(fault, tokens())
    async with world.client(service, **APP) as client:
        flow = client.oauth.begin(redirect_uri=BACK)
        await failure(flow.complete(callback(flow)), kind)
        await failure(flow.complete(callback(flow)), OAuthFlowError)
    assert len(service.requests) == 1


# --- in another process ------------------------------------------------------------------------


async def test_a_sealed_flow_is_completed_by_another_client(world: World) -> None:
    service = Service.answering(tokens())
    async with world.client(service, **APP, secret=SECRET) as client:
        flow = client.oauth.begin(redirect_uri=BACK, scope="read write", params={"prompt": "login"})
        sealed = flow.seal()
    assert len(sealed) < 1024
    async with world.client(service, client_secret="shh", secret=["n" * 32, SECRET]) as other:
        again = other.oauth.restore(sealed)
        assert again.url == flow.url
        await again.complete(callback(flow))
    assert form(service.requests[0])["client_id"] == "app"


async def test_the_secret_may_come_from_the_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMORAM_SECRET", SECRET)
    async with world.client(Service.answering(tokens()), **APP) as client:
        sealed = client.oauth.begin(redirect_uri=BACK).seal()
        assert client.oauth.restore(sealed, secret=SECRET.encode()).redirect_uri == BACK


@pytest.mark.parametrize("sealed", ["", "v1.AAAA", "nonsense", "ä"])
async def test_what_was_not_sealed_here_is_no_flow(world: World, sealed: str) -> None:
    async with world.client(Service.answering(tokens()), secret=SECRET) as client:
        with pytest.raises(OAuthFlowError, match="begin a new flow"):
            client.oauth.restore(sealed)
        with pytest.raises(InvalidArgumentError, match="must be a string, not bytes"):
            client.oauth.restore(sealed.encode())


async def test_a_flow_of_another_secret_or_server_is_no_flow(world: World) -> None:
    service = Service.answering(tokens())
    async with world.client(service, **APP, secret=SECRET) as client:
        sealed = client.oauth.begin(redirect_uri=BACK).seal()
        with pytest.raises(OAuthFlowError):
            client.oauth.restore(sealed, secret="n" * 32)
    async with world.client(service, secret=SECRET, auth_url="https://other.test") as client:
        with pytest.raises(OAuthFlowError):
            client.oauth.restore(sealed)


async def test_without_a_secret_of_its_own_nothing_is_sealed(world: World) -> None:
    async with world.client(Service.answering(tokens()), **APP) as client:
        flow = client.oauth.begin(redirect_uri=BACK)
        with pytest.raises(ConfigurationError, match="MEMORAM_SECRET"):
            flow.seal()
        with pytest.raises(ConfigurationError, match="is the API key"):
            flow.seal(secret=API_KEY)
        with pytest.raises(ConfigurationError, match="at least 32 bytes"):
            flow.seal(secret="short")


async def test_a_flow_that_is_too_long_for_a_session_is_refused(world: World) -> None:
    async with world.client(Service.answering(tokens()), **APP, secret=SECRET) as client:
        flow = client.oauth.begin(redirect_uri=f"{BACK}?{'x' * 900}")
        with pytest.raises(InvalidArgumentError, match=f"more than {LONGEST_SEAL:,}"):
            flow.seal()


async def test_the_longest_sealed_flow_is_shorter_than_a_kilobyte(world: World) -> None:
    async with world.client(Service.answering(tokens()), **APP, secret=SECRET) as client:
        shortest = len(client.oauth.begin(redirect_uri=f"{BACK}?").seal())
        room = -(-(1023 - shortest) * 3 // 4)
        fits = client.oauth.begin(redirect_uri=f"{BACK}?{'x' * room}")
        assert len(fits.seal()) == 1023
        assert client.oauth.restore(fits.seal()).redirect_uri == fits.redirect_uri
        with pytest.raises(InvalidArgumentError, match=r"seals to 1,025 characters.*more than 1,023"):
            client.oauth.begin(redirect_uri=f"{fits.redirect_uri}x").seal()


# --- the wrong address -------------------------------------------------------------------------


NOT_THERE = pytest.mark.parametrize("status", [404, 405, 415])
"""What is answered where nothing is, or pages are."""


@NOT_THERE
async def test_a_token_endpoint_that_is_not_there_is_a_wrong_address(world: World, status: int) -> None:
    async with world.client(Service.answering(httpx.Response(status)), **APP) as client:
        for call in (link(client), client.oauth.refresh("rt")):
            error = await failure(call, ConfigurationError)
            assert "check auth_url" in str(error)


@NOT_THERE
async def test_an_oauth_error_stays_one_whatever_its_status(world: World, status: int) -> None:
    answer = httpx.Response(status, json={"error": "invalid_client"})
    async with world.client(Service.answering(answer), **APP) as client:
        assert (await failure(link(client), OAuthError)).code == "invalid_client"


@NOT_THERE
async def test_a_developer_token_endpoint_that_is_not_there_is_a_wrong_address(
    world: World, status: int
) -> None:
    async with world.client(lambda _: httpx.Response(status)) as client:
        error = await failure(client.access_requests.create("mk_1", reason="why"), ConfigurationError)
    assert "createToken" in str(error)
    assert "check base_url" in str(error)


# --- refreshing --------------------------------------------------------------------------------


async def test_new_tokens_are_saved_before_anybody_gets_them(world: World) -> None:
    saved: list[OAuthTokens] = []
    async with world.client(Service.answering(tokens()), **APP) as client:
        fresh = await client.oauth.refresh("rt", on_tokens=saved.append)
    assert saved == [fresh]


async def test_tokens_that_could_not_be_saved_are_saved_by_the_next_call(world: World) -> None:
    service = Service.answering(tokens())
    saved: list[OAuthTokens] = []

    def fail(_: OAuthTokens) -> None:
        raise OSError

    async with world.client(service, **APP) as client:
        with pytest.raises(OSError):  # noqa: PT011 - it has nothing to match
            await client.oauth.refresh("rt", on_tokens=fail)
        fresh = await client.oauth.refresh("rt", on_tokens=saved.append)
        assert len(service.requests) == 1
        await client.oauth.refresh("rt", on_tokens=saved.append)
    assert saved[0] is fresh
    assert len(service.requests) == 2


async def test_a_coroutine_function_is_refused_before_anything_is_sent(world: World) -> None:
    async def save(_: OAuthTokens) -> None:
        pass

    service = Service.answering(tokens())
    async with world.client(service, **APP) as client:
        for bad in (save, 7):
            await failure(client.oauth.refresh("rt", on_tokens=bad), InvalidArgumentError)
    assert service.requests == []


async def test_tokens_without_a_refresh_token_cannot_be_refreshed(world: World) -> None:
    service = Service.answering(httpx.Response(200, json={"access_token": "at"}))
    async with world.client(service, **APP) as client:
        only = await link(client)
        await failure(client.oauth.refresh(only), InvalidArgumentError)


CROWD = 20


async def test_many_refreshes_of_one_token_ask_once(world: World) -> None:
    time = Time()
    requests: list[httpx.Request] = []
    saved: list[OAuthTokens] = []
    answers: list[OAuthTokens] = []

    def until_all_others_wait() -> None:
        for _ in range(CROWD - 1):
            assert time.waiting.acquire(timeout=30)

    async def slow(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        await anyio.to_thread.run_sync(until_all_others_wait)
        return tokens()

    def slow_thread(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        until_all_others_wait()
        return tokens()

    handler = slow_thread if world.is_sync else slow
    async with world.client(handler, time=time, **APP) as client:
        if world.is_sync:
            with ThreadPoolExecutor(CROWD) as pool:
                calls = [
                    pool.submit(client._blocking.oauth.refresh, "rt", on_tokens=saved.append)  # noqa: SLF001
                    for _ in range(CROWD)
                ]
                answers = [call.result() for call in calls]
        else:

            async def one() -> None:
                answers.append(await client.oauth.refresh("rt", on_tokens=saved.append))

            async with anyio.create_task_group() as group:
                for _ in range(CROWD):
                    group.start_soon(one)
    assert len(requests) == 1
    assert len(saved) == 1
    assert set(map(id, answers)) == {id(saved[0])}


async def test_a_refresh_that_is_cancelled_on_its_way_is_saved_all_the_same(world: World) -> None:
    if world.is_sync:
        return  # a thread cannot be cancelled
    saved: list[OAuthTokens] = []

    async def slow(_: httpx.Request) -> httpx.Response:
        await anyio.sleep(0.05)
        return tokens()

    handler: Any = slow
    async with world.client(handler, **APP) as client:
        with anyio.move_on_after(0.01):
            await client.oauth.refresh("rt", on_tokens=saved.append)
    assert [each.refresh_token.reveal() for each in saved if each.refresh_token] == ["rt2"]


async def test_a_refresh_whose_answer_is_lost_says_so(world: World) -> None:
    async with world.client(Service.answering(httpx.ReadTimeout("x")), **APP) as client:
        error = await failure(client.oauth.refresh("rt"), APIConnectionError)
    assert isinstance(error, OutcomeUnknownError)
