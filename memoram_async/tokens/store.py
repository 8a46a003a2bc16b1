"""Sharing the developer JWT among processes: what a store must be able to do, and one in memory."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Final, Protocol

from memoram_async.core.errors import ConfigurationError
from memoram_async.core.kinds import check_entry, check_function, check_text
from memoram_async.core.secret import Unshareable
from memoram_async.runtime.clock import steady
from memoram_async.runtime.forking import reset_after_fork


class TokenStore(Protocol):
    """Where clients of many processes keep one token, sealed.

    Its methods block, in async code too: there they run in worker threads, so one implementation serves
    asyncio, trio and threads. Several threads may call it at once. It may raise whatever it likes: the
    client logs the kind of failure once and exchanges the API key on its own. It should give up by itself
    after a second or so, since a thread that waits cannot be stopped.

    Names are text of letters, digits and hyphens; values are ASCII and are sealed before they come here.
    """

    def get(self, name: str) -> bytes | None:
        """The value of that name; None if there is none or its time is over."""
        ...

    def put(self, name: str, value: bytes, ttl: float) -> None:
        """Keep a value for that many seconds, in place of any other."""
        ...

    def discard(self, name: str, value: bytes) -> None:
        """Delete a value, in one step with making sure that it is still this one."""
        ...

    def lease(self, name: str, owner: str, ttl: float) -> bool:
        """Take the right to renew that name for so many seconds; whether the owner holds it now.

        Only one owner holds it at a time. It ends with `release` or with its time.
        """
        ...

    def release(self, name: str, owner: str) -> None:
        """Give a lease back, in one step with making sure that this owner still holds it."""
        ...


_METHODS: Final = ("get", "put", "discard", "lease", "release")


def check_token_store(store: TokenStore) -> None:
    """Make sure that a store can be asked as `TokenStore` says.

    Raises:
        ConfigurationError: A method is missing, or is a coroutine function.
    """
    for name in _METHODS:
        method = getattr(store, name, None)
        if not callable(method) or inspect.iscoroutinefunction(method):
            raise ConfigurationError(
                f"token_store must have blocking methods {', '.join(_METHODS)}, in async code too, but "
                f"{type(store).__name__}.{name} is not one"
            )


class MemoryTokenStore(Unshareable):
    """Shares a token among clients of one process; see `TokenStore`."""

    def __init__(self, *, clock: Callable[[], float] = steady) -> None:
        """An empty store.

        Args:
            clock: Seconds on a clock that never goes back.

        Raises:
            InvalidArgumentError: It cannot be called.
        """
        check_function(clock, name="clock", wanted="a function that tells seconds")
        self._clock = clock
        self._lock = threading.Lock()
        self._values: dict[str, tuple[bytes, float]] = {}
        self._leases: dict[str, tuple[str, float]] = {}
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Begin anew in a forked child: the lock may have been held, and leases are the parent's."""
        self._lock = threading.Lock()
        self._leases = {}

    def get(self, name: str) -> bytes | None:
        """The value of that name; None if there is none or its time is over."""
        check_text(name, name="name")
        with self._lock:
            value, ends = self._values.get(name, (None, 0.0))
            return value if self._clock() < ends else None

    def put(self, name: str, value: bytes, ttl: float) -> None:
        """Keep a value for that many seconds, in place of any other."""
        check_entry(name, value, ttl=ttl)
        with self._lock:
            self._values[name] = value, self._clock() + ttl

    def discard(self, name: str, value: bytes) -> None:
        """Delete a value, if it is still this one."""
        check_entry(name, value)
        with self._lock:
            if self._values.get(name, (None, 0.0))[0] == value:
                del self._values[name]

    def lease(self, name: str, owner: str, ttl: float) -> bool:
        """Take the right to renew that name for so many seconds; whether the owner holds it now."""
        check_text(owner, name="owner")
        check_entry(name, ttl=ttl)
        with self._lock:
            now = self._clock()
            holder, ends = self._leases.get(name, (owner, 0.0))
            if holder != owner and now < ends:
                return False
            self._leases[name] = owner, now + ttl
            return True

    def release(self, name: str, owner: str) -> None:
        """Give a lease back, if this owner still holds it."""
        check_text(owner, name="owner")
        check_text(name, name="name")
        with self._lock:
            if self._leases.get(name, (None, 0.0))[0] == owner:
                del self._leases[name]

    def __repr__(self) -> str:
        return "<MemoryTokenStore>"
