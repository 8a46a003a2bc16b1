"""The least that storing a memory over HTTP takes: one route of Starlette, one thread, one row in sqlite3.

No token, no grant, no tags of their own, no logs, no idempotency: a floor, to tell a slow machine from a slow
platform.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request


class BareMemories:
    """Rows in a file of their own, written by one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = threading.local()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="bare-writer", initializer=self._open)

    def application(self) -> Starlette:
        """Answers a POST of a memory, wherever the platform does."""
        return Starlette(routes=[Route("/api/v1/memory-blobs", self._create, methods=["POST"])])

    def close(self) -> None:
        """End the thread."""
        self._executor.shutdown()

    def _open(self) -> None:
        connection = self._own.connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute(
            "CREATE TABLE memories "
            "(id TEXT PRIMARY KEY, account TEXT, at INTEGER, title TEXT, tags TEXT, content TEXT)"
        )
        connection.execute("CREATE INDEX memories_by_time ON memories (account, at, id)")

    def _store(self, members: dict[str, Any]) -> str:
        connection: sqlite3.Connection = self._own.connection
        blob_id = str(uuid4())
        row = (
            blob_id,
            members["user_id"],
            time.time_ns(),
            members["title"],
            json.dumps(members["tags"]),
            members["content"],
        )
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO memories VALUES (?, ?, ?, ?, ?, ?)", row)
        connection.execute("COMMIT")
        return blob_id

    async def _create(self, request: Request) -> Response:
        members = json.loads(await request.body())
        blob_id = await asyncio.get_running_loop().run_in_executor(self._executor, self._store, members)
        return Response(json.dumps({"id": blob_id}), 201, media_type="application/json")
