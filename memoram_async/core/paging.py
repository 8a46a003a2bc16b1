"""Following cursors, and noticing when they lead in a circle or nowhere."""

from __future__ import annotations

import hashlib

from memoram_async.core.errors import PaginationError


class CursorGuard:
    """Remembers the cursors that one walk through a list has followed.

    Cursors are kept as short digests, so a walk through a million pages stays small.
    """

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def check(self, cursor: str) -> None:
        """Note a cursor that is about to be followed.

        Raises:
            PaginationError: It was followed before, or cannot be sent.
        """
        if not _can_be_sent(cursor):
            del cursor
            raise PaginationError(
                f"the service gave a cursor that cannot be sent back, after {len(self._seen) + 1} pages: it "
                "is no Unicode text; what was read so far may be incomplete"
            )
        digest = hashlib.blake2b(cursor.encode(), digest_size=16).digest()
        if digest in self._seen:
            del cursor
            raise PaginationError(
                f"the service gave the same cursor twice, after {len(self._seen)} pages: the list would "
                "never end, so it stops here; what was read so far may be incomplete"
            )
        self._seen.add(digest)


def _can_be_sent(cursor: str) -> bool:
    try:
        cursor.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can write and UTF-8 cannot
        return False
    return True
