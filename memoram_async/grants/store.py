"""Where grants are kept: what a store must be able to do, and one in memory."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Final, Protocol, cast

from memoram_async.core.errors import ConfigurationError
from memoram_async.core.kinds import check_function, check_swap, check_text
from memoram_async.core.secret import Unshareable
from memoram_async.runtime.clock import steady
from memoram_async.runtime.forking import reset_after_fork


class GrantStore(Protocol):
    """Where the processes of an application keep its users' grants, sealed.

    Its methods block, in async code too: there they run in worker threads, so one implementation serves
    asyncio, trio and threads. Several threads and processes may call it at once. What it raises reaches the
    caller, because a grant that cannot be read or written must not be taken for one that is not there.

    Names are text of letters, digits and hyphens. Values are ASCII, sealed before they come here, never
    empty, and no two are the same.
    """

    def get(self, name: str) -> bytes | None:
        """The value of that name; None if there is none or its time is over."""
        ...

    def swap(
        self, name: str, expected: bytes | None, value: bytes | None, *, ttl: float | None = None
    ) -> bool:
        """Put a value in the place of the expected one, in one step with making sure that it is there.

        Args:
            name: The name.
            expected: The value that must be there now; None if there must be none.
            value: The value to keep; None to delete.
            ttl: Seconds to keep it; None for ever.

        Returns:
            Whether the expected value was there, and so was replaced.
        """
        ...


_METHODS: Final = ("get", "swap")


def check_grant_store(store: object) -> GrantStore:
    """A store that can be asked as `GrantStore` says.

    Raises:
        ConfigurationError: A method is missing, or is a coroutine function.
    """
    for name in _METHODS:
        method = None if inspect.isclass(store) else getattr(store, name, None)
        if not callable(method) or inspect.iscoroutinefunction(method):
            raise ConfigurationError(
                f"grants must have blocking methods {' and '.join(_METHODS)}, in async code too, but "
                f"{type(store).__name__}.{name} is none"
            )
    return cast("GrantStore", store)


class MemoryGrantStore(Unshareable):
    """Keeps grants in this process, for tests and for scripts: they end with it. See `GrantStore`."""

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
        self._swaps_until_swept = _SWAPS_BETWEEN_SWEEPS
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Begin anew in a forked child: the lock may have been held."""
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """The value of that name; None if there is none or its time is over."""
        check_text(name, name="name")
        with self._lock:
            return self._current(name)

    def swap(
        self, name: str, expected: bytes | None, value: bytes | None, *, ttl: float | None = None
    ) -> bool:
        """Put a value in the place of the expected one; see `GrantStore.swap`."""
        check_swap(name, expected, value, ttl)
        with self._lock:
            if self._current(name) != expected:
                return False
            if value is None:
                self._values.pop(name, None)
            else:
                self._values[name] = value, _FOREVER if ttl is None else self._clock() + ttl
            self._sweep()
            return True

    def _current(self, name: str) -> bytes | None:
        value, ends = self._values.get(name, (None, 0.0))
        return value if self._clock() < ends else None

    def _sweep(self) -> None:
        """Let go of what has expired, now and then: nobody asks for a flow again that was given up."""
        self._swaps_until_swept -= 1
        if self._swaps_until_swept <= 0:
            self._swaps_until_swept = _SWAPS_BETWEEN_SWEEPS
            now = self._clock()
            self._values = {name: kept for name, kept in self._values.items() if now < kept[1]}

    def __repr__(self) -> str:
        return "<MemoryGrantStore>"


_FOREVER: Final = float("inf")
_SWAPS_BETWEEN_SWEEPS: Final = 1_000
