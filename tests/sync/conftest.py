from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import pytest

from memoram_async.core.oauth import code_challenge
from memoram_local import Limits, MemoramLocal
from memoram_local.process.server import serving
from memoram_sync import Memoram
from tests.sync.scenes import BACK, CONTENTS, TAG, VERIFIER, Facts, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Send
    from starlette.types import Scope as ASGIScope

    from memoram_local.process.server import LocalServer

EVERY_THREAD: Final = 1_000
"""Access requests that may wait: more than threads that ask at once."""


class TokenCounter:
    """An application that counts token exchanges on their way to another."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.exchanges = 0

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        self.exchanges += scope["path"].endswith("/auth/token")
        await self._app(scope, receive, send)


class Platform:
    """A platform on a socket, for all tests of a file."""

    def __init__(self, local: MemoramLocal, server: LocalServer, counter: TokenCounter) -> None:
        self.local = local
        self.server = server
        self.counter = counter
        self._numbers = itertools.count()

    def facts(self) -> Facts:
        """A new application that a new user has let in, with a few memories."""
        app = self.local.register_app(name="Planner", redirect_uris=[BACK])
        user = self.local.create_user(
            email=f"user{next(self._numbers)}@example.com", password="correct horse battery"
        )
        url = self.server.url
        with Memoram(app.api_key, base_url=f"{url}/api/v1", auth_url=url) as client:
            request = client.access_requests.create(user.memory_key, reason="Plans journeys")
            self.local.approve(request.id)
            store = client.open(client.access_requests.credentials(request.id))
            memory, *_ = [store.create(content, tags=[TAG]) for content in CONTENTS]
            tag, *_ = store.list_tags()
        return Facts(
            api_url=f"{url}/api/v1",
            auth_url=url,
            api_key=app.api_key,
            client_id=app.client_id,
            client_secret=app.client_secret,
            user_id=user.id,
            memory_key=user.memory_key,
            encryption_key=user.encryption_key,
            access_request_id=request.id,
            memory_id=memory.id,
            tag_id=tag.id,
            memory_api_url=self.server.memory_api_url,
            memory_api_key=self.local.memory_api.sign_up().key,
        )

    def codes(self, facts: Facts, number: int) -> list[str]:
        """So many OAuth codes of the user's."""
        return [
            self.local.authorize(
                user_id=facts.user_id,
                client_id=facts.client_id,
                redirect_uri=BACK,
                code_challenge=code_challenge(VERIFIER),
            )
            for _ in range(number)
        ]


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with MemoramLocal(password_profile="fast", limits=Limits(pending_requests=EVERY_THREAD)) as local:
        counter = TokenCounter(local.app)
        with serving(counter, host="127.0.0.1", port=0) as server:
            yield Platform(local, server, counter)


@pytest.fixture(scope="module")
def facts(platform: Platform) -> Facts:
    """What the tests of a file share: none of them leaves anything that another would stumble over."""
    return platform.facts()


@pytest.fixture
def scene(platform: Platform, facts: Facts) -> Iterator[Scene]:
    """A cold client and what it can be used on."""
    scene = Scene(facts, platform.codes(facts, 1))
    with scene.client:
        yield scene
