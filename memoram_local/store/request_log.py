"""What applications called lately, for those who build them. It holds no value that a caller sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import Integer, bindparam, select

from memoram_local.store.prepared import Prepared
from memoram_local.store.schema import request_log

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

# Older calls of an application are forgotten.
CALLS_KEPT: Final = 500


class Call(NamedTuple):
    """One call of an application.

    Attributes:
        at: When it came, in microseconds since 1970.
        method: The HTTP method.
        path: The path with its parameters in braces, so that no id or mistyped secret shows.
        status: The HTTP status of the answer.
        millis: How long the answer took.
        request_id: What the answer's X-Request-Id says.
    """

    at: int
    method: str
    path: str
    status: int
    millis: float
    request_id: str


_INSERT = Prepared(request_log.insert().values({name: bindparam(name) for name in ("app_id", *Call._fields)}))
_FORGET = Prepared(
    request_log.delete().where(
        request_log.c.id.in_(
            select(request_log.c.id)
            .where(request_log.c.app_id == bindparam("app_id"))
            .order_by(request_log.c.id.desc())
            .limit(bindparam("most", type_=Integer))
            .offset(bindparam("kept", type_=Integer))
        )
    )
)


class RequestLog:
    """Units of work on the log."""

    def add(self, connection: Connection, app_id: str, calls: Iterable[Call]) -> None:
        """Remember calls of an application, in their order."""
        _INSERT.run_each(connection, [{"app_id": app_id, **call._asdict()} for call in calls])

    def forget_old(self, connection: Connection, app_id: str, *, most: int) -> int:
        """Forget calls of an application that are older than those it keeps, at most so many at once.

        Returns:
            How many were forgotten: fewer than `most` when no more are left.
        """
        return _FORGET.run(connection, app_id=app_id, most=most, kept=CALLS_KEPT)

    def newest(
        self, connection: Connection, app_id: str, *, limit: int, before: int | None = None
    ) -> tuple[list[Call], int | None]:
        """A page of an application's calls, newest first.

        Args:
            connection: In a unit of work.
            app_id: Whose calls.
            limit: The most calls to return.
            before: The mark that the page before gave; None for the first page.

        Returns:
            The calls, and the mark of the next page; None when there is none.
        """
        query = select(request_log).where(request_log.c.app_id == app_id)
        if before is not None:
            query = query.where(request_log.c.id < before)
        rows = connection.execute(query.order_by(request_log.c.id.desc()).limit(limit + 1)).all()
        calls = [
            Call(row.at, row.method, row.path, row.status, row.millis, row.request_id) for row in rows[:limit]
        ]
        return calls, rows[limit - 1].id if len(rows) > limit else None
