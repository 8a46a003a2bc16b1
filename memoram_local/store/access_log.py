"""Who read and wrote a user's memories, for the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from sqlalchemy import BigInteger, Integer, and_, bindparam, or_, select, text

from memoram_local.store.prepared import Prepared
from memoram_local.store.schema import DONE_AGAIN, access_log, apps, memory_blobs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from sqlalchemy import ColumnElement, Connection

Action = Literal["key", "listed", "tags", "read", "created", "changed", "deleted"]

# Older entries of a user are forgotten.
ENTRIES_KEPT: Final = 2_000
# Calls that differ only in their time, with less than this between them, are one entry.
COALESCED_SECONDS: Final = 600

_SECOND = 1_000_000
# Where its name was: what it did must not pass for the user's own doing.
_DELETED_APP = "A deleted application"


class Deed(NamedTuple):
    """What was done; equal deeds are counted together.

    Attributes:
        account_id: To whose memories.
        app_id: By which application; empty for the user.
        action: What.
        blob_id: To which memory; empty when to no single one.
    """

    account_id: str
    app_id: str
    action: Action
    blob_id: str


@dataclass(slots=True)
class Tally:
    """How often, and from when to when, in microseconds since 1970."""

    calls: int
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log.

    Attributes:
        app_name: Who it was, also when it was deleted since; None for the user.
        action: What was done.
        blob_id: To which memory; empty when to no single one.
        title: The memory's title; None when it has none or is gone.
        exists: Whether the memory is still there.
        calls: How often.
        first_at: Microseconds since 1970.
        last_at: Microseconds since 1970.
    """

    app_name: str | None
    action: Action
    blob_id: str
    title: str | None
    exists: bool
    calls: int
    first_at: int
    last_at: int


_INSERT = Prepared(
    access_log.insert().values(
        {name: bindparam(name) for name in (*Deed._fields, "calls", "first_at", "last_at")}
    )
)
_COLUMNS = access_log.c
_ADD = Prepared(
    access_log.update()
    .where(
        _COLUMNS.id
        == select(_COLUMNS.id)
        .where(
            *[_COLUMNS[name] == bindparam(name) for name in Deed._fields],
            _COLUMNS.last_at >= bindparam("not_before", type_=BigInteger),
            # What SQLite must read to take the index of these.
            text(DONE_AGAIN),
        )
        .order_by(_COLUMNS.last_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    .values(calls=_COLUMNS.calls + bindparam("more_calls", type_=Integer), last_at=bindparam("until"))
)
_FORGET = Prepared(
    access_log.delete().where(
        _COLUMNS.id.in_(
            select(_COLUMNS.id)
            .where(_COLUMNS.account_id == bindparam("account_id"))
            .order_by(_COLUMNS.last_at.desc(), _COLUMNS.id.desc())
            .limit(bindparam("most", type_=Integer))
            .offset(bindparam("kept", type_=Integer))
        )
    )
)


class AccessLog:
    """Units of work on the log."""

    def add(self, connection: Connection, deeds: Mapping[Deed, Tally]) -> None:
        """Remember deeds."""
        fresh = [
            {**deed._asdict(), "calls": tally.calls, "first_at": tally.first_at, "last_at": tally.last_at}
            for deed, tally in deeds.items()
            # A memory is created and deleted once: there is no entry to add to.
            if deed.action in {"created", "deleted"} or not self._added(connection, deed, tally)
        ]
        _INSERT.run_each(connection, fresh)

    def forget_old(self, connection: Connection, account_id: str, *, most: int) -> int:
        """Forget entries of a user that are older than those that are kept, at most so many at once.

        Returns:
            How many were forgotten: fewer than `most` when no more are left.
        """
        return _FORGET.run(connection, account_id=account_id, most=most, kept=ENTRIES_KEPT)

    def newest(
        self,
        connection: Connection,
        account_id: str,
        *,
        limit: int,
        before: tuple[int, int] | None = None,
        blob_id: str | None = None,
    ) -> tuple[list[Entry], tuple[int, int] | None]:
        """A page of a user's log, newest first.

        Args:
            connection: In a unit of work.
            account_id: Whose log.
            limit: The most entries to return.
            before: The mark that the page before gave; None for the first page.
            blob_id: Of this memory alone, when given.

        Returns:
            The entries, and the mark of the next page; None when there is none.
        """
        columns = access_log.c
        query = (
            select(
                access_log,
                apps.c.name.label("app_name"),
                memory_blobs.c.id.label("found"),
                memory_blobs.c.title,
            )
            .outerjoin(apps, apps.c.id == columns.app_id)
            .outerjoin(
                memory_blobs,
                and_(memory_blobs.c.id == columns.blob_id, memory_blobs.c.account_id == columns.account_id),
            )
            .where(columns.account_id == account_id)
        )
        if blob_id is not None:
            query = query.where(columns.blob_id == blob_id)
        if before is not None:
            query = query.where(_older(*before))
        query = query.order_by(columns.last_at.desc(), columns.id.desc())
        rows = connection.execute(query.limit(limit + 1)).all()
        more = (rows[limit - 1].last_at, rows[limit - 1].id) if len(rows) > limit else None
        return _entries(rows[:limit]), more

    def _added(self, connection: Connection, deed: Deed, tally: Tally) -> bool:
        """Whether an entry was there that the deed could be added to."""
        changed = _ADD.run(
            connection,
            **deed._asdict(),
            not_before=tally.first_at - COALESCED_SECONDS * _SECOND,
            more_calls=tally.calls,
            until=tally.last_at,
        )
        return changed > 0


def _older(last_at: int, entry_id: int) -> ColumnElement[bool]:
    columns = access_log.c
    return or_(columns.last_at < last_at, and_(columns.last_at == last_at, columns.id < entry_id))


def _entries(rows: Sequence[Any]) -> list[Entry]:
    return [
        Entry(
            app_name=(row.app_name or _DELETED_APP) if row.app_id else None,
            action=row.action,
            blob_id=row.blob_id,
            title=row.title,
            exists=row.found is not None,
            calls=row.calls,
            first_at=row.first_at,
            last_at=row.last_at,
        )
        for row in rows
    ]
