"""The store of one platform, and one hop to a thread for each unit of work.

With a file, one thread writes, one looks up what takes no time, and four read what may take long (write-ahead
log). Looking up has one thread alone, because threads that all want the interpreter for a moment pass it to
each other more than they work. In memory one thread does everything on the one connection there can be.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

from sqlalchemy import URL
from sqlalchemy.exc import DatabaseError

from memoram_local.errors import DataDirectoryError, StorageError
from memoram_local.master_keys import default_source
from memoram_local.sealing import MasterKey, Seal
from memoram_local.store import schema
from memoram_local.store.data_directory import FILE_NAME, DataDirectory
from memoram_local.store.erasing import Eraser, note_erased
from memoram_local.store.memory_api import tables as memory_api_tables
from memoram_local.store.opening import Opening
from memoram_local.store.prepared import Prepared
from memoram_local.store.resealing import note_key, reseal_all
from memoram_local.store.workers import InTurn, SideBySide, driver_of, engine_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Future
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from memoram_local.master_keys import MasterKeySource

# The tables of both services.
_METADATA = memory_api_tables.memories.metadata
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
        master_key: Where the key is that a file's secrets are sealed under; see `default_source`.

    Attributes:
        seal: Seals what must not be read in the file. In memory nothing lies still: its key is made up.

    Raises:
        DataDirectoryError: The directory cannot be used.
        MasterKeyError: The master key is missing, or cannot be kept.
    """

    def __init__(self, directory: Path | None, *, master_key: MasterKeySource | None = None) -> None:
        self._readers: SideBySide | None = None
        self._lookups: InTurn | None = None
        self._last_work: list[Callable[[], None]] = []
        self._is_kept = directory is not None
        self._place: DataDirectory | None = None
        self._eraser: Eraser | None = None
        if directory is None:
            self.seal = Seal(MasterKey.fresh())
            self._writer = InTurn(engine=_engine_in_memory(), name="memoram-store")
            self.put_state(_empty())
            return
        source = master_key or default_source()
        self._place = place = DataDirectory(directory)
        engine = engine_of(URL.create("sqlite", database=str(place.file)))
        opening = Opening(directory, source, is_new=place.is_new)
        readers = SideBySide(engine=engine, threads=_READERS, name="memoram-reader")
        self._eraser = Eraser(readers.empty_log)
        self._writer = InTurn(
            engine=engine,
            name="memoram-writer",
            begin="BEGIN IMMEDIATE",
            before_commit=place.check,
            copy_log=readers.copy_log,
            on_erased=self._eraser.soon,
        )
        try:
            self.seal = self._writer.run_bare(opening.seal_of)
            self._writer.run(_make_what_is_missing)
        except BaseException as error:
            readers.close()
            self._writer.close()
            place.discard()
            if opening.made is not None:
                source.discard(opening.made)
            if isinstance(error, DatabaseError | sqlite3.DatabaseError | StorageError):
                reason = error.orig if isinstance(error, DatabaseError) else error
                raise DataDirectoryError(
                    f"the data directory {directory} cannot be used: {reason}"
                ) from error
            raise
        self._opening = opening
        self._source = source
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

    def put_state(self, state: bytes, *, sealed_under: MasterKey | None = None) -> None:
        """Put another state in place of what the store holds, between two units of work that write.

        Args:
            state: What `state` gave.
            sealed_under: The master key of the store that gave it; this one's own, when left out.
        """
        if sealed_under is not None and sealed_under != self.seal.key:
            state = _resealed(state, old=Seal(sealed_under), new=self.seal)

        def put(connection: sqlite3.Connection) -> None:
            _put(state, connection)
            if self._is_kept:
                note_key(connection, self.seal.key)

        self._writer.run_bare(put)

    def clear(self) -> None:
        """Empty all tables; of the settings those stay that the platform cannot do without."""

        def empty(connection: Connection) -> None:
            for statement in _emptying():
                statement.run(connection)
            note_erased(connection)

        self._writer.run(empty)

    def rotate(self) -> tuple[str, str]:
        """Seal everything under another master key; see `rotate_master_key`."""
        old = self.seal.key
        opening = self._opening
        try:
            self.seal = self._writer.run_bare(lambda connection: opening.rotate(connection, self.seal))
        except BaseException:
            if opening.made is not None:
                self._source.discard(opening.made)
            raise
        return old.id, self.seal.key.id

    def before_close(self, work: Callable[[], None]) -> None:
        """Have something done, once, when the store is about to close. One in memory has nothing to keep."""
        if self._is_kept:
            self._last_work.append(work)

    def close(self) -> None:
        """Finish the units of work under way and close all connections. A second call does nothing."""
        while self._last_work:
            # Neither a full disk nor a folder that is gone keeps it from closing.
            with suppress(StorageError):
                self._last_work.pop()()
        if self._eraser is not None:
            self._eraser.close()
        # The writer may still ask a reader to copy its log.
        self._writer.close()
        for workers in (self._readers, self._lookups):
            if workers is not None:
                workers.close()
        if self._place is not None:
            self._place.close()

    def discard(self) -> None:
        """Close the store; if it is new, delete what it made: nobody has kept anything in it yet."""
        self._last_work.clear()
        place, self._place = self._place, None
        self.close()
        if place is not None:
            place.discard()
            if self._opening.made is not None:
                self._source.discard(self._opening.made)

    async def _read_by(self, workers: SideBySide, work: Callable[[Connection], _Result]) -> _Result:
        past = _past.get()
        if past is not None:
            return await self._writer.arun_bare(lambda _: _read_copy(past, work))
        return await workers.arun(work)


def rotate_master_key(directory: Path, *, master_key: MasterKeySource) -> tuple[str, str]:
    """Seal the secrets in a data directory, which no platform may be using, under another master key.

    Returns:
        The ids of the old key and of the new one. The old one stays where it is: older backups need it.

    Raises:
        DataDirectoryError: The directory cannot be used, or holds no data.
        MasterKeyError: The old key is missing, or there is no new one to take.
    """
    if not (directory / FILE_NAME).is_file():
        raise DataDirectoryError(f"there is no data in {directory}")
    database = Database(directory, master_key=master_key)
    try:
        return database.rotate()
    finally:
        database.close()


# Without these a platform could not go on.
_KEPT: Final = (schema.settings, schema.master_keys)


def _make_what_is_missing(connection: Connection) -> None:
    _METADATA.create_all(connection)
    # Which leaves out the indexes that tables of an older version lack.
    for table in _METADATA.tables.values():
        for index in table.indexes:
            index.create(connection, checkfirst=True)


@cache
def _emptying() -> list[Prepared]:
    tables = [table for table in reversed(_METADATA.sorted_tables) if table not in _KEPT]
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
        _METADATA.create_all(connection)
        version = {"name": "schema_version", "value": schema.SCHEMA_VERSION}
        connection.execute(schema.settings.insert(), version)
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


def _resealed(state: bytes, *, old: Seal, new: Seal) -> bytes:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        scratch.deserialize(state)
        reseal_all(scratch, old=old, new=new)
        return _state_of(scratch)
