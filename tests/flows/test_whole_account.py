"""A service that lists the requests of all applications of a developer: which of them are one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memoram_local import MemoramLocal
from tests.worlds import Time

if TYPE_CHECKING:
    from memoram_local.controls.policies import Answer, Pending
    from tests.worlds import World

pytestmark = pytest.mark.anyio

WHY = "Plans journeys"


@pytest.mark.parametrize("theirs", ["approved", "pending"])
async def test_the_request_of_another_application_is_left_alone_and_one_of_our_own_is_made(
    world: World, theirs: str
) -> None:
    with (
        MemoramLocal(password_profile="fast", list_whole_account=True) as local,
        local.serve() as server,
    ):
        apps = [local.register_app(name=name) for name in ("Theirs", "Ours")]
        user = local.create_user(email="ada@example.com", password="correct horse battery")
        they, we = (
            world.real_client(time=Time(), api_key=app.api_key, base_url=server.api_url, auth_url=server.url)
            for app in apps
        )
        async with they, we:
            other = await they.access_requests.create(user.memory_key, reason=WHY)
            if theirs == "approved":
                local.approve(other.id)

            def decide(pending: Pending) -> Answer | None:
                return None if pending.request.id == other.id else "approve"

            local.policy = decide
            for _ in range(2):
                store = await we.connect(user.memory_key, reason=WHY)
                assert store.user_id == user.id
        requests = {request.app_id: request.status for request in local.access_requests()}
    assert requests == {apps[0].id: theirs, apps[1].id: "approved"}
