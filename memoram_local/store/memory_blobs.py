"""Memories as they are stored: content that applications encrypt, and what describes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypedDict

from sqlalchemy import bindparam, func, or_, select

from memoram_local.behaviour import behaviour
from memoram_local.store.blob_scan import Scan, steps
from memoram_local.store.erasing import note_erased
from memoram_local.store.prepared import Prepared
from memoram_local.store.schema import blob_tags, memory_blobs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness
    from memoram_local.store.tags import Tags

ROWS_LOOKED_AT: Final = 20_000
"""So many blobs one list looks at unless told otherwise."""

# Contents may be long, and tags many: a list ends its page when this is over, between two steps.
_SECONDS_OF_SEARCH: Final = 0.02
_FEW_TAGS: Final = 3

_FOLDED = {"title": "title_folded", "summary": "summary_folded", "content": "content_folded"}

# Built once: building costs more than running.
_INSERT = Prepared(memory_blobs.insert())
# In the order that `_blob` takes them in.
_SELECT: Select[*tuple[Any, ...]] = select(
    memory_blobs.c.id,
    memory_blobs.c.account_id,
    memory_blobs.c.created_at,
    memory_blobs.c.updated_at,
    memory_blobs.c.source,
    memory_blobs.c.title,
    memory_blobs.c.summary,
    memory_blobs.c.importance,
    memory_blobs.c.confidence,
    memory_blobs.c.content,
)
_SELECT_ONE = Prepared(
    _SELECT.where(memory_blobs.c.id == bindparam("blob"), memory_blobs.c.account_id == bindparam("account"))
)


@dataclass(frozen=True, slots=True)
class MemoryBlob:
    """One stored memory.

    Attributes:
        id: `mem_` and 24 hexadecimal digits.
        user_id: Whose it is, a UUID.
        created_at: Microseconds since 1970, another one for every blob.
        updated_at: Microseconds since 1970.
        source: Where it comes from.
        title: For lists.
        summary: For lists.
        importance: As the application rates it.
        confidence: As the application rates it.
        content: As it was sent, normally encrypted.
        tags: Name and id of each tag.
    """

    id: str
    user_id: str
    created_at: int
    updated_at: int
    source: str | None
    title: str | None
    summary: str | None
    importance: float | None
    confidence: float | None
    content: str = field(repr=False)
    tags: tuple[tuple[str, str], ...]


class BlobChanges(TypedDict, total=False):
    """What applications may say of a blob; null empties everything but the content."""

    content: str
    title: str | None
    summary: str | None
    source: str | None
    importance: float | None
    confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobFilter:
    """Which blobs a list shows. Conditions that are given must all hold.

    Attributes:
        tags: Names.
        text: Occurs in the title, the summary or the stored content.
        least_importance: The lowest importance to show.
    """

    tags: tuple[str, ...] = ()
    text: str | None = None
    least_importance: float | None = None

    @property
    def is_much_work(self) -> bool:
        """Whether one blob may take long: for many tags, and for a text in contents of any length."""
        return len(self.tags) > _FEW_TAGS or self.text is not None

    @property
    def is_selective(self) -> bool:
        """Whether blobs may be looked at in vain: one tag alone, or nothing, leads to those it shows."""
        return len(self.tags) > 1 or self.text is not None or self.least_importance is not None


class MemoryBlobs:
    """Units of work on memory blobs."""

    def __init__(self, *, clock: Clock, randomness: Randomness, tags: Tags) -> None:
        self._clock = clock
        self._randomness = randomness
        self._tags = tags

    def create(
        self,
        connection: Connection,
        *,
        account_id: str,
        content: str,
        values: BlobChanges,
        tags: Sequence[str],
    ) -> MemoryBlob:
        """Store a blob.

        Args:
            connection: In a unit of work that writes.
            account_id: Whose memory it is.
            content: As it was sent.
            values: What describes it.
            tags: Names, without duplicates.
        """
        blob_id = self._randomness.prefixed("mem_")
        # Stamped by the one writer, so the order of stamps is the order of commits and pages miss nothing.
        now = self._clock.stamp()
        stored: BlobChanges = {
            "content": content,
            "title": values.get("title"),
            "summary": values.get("summary"),
            "source": values.get("source"),
            "importance": values.get("importance"),
            "confidence": values.get("confidence"),
        }
        _INSERT.run(
            connection,
            **stored,
            **_folded_copies(stored),
            id=blob_id,
            account_id=account_id,
            created_at=now,
            updated_at=now,
        )
        attached = self._tags.attach(
            connection, account_id=account_id, blob_id=blob_id, blob_created_at=now, names=tags
        )
        return MemoryBlob(
            id=blob_id,
            user_id=account_id,
            created_at=now,
            updated_at=now,
            source=values.get("source"),
            title=values.get("title"),
            summary=values.get("summary"),
            importance=values.get("importance"),
            confidence=values.get("confidence"),
            content=content,
            tags=attached,
        )

    def get(self, connection: Connection, *, account_id: str, blob_id: str) -> MemoryBlob | None:
        """One blob of a user."""
        rows = _SELECT_ONE.rows(connection, blob=blob_id, account=account_id)
        return _blob(rows[0], self._tags.of_blob(connection, blob_id)) if rows else None

    @behaviour("list-blobs.order", "invented", "The newest blob comes first.")
    @behaviour(
        "list-blobs.cursor",
        "invented",
        "A cursor marks the last blob shown, so blobs that come or go elsewhere never shift a page.",
    )
    @behaviour(
        "list-blobs.work",
        "invented",
        "A list with a filter looks at 20,000 memories at most, or for some 20 ms; then it answers with what "
        "it found, which may be nothing, and a cursor to go on from.",
    )
    @behaviour("list-blobs.tags", "invented", "All named tags must match.")
    @behaviour("list-blobs.importance", "documented", "Shows blobs of at least this importance.")
    @behaviour("list-blobs.unrated", "invented", "A blob without importance fails every importance filter.")
    @behaviour("list-blobs.search", "documented", "Searches title, summary and content as stored.")
    @behaviour("list-blobs.search-case", "invented", "Letter case does not matter, in any script.")
    def page(
        self,
        connection: Connection,
        *,
        account_id: str,
        limit: int,
        after: tuple[int, str] | None,
        only: BlobFilter,
        looking_at: int = ROWS_LOOKED_AT,
    ) -> tuple[list[MemoryBlob], tuple[int, str] | None]:
        """A page of a user's blobs, newest first.

        Args:
            connection: In a unit of work.
            account_id: Whose blobs.
            limit: The most blobs to return.
            after: `created_at` and id of the blob before the page; None for the first page.
            only: Which blobs to show.
            looking_at: The most blobs to look at, shown or not.

        Returns:
            The blobs, and what the next page comes after; None when nothing follows. A page may be empty and
            have a next one: so many blobs were looked at in vain.
        """
        scan = self._scan(connection, account_id=account_id, only=only)
        if scan is None:
            return [], None
        found: list[Row[Any]] = []
        more = after
        ways = steps(looking_at, seconds=_SECONDS_OF_SEARCH, is_much_work=only.is_much_work)
        for step in ways if only.is_selective else [0]:
            place, more = more, scan.after(connection, more, step) if step else None
            found += scan.rows(connection, after=place, until=more, limit=limit + 1 - len(found))
            if len(found) > limit:
                more = (found[limit - 1].created_at, found[limit - 1].id)
            if len(found) > limit or more is None:
                break
        shown = found[:limit]
        tags = self._tags.of_blobs(connection, [row.id for row in shown])
        return [_blob(row, tags.get(row.id, ())) for row in shown], more

    def update(
        self,
        connection: Connection,
        *,
        account_id: str,
        blob_id: str,
        values: BlobChanges,
        tags: Sequence[str] | None,
    ) -> MemoryBlob | None:
        """Change a blob.

        Args:
            connection: In a unit of work that writes.
            account_id: Whose blob it must be.
            blob_id: Which blob.
            values: The columns to set; None empties one.
            tags: Replaces all tags; None keeps them.

        Returns:
            The changed blob; None when there is no such blob.
        """
        note_erased(connection)
        changes = {**values, **_folded_copies(values), "updated_at": self._clock.stamp()}
        connection.execute(memory_blobs.update().where(*_is(account_id, blob_id)).values(changes))
        blob = self.get(connection, account_id=account_id, blob_id=blob_id)
        if blob is None or tags is None:
            return blob
        self._tags.detach(connection, blob_id)
        self._tags.attach(
            connection,
            account_id=account_id,
            blob_id=blob_id,
            blob_created_at=blob.created_at,
            names=tags,
        )
        return self.get(connection, account_id=account_id, blob_id=blob_id)

    def delete(self, connection: Connection, *, account_id: str, blob_id: str) -> bool:
        """Delete a blob for good; false when there is none."""
        note_erased(connection)
        return connection.execute(memory_blobs.delete().where(*_is(account_id, blob_id))).rowcount == 1

    def _scan(self, connection: Connection, *, account_id: str, only: BlobFilter) -> Scan | None:
        """How to go through the blobs that a filter shows; None when it shows none."""
        created_at: ColumnElement[int] = memory_blobs.c.created_at
        blob_id: ColumnElement[str] = memory_blobs.c.id
        query = _SELECT.where(memory_blobs.c.account_id == account_id)
        driving = [memory_blobs.c.account_id == account_id]
        if only.tags:
            tag_ids = self._tags.ids(connection, account_id=account_id, names=only.tags)
            if tag_ids is None:
                return None
            if only.least_importance is None or self._tags.is_rare(connection, tag_ids[0]):
                # One tag drives, in the order of its own index. Else the user's blobs do, in an index that
                # tells their importance, and so passes over most of them for less than looking up a tag.
                created_at, blob_id = blob_tags.c.blob_created_at, blob_tags.c.blob_id
                query = query.join(blob_tags, blob_tags.c.blob_id == memory_blobs.c.id)
                driving = [blob_tags.c.tag_id == tag_ids.pop(0)]
                query = query.where(*driving)
            for tag_id in tag_ids:
                other = blob_tags.alias()
                query = query.where(
                    select(other.c.tag_id)
                    .where(other.c.blob_id == blob_id, other.c.tag_id == tag_id)
                    .exists()
                )
        if only.least_importance is not None:
            query = query.where(memory_blobs.c.importance >= only.least_importance)
        if only.text is not None:
            query = query.where(_contains(only.text))
        return Scan(query, created_at, blob_id, driving)


def _folded_copies(values: BlobChanges) -> dict[str, str | None]:
    return {
        copy: None if value.isascii() else value.casefold()
        for name, copy in _FOLDED.items()
        if name in values
        for value in [str(values.get(name) or "")]
    }


def _contains(text: str) -> ColumnElement[bool]:
    # instr() knows no wildcards and, unlike LIKE, does not stop at a NUL.
    needle = text.casefold()
    columns = memory_blobs.c
    return or_(
        *(
            func.instr(func.coalesce(columns[copy], func.lower(columns[name])), needle) > 0
            for name, copy in _FOLDED.items()
        )
    )


def _is(account_id: str, blob_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return memory_blobs.c.id == blob_id, memory_blobs.c.account_id == account_id


def _blob(row: Iterable[Any], tags: tuple[tuple[str, str], ...]) -> MemoryBlob:
    blob_id, user_id, created_at, updated_at, source, title, summary, importance, confidence, content = row
    return MemoryBlob(
        id=blob_id,
        user_id=user_id,
        created_at=created_at,
        updated_at=updated_at,
        source=source,
        title=title,
        summary=summary,
        importance=importance,
        confidence=confidence,
        content=content,
        tags=tags,
    )
