"""What every token store does, in memory and in Redis."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
import pytest
import redis

from memoram_async import MemoryTokenStore, RedisTokenStore, TokenStore
from tests.redis_server import RedisServer, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "token-0f"
SHORT = 0.02


@attrs.frozen
class Shelf:
    """A store, and how its time passes."""

    store: TokenStore
    until: Callable[[Callable[[], object]], None]


def in_memory() -> Shelf:
    now = [100.0]

    def until(condition: Callable[[], object]) -> None:
        now[0] += SHORT
        assert condition()

    return Shelf(MemoryTokenStore(clock=lambda: now[0]), until)


@pytest.fixture(
    params=[
        "memory",
        pytest.param("redis", marks=pytest.mark.service("redis-server")),
        pytest.param("redis that decodes", marks=pytest.mark.service("redis-server")),
    ]
)
def shelf(request: pytest.FixtureRequest) -> Iterator[Shelf]:
    if request.param == "memory":
        yield in_memory()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    decodes = request.param == "redis that decodes"
    with redis.Redis(port=server.port, decode_responses=decodes) as client:
        yield Shelf(RedisTokenStore(client), eventually)


@pytest.fixture
def store(shelf: Shelf) -> TokenStore:
    return shelf.store


def test_an_empty_store_has_nothing(store: TokenStore) -> None:
    assert store.get(NAME) is None


def test_what_was_put_can_be_got(store: TokenStore) -> None:
    store.put(NAME, b"v1.a-_", 60)
    assert store.get(NAME) == b"v1.a-_"
    assert store.get("token-1f") is None


def test_a_later_value_takes_the_place_of_an_earlier_one(store: TokenStore) -> None:
    store.put(NAME, b"a", 60)
    store.put(NAME, b"b", 60)
    assert store.get(NAME) == b"b"


def test_a_value_is_gone_when_its_time_is_over(shelf: Shelf) -> None:
    shelf.store.put(NAME, b"a", SHORT)
    shelf.until(lambda: shelf.store.get(NAME) is None)


def test_a_value_can_be_put_for_less_than_a_millisecond(shelf: Shelf) -> None:
    shelf.store.put(NAME, b"a", 0.0001)
    shelf.until(lambda: shelf.store.get(NAME) is None)


def test_a_value_is_discarded(store: TokenStore) -> None:
    store.put(NAME, b"a", 60)
    store.discard(NAME, b"a")
    assert store.get(NAME) is None


def test_another_value_is_not_discarded(store: TokenStore) -> None:
    store.put(NAME, b"b", 60)
    store.discard(NAME, b"a")
    assert store.get(NAME) == b"b"


def test_discarding_nothing_does_no_harm(store: TokenStore) -> None:
    store.discard(NAME, b"a")
    assert store.get(NAME) is None


def test_one_owner_at_a_time_holds_a_lease(store: TokenStore) -> None:
    assert store.lease(NAME, "a", 60)
    assert not store.lease(NAME, "b", 60)
    assert store.lease("token-1f", "b", 60)


def test_who_holds_a_lease_may_ask_again(store: TokenStore) -> None:
    """A client may send its question again when the answer was lost."""
    assert store.lease(NAME, "a", 60)
    assert store.lease(NAME, "a", 60)


def test_a_lease_ends_when_it_is_released(store: TokenStore) -> None:
    store.lease(NAME, "a", 60)
    store.release(NAME, "a")
    assert store.lease(NAME, "b", 60)


def test_a_lease_ends_when_its_time_is_over(shelf: Shelf) -> None:
    shelf.store.lease(NAME, "a", SHORT)
    shelf.until(lambda: shelf.store.lease(NAME, "b", 60))


def test_another_owners_lease_is_not_released(store: TokenStore) -> None:
    store.lease(NAME, "b", 60)
    store.release(NAME, "a")
    assert not store.lease(NAME, "a", 60)


def test_releasing_nothing_does_no_harm(store: TokenStore) -> None:
    store.release(NAME, "a")
    assert store.lease(NAME, "b", 60)


def test_leases_and_values_of_one_name_do_not_touch_each_other(store: TokenStore) -> None:
    assert store.lease(NAME, "a", 60)
    store.put(NAME, b"a", 60)
    store.release(NAME, "a")
    assert store.get(NAME) == b"a"
    store.discard(NAME, b"a")
    assert store.lease(NAME, "b", 60)


def test_a_store_shows_nothing_of_what_it_holds(store: TokenStore) -> None:
    store.put(NAME, b"canary", 60)
    assert "canary" not in repr(store)


def test_a_forked_child_keeps_the_values_and_leaves_the_leases() -> None:
    store = MemoryTokenStore()
    store.put(NAME, b"a", 60)
    store.lease(NAME, "parent", 60)
    with store._lock:  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        store.after_fork()
        assert store.get(NAME) == b"a"
        assert store.lease(NAME, "child", 60)


def test_a_memory_store_goes_by_the_systems_clock() -> None:
    store = MemoryTokenStore()
    store.put(NAME, b"a", 60)
    assert store.get(NAME) == b"a"
