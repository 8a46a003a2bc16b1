"""Setting up a store on Redis; nothing here needs a server."""

from __future__ import annotations

import sys
import traceback

import pytest
import redis
import redis.asyncio

from memoram_async import ConfigurationError, RedisTokenStore, Secret

CANARY = "canary-pass"


def test_without_redis_py_the_error_tells_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'memoram\[redis\]'"):
        RedisTokenStore.from_url("redis://127.0.0.1:6379/0")


def test_an_address_sets_short_timeouts_and_one_more_try() -> None:
    with RedisTokenStore.from_url("redis://127.0.0.1:6379/0", timeout=0.5) as store:
        client = store._client  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        assert isinstance(client, redis.Redis)
        arguments = client.connection_pool.connection_kwargs
        assert (arguments["socket_timeout"], arguments["socket_connect_timeout"]) == (0.5, 0.5)
        assert vars(arguments["retry"])["_retries"] == 1


@pytest.mark.parametrize("store", [
    RedisTokenStore.from_url(f"redis://user:{CANARY}@127.0.0.1:6379/0"),
    RedisTokenStore.from_url(Secret(f"redis://user:{CANARY}@127.0.0.1:6379/0"), prefix="ours:"),
])  # fmt: skip
def test_no_repr_shows_a_password(store: RedisTokenStore) -> None:
    assert CANARY not in repr(store)


@pytest.mark.parametrize("ending", ["@[::1", "@host:port/0", "@host:6379/0?socket_timeout=soon"])
def test_an_address_that_is_none_is_refused_without_quoting_it(ending: str) -> None:
    with pytest.raises(ConfigurationError, match="rediss://user:password@host:6379/0") as caught:
        RedisTokenStore.from_url(f"redis://user:{CANARY}{ending}")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame for frame in report.stack if "memoram_async" in frame.filename]
    assert frames
    assert CANARY not in str([frame.locals for frame in frames])


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        RedisTokenStore.from_url("https://host")


def test_the_asynchronous_client_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"the blocking redis\.Redis"):
        RedisTokenStore(redis.asyncio.Redis())  # pyright: ignore[reportArgumentType]


def test_every_key_begins_with_the_prefix() -> None:
    class Noting:
        def __init__(self) -> None:
            self.keys: list[str] = []

        def get(self, name: str, /) -> None:
            self.keys.append(name)

        def set(self, name: str, value: str, /, *, px: int, nx: bool = False) -> bool:
            self.keys.append(name)
            return True

        def eval(self, script: str, numkeys: int, /, *keys_and_args: str) -> None:
            self.keys.append(keys_and_args[0])

        def close(self) -> None:
            self.keys.append("closed")

    client = Noting()
    with RedisTokenStore(client, prefix="ours:") as store:
        store.get("a")
        store.put("a", b"x", 1)
        store.discard("a", b"x")
        store.lease("a", "o", 1)
        store.release("a", "o")
    assert client.keys == ["ours:a", "ours:a", "ours:a", "ours:a:lease", "ours:a:lease", "closed"]
