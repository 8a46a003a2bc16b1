"""Statements that go to the driver as they are: for the few places that every request passes.

SQLAlchemy writes such a statement once. Having it find the statement again and describe each result anew
would cost more than running it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Dialect
    from sqlalchemy.sql.elements import ClauseElement


class _Written(NamedTuple):
    text: str
    positions: Sequence[str] | None
    fixed: dict[str, Any]


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
        cursor = connection.connection.cursor()
        cursor.execute(*self._bound(connection, parameters))
        rows = list(cursor.fetchall())
        cursor.close()
        return rows

    def run(self, connection: Connection, **parameters: object) -> None:
        """Run it where it gives nothing back; see `rows`."""
        cursor = connection.connection.cursor()
        cursor.execute(*self._bound(connection, parameters))
        cursor.close()

    def _bound(self, connection: Connection, parameters: Mapping[str, object]) -> tuple[str, Any]:
        written = self._written.get(connection.dialect.name) or self._write(connection.dialect)
        values = {**written.fixed, **parameters}
        if written.positions is None:
            return written.text, values
        return written.text, [values[name] for name in written.positions]

    def _write(self, dialect: Dialect) -> _Written:
        compiled: Any = self._statement.compile(dialect=dialect)
        written = _Written(str(compiled), compiled.positiontup, dict(compiled.params))
        self._written[dialect.name] = written
        return written
