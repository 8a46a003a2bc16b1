"""A grant store on Redis or Valkey."""

from __future__ import annotations

from typing import Final

from memoram_async.core.kinds import check_swap, check_text
from memoram_async.runtime.redis_client import OnRedis, milliseconds

# ARGV: the expected value, the new one, and how many milliseconds to keep it; '' where there is none.
# A value that is there already was put by the same command, whose answer was lost: no two are the same.
_SWAP: Final = """
local current = redis.call('get', KEYS[1]) or ''
if current ~= ARGV[1] then
    if current ~= '' and current == ARGV[2] then return 1 end
    return 0
end
if ARGV[2] == '' then redis.call('del', KEYS[1])
elseif ARGV[3] == '' then redis.call('set', KEYS[1], ARGV[2])
else redis.call('set', KEYS[1], ARGV[2], 'px', ARGV[3]) end
return 1
"""


class RedisGrantStore(OnRedis):
    """Keeps grants in Redis; see `GrantStore`.

    Grants are to stay: let that Redis write to disk, and evict no keys that do not expire. Where the answer
    to a deletion was lost and redis-py asks again, the second answer is that nothing was there to delete.

        grants = RedisGrantStore.from_url("redis://127.0.0.1:6379/0")
        connections = memoram.connections(grants, redirect_uri=..., reason=...)
    """

    def get(self, name: str) -> bytes | None:
        """The value of that name; None if there is none or its time is over."""
        check_text(name, name="name")
        return self._value(name)

    def swap(
        self, name: str, expected: bytes | None, value: bytes | None, *, ttl: float | None = None
    ) -> bool:
        """Put a value in the place of the expected one; see `GrantStore.swap`."""
        check_swap(name, expected, value, ttl)
        arguments = (
            "" if expected is None else expected.decode(),
            "" if value is None else value.decode(),
            "" if ttl is None else str(milliseconds(ttl)),
        )
        return bool(self._client.eval(_SWAP, 1, self._prefix + name, *arguments))
