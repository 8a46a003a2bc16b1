"""Whether an application may ask a user for access now: people must not be worn down."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import select

from memoram_local.behaviour import behaviour
from memoram_local.store.schema import access_requests

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from memoram_local.clock import Clock
    from memoram_local.limits import Limits

_SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an application may not ask.

    Attributes:
        code: For programs.
        until: When it may ask again, in microseconds since 1970; None when that is for the user to say.
    """

    code: Literal["asking_paused", "asking_blocked", "too_many_pending"]
    until: int | None


@behaviour(
    "create-access-request.pause",
    "invented",
    "For a minute after a rejection the application may not ask this user again: 409, code asking_paused, "
    "and `until` says when it may.",
)
@behaviour(
    "create-access-request.block",
    "invented",
    "After five rejections in a row it is a day: 409, code asking_blocked, with `until`.",
)
@behaviour(
    "create-access-request.pending",
    "invented",
    "Of one application, 20 requests wait for one user at a time; one more gives 409, code too_many_pending.",
)
def refusal_to_ask(
    connection: Connection, *, app_id: str, account_id: str, clock: Clock, limits: Limits
) -> Refusal | None:
    """Why an application may not ask a user now; None when it may."""
    columns = access_requests.c
    its = (columns.account_id == account_id) & (columns.app_id == app_id)
    waiting = select(columns.id).where(its, columns.status == "pending").limit(limits.pending_requests)
    if len(connection.execute(waiting).all()) >= limits.pending_requests:
        return Refusal("too_many_pending", None)
    decided = (
        select(columns.status, columns.updated_at)
        .where(its, columns.status != "pending")
        .order_by(columns.updated_at.desc())
        .limit(limits.rejections_in_a_row)
    )
    rows = connection.execute(decided).all()
    rejections = list(takewhile(lambda row: row.status == "rejected", rows))
    if not rejections:
        return None
    is_block = len(rejections) >= limits.rejections_in_a_row
    seconds = limits.block_after_rejections if is_block else limits.pause_after_rejection
    if not seconds:
        return None
    until = int(rejections[0].updated_at + seconds * _SECOND)
    if until <= clock.micros():
        return None
    return Refusal("asking_blocked" if is_block else "asking_paused", until)
