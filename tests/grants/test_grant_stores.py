"""What every grant store does: in memory, in SQLite, in PostgreSQL and in Redis."""

from __future__ import annotations

import stat
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import attrs
import pytest
import redis
import sqlalchemy
from sqlalchemy import event

from memoram_async import ConfigurationError, Secret
from memoram_async.grants.redis_store import RedisGrantStore
from memoram_async.grants.sql_store import SQLGrantStore
from memoram_async.grants.store import GrantStore, MemoryGrantStore, check_grant_store
from tests.redis_server import RedisServer, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "grant-0f"
SHORT = 0.02
KINDS = [
    "memory",
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.service("postgresql")),
    pytest.param("redis", marks=pytest.mark.service("redis-server")),
    pytest.param("redis that decodes", marks=pytest.mark.service("redis-server")),
]


@attrs.frozen
class Shelf:
    """A store, another one on the same values as another process has it, and how its time passes."""

    store: GrantStore
    other: GrantStore
    until: Callable[[Callable[[], object]], None]


@pytest.fixture(params=KINDS)
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    now = [1_900_000_000.0]

    def until(condition: Callable[[], object]) -> None:
        now[0] += 10
        assert condition()

    def clock() -> float:
        return now[0]

    if request.param == "memory":
        store = MemoryGrantStore(clock=clock)
        yield Shelf(store, store, until)
    elif request.param.startswith("redis"):
        server: RedisServer = request.getfixturevalue("redis_server")
        with redis.Redis(port=server.port, decode_responses="decodes" in request.param) as client:
            yield Shelf(RedisGrantStore(client), RedisGrantStore(client), eventually)
    else:
        is_file = request.param == "sqlite"
        url = f"sqlite:///{tmp_path}/grants.db" if is_file else request.getfixturevalue("postgresql")
        table = f"grants_{uuid.uuid4().hex}"  # making a database for each test would take seconds
        with (
            SQLGrantStore(url, table=table, clock=clock) as one,
            SQLGrantStore(Secret(url), table=table, clock=clock) as other,
        ):
            yield Shelf(one, other, until)


@pytest.fixture
def store(shelf: Shelf) -> GrantStore:
    return shelf.store


def test_an_empty_store_has_nothing(store: GrantStore) -> None:
    assert store.get(NAME) is None


def test_a_first_value_is_kept(shelf: Shelf) -> None:
    assert shelf.store.swap(NAME, None, b"v1.a-_")
    assert shelf.other.get(NAME) == b"v1.a-_"
    assert shelf.store.get("grant-1f") is None


def test_a_first_value_does_not_take_the_place_of_another(shelf: Shelf) -> None:
    shelf.store.swap(NAME, None, b"a")

    assert not shelf.other.swap(NAME, None, b"b")
    assert shelf.store.get(NAME) == b"a"


def test_a_value_takes_the_place_of_the_one_expected(shelf: Shelf) -> None:
    shelf.store.swap(NAME, None, b"a")

    assert shelf.other.swap(NAME, b"a", b"b")
    assert shelf.store.get(NAME) == b"b"


def test_a_value_takes_the_place_of_no_other(store: GrantStore) -> None:
    store.swap(NAME, None, b"a")

    assert not store.swap(NAME, b"b", b"c")
    assert store.get(NAME) == b"a"


def test_a_value_takes_no_place_that_is_empty(store: GrantStore) -> None:
    assert not store.swap(NAME, b"a", b"b")
    assert store.get(NAME) is None


def test_the_value_expected_is_deleted(store: GrantStore) -> None:
    store.swap(NAME, None, b"a")

    assert store.swap(NAME, b"a", None)
    assert store.get(NAME) is None
    assert not store.swap(NAME, b"a", None)


def test_another_value_is_not_deleted(store: GrantStore) -> None:
    store.swap(NAME, None, b"a")

    assert not store.swap(NAME, b"b", None)
    assert store.get(NAME) == b"a"


def test_nothing_for_nothing_tells_whether_there_is_nothing(store: GrantStore) -> None:
    assert store.swap(NAME, None, None)
    store.swap(NAME, None, b"a")
    assert not store.swap(NAME, None, None)


def test_a_value_expires(shelf: Shelf) -> None:
    shelf.store.swap(NAME, None, b"a", ttl=SHORT)

    shelf.until(lambda: shelf.store.get(NAME) is None)

    assert not shelf.store.swap(NAME, b"a", b"b")
    assert not shelf.store.swap(NAME, b"a", None)


def test_an_expired_value_makes_room(shelf: Shelf) -> None:
    shelf.store.swap(NAME, None, b"a", ttl=SHORT)

    shelf.until(lambda: shelf.store.swap(NAME, None, b"b"))

    assert shelf.store.get(NAME) == b"b"


def test_a_value_without_a_time_to_live_loses_that_of_the_one_before(shelf: Shelf) -> None:
    assert shelf.store.swap(NAME, None, b"a", ttl=1)
    assert shelf.store.swap(NAME, b"a", b"b")
    shelf.store.swap("sign-0f", None, b"a", ttl=1)

    shelf.until(lambda: shelf.store.get("sign-0f") is None)

    assert shelf.store.get(NAME) == b"b"


def test_one_of_many_threads_swaps(shelf: Shelf) -> None:
    shelf.store.swap(NAME, None, b"0")
    swapped: list[int] = []
    together = threading.Barrier(8)

    def swap(number: int) -> None:
        together.wait()
        store = shelf.store if number % 2 else shelf.other
        if store.swap(NAME, b"0", str(number).encode()):
            swapped.append(number)

    threads = [threading.Thread(target=swap, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(swapped) == 1
    assert shelf.other.get(NAME) == str(swapped[0]).encode()


def test_a_store_shows_no_values(store: GrantStore) -> None:
    store.swap(NAME, None, b"canary")

    assert "canary" not in repr(store)


# --- in memory -----------------------------------------------------------------------------------


def test_memory_lets_go_of_what_has_expired() -> None:
    now = [0.0]
    store = MemoryGrantStore(clock=lambda: now[0])
    for number in range(3_000):
        now[0] += 1
        store.swap(f"flow-{number}", None, b"a", ttl=10)

    assert len(vars(store)["_values"]) <= 1_010


# --- in SQL --------------------------------------------------------------------------------------


def test_a_new_sqlite_file_is_readable_for_its_owner_alone(tmp_path: Path) -> None:
    with SQLGrantStore(f"sqlite:///{tmp_path}/grants.db") as store:
        assert not list(tmp_path.iterdir())
        store.get(NAME)

    assert stat.S_IMODE((tmp_path / "grants.db").stat().st_mode) == 0o600


def test_sql_deletes_what_has_expired(tmp_path: Path) -> None:
    now = [0.0]
    with SQLGrantStore(f"sqlite:///{tmp_path}/grants.db", clock=lambda: now[0]) as store:
        for number in range(10):
            now[0] += 61
            store.swap(f"flow-{number}", None, b"a", ttl=10)
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/grants.db")
    with closing(engine.raw_connection()) as connection:
        count = connection.cursor().execute("SELECT count(*) FROM memoram_grants").fetchone()
    engine.dispose()

    assert count == (1,)


def test_an_engine_of_the_callers_own_stays_open() -> None:
    engine = sqlalchemy.create_engine("sqlite://")
    with SQLGrantStore(engine) as store:
        store.swap(NAME, None, b"a")

    assert SQLGrantStore(engine).get(NAME) == b"a"
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("canary", "should read like"),
        ("sqlite:/canary", "should read like"),
        ("postgresql://canary@host:port/x", "should read like"),
        ("postgresql+pg8000://canary@host/x", "driver pg8000 is not installed"),
        ("canary://canary@host/x", "should read like"),
        ("mysql+pymysql://canary@host/x", "driver pymysql is not installed"),
    ],
)
def test_a_url_that_cannot_be_used_is_said_so_and_not_quoted(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as raised:
        SQLGrantStore(url)
    assert "canary" not in str(raised.value)
    assert raised.value.__context__ is None


def test_a_file_that_cannot_be_made_is_said_so_at_once(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(ConfigurationError, match=f"there is no folder {missing} for the database grants.db"):
        SQLGrantStore(f"sqlite:///{missing / 'grants.db'}")
    with pytest.raises(ConfigurationError, match=f"the database {tmp_path} is a folder"):
        SQLGrantStore(f"sqlite:///{tmp_path}")


def test_another_kind_of_database_is_refused() -> None:
    engine = sqlalchemy.create_mock_engine("mysql://", print)

    with pytest.raises(ConfigurationError, match="SQLite or PostgreSQL, not in mysql"):
        SQLGrantStore(engine)  # type: ignore[arg-type]


# --- checking ------------------------------------------------------------------------------------


class Coroutines:
    async def get(self, name: str) -> None: ...
    def swap(self, name: str, *values: object) -> None: ...


@pytest.mark.parametrize("store", [None, object(), Coroutines(), MemoryGrantStore])
def test_what_is_no_store_is_refused(store: object) -> None:
    with pytest.raises(ConfigurationError, match="blocking methods get and swap"):
        check_grant_store(store)


def test_a_store_passes(store: GrantStore) -> None:
    assert check_grant_store(store) is store


@pytest.mark.service("postgresql")
def test_many_threads_make_few_connections(postgresql: str) -> None:
    made: list[object] = []
    at_once = threading.Barrier(40)

    def note(connection: object, _: object) -> None:
        made.append(connection)

    def begin(number: int) -> bool:
        at_once.wait()
        return grants.swap(f"grant-{number}", None, b"a") and grants.get(f"grant-{number}") == b"a"

    event.listen(sqlalchemy.Pool, "connect", note)
    try:
        with (
            SQLGrantStore(postgresql, table=f"grants_{uuid.uuid4().hex}") as grants,
            ThreadPoolExecutor(40) as crew,
        ):
            assert all(crew.map(begin, range(40)))
    finally:
        event.remove(sqlalchemy.Pool, "connect", note)
    assert 1 <= len(made) <= 5
