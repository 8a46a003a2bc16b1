"""From an API key to a user's memories, against a whole platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from memoram_async import (
    AccessRejected,
    AccessRevoked,
    ApprovalTimeout,
    AuthenticationError,
    ConfigurationError,
    NotFoundError,
    OAuthError,
    PermissionDeniedError,
)
from memoram_local.testing import AutoApprove
from tests.flows.conftest import BACK
from tests.worlds import Time, failure, items

if TYPE_CHECKING:
    from memoram_async import ApprovalProgress
    from tests.flows.conftest import Stage

pytestmark = pytest.mark.anyio

WHY = "Remembers your travel preferences"


@pytest.mark.parametrize("path", ["", "/api", "/api/v2", "/api/v1/api/v1", "/dashboard"])
async def test_an_address_without_the_right_version_path_is_named(stage: Stage, path: str) -> None:
    async with stage.client(base_url=stage.url + path) as client:
        error = await failure(client.access_requests.list().first_page(), ConfigurationError)
    assert "check base_url, which ends in a version path such as /api/v1" in str(error)


async def test_oauth_gives_the_memory_key_and_a_code_works_once(stage: Stage) -> None:
    async with stage.client() as client:
        application = {"client_id": stage.app.client_id, "client_secret": stage.app.client_secret}
        flow = client.oauth.begin(redirect_uri=BACK, **application)
        query = httpx.URL(flow.url).params
        code = stage.local.authorize(
            user_id=stage.user.id,
            client_id=stage.app.client_id,
            redirect_uri=BACK,
            code_challenge=query["code_challenge"],
        )
        callback = f"{BACK}?code={code}&state={query['state']}"
        again = client.oauth.restore(
            flow.seal(secret="s" * 32), secret="s" * 32, client_secret=stage.app.client_secret
        )
        tokens = await flow.complete(callback)
        assert tokens.memory_key.reveal() == stage.user.memory_key
        fresh = await client.oauth.refresh(tokens, **application)
        assert fresh.access_token.reveal() != tokens.access_token.reveal()
        error = await failure(again.complete(callback), OAuthError)
    assert error.code == "invalid_grant"


async def test_connect_asks_waits_for_the_user_and_fetches_the_key(stage: Stage) -> None:
    seen: list[str | None] = []

    def on_status(progress: ApprovalProgress) -> None:
        seen.append(progress.status)
        if progress.status == "pending":
            (request,) = stage.local.access_requests()
            stage.local.approve(request.id)

    async with stage.client(time=Time()) as client:
        store = await client.connect(stage.user.memory_key, reason=WHY, on_status=on_status)
        assert (store.user_id, store.key_version) == (stage.user.id, 1)
    assert seen == ["pending", "approved"]


async def test_connect_passes_no_time_where_users_approve_at_once(stage: Stage) -> None:
    stage.local.policy = AutoApprove()
    others = [
        stage.local.create_user(email=f"{name}@example.com", password="correct horse battery")
        for name in ("bob", "eve")
    ]
    time = Time()
    async with stage.client(time=time) as client:
        for user in (stage.user, *others):
            store = await client.connect(user.memory_key, reason=WHY)
            assert store.user_id == user.id
    assert time.slept == []


async def test_connect_uses_an_approved_request_again(stage: Stage) -> None:
    async with stage.client(time=Time()) as client:
        await stage.store(client)
        await client.connect(stage.user.memory_key, reason=WHY)
        assert len(await items(client.access_requests.list())) == 1


async def test_connect_goes_on_with_a_request_that_is_still_open(stage: Stage) -> None:
    async with stage.client(time=Time()) as client:
        request = await client.access_requests.create(stage.user.memory_key, reason=WHY)
        await failure(client.connect(stage.user.memory_key, reason=WHY, timeout=5), ApprovalTimeout)
        stage.local.approve(request.id)
        await client.connect(stage.user.memory_key, reason=WHY)
        assert len(await items(client.access_requests.list())) == 1


async def test_a_users_no_is_an_error_of_its_own(stage: Stage) -> None:
    def reject(progress: ApprovalProgress) -> None:
        if progress.status == "pending":
            stage.local.reject(stage.local.access_requests()[0].id)

    async with stage.client(time=Time()) as client:
        error = await failure(
            client.connect(stage.user.memory_key, reason=WHY, on_status=reject), AccessRejected
        )
    assert error.request_id == stage.local.access_requests()[0].id


async def test_nobody_decides_in_time(stage: Stage) -> None:
    time = Time()
    async with stage.client(time=time) as client:
        request = await client.access_requests.create(stage.user.memory_key, reason=WHY)
        began = time.moment
        # The platform's clock is another one: a long poll really takes what is left.
        error = await failure(client.access_requests.wait(request.id, timeout=4), ApprovalTimeout)
    assert (error.request_id, error.last_status) == (request.id, "pending")
    assert time.moment - began == pytest.approx(4)
    assert 2 <= error.polls <= 4


async def test_a_wait_is_resumed_by_its_id(stage: Stage) -> None:
    async with stage.client() as client:
        request = await client.access_requests.create(stage.user.memory_key, reason=WHY)
    stage.local.approve(request.id)
    async with stage.client() as another:
        assert (await another.access_requests.wait(request.id)).status == "approved"


async def test_a_revoked_request_ends_a_wait(stage: Stage) -> None:
    async with stage.client() as client:
        request = await client.access_requests.create(stage.user.memory_key, reason=WHY)
        stage.local.approve(request.id)
        stage.local.revoke(request.id)
        await failure(client.access_requests.wait(request.id), AccessRevoked)


async def test_credentials_need_an_approval(stage: Stage) -> None:
    async with stage.client() as client:
        request = await client.access_requests.create(stage.user.memory_key, reason=WHY)
        await failure(client.access_requests.credentials(request.id), PermissionDeniedError)


async def test_an_unknown_memory_key_is_not_found(stage: Stage) -> None:
    async with stage.client() as client:
        await failure(client.connect("mk_nobody", reason=WHY), NotFoundError)


async def test_a_wrong_api_key_is_named(stage: Stage) -> None:
    async with stage.client(api_key="mem_" + "0" * 48) as client:
        error = await failure(items(client.access_requests.list()), AuthenticationError)
    assert "API key" in str(error)


async def test_one_application_does_not_see_the_requests_of_another(stage: Stage) -> None:
    other = stage.local.register_app(name="Other", redirect_uris=[])
    async with stage.client() as client, stage.client(api_key=other.api_key) as stranger:
        request = await client.access_requests.create(stage.user.memory_key, reason=WHY)
        assert await items(stranger.access_requests.list()) == []
        await failure(stranger.access_requests.get(request.id), NotFoundError)


async def test_options_make_a_clone_that_shares_the_token(stage: Stage) -> None:
    async with stage.client() as client:
        clone = client.with_options(timeout=5, max_retries=0)
        await items(client.access_requests.list())
        await items(clone.access_requests.list())
        async with clone:
            pass
        await items(client.access_requests.list())
