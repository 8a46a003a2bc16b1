"""What the store held before the latest write: what a replica that lags behind would answer."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from memoram_local.store.database import reading_from

if TYPE_CHECKING:
    from collections.abc import Generator

    from memoram_local.store.database import Database


class History:
    """Keeps one state back, while somebody wants it.

    Attributes:
        is_kept: Whether states are kept: it costs a copy of the store for every write.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._before: bytes | None = None
        self.is_kept = False

    async def state(self) -> bytes | None:
        """The state now, for `keep`; None when it is not wanted."""
        return await self._database.astate() if self.is_kept else None

    def keep(self, state: bytes | None) -> None:
        """Something was written after this state."""
        if state is not None:
            self._before = state

    def state_now(self) -> bytes | None:
        """`state` for blocking code."""
        return self._database.state() if self.is_kept else None

    def forget(self) -> None:
        """There was no write."""
        self._before = None

    @contextmanager
    def reading_before(self) -> Generator[None]:
        """Answer what is read in this block from the state before the latest write that was noticed."""
        with reading_from(self._before):
            yield
