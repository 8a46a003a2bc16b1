"""A grant store in a SQL database, for which `pip install 'memoram[sql]'` brings SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Protocol, Self

from memoram_async.core.errors import ConfigurationError, InvalidArgumentError
from memoram_async.core.kinds import check_function, check_swap, check_text
from memoram_async.core.secret import Secret, Unshareable, conceal
from memoram_async.runtime.clock import true_wall

DEFAULT_URL: Final = "sqlite:///memoram-grants.db"
TABLE: Final = "memoram_grants"


class SQLEngine(Protocol):
    """What is needed of an engine; `sqlalchemy.Engine` has it."""

    @property
    def dialect(self) -> Any:
        """Which database it speaks to."""
        ...

    def connect(self) -> Any:
        """A connection."""
        ...

    def begin(self) -> Any:
        """A connection with a transaction."""
        ...


class SQLGrantStore(Unshareable):
    """Keeps grants in a table of SQLite or PostgreSQL; see `GrantStore`.

    The table is made when the store is first used. Every step is one statement, so that any number of
    processes may share the database, and times of day are those of the machines that write.

        grants = SQLGrantStore("postgresql+psycopg://app@db/app")
        connections = memoram.connections(grants, redirect_uri=..., reason=...)
    """

    def __init__(
        self,
        database: str | Secret | SQLEngine = DEFAULT_URL,
        *,
        table: str = TABLE,
        clock: Callable[[], float] = true_wall,
    ) -> None:
        """A store that opens its database when it is first used.

        Args:
            database: SQLAlchemy's URL of a database, to whose server five connections are made at most, or
                an engine of your own, which stays yours to dispose of; by default the file
                `memoram-grants.db` in the working directory, which only its owner may read.
            table: The table's name: applications that share a database need one each.
            clock: Seconds since the epoch.

        Raises:
            ConfigurationError: SQLAlchemy or the database's driver is not installed, the URL is none, or
                there is no folder for its file.
            InvalidArgumentError: An argument is of the wrong type.
        """
        check_function(clock, name="clock", wanted="a function that tells seconds")
        check_text(table, name="table")
        if not isinstance(database, str | Secret) and not hasattr(database, "dialect"):
            wrong = type(database).__name__
            del database  # a traceback may show what local variables hold
            raise InvalidArgumentError(
                f"database must be a URL or a blocking Engine of SQLAlchemy, not {wrong}"
            )
        given = conceal(database) if isinstance(database, str) else database
        del database  # a traceback may show what local variables hold
        try:
            from memoram_async.grants.sql_rows import SQLRows  # noqa: PLC0415 - only who uses it has it
        except ImportError:
            raise ConfigurationError(
                "SQLAlchemy is not installed: pip install 'memoram[sql]', or pass a GrantStore of your own"
            ) from None
        self._rows = SQLRows(given, table=table, clock=clock)

    def get(self, name: str) -> bytes | None:
        """The value of that name; None if there is none or its time is over."""
        check_text(name, name="name")
        return self._rows.get(name)

    def swap(
        self, name: str, expected: bytes | None, value: bytes | None, *, ttl: float | None = None
    ) -> bool:
        """Put a value in the place of the expected one; see `GrantStore.swap`."""
        check_swap(name, expected, value, ttl)
        return self._rows.swap(name, expected, value, ttl=ttl)

    def close(self) -> None:
        """Close the connections, unless the engine is your own; they open again if the store is used."""
        self._rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        rows = getattr(self, "_rows", None)
        return f"<SQLGrantStore in {rows.place}>" if rows else "<SQLGrantStore, not made>"
