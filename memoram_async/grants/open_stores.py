"""The keys of the users whose stores are open in this process: bounded, and not for ever."""

from __future__ import annotations

import threading
from collections import OrderedDict

import attrs

from memoram_async.access.opened import OpenedAccess
from memoram_async.core import defaults
from memoram_async.core.arguments import check_count, check_seconds
from memoram_async.core.errors import MemoramError
from memoram_async.core.secret import Confidential
from memoram_async.runtime.forking import reset_after_fork


@attrs.frozen(eq=False)
class _Kept:
    access: OpenedAccess
    ends: float


class OpenStores(Confidential):
    """Opened access by user, that used longest ago first.

    What makes room or grows old is let go of and not closed: stores that stand on it go on, and the keys
    are gone with the last of them.
    """

    def __init__(self, *, most: int, seconds: float) -> None:
        """None yet.

        Args:
            most: How many users' to keep.
            seconds: How long to keep each.

        Raises:
            InvalidArgumentError: A number is out of range.
        """
        self._most = check_count(most, name="max_open") or defaults.MAX_OPEN
        self._seconds: float = check_seconds(seconds, name="max_age")
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._changes = 0
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Begin anew in a forked child: the lock may have been held, and the keys are the parent's."""
        self._lock = threading.Lock()
        self._kept = OrderedDict()

    @property
    def changes(self) -> int:
        """How often users' access has ended; what was begun before may not be kept after."""
        return self._changes

    def get(self, user: str, *, now: float) -> OpenedAccess | None:
        """A user's access, if it is open and not too old."""
        with self._lock:
            found = self._kept.get(user)
            if found is None:
                return None
            if now >= found.ends:
                del self._kept[user]
                return None
            self._kept.move_to_end(user)
            return found.access

    def keep(self, user: str, access: OpenedAccess, *, changes: int, now: float) -> None:
        """Keep a user's access, unless somebody's has ended since `changes` was read, perhaps this one's."""
        with self._lock:
            if changes == self._changes:
                self._kept[user] = _Kept(access, now + self._seconds)
                self._kept.move_to_end(user)
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)

    def let_go(self, user: str) -> None:
        """Open a user's access anew next time; stores that stand on the old one go on."""
        with self._lock:
            self._changes += 1
            self._kept.pop(user, None)

    def end(self, user: str, why: MemoramError, *, access: OpenedAccess | None = None) -> None:
        """End a user's access, for all stores that stand on it.

        Args:
            user: Whose.
            why: What the stores raise from now on.
            access: The access that has ended, if it is known; one that has taken its place stays.
        """
        with self._lock:
            self._changes += 1
            found = self._kept.get(user)
            current = None if found is None else found.access
            ended = current if access is None else access
            if ended is current:
                self._kept.pop(user, None)
        if ended is not None:
            ended.end(why)

    def clear(self, why: MemoramError) -> None:
        """End everybody's."""
        with self._lock:
            self._changes += 1
            ended, self._kept = self._kept, OrderedDict()
        for each in ended.values():
            each.access.end(why)

    def __repr__(self) -> str:
        return f"<OpenStores of {len(self._kept)} users>"
