"""A list of access requests that has those of the developer's other applications."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memoram_local import MemoramLocal
from memoram_sync import Memoram

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memoram_local.process.server import LocalServer


@pytest.fixture(params=[True, False], ids=["whole account", "own"])
def platform(request: pytest.FixtureRequest) -> Iterator[tuple[MemoramLocal, LocalServer, bool]]:
    with (
        MemoramLocal(password_profile="fast", list_whole_account=request.param) as local,
        local.serve() as server,
    ):
        yield local, server, request.param


def test_the_list_has_the_requests_of_the_developers_other_applications(
    platform: tuple[MemoramLocal, LocalServer, bool],
) -> None:
    local, server, is_whole = platform
    one, other = local.register_app(name="One"), local.register_app(name="Other")
    user = local.create_user(email="ada@example.com", password="correct horse battery")
    seen = {}
    for app in (one, other):
        with Memoram(app.api_key, base_url=server.api_url, auth_url=server.url) as client:
            client.access_requests.create(user.memory_key, reason=f"for {app.id}")
    for app in (one, other):
        with Memoram(app.api_key, base_url=server.api_url, auth_url=server.url) as client:
            seen[app.id] = {request.ai_connector_id for request in client.access_requests.list()}
    both = {one.id, other.id}
    assert seen == ({one.id: both, other.id: both} if is_whole else {one.id: {one.id}, other.id: {other.id}})
