"""Going through memories in the order of one index, a bounded number at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select, tuple_

from memoram_local.clock import steady

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, Select

# Many filters find enough at once, and asking again costs.
_FIRST_STEP: Final = 1_250
# Each tag beyond the first is looked up for each row, and a text is looked for in contents of any length.
_FIRST_STEP_OF_MUCH_WORK: Final = 150
_GROWTH: Final = 4


@dataclass(frozen=True, slots=True)
class Scan:
    """A way through blobs, newest first, along one index.

    Attributes:
        query: What to read of those that the filter shows.
        created_at: Of the index that drives.
        blob_id: Of the same.
        driving: What all rows of the index have in common.
    """

    query: Select[*tuple[Any, ...]]
    created_at: ColumnElement[int]
    blob_id: ColumnElement[str]
    driving: list[ColumnElement[bool]]

    def after(
        self, connection: Connection, place: tuple[int, str] | None, count: int
    ) -> tuple[int, str] | None:
        """The place so many rows further, whatever a filter makes of them; None beyond the last row."""
        query = select(self.created_at, self.blob_id).where(*self.driving)
        if place is not None:
            query = query.where(tuple_(self.created_at, self.blob_id) < place)
        query = query.order_by(self.created_at.desc(), self.blob_id.desc()).offset(count - 1).limit(1)
        row = connection.execute(query).one_or_none()
        return None if row is None else (row[0], row[1])

    def rows(
        self,
        connection: Connection,
        *,
        after: tuple[int, str] | None,
        until: tuple[int, str] | None,
        limit: int,
    ) -> Sequence[Row[Any]]:
        """Those that the filter shows between two places, the second one included."""
        query = self.query
        if after is not None:
            query = query.where(tuple_(self.created_at, self.blob_id) < after)
        if until is not None:
            query = query.where(tuple_(self.created_at, self.blob_id) >= until)
        query = query.order_by(self.created_at.desc(), self.blob_id.desc()).limit(limit)
        return connection.execute(query).all()


def steps(count: int, *, seconds: float, is_much_work: bool) -> Iterator[int]:
    """So many rows in steps that grow, for as long as there is time.

    The next step is no longer than the time that is left allows at the pace of the last one: some filters
    take a hundred times longer for a row than others.

    Args:
        count: Rows in all.
        seconds: Until no other step begins.
        is_much_work: Whether each row may take long.
    """
    step = _FIRST_STEP_OF_MUCH_WORK if is_much_work else _FIRST_STEP
    ends = steady() + seconds
    while count > 0:
        step = min(step, count)
        began = steady()
        yield step
        count -= step
        now = steady()
        if now >= ends:
            return
        affordable = int(step * (ends - now) / max(now - began, 1e-6))
        step = max(1, min(step * _GROWTH, affordable))
