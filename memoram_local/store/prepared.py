"""Statements that go to the driver as they are: for the few places that every request passes.

SQLAlchemy writes such a statement once. Having it find the statement again and describe each result anew
would cost more than running it.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from memoram_local.store.workers import driver_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Dialect
    from sqlalchemy.sql.elements import ClauseElement


class _Written(NamedTuple):
    text: str
    values: Callable[[Mapping[str, object]], Sequence[object]]


class Prepared:
    """One such statement.

    Values come as the driver gives them and go as it takes them: text, octets and numbers alone, no lists.

    Args:
        statement: With a `bindparam` for each parameter.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        # By dialect. Threads may write the same at the same time.
        self._written: dict[str, _Written] = {}

    def rows(self, connection: Connection, **parameters: object) -> list[tuple[Any, ...]]:
        """Run it and read what it gives.

        Args:
            connection: In a unit of work, whose transaction it runs in.
            **parameters: By the names of the statement's; columns, where it inserts.
        """
        written = self._written.get(connection.dialect.name) or self._write(connection.dialect)
        cursor = driver_of(connection).execute(written.text, written.values(parameters))
        rows = cursor.fetchall()
        cursor.close()
        return rows

    def run(self, connection: Connection, **parameters: object) -> int:
        """Run it where it gives nothing back; see `rows`.

        Returns:
            How many rows it wrote, changed or deleted.
        """
        written = self._written.get(connection.dialect.name) or self._write(connection.dialect)
        cursor = driver_of(connection).execute(written.text, written.values(parameters))
        changed = cursor.rowcount
        cursor.close()
        return changed

    def run_each(self, connection: Connection, rows: Iterable[Mapping[str, object]]) -> None:
        """Run it for one row after the other; see `run`."""
        written = self._written.get(connection.dialect.name) or self._write(connection.dialect)
        driver_of(connection).executemany(written.text, map(written.values, rows)).close()

    def _write(self, dialect: Dialect) -> _Written:
        compiled: Any = self._statement.compile(dialect=dialect)
        written = _Written(str(compiled), _in_order(compiled.positiontup, compiled.params))
        self._written[dialect.name] = written
        return written


def _in_order(
    names: Sequence[str], known: Mapping[str, object]
) -> Callable[[Mapping[str, object]], Sequence[object]]:
    """What puts values into the order of a statement's parameters, some of which it may know itself."""
    fixed = {name: value for name, value in known.items() if value is not None}
    if fixed or not names:
        return lambda values: [fixed[name] if name in fixed else values[name] for name in names]
    if len(names) == 1:
        return lambda values: (values[names[0]],)
    in_order: Callable[[Mapping[str, object]], tuple[object, ...]] = itemgetter(*names)
    return in_order
