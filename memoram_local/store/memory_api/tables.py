"""The tables of Memory API, and the index of words that queries are answered from.

They are part of the one schema, so snapshots, resets and data files hold them like everything else.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

from memoram_local.store.erasing import note_erased
from memoram_local.store.schema import accounts, metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

organizations: Final = Table(
    "memory_api_organizations",
    metadata,
    Column("id", Text, primary_key=True),
    # Who sees it on the pages; nobody, while it was made through the API alone.
    Column("owner_id", Text, ForeignKey(accounts.c.id, ondelete="SET NULL"), index=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

keys: Final = Table(
    "memory_api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, ForeignKey(organizations.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", Text, nullable=False, unique=True),
    # Enough of the key to tell it from others, too little to guess the rest.
    Column("prefix", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("environment", Text, nullable=False),
    # Joined by spaces.
    Column("scopes", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
)

memories: Final = Table(
    "memory_api_memories",
    metadata,
    # What the index of words knows it by.
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("org_id", Text, ForeignKey(organizations.c.id, ondelete="CASCADE"), nullable=False),
    Column("environment", Text, nullable=False),
    # How many words it has: what BM25 divides by.
    Column("words", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    # JSON.
    Column("metadata", Text),
    Column("text", Text, nullable=False),
    UniqueConstraint("org_id", "environment", "id"),
    Index("memory_api_memories_newest", "org_id", "environment", "created_at", "words"),
)

usage: Final = Table(
    "memory_api_usage",
    metadata,
    Column("org_id", Text, ForeignKey(organizations.c.id, ondelete="CASCADE"), primary_key=True),
    Column("environment", Text, primary_key=True),
    # Days since 1970 in UTC.
    Column("day", Integer, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("calls", Integer, nullable=False),
    sqlite_with_rowid=False,
)

_FORGETS_BY_ITSELF: Final = sqlite3.sqlite_version_info >= (3, 42)

_INDEX_OF_WORDS: Final = (
    """CREATE VIRTUAL TABLE memory_api_words
    USING fts5(text, tokenize = 'porter unicode61 remove_diacritics 2')""",
    # Whatever deletes a memory, a reset included, takes its words along.
    """CREATE TRIGGER memory_api_forget_words AFTER DELETE ON memory_api_memories
    BEGIN DELETE FROM memory_api_words WHERE rowid = old.number; END""",
)


@event.listens_for(memories, "after_create")
def _add_index_of_words(_table: Table, connection: Connection, **_options: object) -> None:
    """FTS5 brings what such an index needs: folding of case and accents, and stems of English words."""
    for statement in _INDEX_OF_WORDS:
        connection.execute(text(statement))
    if _FORGETS_BY_ITSELF:
        connection.execute(
            text("INSERT INTO memory_api_words (memory_api_words, rank) VALUES ('secure-delete', 1)")
        )


def forget_deleted_words(connection: Connection) -> None:
    """See to it that the index holds no word of what was deleted or changed in this unit of work.

    FTS5 otherwise keeps them until it merges its segments. SQLite before 3.42 can only merge all of them,
    which takes the longer the more there is.
    """
    note_erased(connection)
    if not _FORGETS_BY_ITSELF:
        connection.execute(text("INSERT INTO memory_api_words (memory_api_words) VALUES ('optimize')"))
