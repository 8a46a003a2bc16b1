"""A stage that any process can set up from a few strings: one client, one user, a few memories."""

from __future__ import annotations

from typing import Final

import attrs

from memoram_async import AccessCredentials, Secret
from memoram_async.core.oauth import FLOW_PURPOSE, Flow
from memoram_async.crypto.secret_seal import SecretSeal
from memoram_sync import Memoram, MemoryAPI, MemoryStore
from memoram_sync.runtime.blocking_runtime import BlockingRuntime

BACK: Final = "http://localhost:9/back"
CONTENTS: Final = ("Prefers window seats", "Is allergic to peanuts", "Speaks Portuguese")
TAG: Final = "fixed"
CONNECTIONS: Final = 32
"""Far fewer than the threads of some tests."""
VERIFIER: Final = "the verifier of every code that the scenes have"
SECRET: Final = "a secret of 32 bytes, or of more"


def flow_of(facts: Facts) -> Flow:
    """The flow that the scenes' codes belong to."""
    return Flow(
        endpoint=f"{facts.auth_url}/oauth/authorize",
        client_id=facts.client_id,
        redirect_uri=BACK,
        scope=None,
        params={},
        state=Secret("state"),
        code_verifier=Secret(VERIFIER),
        began=4_000_000_000,
    )


def sealed_flow(facts: Facts) -> str:
    """The same, sealed."""
    flow = flow_of(facts)
    seal = SecretSeal([Secret(SECRET)], purpose=FLOW_PURPOSE)
    return seal.seal(flow.written(), context=flow.endpoint.encode())


@attrs.frozen(kw_only=True)
class Facts:
    """What is known of the platform; texts alone, so that they can be handed to another process."""

    api_url: str
    auth_url: str
    api_key: str
    client_id: str
    client_secret: str
    user_id: str
    memory_key: str
    encryption_key: str
    access_request_id: str
    memory_id: str
    tag_id: str
    memory_api_url: str
    memory_api_key: str

    @property
    def credentials(self) -> AccessCredentials:
        """What opens the user's store."""
        return AccessCredentials(
            user_id=self.user_id,
            memory_key=Secret(self.memory_key),
            encryption_key=Secret(self.encryption_key),
            key_version=1,
        )

    def memory_api(self) -> MemoryAPI:
        """A client of the second service that has not sent anything yet."""
        return MemoryAPI(self.memory_api_key, base_url=self.memory_api_url)

    def client(self) -> Memoram:
        """A client that has not sent anything yet."""
        return Memoram(
            self.api_key,
            base_url=self.api_url,
            auth_url=self.auth_url,
            client_id=self.client_id,
            client_secret=self.client_secret,
            runtime=BlockingRuntime(max_connections=CONNECTIONS),
        )


@attrs.frozen
class Scene:
    """One client and one store, for any number of threads.

    Attributes:
        facts: What is known of the platform.
        codes: OAuth codes that nobody has exchanged; take one with `pop`.
        client: The client, cold at first.
        store: The user's store over that client.
    """

    facts: Facts
    codes: list[str] = attrs.field(repr=False)
    client: Memoram = attrs.field(init=False)
    store: MemoryStore = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "client", self.facts.client())
        object.__setattr__(self, "store", self.client.open(self.facts.credentials))
