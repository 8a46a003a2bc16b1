"""Applications' requests for a user's memories, and the user's decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import bindparam, func, select

from memoram_local.behaviour import behaviour
from memoram_local.errors import DecisionError, NotFoundError
from memoram_local.store.prepared import Prepared
from memoram_local.store.schema import access_requests, accounts, api_keys, apps

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from sqlalchemy import Connection, Row, Select

    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness
    from memoram_local.store.accounts import Account
    from memoram_local.store.changes import Changes
    from memoram_local.store.consents import Consents

Status = Literal["pending", "approved", "rejected", "revoked"]
Decision = Literal["approve", "reject", "revoke"]

_OUTCOMES: Final[dict[Decision, Status]] = {
    "approve": "approved",
    "reject": "rejected",
    "revoke": "revoked",
}

# Built once: it runs with every request for memories, and building costs more than running.
_GRANTED = Prepared(
    select(accounts.c.memory_key)
    .join(access_requests, access_requests.c.account_id == accounts.c.id)
    # With the key of the application, whose revocation ends all that its tokens may do.
    .join(api_keys, api_keys.c.app_id == access_requests.c.app_id)
    .where(
        api_keys.c.id == bindparam("key"),
        api_keys.c.revoked_at.is_(None),
        access_requests.c.account_id == bindparam("account"),
        access_requests.c.app_id == bindparam("app"),
        access_requests.c.status == "approved",
    )
    .limit(1)
)
# The same for lists: of an application before some moment, and of an account with some status.
_NEWEST_OF_APP = Prepared(
    select(access_requests.c.created_at, access_requests.c.id)
    .where(access_requests.c.app_id == bindparam("app"), access_requests.c.created_at < bindparam("before"))
    .order_by(access_requests.c.created_at.desc())
    .limit(bindparam("most"))
)
_COUNT_OF_APP = Prepared(
    select(func.count()).select_from(access_requests).where(access_requests.c.app_id == bindparam("app"))
)
_EVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """One access request.

    Attributes:
        id: 25 characters that begin with `c`.
        status: Where it stands.
        reason: What the application tells the user.
        app_id: Who asks.
        app_name: Who asks, as users are shown.
        user_id: Whose memories, a UUID. Applications learn it with the first approval.
        memory_key: What the application asked with.
        approved_at: Microseconds since 1970; None when it never was approved.
        created_at: Microseconds since 1970.
        updated_at: Microseconds since 1970.
    """

    id: str
    status: Status
    reason: str
    app_id: str
    app_name: str
    user_id: str
    memory_key: str
    approved_at: int | None
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class EndedAccess:
    """What an application lost.

    Attributes:
        request_ids: The approved requests that are revoked now.
        consents: How many sign-ins were undone, with their tokens.
    """

    request_ids: tuple[str, ...]
    consents: int


class AccessRequests:
    """Units of work on access requests."""

    def __init__(self, *, clock: Clock, randomness: Randomness, changes: Changes, consents: Consents) -> None:
        self._clock = clock
        self._randomness = randomness
        self._changes = changes
        self._consents = consents

    @behaviour(
        "create-access-request.repeated",
        "invented",
        "Asking again while a request is open makes another one; each is decided by itself.",
    )
    def create(self, connection: Connection, *, app_id: str, account: Account, reason: str) -> AccessRequest:
        """Ask a user for access. The request is pending."""
        request_id = self._randomness.cuid()
        now = self._clock.stamp()
        connection.execute(
            access_requests.insert(),
            {
                "id": request_id,
                "app_id": app_id,
                "account_id": account.id,
                "status": "pending",
                "reason": reason,
                "created_at": now,
                "updated_at": now,
            },
        )
        self._changes.tell_when_committed(connection, app_id, account.id)
        return self.get(connection, request_id)

    def get(self, connection: Connection, request_id: str, *, app_id: str | None = None) -> AccessRequest:
        """One request; only if it is `app_id`'s, when that is given.

        Raises:
            NotFoundError: There is no such request.
        """
        query = _select().where(access_requests.c.id == request_id)
        if app_id is not None:
            query = query.where(access_requests.c.app_id == app_id)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFoundError(f"There is no access request {request_id!r}.")
        return _request(row)

    @behaviour("list-access-requests.order", "invented", "The newest request comes first.")
    @behaviour("list-access-requests.scope", "inferred", "An API key sees its own application's requests.")
    def page(
        self, connection: Connection, app_ids: Iterable[str], *, limit: int, before: int | None = None
    ) -> tuple[list[AccessRequest], int | None, int]:
        """A page of the requests of some applications, newest first.

        Args:
            connection: In a unit of work.
            app_ids: The applications.
            limit: The most requests to return.
            before: Those alone that were created before this moment, in microseconds since 1970.

        Returns:
            The requests, the moment that the next page comes before (None when nothing follows), and how many
            there are in all.
        """
        newest: list[tuple[int, str]] = []
        total = 0
        for app_id in app_ids:
            until = _EVER if before is None else before
            newest += _NEWEST_OF_APP.rows(connection, app=app_id, before=until, most=limit + 1)
            total += _COUNT_OF_APP.rows(connection, app=app_id)[0][0]
        newest.sort(reverse=True)
        shown = newest[:limit]
        more = shown[-1][0] if len(newest) > limit else None
        return self._by_ids(connection, [request_id for _, request_id in shown]), more, total

    def all(self, connection: Connection, *, account_id: str | None = None) -> list[AccessRequest]:
        """All requests, or those to an account, newest first: for tests and policies, which want no pages."""
        query = _select()
        if account_id is not None:
            query = query.where(access_requests.c.account_id == account_id)
        newest_first = query.order_by(access_requests.c.created_at.desc())
        return [_request(row) for row in connection.execute(newest_first)]

    def of_account(
        self, connection: Connection, account_id: str, *, status: Status, limit: int
    ) -> list[AccessRequest]:
        """The newest requests to an account that stand so, newest first."""
        query = _select().where(
            access_requests.c.account_id == account_id, access_requests.c.status == status
        )
        newest_first = query.order_by(access_requests.c.created_at.desc()).limit(limit)
        return [_request(row) for row in connection.execute(newest_first)]

    def count(self, connection: Connection, account_id: str, *, status: Status) -> int:
        """How many requests to an account stand so."""
        counting = select(func.count()).select_from(access_requests)
        its = (access_requests.c.account_id == account_id, access_requests.c.status == status)
        return connection.scalar(counting.where(*its)) or 0

    @behaviour("access-requests.states", "inferred", "Pending becomes approved or rejected.")
    @behaviour("access-requests.revoke", "inferred", "Approved becomes revoked; nothing leaves that state.")
    @behaviour("access-requests.repeat", "invented", "Repeating the decision that stands changes nothing.")
    def decide(
        self, connection: Connection, request_id: str, decision: Decision, *, account_id: str | None = None
    ) -> AccessRequest:
        """Decide for the user; only if it is `account_id`'s to decide, when that is given.

        Raises:
            DecisionError: The request's state does not allow the decision.
            NotFoundError: There is no such request.
        """
        request = self.get(connection, request_id)
        if account_id is not None and request.user_id != account_id:
            raise NotFoundError(f"There is no access request {request_id!r}.")
        before: Status = "approved" if decision == "revoke" else "pending"
        after = _OUTCOMES[decision]
        if request.status == after:
            return request
        if request.status != before:
            raise DecisionError(f"An access request that is {request.status} cannot be {after}.")
        if decision == "revoke":
            self.end_access(connection, app_id=request.app_id, account_id=request.user_id)
            return self.get(connection, request_id)
        now = self._clock.stamp()
        values: dict[str, object] = {"status": after, "updated_at": now}
        if after == "approved":
            values["approved_at"] = now
        connection.execute(access_requests.update().where(access_requests.c.id == request_id).values(values))
        self._changes.tell_when_committed(connection, request.app_id, request.user_id)
        return self.get(connection, request_id)

    @behaviour(
        "access-requests.revoke-all",
        "invented",
        "Revoking one request ends all access of its application to the user: every approved request is "
        "revoked, and the consents by OAuth are undone with their tokens. What is pending stays.",
    )
    def end_access(self, connection: Connection, *, app_id: str, account_id: str) -> EndedAccess:
        """End all access of an application to a user; where it has none, nothing changes."""
        approved = (
            (access_requests.c.account_id == account_id)
            & (access_requests.c.app_id == app_id)
            & (access_requests.c.status == "approved")
        )
        request_ids = tuple(connection.scalars(select(access_requests.c.id).where(approved)))
        for request_id in request_ids:
            # Stamped one by one: no two changes have the same moment.
            values = {"status": "revoked", "updated_at": self._clock.stamp()}
            connection.execute(
                access_requests.update().where(access_requests.c.id == request_id).values(values)
            )
        consents = self._consents.end(connection, app_id=app_id, account_id=account_id)
        self._changes.tell_when_committed(connection, app_id, account_id)
        return EndedAccess(request_ids, consents)

    def newest_change(self, connection: Connection, account_id: str) -> int:
        """When a request to an account last came or changed, in microseconds since 1970; 0 for never."""
        newest = select(func.max(access_requests.c.updated_at))
        return connection.scalar(newest.where(access_requests.c.account_id == account_id)) or 0

    def granted_memory_key(
        self, connection: Connection, *, app_id: str, key_id: str, account_id: str
    ) -> str | None:
        """The memory key of a user who lets this application in; None for everyone else, or a revoked key."""
        rows = _GRANTED.rows(connection, account=account_id, app=app_id, key=key_id)
        return rows[0][0] if rows else None

    def _by_ids(self, connection: Connection, request_ids: Sequence[str]) -> list[AccessRequest]:
        found = connection.execute(_select().where(access_requests.c.id.in_(request_ids)))
        by_id = {row.id: _request(row) for row in found}
        return [by_id[request_id] for request_id in request_ids]


def _select() -> Select[*tuple[Any, ...]]:
    return (
        select(access_requests, apps.c.name.label("app_name"), accounts.c.memory_key)
        .join(apps, apps.c.id == access_requests.c.app_id)
        .join(accounts, accounts.c.id == access_requests.c.account_id)
    )


def _request(row: Row[Any]) -> AccessRequest:
    return AccessRequest(
        id=row.id,
        status=row.status,
        reason=row.reason,
        app_id=row.app_id,
        app_name=row.app_name,
        user_id=row.account_id,
        memory_key=row.memory_key,
        approved_at=row.approved_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
