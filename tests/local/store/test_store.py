"""The store: units of work that come alone, together, in vain and too late."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from memoram_local.store.changes import after_commit
from memoram_local.store.database import Database
from memoram_local.store.schema import settings
from memoram_local.store.workers import driver_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from sqlalchemy import Connection


@pytest.fixture(params=["in memory", "in a file"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path if request.param == "in a file" else None)
    yield database
    database.close()


@contextmanager
def busy(database: Database) -> Generator[None]:
    """What is asked for in this block queues up, and is begun, all of it together, when it ends."""
    has_begun = threading.Event()
    go_on = threading.Event()

    def keep_busy(_connection: Connection) -> None:
        has_begun.set()
        assert go_on.wait(10)

    database.write_later(keep_busy)
    # Not before: the writer takes along what it finds behind it.
    assert has_begun.wait(10)
    try:
        yield
    finally:
        go_on.set()


def storing(name: str) -> Callable[[Connection], None]:
    def store(connection: Connection) -> None:
        connection.execute(settings.insert(), {"name": name, "value": ""})

    return store


def names(connection: Connection) -> set[str]:
    found = connection.scalars(select(settings.c.name).where(settings.c.name != "schema_version"))
    return set(found)


def test_what_has_queued_up_comes_in_turn_and_sees_what_came_before(database: Database) -> None:
    with busy(database):
        seen = [database.write_later(names)]
        for name in ("first", "second"):
            database.write_later(storing(name))
            seen.append(database.write_later(names))

    assert [each.result(5) for each in seen] == [set(), {"first"}, {"first", "second"}]


def test_one_that_raises_is_undone_alone(database: Database) -> None:
    def raising(connection: Connection) -> None:
        storing("second")(connection)
        raise ValueError("no")

    with busy(database):
        before = database.write_later(storing("first"))
        wrong = database.write_later(raising)
        after = database.write_later(storing("third"))

    with pytest.raises(ValueError, match="no"):
        wrong.result(5)
    assert before.result(5) is after.result(5) is None
    assert database.read_now(names) == {"first", "third"}


def test_one_that_the_store_refuses_is_undone_alone(database: Database) -> None:
    with busy(database):
        before = database.write_later(storing("first"))
        again = database.write_later(storing("first"))
        after = database.write_later(storing("second"))

    assert again.exception(5) is not None
    assert before.result(5) is after.result(5) is None
    assert database.read_now(names) == {"first", "second"}


def test_when_sqlite_gives_up_the_transaction_all_that_share_it_have_failed(database: Database) -> None:
    def filling_the_disk(connection: Connection) -> None:
        driver_of(connection).rollback()
        raise OSError("the disk is full")

    with busy(database):
        before = database.write_later(storing("first"))
        wrong = database.write_later(filling_the_disk)
        after = database.write_later(storing("second"))

    assert isinstance(wrong.exception(5), OSError)
    assert before.exception(5) is not None
    assert after.exception(5) is not None
    database.write_now(storing("third"))
    assert database.read_now(names) == {"third"}


def test_what_was_written_gets_from_the_log_into_the_file_by_and_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memoram_local.store.workers._SECONDS_BETWEEN_COPIES", 0)
    database = Database(tmp_path)
    until = time.monotonic() + 10
    database.write_now(storing("a name to look for"))

    # Copying may find others at work, and is then put off until something else was written.
    while b"a name to look for" not in (tmp_path / "memoram.sqlite3").read_bytes():
        assert time.monotonic() < until
        database.write_now(names)
        time.sleep(0.01)
    database.close()


def test_nobody_is_told_before_all_of_it_can_be_read(tmp_path: Path) -> None:
    database = Database(tmp_path)
    found: list[set[str]] = []
    with busy(database):
        told = database.write_later(storing("first"))
        told.add_done_callback(lambda _: found.append(database.read_now(names)))
        database.write_later(storing("second"))

    database.close()
    assert found == [{"first", "second"}]


def test_what_waits_for_a_commit_is_called_only_for_what_is_committed(database: Database) -> None:
    called: list[str] = []

    def telling(name: str, error: Exception | None) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            after_commit(connection, lambda: called.append(name))
            assert name not in called
            if error is not None:
                raise error

        return work

    with busy(database):
        database.write_later(telling("first", None))
        database.write_later(telling("second", ValueError()))
        database.write_later(telling("third", None))

    with pytest.raises(LookupError):
        database.write_now(telling("fourth", LookupError()))
    database.write_now(telling("fifth", None))
    assert called == ["first", "third", "fifth"]


def test_a_copy_of_the_state_comes_in_turn(database: Database) -> None:
    async def copy() -> bytes:
        copying = asyncio.create_task(database.astate())
        await asyncio.sleep(0)
        database.write_later(storing("after"))
        return await copying

    with ThreadPoolExecutor(1) as another, busy(database):
        database.write_later(storing("before"))
        copied = another.submit(asyncio.run, copy())

    database.put_state(copied.result())
    assert database.read_now(names) == {"before"}


def test_what_nobody_waits_for_any_more_is_not_begun(database: Database) -> None:
    async def give_up() -> None:
        waiting = asyncio.create_task(database.write(storing("in vain")))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    with busy(database):
        asyncio.run(give_up())

    assert database.read_now(names) == set()


def test_an_event_loop_that_ended_needs_no_answer(database: Database) -> None:
    async def leave() -> None:
        # Begun, and still under way when its loop is gone.
        left = asyncio.ensure_future(database.write(slow))
        await asyncio.to_thread(is_begun.wait, 5)
        assert not left.done()

    def slow(connection: Connection) -> None:
        is_begun.set()
        go_on.wait(5)
        storing("left behind")(connection)

    is_begun, go_on = threading.Event(), threading.Event()
    asyncio.run(leave())
    go_on.set()

    assert database.write_now(names) == {"left behind"}


def test_a_store_that_is_closed_takes_nothing(database: Database) -> None:
    database.close()

    with pytest.raises(RuntimeError):
        database.write_now(names)
    with pytest.raises(RuntimeError):
        asyncio.run(database.look_up(names))
