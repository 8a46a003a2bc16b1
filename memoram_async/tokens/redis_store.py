"""A token store on Redis or Valkey, for which `pip install 'memoram[redis]'` brings the client."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from memoram_async.core.errors import ConfigurationError
from memoram_async.core.secret import conceal

if TYPE_CHECKING:
    from types import TracebackType

    from memoram_async.core.secret import Secret

_DELETE_IF_SAME: Final = (
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
)


class RedisClient(Protocol):
    """What of a blocking redis-py client is used."""

    def get(self, name: str, /) -> Any:
        """GET."""
        ...

    def set(self, name: str, value: str, /, *, px: int, nx: bool = False) -> Any:
        """SET with a time to live in milliseconds, if wanted only where there is no value."""
        ...

    def eval(self, script: str, numkeys: int, /, *keys_and_args: str) -> Any:
        """EVAL."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class RedisTokenStore:
    """Keeps the token of many processes and machines in Redis; see `TokenStore`.

    It takes the blocking client, in async code too. redis-py's clients may be shared by threads, and after a
    fork the child opens connections of its own.

        store = RedisTokenStore.from_url("redis://127.0.0.1:6379/0")
        memoram = AsyncMemoram(token_store=store)
    """

    def __init__(self, client: RedisClient, *, prefix: str = "memoram:") -> None:
        """A store on a client of your own, which stays yours to configure and to close.

        Give it a `socket_timeout` and a `socket_connect_timeout` of about a second and few retries: while
        Redis does not answer, a call that needs a token waits for as long.

        Args:
            client: A `redis.Redis` or `redis.RedisCluster`, whether it decodes responses or not.
            prefix: What every key begins with.

        Raises:
            ConfigurationError: The client is redis-py's asynchronous one.
        """
        if inspect.iscoroutinefunction(getattr(client, "execute_command", None)):
            raise ConfigurationError(
                "RedisTokenStore takes the blocking redis.Redis, in async code too: it runs in worker threads"
            )
        self._client = client
        self._prefix = prefix

    @classmethod
    def from_url(cls, url: str | Secret, *, prefix: str = "memoram:", timeout: float = 1.0) -> Self:
        """A store on a client of its own, which `close` closes; nothing is sent.

        Args:
            url: The server's address, such as `rediss://user:password@host:6379/0`.
            prefix: What every key begins with.
            timeout: Seconds that connecting, each read and each write may take; one is tried once more.

        Raises:
            ConfigurationError: redis-py is not installed, or the address is none.
        """
        address = conceal(url)
        del url  # a traceback may show what local variables hold
        try:
            from redis import Redis  # noqa: PLC0415 - only who uses Redis need install it
            from redis.backoff import NoBackoff  # noqa: PLC0415
            from redis.retry import Retry  # noqa: PLC0415
        except ImportError:
            raise ConfigurationError(
                "redis-py is not installed: pip install 'memoram[redis]', or pass a TokenStore of your own"
            ) from None
        try:
            redis: Any = Redis  # its type says too little of keyword arguments
            client: RedisClient | None = redis.from_url(
                address.reveal(),
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                # Once more, at once: a connection from the pool may have been closed meanwhile.
                retry=Retry(NoBackoff(), 1),
            )
        except ValueError:
            client = None  # the error may quote the address, password and all
        if client is None:
            raise ConfigurationError(
                "the Redis address cannot be used: it should read like rediss://user:password@host:6379/0"
            )
        return cls(client, prefix=prefix)

    def get(self, name: str) -> bytes | None:
        """The value of that name; None if there is none or its time is over."""
        value: bytes | str | None = self._client.get(self._prefix + name)
        return value.encode() if isinstance(value, str) else value

    def put(self, name: str, value: bytes, ttl: float) -> None:
        """Keep a value for that many seconds, in place of any other."""
        self._client.set(self._prefix + name, value.decode(), px=_milliseconds(ttl))

    def discard(self, name: str, value: bytes) -> None:
        """Delete a value, if it is still this one."""
        self._client.eval(_DELETE_IF_SAME, 1, self._prefix + name, value.decode())

    def lease(self, name: str, owner: str, ttl: float) -> bool:
        """Take the right to renew that name for so many seconds; whether the owner holds it now."""
        key = self._lease_key(name)
        if self._client.set(key, owner, px=_milliseconds(ttl), nx=True):
            return True
        # redis-py sends a command again when its answer was lost: the lease may be ours from the first time.
        return self._client.get(key) in {owner, owner.encode()}

    def release(self, name: str, owner: str) -> None:
        """Give a lease back, if this owner still holds it."""
        self._client.eval(_DELETE_IF_SAME, 1, self._lease_key(name), owner)

    def close(self) -> None:
        """Close the client's connections; it opens new ones if it is used again."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<RedisTokenStore with prefix {self._prefix!r}>"

    def _lease_key(self, name: str) -> str:
        return f"{self._prefix}{name}:lease"


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
