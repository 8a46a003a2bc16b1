"""The store of one platform, and one hop to a thread for each unit of work.

With a file, one thread writes, one looks up what takes no time, and four read what may take long (write-ahead
log). Looking up has one thread alone, because threads that all want the interpreter for a moment pass it to
each other more than they work. In memory one thread does everything on the one connection there can be.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from contextvars import ContextVar
from functools import cache, partial
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import URL, select
from sqlalchemy.exc import DatabaseError

from memoram_local.errors import DataDirectoryError
from memoram_local.store import schema
from memoram_local.store.prepared import Prepared
from memoram_local.store.workers import InTurn, SideBySide, driver_of, engine_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Future
    from pathlib import Path

    from sqlalchemy import Connection, Engine

_FILE_NAME = "memoram.sqlite3"
_READERS = 4

_Result = TypeVar("_Result")

SEED_MARK = "seed:"
"""How the names of those settings begin that say which seeds were loaded."""

_FILE_FORMATS = slice(18, 20)


_past: ContextVar[bytes | None] = ContextVar("memoram_local_past", default=None)


@contextmanager
def reading_from(state: bytes | None) -> Generator[None]:
    """In this block, whoever reads reads a copy of the store from the past; None changes nothing."""
    token = _past.set(state)
    try:
        yield
    finally:
        _past.reset(token)


class Database:
    """The store of one platform.

    A unit of work is a function of a connection. What it does is done as a whole, or not at all when it
    raises. Units that write run one after the other; those that have queued up are committed together.

    Args:
        directory: Where the file is kept, made when missing; None keeps everything in memory.

    Raises:
        DataDirectoryError: The directory cannot be used.
    """

    def __init__(self, directory: Path | None) -> None:
        self._readers: SideBySide | None = None
        self._lookups: InTurn | None = None
        self._last_work: list[Callable[[], None]] = []
        self._is_kept = directory is not None
        if directory is None:
            self._writer = InTurn(engine=_engine_in_memory(), name="memoram-store")
            self.put_state(_empty())
            return
        path = _prepare_file(directory)
        url = URL.create("sqlite", database=str(path))
        engine = engine_of(url)
        readers = SideBySide(engine=engine, threads=_READERS, name="memoram-reader")
        self._writer = InTurn(
            engine=engine, name="memoram-writer", begin="BEGIN IMMEDIATE", copy_log=readers.copy_log
        )
        try:
            self._writer.run(_create)
        except (DatabaseError, sqlite3.DatabaseError) as error:
            self._writer.close()
            reason = error.orig if isinstance(error, DatabaseError) else error
            raise DataDirectoryError(f"the data directory {directory} cannot be used: {reason}") from error
        except DataDirectoryError:
            self._writer.close()
            raise
        self._readers = readers
        self._lookups = InTurn(engine=engine, name="memoram-lookup")

    async def read(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run a unit of work that only reads; it sees one state throughout."""
        return await self._read_by(self._readers or self._writer, work)

    async def look_up(self, work: Callable[[Connection], _Result]) -> _Result:
        """`read` for what finds a few rows by their keys, and so keeps nobody waiting."""
        return await self._read_by(self._lookups or self._writer, work)

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
            for statement in _emptying():
                statement.run(connection)

        self._writer.run(empty)

    def before_close(self, work: Callable[[], None]) -> None:
        """Have something done, once, when the store is about to close. One in memory has nothing to keep."""
        if self._is_kept:
            self._last_work.append(work)

    def close(self) -> None:
        """Finish the units of work under way and close all connections. A second call does nothing."""
        while self._last_work:
            self._last_work.pop()()
        # The writer may still ask a reader to copy its log.
        self._writer.close()
        for workers in (self._readers, self._lookups):
            if workers is not None:
                workers.close()

    async def _read_by(self, workers: SideBySide, work: Callable[[Connection], _Result]) -> _Result:
        past = _past.get()
        if past is not None:
            return await self._writer.arun_bare(lambda _: _read_copy(past, work))
        return await workers.arun(work)


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
def _emptying() -> list[Prepared]:
    tables = [table for table in reversed(schema.metadata.sorted_tables) if table is not schema.settings]
    seeds = schema.settings.delete().where(schema.settings.c.name.startswith(SEED_MARK))
    return [*(Prepared(table.delete()) for table in tables), Prepared(seeds)]


@cache
def _engine_in_memory() -> Engine:
    # It keeps no connection, and each that it makes is a store of its own.
    return engine_of(URL.create("sqlite"))


@cache
def _empty() -> bytes:
    """A store with all tables and nothing in them: copying it costs less than creating them."""
    with _engine_in_memory().connect() as connection:
        _create(connection)
        return _state_of(driver_of(connection))


def _read_copy(state: bytes, work: Callable[[Connection], _Result]) -> _Result:
    with _engine_in_memory().connect() as connection:
        _put(state, driver_of(connection))
        return work(connection)


def _state_of(connection: sqlite3.Connection) -> bytes:
    state = bytearray(connection.serialize())
    # A copy has no write-ahead log, and could not be opened if it said so (SQLite file format, 1.3.3).
    state[_FILE_FORMATS] = b"\1\1"
    return bytes(state)


def _put(state: bytes, connection: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(":memory:")) as source:
        source.deserialize(state)
        source.backup(connection)


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
