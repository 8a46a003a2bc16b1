"""A blocking Redis client of our own, for which `pip install 'memoram[redis]'` brings redis-py."""

from __future__ import annotations

import inspect
from types import TracebackType
from typing import Any, Final, Protocol, Self

from memoram_async.core.arguments import check_seconds
from memoram_async.core.errors import ConfigurationError
from memoram_async.core.kinds import check_methods, check_text
from memoram_async.core.secret import Secret, Unshareable, conceal


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


_METHODS: Final = ("get", "set", "eval", "close")


class OnRedis(Unshareable):
    """What keeps things in Redis or Valkey: a client, the prefix of its keys, and the end of both.

    It takes the blocking client, in async code too. redis-py's clients may be shared by threads, and after a
    fork the child opens connections of its own.
    """

    def __init__(self, client: RedisClient, *, prefix: str = "memoram:") -> None:
        """A store on a client of your own, which stays yours to configure and to close.

        Give it a `socket_timeout` and a `socket_connect_timeout` of about a second and few retries: while
        Redis does not answer, a call that needs the store waits for as long.

        Args:
            client: A `redis.Redis` or `redis.RedisCluster`, whether it decodes responses or not.
            prefix: What every key begins with.

        Raises:
            ConfigurationError: The client is redis-py's asynchronous one, or none.
            InvalidArgumentError: The prefix is no text.
        """
        check_text(prefix, name="prefix")
        check_methods(client, _METHODS, name="client", wanted="a blocking redis.Redis")
        if inspect.iscoroutinefunction(getattr(client, "execute_command", None)):
            raise ConfigurationError(
                f"{type(self).__name__} takes the blocking redis.Redis, in async code too: it runs in worker "
                "threads"
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
            InvalidArgumentError: Another argument is of the wrong type.
        """
        address = conceal(url)
        del url  # a traceback may show what local variables hold
        check_text(prefix, name="prefix")
        check_seconds(timeout, name="timeout")
        try:
            from redis import Redis  # noqa: PLC0415 - only who uses Redis need install it
            from redis.backoff import NoBackoff  # noqa: PLC0415
            from redis.retry import Retry  # noqa: PLC0415
        except ImportError:
            raise ConfigurationError(
                "redis-py is not installed: pip install 'memoram[redis]', or pass a store of your own"
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
        except (ValueError, TypeError, AttributeError):  # the latter if it is no text
            client = None  # the error may quote the address, password and all
        if client is None:
            raise ConfigurationError(
                "the Redis address cannot be used: it should read like rediss://user:password@host:6379/0"
            )
        return cls(client, prefix=prefix)

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
        return f"<{type(self).__name__} with prefix {self._prefix!r}>"

    def _value(self, name: str) -> bytes | None:
        """The value of a key, whether the client decodes it or not."""
        value: bytes | str | None = self._client.get(self._prefix + name)
        return value.encode() if isinstance(value, str) else value


def milliseconds(seconds: float) -> int:
    """As Redis counts; a time to live of none would be an error there."""
    return max(1, int(seconds * 1000))
