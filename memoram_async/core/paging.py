"""Following cursors, and noticing when they lead in a circle."""

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
            PaginationError: It was followed before.
        """
        digest = hashlib.blake2b(cursor.encode(errors="surrogatepass"), digest_size=16).digest()
        if digest in self._seen:
            del cursor
            raise PaginationError(
                f"the service gave the same cursor twice, after {len(self._seen)} pages: the list would "
                "never end, so it stops here; what was read so far may be incomplete"
            )
        self._seen.add(digest)
