"""Serves a platform from a file, its twin on raw sqlite3 and a bare floor, from one process.

    python -m benchmarks.local_stage [--memories N]   # prints one JSON line, serves until its input ends

The twin has the same routes, middleware and queue for a thread; only what that thread does for one read of a
memory is raw sqlite3, with the same statements.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL
from starlette.responses import PlainTextResponse

from benchmarks.local_bare import BareMemories
from memoram_local.application import build_application
from memoram_local.clock import Clock
from memoram_local.controls.decisions import Decisions
from memoram_local.controls.fault_plan import Faults
from memoram_local.controls.faults import Bench
from memoram_local.controls.history import History
from memoram_local.controls.journal import Journal
from memoram_local.controls.rig import Rig
from memoram_local.hashing import PasswordProfile
from memoram_local.master_keys import MasterKeyFile
from memoram_local.process.interpreter import dedicate
from memoram_local.process.server import serving
from memoram_local.randomness import Randomness
from memoram_local.services.developer_tokens import Caller
from memoram_local.services.registration import open_account
from memoram_local.services.services import assemble
from memoram_local.store.database import Database
from memoram_local.store.memory_blobs import BlobChanges, MemoryBlob
from memoram_local.store.schema import access_requests, tags
from memoram_local.store.workers import InTurn, engine_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection
    from starlette.types import ASGIApp, Receive, Scope, Send

    from memoram_local.services.services import Services
    from memoram_local.store.accounts import Account
    from memoram_local.store.units import Unit

# The tags of the list's benchmark, and how many of 100 memories bear each.
TAGS = {"common": 90, "half": 50, "tenth": 10, "rare": 1}
# Those that every memory bears.
ALWAYS = ("one", "two", "three", "four", "five", "six")
SEALED = "x" * 1000

GRANT = (
    "SELECT accounts.memory_key FROM accounts "
    "JOIN access_requests ON access_requests.account_id = accounts.id "
    "JOIN api_keys ON api_keys.app_id = access_requests.app_id "
    "WHERE api_keys.id = ? AND api_keys.revoked_at IS NULL "
    "AND access_requests.account_id = ? AND access_requests.app_id = ? "
    "AND access_requests.status = 'approved' LIMIT 1"
)
BLOB = (
    "SELECT id, account_id, created_at, updated_at, source, title, summary, importance, confidence, content "
    "FROM memory_blobs WHERE id = ? AND account_id = ?"
)
BLOB_TAGS = (
    "SELECT tags.name, tags.id FROM blob_tags JOIN tags ON tags.id = blob_tags.tag_id "
    "WHERE blob_tags.blob_id = ? ORDER BY blob_tags.position"
)


class RawDatabase(InTurn):
    """The store's thread that looks up, which does it without SQLAlchemy."""

    def __init__(self, path: Path) -> None:
        super().__init__(engine=engine_of(URL.create("sqlite", database=str(path))), name="raw-lookup")
        self._raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def _carry_out(self, units: Sequence[Unit[Any]]) -> None:
        self._raw.execute("BEGIN")
        for unit in units:
            unit.attempt(self._raw)
        self._raw.execute("COMMIT")
        for unit in units:
            unit.tell()

    async def look_up(self, work: Callable[[Any], Any]) -> Any:
        return await self.arun(work)


class RawAccessRequests:
    """What a read of a memory asks about access."""

    def granted_memory_key(self, connection: Any, *, app_id: str, key_id: str, account_id: str) -> str | None:
        row = connection.execute(GRANT, (key_id, account_id, app_id)).fetchone()
        return None if row is None else row[0]


class RawMemoryBlobs:
    """What a read of a memory asks about it."""

    def get(self, connection: Any, *, account_id: str, blob_id: str) -> MemoryBlob | None:
        row: Any = connection.execute(BLOB, (blob_id, account_id)).fetchone()
        if row is None:
            return None
        tags: Any = connection.execute(BLOB_TAGS, (blob_id,)).fetchall()
        values: Any = (*row, tuple(tags))
        return MemoryBlob(*values)


def raw_twin(services: Services, path: Path) -> Services:
    stand_ins: dict[str, Any] = {
        "database": RawDatabase(path),
        "access_requests": RawAccessRequests(),
        "memory_blobs": RawMemoryBlobs(),
    }
    return replace(services, **stand_ins)


def application_of(services: Services, database: Database) -> ASGIApp:
    history = History(database)
    rig = Rig(
        journal=Journal(),
        faults=Faults(history),
        decisions=Decisions(services, history, None),
        bench=Bench(services, history),
    )
    application = build_application(
        services, allowed_hosts={"127.0.0.1"}, max_body_octets=4 * 1024 * 1024, rig=rig
    )

    async def telling_cpu(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/cpu":
            await PlainTextResponse(str(time.process_time()))(scope, receive, send)
        else:
            await application(scope, receive, send)

    return telling_cpu


def fill(services: Services, account: Account, memories: int) -> None:
    """Memories of about 1 KiB, with tags and importances that are spread evenly."""
    draw = random.Random(1)  # noqa: S311 - no secret

    def batch(size: int) -> Callable[[Connection], None]:
        def store(connection: Connection) -> None:
            for number in range(size):
                names = [name for name, percent in TAGS.items() if draw.random() * 100 < percent]
                names += ["odd" if number % 2 else "even", *ALWAYS]
                values: BlobChanges = {"title": "A seat by the window", "importance": round(draw.random(), 3)}
                services.memory_blobs.create(
                    connection, account_id=account.id, content=SEALED, values=values, tags=names
                )

        return store

    for start in range(0, memories, 5_000):
        services.database.write_now(batch(min(5_000, memories - start)))


def fill_other_lists(services: Services, account: Account, app_id: str, count: int) -> None:
    """So many access requests of the application, all but a few decided long ago, and so many tags."""

    def store(connection: Connection) -> None:
        now = services.clock.stamp() - count
        request = {"account_id": account.id, "app_id": app_id, "reason": "To measure", "status": "rejected"}
        connection.execute(
            access_requests.insert(),
            [
                {**request, "id": f"c{number:024}", "created_at": now + number, "updated_at": now + number}
                for number in range(count)
            ],
        )
        tag = {"account_id": account.id, "is_enabled": True, "created_at": now, "updated_at": now}
        connection.execute(
            tags.insert(),
            [{**tag, "id": f"tag_{number:024x}", "name": f"tag {number:06}"} for number in range(count)],
        )

    services.database.write_now(store)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--memories", type=int, default=0)
    parser.add_argument("--others", type=int, default=0, help="so many access requests, and so many tags")
    arguments = parser.parse_args()
    memories: int = arguments.memories
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = Database(folder, master_key=MasterKeyFile(folder / "master.key"))
        stack.callback(database.close)
        services = assemble(
            clock=Clock(),
            randomness=Randomness(),
            database=database,
            passwords=PasswordProfile.named("fast"),
            base_url=None,
        )
        account, _ = open_account(services, email="ada@example.test", password="correct horse")  # noqa: S106
        app = database.write_now(
            lambda connection: services.apps.register(
                connection, name="Bench", redirect_uris=[], owner_id=None
            )
        )

        def let_in(connection: Connection) -> MemoryBlob:
            request = services.access_requests.create(
                connection, app_id=app.id, account=account, reason="To measure"
            )
            services.access_requests.decide(connection, request.id, "approve")
            return services.memory_blobs.create(
                connection, account_id=account.id, content=SEALED, values={}, tags=["travel", "seat"]
            )

        blob = database.write_now(let_in)
        fill(services, account, memories)
        if arguments.others:
            fill_other_lists(services, account, app.id, arguments.others)
        proven = database.read_now(lambda connection: services.api_keys.proven_by(connection, app.api_key))
        assert proven is not None
        token, _ = services.tokens.issue(Caller(*proven))
        whole = stack.enter_context(serving(application_of(services, database), host="127.0.0.1", port=0))
        twin = raw_twin(services, next(folder.glob("*.sqlite3")))
        raw = stack.enter_context(serving(application_of(twin, database), host="127.0.0.1", port=0))
        memories_alone = BareMemories(folder / "bare.db")
        stack.callback(memories_alone.close)
        bare = stack.enter_context(serving(memories_alone.application(), host="127.0.0.1", port=0))
        known = {
            "port": whole.port,
            "raw_port": raw.port,
            "bare_port": bare.port,
            "token": token,
            "user_id": account.id,
            "memory_key": account.memory_key,
            "blob_id": blob.id,
        }
        # As the command does.
        dedicate()
        print(json.dumps(known), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
