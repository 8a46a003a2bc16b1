"""How often passwords may be guessed, and how many are checked at a time."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from memoram_local.errors import TooManyAttemptsError

if TYPE_CHECKING:
    from collections.abc import Generator

    from memoram_local.clock import Clock
    from memoram_local.limits import Limits

_SECOND: Final = 1_000_000
# Names can be made up without end: those that were tried longest ago are forgotten.
_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class Attempt:
    """One password that is checked.

    Attributes:
        succeeded: Whether it was right. A wrong one, and one that was never decided, counts.
    """

    succeeded: bool = False


class SignIns:
    """Counts wrong passwords, by account and by address, in memory. All its methods may be called anywhere.

    An attempt counts from its beginning, so that many at once get no further than many in turn.
    """

    def __init__(self, *, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._lock = threading.Lock()
        self._tried: dict[tuple[str, str], deque[int]] = {}
        self._turns = threading.BoundedSemaphore(limits.passwords_at_once)

    @contextmanager
    def turn(self) -> Generator[None]:
        """Wait until few enough passwords are hashed: each takes much memory, on purpose."""
        with self._turns:
            yield

    @contextmanager
    def attempt(self, email: str, address: str) -> Generator[Attempt]:
        """Check one password in this block.

        Raises:
            TooManyAttemptsError: Too many wrong ones came before.
        """
        limits = self._limits
        counted = [(("account", email), limits.sign_in_attempts)]
        if address:
            counted.append((("address", address), limits.sign_in_attempts_of_address))
        now = self._clock.micros()
        with self._lock:
            for key, most in counted:
                self._check(self._recent(key, now), most, now)
            for key, _ in counted:
                self._recent(key, now).append(now)
        attempt = Attempt()
        yield attempt
        if attempt.succeeded:
            with self._lock:
                self._tried.pop(("account", email), None)
                of_address = self._tried.get(("address", address))
                if of_address is not None and now in of_address:
                    of_address.remove(now)

    def _check(self, tried: deque[int], most: int, now: int) -> None:
        if len(tried) >= most:
            ends = tried[len(tried) - most] + int(self._limits.sign_in_window * _SECOND)
            raise TooManyAttemptsError(max(1, -(-(ends - now) // _SECOND)))

    def _recent(self, key: tuple[str, str], now: int) -> deque[int]:
        tried = self._tried.pop(key, None) or deque[int]()
        # The last one to be forgotten.
        self._tried[key] = tried
        while tried and tried[0] <= now - self._limits.sign_in_window * _SECOND:
            tried.popleft()
        if len(self._tried) > _REMEMBERED:
            del self._tried[next(iter(self._tried))]
        return tried
