"""What was done for an Idempotency-Key, kept for those who ask again because they did not see the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from memoram_local.behaviour import behaviour
from memoram_local.store.prepared import Prepared
from memoram_local.store.schema import idempotent_answers

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from memoram_local.clock import Clock

KEPT_SECONDS = 24 * 3600

_SECONDS_BETWEEN_CLEARINGS = 60
_SECOND = 1_000_000

_FIND = Prepared(
    select(
        idempotent_answers.c.request_digest,
        idempotent_answers.c.status,
        idempotent_answers.c.body,
        idempotent_answers.c.expires_at,
    ).where(
        idempotent_answers.c.app_id == bindparam("app"),
        idempotent_answers.c.operation == bindparam("called"),
        idempotent_answers.c.key == bindparam("named"),
    )
)
_FORGET = Prepared(idempotent_answers.delete().where(idempotent_answers.c.expires_at <= bindparam("now")))
_KEEP = Prepared(idempotent_answers.insert())


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A first answer, without what it told: that may be changed or deleted meanwhile.

    Attributes:
        request_digest: Of the request that it answered.
        status: The HTTP status.
        body: A JSON object with the `id` of what it told of.
    """

    request_digest: str
    status: int
    body: bytes = field(repr=False)


class IdempotentAnswers:
    """Units of work on first answers."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._next_clearing = 0

    def find(self, connection: Connection, *, app_id: str, operation: str, key: str) -> KeptAnswer | None:
        """The first answer to a key, if it is younger than a day. Called in a unit of work that writes."""
        rows = _FIND.rows(connection, app=app_id, called=operation, named=key)
        if not rows:
            return None
        *answer, expires_at = rows[0]
        now = self._clock.micros()
        if expires_at > now:
            return KeptAnswer(*answer)
        # It makes room for what the key is taken for now.
        _FORGET.run(connection, now=now)
        return None

    @behaviour(
        "idempotency.life",
        "invented",
        "A key is remembered for 24 hours, even when what was done for it is deleted meanwhile; then it "
        "counts as new.",
    )
    def keep(
        self, connection: Connection, *, app_id: str, operation: str, key: str, answer: KeptAnswer
    ) -> None:
        """Keep a first answer, in the unit of work that did what it tells of."""
        now = self._clock.micros()
        if now >= self._next_clearing:
            self._next_clearing = now + _SECONDS_BETWEEN_CLEARINGS * _SECOND
            _FORGET.run(connection, now=now)
        _KEEP.run(
            connection,
            app_id=app_id,
            operation=operation,
            key=key,
            request_digest=answer.request_digest,
            status=answer.status,
            body=answer.body,
            expires_at=now + KEPT_SECONDS * _SECOND,
        )
