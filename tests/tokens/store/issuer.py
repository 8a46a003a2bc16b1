"""A service whose tokens can be told apart, and stores that misbehave."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import attrs
import httpx

from memoram_async import MemoryTokenStore, Secret
from memoram_async.core.shared_token import SharedToken
from memoram_async.crypto.token_seal import TokenSeal
from tests.worlds import API, API_KEY, Time, World

if TYPE_CHECKING:
    from memoram_async import TokenStore

LIFETIME: Final = 3600.0
OPERATIONS: Final = ("get", "put", "discard", "lease", "release")
SEAL: Final = TokenSeal(Secret(API_KEY), API)


@attrs.define
class Issuer:
    """Exchanges keys for numbered tokens by a test's clock, and remembers who came with what.

    Attributes:
        refused: Tokens that are answered 401.
        fault: What the exchange answers instead of a token; None for tokens.
        during: Called while an exchange is under way.
    """

    time: Time
    lifetime: float = LIFETIME
    exchanges: int = 0
    came_with: list[str] = attrs.field(factory=list[str])
    refused: set[str] = attrs.field(factory=set[str])
    fault: httpx.Response | None = None
    during: Callable[[], object] = lambda: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/token"):
            self.exchanges += 1
            self.during()
            return self.fault or self.issue()
        token = request.headers["authorization"].removeprefix("Bearer ")
        self.came_with.append(token)
        return httpx.Response(401 if token in self.refused else 200, json={})

    def issue(self) -> httpx.Response:
        ends = datetime.fromtimestamp(self.time.epoch + self.lifetime, UTC).isoformat()
        return httpx.Response(200, json={"token": f"token-{self.exchanges}", "expires_at": ends})


@attrs.define(eq=False)
class Watched:
    """A store that notes what it is asked, and does something first.

    Attributes:
        before: What to do before an operation, by its name.
        after: What to do after it.
    """

    store: MemoryTokenStore
    asked: list[str] = attrs.field(factory=list[str])
    before: dict[str, Callable[[], object]] = attrs.field(factory=dict[str, Callable[[], object]])
    after: dict[str, Callable[[], object]] = attrs.field(factory=dict[str, Callable[[], object]])

    def _ask(self, operation: str, *arguments: Any) -> Any:
        self.asked.append(operation)
        self.before.get(operation, lambda: None)()
        answer = getattr(self.store, operation)(*arguments)
        self.after.get(operation, lambda: None)()
        return answer

    def get(self, name: str) -> bytes | None:
        value: bytes | None = self._ask("get", name)
        return value

    def put(self, name: str, value: bytes, ttl: float) -> None:
        self._ask("put", name, value, ttl)

    def discard(self, name: str, value: bytes) -> None:
        self._ask("discard", name, value)

    def lease(self, name: str, owner: str, ttl: float) -> bool:
        return bool(self._ask("lease", name, owner, ttl))

    def release(self, name: str, owner: str) -> None:
        self._ask("release", name, owner)


@attrs.define(eq=False)
class Scene:
    """One world, one clock, one service and one store."""

    world: World
    time: Time = attrs.field(factory=Time)
    issuer: Issuer = attrs.field(init=False)
    store: Watched = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.issuer = Issuer(self.time)
        self.store = Watched(MemoryTokenStore(clock=lambda: self.time.moment))

    def client(self, *, token_store: TokenStore | None = None, **options: Any) -> Any:
        """A client as another process would have it."""
        store = self.store if token_store is None else token_store
        return self.world.client(self.issuer, time=self.time, token_store=store, **options)

    async def call(self, client: Any) -> str:
        """Make a call; the token that it came with in the end."""
        await client.request("GET", "/ping")
        return self.issuer.came_with[-1]

    def stored(self) -> SharedToken | None:
        """What lies in the store."""
        value = self.store.store.get(SEAL.name)
        return None if value is None else SEAL.open(value)

    def put(self, token: str, *, age: float = 0.0, lifetime: float = LIFETIME) -> None:
        """Put a token into the store, as another process would."""
        shared = SharedToken(token=Secret(token), issued=self.time.epoch - age, lifetime=lifetime)
        self.store.store.put(SEAL.name, SEAL.seal(shared), lifetime - age)

    def lease_elsewhere(self, seconds: float = 35.0) -> None:
        """Let another process hold the lease."""
        assert self.store.store.lease(SEAL.name, "another process", seconds)

    def is_leased(self) -> bool:
        """Whether somebody holds the lease."""
        if self.store.store.lease(SEAL.name, "a test", 1):
            self.store.store.release(SEAL.name, "a test")
            return False
        return True
