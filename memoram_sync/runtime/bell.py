"""What one thread waits on until another, or a signal handler, tells it to go on."""

from __future__ import annotations

import threading
from typing import Final

TURN_SECONDS: Final = 0.005
"""Real seconds in which a program that starts threads one after another starts the next."""


class Bell:
    """A signal that is given once: a raw lock that is held until it rings.

    `threading.Event` has a lock inside that an interrupt can leave held, and then its `set` hangs: in the
    thread that rings, in a signal handler, or in `__del__`. This one is acquired by its only waiter, and
    releasing it never waits.
    """

    __slots__ = ("__weakref__", "_lock", "_rang")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()  # nobody else knows it yet
        self._rang = False

    def wait(self, seconds: float) -> bool:
        """Wait until it rings, at most that long; whether it rang. Only one thread may wait."""
        if not self._rang and seconds > 0:
            self._lock.acquire(timeout=min(seconds, threading.TIMEOUT_MAX))
        return self._rang

    def ring(self) -> None:
        """Let the waiter go on, now or later; again does nothing."""
        self._rang = True
        try:
            self._lock.release()
        except RuntimeError:
            return  # it rang before
