"""Objects that a forked child must begin anew, because threads and connections stayed with its parent."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Final, Protocol


class Resettable(Protocol):
    """Something with state that does not survive a fork."""

    def after_fork(self) -> None:
        """Begin anew; called in the child, where no other thread runs."""
        ...


_alive: Final[weakref.WeakSet[Resettable]] = weakref.WeakSet()
_lock: Final = threading.RLock()
_registered = False


def reset_after_fork(thing: Resettable) -> None:
    """Call the object's `after_fork` in children forked from now on, for as long as it lives."""
    with _lock:
        _alive.add(thing)
        _register()


def no_fork() -> threading.RLock:
    """The lock to take, by `with` alone, for a moment in which other threads must not fork.

    For what cannot begin anew in the child, such as a library's own locks.
    """
    with _lock:
        _register()
    return _lock


def _register() -> None:
    global _registered  # noqa: PLW0603 - the one handler of the process, registered at first use
    if not _registered and hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_reset)
        _registered = True


def _reset() -> None:
    _lock.release()
    for thing in list(_alive):
        thing.after_fork()
