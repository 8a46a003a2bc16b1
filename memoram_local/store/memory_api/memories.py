"""Memories of Memory API: text that applications own, and words to find it by."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, text

from memoram_local.behaviour import behaviour
from memoram_local.store.memory_api.tables import forget_deleted_words, memories

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Connection, Row

    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness

    Space = tuple[str, str]

WORD: Final = re.compile(r"[^\W_]+")
"""What the index takes for a word, but for what languages without spaces do."""

_INDEX: Final = text("INSERT INTO memory_api_words (rowid, text) VALUES (:number, :text)")
_INDEX_AGAIN: Final = text("UPDATE memory_api_words SET text = :text WHERE rowid = :number")


@dataclass(frozen=True, slots=True)
class StoredMemory:
    """One memory.

    Attributes:
        id: `mem_` and 24 hexadecimal digits, or the application's own.
        text: The memory itself.
        metadata: What the application keeps with it; None when there never was any.
        created_at: Microseconds since 1970.
        updated_at: Microseconds since 1970.
    """

    id: str
    text: str = field(repr=False)
    metadata: Mapping[str, Any] | None = field(repr=False)
    created_at: int
    updated_at: int


class IdTakenError(Exception):
    """Another memory has this id."""


class Memories:
    """Units of work on memories. A space is an organization and an environment: nobody sees beyond it."""

    def __init__(self, *, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness

    @behaviour(
        "memory-api.environments", "invented", "Live keys and test keys of one organization share no memory."
    )
    @behaviour(
        "create-memory.own-id", "documented", "An own id that is taken is met with 409 MEMORY_ID_EXISTS."
    )
    def create(
        self,
        connection: Connection,
        space: Space,
        *,
        text: str,
        metadata: Mapping[str, Any] | None,
        memory_id: str | None = None,
    ) -> StoredMemory:
        """Store a memory, in a unit of work that writes.

        Raises:
            IdTakenError: The space has a memory of this id.
        """
        if memory_id is not None and self.get(connection, space, memory_id) is not None:
            raise IdTakenError
        made_id = memory_id or self._randomness.prefixed("mem_")
        now = self._clock.stamp()
        row = {
            "id": made_id,
            "org_id": space[0],
            "environment": space[1],
            "words": count_words(text),
            "created_at": now,
            "updated_at": now,
            "metadata": None if metadata is None else json.dumps(metadata),
            "text": text,
        }
        inserted = connection.execute(memories.insert(), row).inserted_primary_key
        number = None if inserted is None else inserted[0]
        connection.execute(_INDEX, {"number": number, "text": _indexed(text)})
        return StoredMemory(made_id, text, metadata, now, now)

    def get(self, connection: Connection, space: Space, memory_id: str) -> StoredMemory | None:
        """One memory of a space."""
        row = connection.execute(select(memories).where(*_in(space), memories.c.id == memory_id)).first()
        return None if row is None else _memory(row)

    @behaviour("list-memories.order", "invented", "The newest memory comes first.")
    def page(
        self, connection: Connection, space: Space, *, number: int, size: int
    ) -> tuple[list[StoredMemory], int]:
        """A page of a space's memories, newest first, and how many there are in all.

        Args:
            connection: In a unit of work.
            space: Whose memories.
            number: Of the page, from 1.
            size: Memories a page.
        """
        total = self.count(connection, space)
        if (number - 1) * size >= total:
            return [], total
        rows = connection.execute(
            select(memories)
            .where(*_in(space))
            .order_by(memories.c.created_at.desc())
            .limit(size)
            .offset((number - 1) * size)
        )
        return [_memory(row) for row in rows], total

    @behaviour("update-memory.metadata", "documented", "Metadata that is given replaces what was stored.")
    def update(
        self, connection: Connection, space: Space, memory_id: str, changes: Mapping[str, Any]
    ) -> StoredMemory | None:
        """Change a memory's `text`, `metadata` or both; None when there is no such memory."""
        values: dict[str, Any] = {"updated_at": self._clock.stamp()}
        if "text" in changes:
            values |= {"text": changes["text"], "words": count_words(changes["text"])}
        if "metadata" in changes:
            values["metadata"] = json.dumps(changes["metadata"])
        its_own = (*_in(space), memories.c.id == memory_id)
        number = connection.scalar(select(memories.c.number).where(*its_own))
        if number is None:
            return None
        connection.execute(memories.update().where(memories.c.number == number).values(values))
        if "text" in changes:
            connection.execute(_INDEX_AGAIN, {"number": number, "text": _indexed(changes["text"])})
        forget_deleted_words(connection)
        return self.get(connection, space, memory_id)

    def delete(self, connection: Connection, space: Space, memory_id: str) -> bool:
        """Delete a memory for good; false when there is none."""
        its_own = (*_in(space), memories.c.id == memory_id)
        was_there = connection.execute(memories.delete().where(*its_own)).rowcount == 1
        forget_deleted_words(connection)
        return was_there

    @behaviour(
        "delete-all-memories.reach",
        "invented",
        "Everything is deleted that the key can see: nothing of the other environment.",
    )
    def delete_all(self, connection: Connection, space: Space) -> int:
        """Delete all memories of a space for good.

        Returns:
            How many there were.
        """
        deleted = connection.execute(memories.delete().where(*_in(space))).rowcount
        forget_deleted_words(connection)
        return deleted

    def count(self, connection: Connection, space: Space) -> int:
        """How many memories a space has."""
        return connection.scalar(select(func.count()).select_from(memories).where(*_in(space))) or 0


def count_words(text: str) -> int:
    """How many words a text has, at least 1."""
    return max(1, sum(1 for _ in WORD.finditer(text)))


def _indexed(text: str) -> str:
    # SQLite's functions on text stop at a NUL.
    return text.replace("\0", " ")


def _in(space: Space) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return memories.c.org_id == space[0], memories.c.environment == space[1]


def _memory(row: Row[Any]) -> StoredMemory:
    metadata = None if row.metadata is None else json.loads(row.metadata)
    return StoredMemory(row.id, row.text, metadata, row.created_at, row.updated_at)
