"""Connections that belong to threads, and one hop to a thread for each unit of work.

SQLite takes one writer at a time. One thread that writes, in turn, waits for nobody; many that queue for
the lock wait for each other. With a file, four more threads read beside it (write-ahead log). In memory one
thread does everything on the one connection there can be.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from contextvars import ContextVar
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from sqlalchemy import URL, Connection, create_engine, event, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from memoram_local.changes import take_calls
from memoram_local.errors import DataDirectoryError
from memoram_local.store import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Future
    from pathlib import Path

    from sqlalchemy import Engine
    from sqlalchemy.pool import ConnectionPoolEntry

_FILE_NAME = "memoram.sqlite3"
_READERS = 4
# Rarely waited for: only another process on the same file can hold the lock.
_BUSY_TIMEOUT_MS = 5_000

_Result = TypeVar("_Result")
_Arguments = TypeVarTuple("_Arguments")

SEED_MARK = "seed:"
"""How the names of those settings begin that say which seeds were loaded."""

_FILE_FORMATS = slice(18, 20)


_past: ContextVar[bytes | None] = ContextVar("memoram_local_past", default=None)


@contextmanager
def reading_from(state: bytes | None) -> Generator[None]:
    """In this block, `Database.read` reads a copy of the store from the past; None changes nothing."""
    token = _past.set(state)
    try:
        yield
    finally:
        _past.reset(token)


class _Workers:
    """Threads that each keep one connection for as long as they live."""

    def __init__(self, *, url: URL, begin: str, threads: int, name: str) -> None:
        self._engine = _engine(url, begin=begin)
        self._bound = threading.local()
        self._opened: list[Connection] = []
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=self._bind)

    def _bind(self) -> None:
        # An initializer that raises would break the pool for good: the first unit of work opens.
        self._bound.connection = None

    def _connection(self) -> Connection:
        connection: Connection | None = self._bound.connection
        if connection is None:
            connection = self._bound.connection = self._engine.connect()
            self._opened.append(connection)
        return connection

    def _run(self, work: Callable[[Connection], _Result]) -> _Result:
        connection = self._connection()
        try:
            with connection.begin():
                result = work(connection)
        except BaseException:
            take_calls(connection)
            raise
        for call in take_calls(connection):
            call()
        return result

    def run(self, work: Callable[[Connection], _Result]) -> _Result:
        return self._executor.submit(self._run, work).result()

    def run_bare(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Run something outside of any transaction, in turn with the units of work."""
        return self._executor.submit(self._run_bare, work).result()

    async def arun_bare(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        return await _in_thread(self._executor, self._run_bare, work)

    def _run_bare(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        return work(_bare(self._connection()))

    async def arun_on(self, state: bytes, work: Callable[[Connection], _Result]) -> _Result:
        """Run a unit of work on a copy of the store that is thrown away afterwards."""
        return await _in_thread(self._executor, self._run_on, state, work)

    def _run_on(self, state: bytes, work: Callable[[Connection], _Result]) -> _Result:
        engine = _engine(URL.create("sqlite"), begin="BEGIN")
        with engine.connect() as connection:
            _put(state, _bare(connection))
            with connection.begin():
                return work(connection)

    def later(self, work: Callable[[Connection], _Result]) -> Future[_Result]:
        return self._executor.submit(self._run, work)

    async def arun(self, work: Callable[[Connection], _Result]) -> _Result:
        return await _in_thread(self._executor, self._run, work)

    def close(self) -> None:
        self._executor.shutdown()
        for connection in self._opened:
            connection.close()
        self._engine.dispose()


class Database:
    """The store of one platform.

    A unit of work is a function of a connection. It runs in one transaction, which is rolled back when it
    raises. Units that write run one after the other.

    Args:
        directory: Where the file is kept, made when missing; None keeps everything in memory.

    Raises:
        DataDirectoryError: The directory cannot be used.
    """

    def __init__(self, directory: Path | None) -> None:
        self._readers: _Workers | None = None
        self._last_work: list[Callable[[], None]] = []
        if directory is None:
            self._writer = _Workers(url=URL.create("sqlite"), begin="BEGIN", threads=1, name="memoram-store")
            self.put_state(_empty())
            return
        path = _prepare_file(directory)
        url = URL.create("sqlite", database=str(path))
        self._writer = _Workers(url=url, begin="BEGIN IMMEDIATE", threads=1, name="memoram-writer")
        try:
            self._writer.run(_create)
        except (DatabaseError, sqlite3.DatabaseError) as error:
            self._writer.close()
            reason = error.orig if isinstance(error, DatabaseError) else error
            raise DataDirectoryError(f"the data directory {directory} cannot be used: {reason}") from error
        except DataDirectoryError:
            self._writer.close()
            raise
        self._readers = _Workers(url=url, begin="BEGIN", threads=_READERS, name="memoram-reader")

    async def read(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run a unit of work that only reads; it sees one state throughout."""
        past = _past.get()
        if past is not None:
            return await self._writer.arun_on(past, work)
        return await (self._readers or self._writer).arun(work)

    async def write(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run a unit of work that may write; it is committed, or rolled back, when this returns."""
        return await self._writer.arun(work)

    def read_now(self, work: Callable[[Connection], _Result]) -> _Result:
        """`read` for blocking code."""
        return (self._readers or self._writer).run(work)

    def write_now(self, work: Callable[[Connection], _Result]) -> _Result:
        """`write` for blocking code."""
        return self._writer.run(work)

    def write_later(self, work: Callable[[Connection], _Result]) -> Future[_Result]:
        """`write` for those who do not wait; it comes after all that was asked for before."""
        return self._writer.later(work)

    def state(self) -> bytes:
        """A copy of all that the store holds, between two units of work that write."""
        return self._writer.run_bare(_state_of)

    async def astate(self) -> bytes:
        """`state` for those who must not block."""
        return await self._writer.arun_bare(_state_of)

    def put_state(self, state: bytes) -> None:
        """Put another state in place of what the store holds, between two units of work that write."""
        self._writer.run_bare(partial(_put, state))

    def clear(self) -> None:
        """Empty all tables; of the settings those stay that the platform cannot do without."""

        def empty(connection: Connection) -> None:
            for table in reversed(schema.metadata.sorted_tables):
                if table is not schema.settings:
                    connection.execute(table.delete())
            name = schema.settings.c.name
            connection.execute(schema.settings.delete().where(name.startswith(SEED_MARK)))

        self._writer.run(empty)

    def before_close(self, work: Callable[[], None]) -> None:
        """Have something done, once, when the store is about to close."""
        self._last_work.append(work)

    def close(self) -> None:
        """Finish the units of work under way and close all connections. A second call does nothing."""
        while self._last_work:
            self._last_work.pop()()
        if self._readers is not None:
            self._readers.close()
        self._writer.close()


def _create(connection: Connection) -> None:
    schema.metadata.create_all(connection)
    table = schema.settings
    version = connection.scalar(select(table.c.value).where(table.c.name == "schema_version"))
    if version is None:
        connection.execute(table.insert(), {"name": "schema_version", "value": schema.SCHEMA_VERSION})
    elif version != schema.SCHEMA_VERSION:
        raise DataDirectoryError(
            f"the data was made by another version of memoram_local (schema {version}, "
            f"this one reads {schema.SCHEMA_VERSION}): choose another data directory"
        )


@cache
def _empty() -> bytes:
    """A store with all tables and nothing in them: copying it costs less than creating them."""
    with _engine(URL.create("sqlite"), begin="BEGIN").connect() as connection:
        with connection.begin():
            _create(connection)
        return _state_of(_bare(connection))


def _bare(connection: Connection) -> sqlite3.Connection:
    driver_connection: Any = connection.connection.driver_connection
    assert isinstance(driver_connection, sqlite3.Connection)  # noqa: S101 - the only store there is
    return driver_connection


def _state_of(connection: sqlite3.Connection) -> bytes:
    state = bytearray(connection.serialize())
    # A copy has no write-ahead log, and could not be opened if it said so (SQLite file format, 1.3.3).
    state[_FILE_FORMATS] = b"\1\1"
    return bytes(state)


def _put(state: bytes, connection: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(":memory:")) as source:
        source.deserialize(state)
        source.backup(connection)


async def _in_thread(
    executor: ThreadPoolExecutor, function: Callable[[*_Arguments], _Result], *arguments: *_Arguments
) -> _Result:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        # In process under another event loop, such as trio: one hop more, through that loop's threads.
        from anyio import to_thread  # noqa: PLC0415 - rarely taken

        return await to_thread.run_sync(lambda: executor.submit(function, *arguments).result())
    return await loop.run_in_executor(executor, function, *arguments)


def _prepare_file(directory: Path) -> Path:
    path = directory.absolute() / _FILE_NAME
    if directory.exists() and not directory.is_dir():
        raise DataDirectoryError(f"the data directory {directory} cannot be used: it is a file")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The file holds users' keys. SQLite gives its side files the same permissions.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DataDirectoryError(
            f"the data directory {directory} cannot be used: {error.strerror}"
        ) from error
    return path


def _engine(url: URL, *, begin: str) -> Engine:
    # Connections are passed to close() from another thread once theirs has ended. Errors must not show
    # parameters, which can be secrets.
    engine = create_engine(
        url, poolclass=NullPool, hide_parameters=True, connect_args={"check_same_thread": False}
    )

    def configure(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        # None leaves transactions to the statement sent below; sqlite3 would begin them late and deferred.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        # With a write-ahead log this survives a crash of the process; a power cut may lose the last commits.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", start)
    return engine
