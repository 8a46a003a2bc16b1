"""What holds keys and connections is used where it was made: copies and pickles are refused."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any, Final

import pytest
import redis
from keyring.backends import null

from memoram_async import (
    AccessCredentials,
    AnyioRuntime,
    AsyncMemoram,
    AsyncMemoryAPI,
    KeyringKeyStore,
    MemoryGrantStore,
    MemoryKeyStore,
    MemoryTokenStore,
    RedisTokenStore,
    Secret,
    SQLGrantStore,
)
from memoram_sync import Memoram
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from tests.arguments.wrong_values import KEY
from tests.worlds import API, API_KEY, AUTH

if TYPE_CHECKING:
    from collections.abc import Callable

_CREDENTIALS: Final = AccessCredentials(user_id="u", memory_key=Secret("k"), encryption_key=Secret(KEY))
_APPLICATION: Final[dict[str, Any]] = {"client_id": "c", "client_secret": "s", "secret": "s" * 33}
_BACK: Final = "https://app.test/back"
_KEYRING: Final[Any] = null.Keyring()  # type: ignore[no-untyped-call]

OF_A_CLIENT: Final[dict[str, Callable[[Any], Any]]] = {
    "client": lambda client: client,
    "clone": lambda client: client.with_options(timeout=1),
    "access_requests": lambda client: client.access_requests,
    "memory_blobs": lambda client: client.memory_blobs,
    "tags": lambda client: client.tags,
    "oauth": lambda client: client.oauth,
    "flow": lambda client: client.oauth.begin(redirect_uri=_BACK),
    "watch": lambda client: client.access_requests.watch("r"),
    "store": lambda client: client.open(_CREDENTIALS),
    "pager": lambda client: client.tags.list(user_id="u"),
    "pages": lambda client: client.tags.list(user_id="u").pages(),
    "ahead": lambda client: client.tags.list(user_id="u").ahead(),
    "connections": lambda client: client.connections(MemoryGrantStore(), redirect_uri=_BACK, reason="why"),
}

OF_ITS_OWN: Final[dict[str, Callable[[], Any]]] = {
    "AsyncMemoryAPI": AsyncMemoryAPI,
    "MemoryTokenStore": MemoryTokenStore,
    "MemoryKeyStore": MemoryKeyStore,
    "MemoryGrantStore": MemoryGrantStore,
    "RedisTokenStore": lambda: RedisTokenStore(redis.Redis()),
    "SQLGrantStore": lambda: SQLGrantStore("sqlite://"),
    "KeyringKeyStore": lambda: KeyringKeyStore(backend=_KEYRING),
    "AnyioRuntime": AnyioRuntime,
    "BlockingRuntime": BlockingRuntime,
}

takes = pytest.mark.parametrize("take", [copy.copy, copy.deepcopy, pickle.dumps])


@takes
@pytest.mark.parametrize("kind", [AsyncMemoram, Memoram])
@pytest.mark.parametrize("name", OF_A_CLIENT)
def test_what_a_client_gives_is_not_copied(kind: type[Any], name: str, take: Callable[[Any], Any]) -> None:
    thing = OF_A_CLIENT[name](kind(API_KEY, base_url=API, auth_url=AUTH, **_APPLICATION))
    with pytest.raises(TypeError, match=f"^{type(thing).__name__} holds keys .* make or open one"):
        take(thing)


@takes
@pytest.mark.parametrize("name", OF_ITS_OWN)
def test_stores_and_runtimes_are_not_copied(name: str, take: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=f"^{name} holds keys .* make or open one"):
        take(OF_ITS_OWN[name]())


@pytest.mark.parametrize("kind", [AsyncMemoram, Memoram])
def test_a_clone_of_a_subclass_has_what_the_subclass_added(kind: Any) -> None:
    class Own(kind):  # type: ignore[misc]
        def __init__(self, team: str) -> None:
            kind.__init__(self, API_KEY, base_url=API)
            self.team = team

    clone = Own("planners").with_options(timeout=5)
    assert (type(clone), clone.team) == (Own, "planners")
