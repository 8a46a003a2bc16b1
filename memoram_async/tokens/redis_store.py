"""A token store on Redis or Valkey."""

from __future__ import annotations

from typing import Final

from memoram_async.core.kinds import check_entry, check_text
from memoram_async.runtime.redis_client import OnRedis, milliseconds

_DELETE_IF_SAME: Final = (
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
)


class RedisTokenStore(OnRedis):
    """Keeps the token of many processes and machines in Redis; see `TokenStore`.

    It takes the blocking client, in async code too. redis-py's clients may be shared by threads, and after a
    fork the child opens connections of its own.

        store = RedisTokenStore.from_url("redis://127.0.0.1:6379/0")
        memoram = AsyncMemoram(token_store=store)
    """

    def get(self, name: str) -> bytes | None:
        """The value of that name; None if there is none or its time is over."""
        check_text(name, name="name")
        return self._value(name)

    def put(self, name: str, value: bytes, ttl: float) -> None:
        """Keep a value for that many seconds, in place of any other."""
        check_entry(name, value, ttl=ttl)
        self._client.set(self._prefix + name, value.decode(), px=milliseconds(ttl))

    def discard(self, name: str, value: bytes) -> None:
        """Delete a value, if it is still this one."""
        check_entry(name, value)
        self._client.eval(_DELETE_IF_SAME, 1, self._prefix + name, value.decode())

    def lease(self, name: str, owner: str, ttl: float) -> bool:
        """Take the right to renew that name for so many seconds; whether the owner holds it now."""
        check_text(owner, name="owner")
        check_entry(name, ttl=ttl)
        key = self._lease_key(name)
        if self._client.set(key, owner, px=milliseconds(ttl), nx=True):
            return True
        # redis-py sends a command again when its answer was lost: the lease may be ours from the first time.
        return self._client.get(key) in {owner, owner.encode()}

    def release(self, name: str, owner: str) -> None:
        """Give a lease back, if this owner still holds it."""
        check_text(owner, name="owner")
        check_text(name, name="name")
        self._client.eval(_DELETE_IF_SAME, 1, self._lease_key(name), owner)

    def _lease_key(self, name: str) -> str:
        return f"{self._prefix}{name}:lease"
