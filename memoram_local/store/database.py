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
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import URL, Connection, create_engine, event, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from memoram_local.changes import take_calls
from memoram_local.errors import DataDirectoryError
from memoram_local.store import schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from sqlalchemy import Engine
    from sqlalchemy.pool import ConnectionPoolEntry

_FILE_NAME = "memoram.sqlite3"
_READERS = 4
# Rarely waited for: only another process on the same file can hold the lock.
_BUSY_TIMEOUT_MS = 5_000

_Result = TypeVar("_Result")


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

    def _run(self, work: Callable[[Connection], _Result]) -> _Result:
        connection: Connection | None = self._bound.connection
        if connection is None:
            connection = self._bound.connection = self._engine.connect()
            self._opened.append(connection)
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

    def later(self, work: Callable[[Connection], _Result]) -> Future[_Result]:
        return self._executor.submit(self._run, work)

    async def arun(self, work: Callable[[Connection], _Result]) -> _Result:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # In process under another event loop, such as trio: one hop more, through that loop's threads.
            from anyio import to_thread  # noqa: PLC0415 - rarely taken

            return await to_thread.run_sync(self.run, work)
        return await loop.run_in_executor(self._executor, self._run, work)

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
            self._create()
            return
        path = _prepare_file(directory)
        url = URL.create("sqlite", database=str(path))
        self._writer = _Workers(url=url, begin="BEGIN IMMEDIATE", threads=1, name="memoram-writer")
        try:
            self._create()
        except (DatabaseError, sqlite3.DatabaseError) as error:
            self._writer.close()
            reason = error.orig if isinstance(error, DatabaseError) else error
            raise DataDirectoryError(f"the data directory {directory} cannot be used: {reason}") from error
        except DataDirectoryError:
            self._writer.close()
            raise
        self._readers = _Workers(url=url, begin="BEGIN", threads=_READERS, name="memoram-reader")

    def _create(self) -> None:
        def create(connection: Connection) -> None:
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

        self._writer.run(create)

    async def read(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run a unit of work that only reads; it sees one state throughout."""
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
