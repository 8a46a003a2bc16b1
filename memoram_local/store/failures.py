"""What the disk's refusals are called here: errors that say what to do, in place of the driver's."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError

from memoram_local.errors import StorageError, StorageFullError

# The lowest octet of SQLite's result codes is their kind.
_KIND: Final = 0xFF
_FULL: Final = sqlite3.SQLITE_FULL
_LOST: Final = frozenset(
    {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
)


def named(error: BaseException) -> BaseException:
    """The error that tells whoever waits; the same one where it is not the disk's."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, sqlite3.Error):
        return error
    kind = getattr(cause, "sqlite_errorcode", 0) & _KIND
    if kind == _FULL:
        return StorageFullError("the disk is full: nothing of this was stored; make room and try again")
    if kind in _LOST:
        return StorageError(
            f"the data directory cannot be used any more ({cause}): nothing of this was stored"
        )
    return error
