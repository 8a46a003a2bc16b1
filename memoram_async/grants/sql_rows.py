"""The rows of a SQL grant store; importing this imports SQLAlchemy."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import sqlalchemy as sql
from sqlalchemy import ColumnElement, Connection, Engine, Executable, exc
from sqlalchemy.dialects import postgresql, sqlite

from memoram_async.core.errors import ConfigurationError
from memoram_async.core.secret import Secret
from memoram_async.runtime.forking import reset_after_fork

_SECONDS_BETWEEN_SWEEPS: Final = 60.0
_INSERTS: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""The forms of INSERT that know ON CONFLICT."""

_MOST_CONNECTIONS: Final = 5
_SQLITE_PATIENCE: Final = 10.0


class SQLRows:
    """The table of a SQL grant store."""

    def __init__(self, database: object, *, table: str, clock: Callable[[], float]) -> None:
        """The table in a database, which is opened when it is first used.

        Args:
            database: The URL, wrapped, or an engine.
            table: The table's name.
            clock: Seconds since the epoch.

        Raises:
            ConfigurationError: The database's driver is not installed, or the URL is none.
        """
        self._given = not isinstance(database, Secret)
        self._engine = _engine(database) if isinstance(database, Secret) else cast("Engine", database)
        dialect = self._engine.dialect.name
        if dialect not in _INSERTS:
            raise ConfigurationError(f"SQLGrantStore keeps grants in SQLite or PostgreSQL, not in {dialect}")
        self._insert = _INSERTS[dialect]
        columns = (
            sql.Column("name", sql.String(80), primary_key=True),
            sql.Column("value", sql.Text, nullable=False),
            # Seconds since the epoch.
            sql.Column("expires_at", sql.Double, index=True),
        )
        self._table = sql.Table(table, sql.MetaData(), *columns)
        self._clock = clock
        self._lock = threading.Lock()
        self._is_ready = False
        self._swept = 0.0
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Begin anew in a forked child: connections stay with the parent."""
        self._lock = threading.Lock()
        if not self._given:
            self._engine.dispose(close=False)

    def get(self, name: str) -> bytes | None:
        """The value of that name; None if there is none or its time is over."""
        columns = self._table.c
        query = sql.select(columns.value).where(columns.name == name, self._is_kept())
        with self._ready().connect() as connection:
            value: str | None = connection.execute(query).scalar()
        return None if value is None else value.encode()

    def swap(
        self, name: str, expected: bytes | None, value: bytes | None, *, ttl: float | None = None
    ) -> bool:
        """Put a value in the place of the expected one; see `GrantStore.swap`."""
        if value is None and expected is None:
            return self.get(name) is None
        with self._ready().begin() as connection:
            self._sweep(connection)
            change = self._change(name, expected, value, ttl).execution_options(preserve_rowcount=True)
            return connection.execute(change).rowcount == 1

    def _change(
        self, name: str, expected: bytes | None, value: bytes | None, ttl: float | None
    ) -> Executable:
        """The one statement that does it."""
        columns = self._table.c
        row = {
            "value": None if value is None else value.decode(),
            "expires_at": None if ttl is None else self._clock() + ttl,
        }
        if expected is None:
            # What has expired still has its row, and makes room.
            insert: Executable = (
                self._insert(self._table)
                .values(name=name, **row)
                .on_conflict_do_update(index_elements=["name"], set_=row, where=~self._is_kept())
            )
            return insert
        there = (columns.name == name, columns.value == expected.decode(), self._is_kept())
        if value is None:
            return self._table.delete().where(*there)
        return self._table.update().where(*there).values(row)

    def _is_kept(self) -> ColumnElement[bool]:
        ends = self._table.c.expires_at
        return ends.is_(None) | (ends > self._clock())

    def _sweep(self, connection: Connection) -> None:
        """Delete what has expired, once a minute: nobody asks for a flow again that was given up."""
        now = self._clock()
        if now - self._swept > _SECONDS_BETWEEN_SWEEPS:
            self._swept = now
            connection.execute(self._table.delete().where(~self._is_kept()))

    def _ready(self) -> Engine:
        """The engine of a database that has the table."""
        with self._lock:
            if not self._is_ready:
                _keep_to_owner(self._engine)
                self._create_table()
                self._is_ready = True
        return self._engine

    def _create_table(self) -> None:
        try:
            self._table.create(self._engine, checkfirst=True)
        except exc.DBAPIError:
            # Another process made it between the look and the making.
            if not sql.inspect(self._engine).has_table(self._table.name):
                raise

    def close(self) -> None:
        """Close the connections, unless the engine is your own; they open again if the store is used."""
        if not self._given:
            self._engine.dispose()

    @property
    def place(self) -> str:
        """Where the rows lie, for a repr."""
        return f"{self._engine.dialect.name}, table {self._table.name!r}"


def _engine(address: Secret) -> Engine:
    """An engine that connects when it is first used."""
    try:
        url = sql.make_url(address.reveal())
        is_sqlite = url.get_backend_name() == "sqlite"
        # SQLite waits that long for another process's write.
        arguments: dict[str, Any] = {"timeout": _SQLITE_PATIENCE} if is_sqlite else {}
        pool: dict[str, Any] = {}
        if is_sqlite and _is_file(url.database):
            _check_folder(Path(str(url.database)))
            # Opening a file costs little, and a connection that is kept is one that somebody has to close.
            pool = {"poolclass": sql.NullPool}
        elif not is_sqlite:
            # A server lets so many in and no more, of all workers together: a call waits its short turn.
            pool = {"poolclass": sql.QueuePool, "pool_size": _MOST_CONNECTIONS, "max_overflow": 0}
        return sql.create_engine(url, connect_args=arguments, pool_pre_ping=not is_sqlite, **pool)
    except ImportError as error:
        missing = error.name
    except (exc.ArgumentError, ValueError):
        missing = None  # the error may quote the address, password and all
    if missing is not None:
        raise ConfigurationError(f"the database's driver {missing} is not installed")
    raise ConfigurationError(
        "the database's URL cannot be used: it should read like sqlite:///grants.db or "
        "postgresql+psycopg://user:password@host/name"
    )


def _check_folder(file: Path) -> None:
    """Refuse a file that cannot be made: the database would say so in the first call, in words of its own.

    Raises:
        ConfigurationError: Its folder is missing, or it is a folder itself.
    """
    if not file.parent.is_dir():
        raise ConfigurationError(
            f"there is no folder {file.parent} for the database {file.name}: make it, or name another place"
        )
    if file.is_dir():
        raise ConfigurationError(f"the database {file} is a folder: name a file in it")


def _is_file(database: str | None) -> bool:
    """Whether the name of an SQLite database is a path, and no name with a meaning of its own."""
    return bool(database) and database != ":memory:" and not str(database).startswith("file:")


def _keep_to_owner(engine: Engine) -> None:
    """Make a new SQLite file readable for its owner alone."""
    path = engine.url.database
    if engine.dialect.name == "sqlite" and path is not None and _is_file(path):
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
