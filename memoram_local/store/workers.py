"""Threads that keep a connection each, and carry out units of work in transactions.

SQLite takes one writer at a time. One thread that writes, in turn, waits for nobody; many that queue for the
lock wait for each other.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.pool import NullPool

from memoram_local.clock import steady
from memoram_local.store.changes import take_calls
from memoram_local.store.erasing import take_erased
from memoram_local.store.units import Unit, awaited, submitted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from sqlalchemy import Engine
    from sqlalchemy.pool import ConnectionPoolEntry

# Rarely waited for: only another process on the same file can hold the lock.
_BUSY_TIMEOUT_MS: Final = 5_000
_EMPTYING_TIMEOUT_MS: Final = 100
# Those who wait for the first of them wait for the last one too.
_MOST_AT_ONCE: Final = 32
# A writer that copies its log into the file waits for the disk, and all who write wait with it. A reader does
# that in time; the writer does it only if the log grows to this all the same (64 MiB).
_MOST_PAGES_OF_LOG: Final = 16_384
# Often, so that little is copied at once: whoever writes meanwhile shares the disk and the processor with it.
_SECONDS_BETWEEN_COPIES: Final = 0.1

_Result = TypeVar("_Result")


class _Bound(NamedTuple):
    """A thread's connection, and the driver's own one behind it."""

    connection: Connection
    driver: sqlite3.Connection


class SideBySide:
    """Threads that take units of work as they come, each in a transaction of its own.

    Args:
        engine: Makes their connections, and keeps none.
        threads: How many.
        name: Of the threads.
        begin: What begins a transaction.
        before_commit: Raises what every unit of work fails with that would be committed now.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        threads: int,
        name: str,
        begin: str = "BEGIN",
        before_commit: Callable[[], None] | None = None,
    ) -> None:
        self._engine = engine
        self._begin = begin
        self._before_commit = before_commit
        self._own = threading.local()
        self._opened: list[Connection] = []
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    def run(self, work: Callable[[Connection], _Result]) -> _Result:
        """Have a unit of work done, and wait for it."""
        return submitted(self._submit, work).result()

    async def arun(self, work: Callable[[Connection], _Result]) -> _Result:
        """`run` in an event loop."""
        return await awaited(self._submit, work)

    def copy_log(self) -> None:
        """Have what was committed copied from the write-ahead log into the file, without waiting for it."""
        # At the end of the process nothing is begun any more: whoever opens the file next copies.
        with contextlib.suppress(RuntimeError):
            self._executor.submit(self._copy_log)

    def empty_log(self) -> bool:
        """Copy everything from the write-ahead log into the file, and empty the log.

        Returns:
            False when somebody was reading the log: it must be tried again.
        """
        try:
            return self._executor.submit(self._empty_log).result()
        except RuntimeError:
            # Closed meanwhile: the log goes with its last connection.
            return True

    def close(self) -> None:
        """Finish what was asked for, and close all connections."""
        self._executor.shutdown()
        for connection in self._opened:
            connection.close()

    def _submit(self, unit: Unit[Connection]) -> None:
        self._executor.submit(self._carry_out, [unit])

    def _carry_out(self, units: Sequence[Unit[Connection]]) -> None:
        wanted = [unit for unit in units if unit.is_wanted()]
        try:
            if len(wanted) == 1:
                self._alone(wanted[0])
            elif wanted:
                self._together(wanted)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            for unit in wanted:
                unit.fail(error)
        for unit in wanted:
            unit.tell()

    def _copy_log(self) -> None:
        # What cannot be copied now, because somebody reads what stood before, is copied another time.
        with contextlib.suppress(sqlite3.Error):
            self._bound().driver.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _empty_log(self) -> bool:
        driver = self._bound().driver
        # Whoever writes waits as long as this does.
        driver.execute(f"PRAGMA busy_timeout={_EMPTYING_TIMEOUT_MS}")
        try:
            is_busy: int = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError as error:
            # A full disk, or a folder that is gone, is told to those who write.
            return error.sqlite_errorcode not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
        finally:
            driver.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        return not is_busy

    def _bound(self) -> _Bound:
        # Opened by the first unit of work: an initializer that raises would break the executor for good.
        bound: _Bound | None = getattr(self._own, "bound", None)
        if bound is None:
            connection = self._engine.connect()
            self._opened.append(connection)
            # Never ends, and sends nothing: it keeps SQLAlchemy from beginning and ending transactions of its
            # own, which takes longer than a short one lasts.
            connection.begin()
            bound = self._own.bound = _Bound(connection, driver_of(connection))
        return bound

    def _alone(self, unit: Unit[Connection]) -> None:
        connection, driver = self._bound()
        driver.execute(self._begin)
        try:
            if unit.attempt(connection):
                self._commit(driver)
        finally:
            calls = take_calls(connection)
            if driver.in_transaction:
                driver.rollback()
        unit.follow_up(calls)

    def _together(self, units: Sequence[Unit[Connection]]) -> None:
        """Carry out several in one transaction: what each costs is less than what a commit does.

        They come one after the other all the same, each fails for itself, and nobody is told before the
        commit.
        """
        connection, driver = self._bound()
        calls: list[list[Callable[[], None]]] = []
        driver.execute(self._begin)
        try:
            for unit in units:
                driver.execute("SAVEPOINT unit")
                is_done = unit.attempt(connection)
                calls.append(take_calls(connection))
                if not is_done:
                    # Fails where SQLite gave up the whole transaction, as when the disk is full: so do all.
                    driver.execute("ROLLBACK TO unit")
                driver.execute("RELEASE unit")
            self._commit(driver)
        finally:
            if driver.in_transaction:
                driver.rollback()
        for unit, its_calls in zip(units, calls, strict=True):
            unit.follow_up(its_calls)

    def _commit(self, driver: sqlite3.Connection) -> None:
        if self._before_commit is not None:
            self._before_commit()
        driver.execute("COMMIT")


class InTurn(SideBySide):
    """One thread that takes units of work in turn. Those that have queued up share a transaction.

    Args:
        engine: Makes its connection, and keeps none.
        name: Of the thread.
        begin: What begins a transaction.
        before_commit: See `SideBySide`.
        copy_log: Called some ten times a second while it writes; see `SideBySide.copy_log`.
        on_erased: Called when something was committed that erases; see `note_erased`.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        name: str,
        begin: str = "BEGIN",
        before_commit: Callable[[], None] | None = None,
        copy_log: Callable[[], None] | None = None,
        on_erased: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(engine=engine, threads=1, name=name, begin=begin, before_commit=before_commit)
        self._have_log_copied = copy_log
        self._on_erased = on_erased
        self._next_copy = steady() + _SECONDS_BETWEEN_COPIES
        self._lock = threading.Lock()
        self._queue: deque[tuple[Unit[Any], bool]] = deque()
        self._is_at_it = False

    def later(self, work: Callable[[Connection], _Result]) -> Future[_Result]:
        """Have a unit of work done, without waiting."""
        return submitted(self._submit, work)

    def run_bare(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Run something outside of any transaction, between two units of work."""
        return submitted(self._submit_bare, work).result()

    async def arun_bare(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """`run_bare` in an event loop."""
        return await awaited(self._submit_bare, work)

    def _submit(self, unit: Unit[Connection]) -> None:
        self._enqueue(unit, is_bare=False)

    def _submit_bare(self, unit: Unit[sqlite3.Connection]) -> None:
        self._enqueue(unit, is_bare=True)

    def _enqueue(self, unit: Unit[Any], *, is_bare: bool) -> None:
        with self._lock:
            if not self._is_at_it:
                self._executor.submit(self._work_off)
                self._is_at_it = True
            self._queue.append((unit, is_bare))

    def _work_off(self) -> None:
        while True:
            with self._lock:
                units, is_bare = self._next()
                if not units:
                    self._is_at_it = False
                    return
            if is_bare:
                self._carry_out_bare(units[0])
            else:
                self._carry_out(units)
                self._keep_log_short()

    def _keep_log_short(self) -> None:
        if self._on_erased is not None and take_erased(self._bound().connection):
            self._on_erased()
        if self._have_log_copied is not None and steady() >= self._next_copy:
            self._next_copy = steady() + _SECONDS_BETWEEN_COPIES
            self._have_log_copied()

    def _next(self) -> tuple[list[Unit[Any]], bool]:
        """What comes next: a bare one by itself, or all others before the next bare one."""
        units: list[Unit[Any]] = []
        while self._queue and len(units) < _MOST_AT_ONCE:
            unit, is_bare = self._queue[0]
            if is_bare and units:
                break
            units.append(unit)
            self._queue.popleft()
            if is_bare:
                return units, True
        return units, False

    def _carry_out_bare(self, unit: Unit[sqlite3.Connection]) -> None:
        if not unit.is_wanted():
            return
        try:
            unit.attempt(self._bound().driver)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            unit.fail(error)
        unit.tell()


def driver_of(connection: Connection) -> sqlite3.Connection:
    """The driver's connection behind SQLAlchemy's."""
    driver_connection: Any = connection.connection.dbapi_connection
    assert isinstance(driver_connection, sqlite3.Connection)  # noqa: S101 - the only store there is
    return driver_connection


def engine_of(url: URL) -> Engine:
    """Makes connections that leave transactions to whoever uses them."""
    # Connections are passed to close() from another thread once theirs has ended. Errors must not show
    # parameters, which can be secrets.
    engine = create_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={"check_same_thread": False},
    )

    def configure(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        # With a write-ahead log this survives a crash of the process; a power cut may lose the last commits.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_MOST_PAGES_OF_LOG}")
        connection.execute("PRAGMA foreign_keys=ON")
        if url.database is not None:
            # What is deleted is overwritten with zeros. In memory it would be work for nothing.
            connection.execute("PRAGMA secure_delete=ON")
        connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")

    event.listen(engine, "connect", configure)
    return engine
