"""Sees to it that what was deleted leaves the write-ahead log too.

SQLite overwrites deleted rows in its file (`secure_delete`), but the log still holds the pages as they were
when they were written, until it begins anew.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

_ERASED: Final = "memoram_erased"
# Soon, but not for each of many deletions that follow each other: emptying waits for the disk.
_SECONDS: Final = 0.2


def note_erased(connection: Connection) -> None:
    """This unit of work deletes or overwrites what must not stay anywhere."""
    connection.info[_ERASED] = True


def take_erased(connection: Connection) -> bool:
    """Whether something was erased since this was asked before."""
    return connection.info.pop(_ERASED, False) is True


class Eraser:
    """Has the log emptied a moment after something was erased, and again until it is empty.

    Args:
        empty: Empties the log, in any thread; false when somebody is still reading it.
    """

    def __init__(self, empty: Callable[[], bool]) -> None:
        self._empty = empty
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._is_closed = False

    def soon(self) -> None:
        """Something was erased."""
        with self._lock:
            if self._timer is not None or self._is_closed:
                return
            self._timer = threading.Timer(_SECONDS, self._run)
            self._timer.name = "memoram-eraser"
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Stop: the log goes when its last connection is closed."""
        with self._lock:
            self._is_closed = True
            timer = self._timer
        if timer is not None:
            timer.cancel()
            timer.join()

    def _run(self) -> None:
        with self._lock:
            self._timer = None
        if not self._empty():
            self.soon()
