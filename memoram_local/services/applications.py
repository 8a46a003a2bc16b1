"""Which applications have to do with a user, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from memoram_local.services.services import Services
    from memoram_local.store.access_requests import AccessRequest, Status
    from memoram_local.store.consents import Consent

Standing = Literal["has access", "asks", "signed in", "had access"]

_ORDER: Final[dict[Standing, int]] = {"has access": 0, "asks": 1, "signed in": 2, "had access": 3}
_STATUSES: Final[tuple[Status, ...]] = ("approved", "pending", "rejected", "revoked")
# Of each status, the newest: so many that people are not concerned with the rest.
_MOST_REQUESTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Application:
    """An application, as a user is concerned with it.

    Attributes:
        id: What access requests name as `aiConnectorId`.
        name: As users are shown.
        standing: The most that holds: it has access to the memories, it asks for it, the user is signed in to
            it and it knows the memory key, or all of that is over.
        approved: Requests that let it read and write now, the newest first.
        pending: Requests that wait for the user.
        over: Requests that were rejected or revoked.
        consents: When the user signed in to it by OAuth, in microseconds since 1970, the newest first; those
            alone that were not undone and have not run out.
    """

    id: str
    name: str
    standing: Standing
    approved: tuple[AccessRequest, ...]
    pending: tuple[AccessRequest, ...]
    over: tuple[AccessRequest, ...]
    consents: tuple[int, ...]


def applications_of(services: Services, connection: Connection, account_id: str) -> list[Application]:
    """All applications that a user was signed in to, or that asked, have access or had it.

    Those with access come first, then those that ask, then those that know the user by a sign-in.

    Args:
        services: The platform.
        connection: In a unit of work.
        account_id: The user.
    """
    requests = [
        request
        for status in _STATUSES
        for request in services.access_requests.of_account(
            connection, account_id, status=status, limit=_MOST_REQUESTS
        )
    ]
    requests.sort(key=lambda request: request.created_at, reverse=True)
    consents = services.consents.of_account(connection, account_id)
    names = {consent.app_id: consent.app_name for consent in consents}
    names |= {request.app_id: request.app_name for request in requests}
    found = [
        _application(
            app_id,
            name,
            [request for request in requests if request.app_id == app_id],
            [consent for consent in consents if consent.app_id == app_id],
        )
        for app_id, name in names.items()
    ]
    return sorted(found, key=lambda application: (_ORDER[application.standing], application.name.casefold()))


def _application(
    app_id: str, name: str, requests: Iterable[AccessRequest], consents: Iterable[Consent]
) -> Application:
    asked = tuple(requests)
    approved = tuple(request for request in asked if request.status == "approved")
    pending = tuple(request for request in asked if request.status == "pending")
    over = tuple(request for request in asked if request.status in {"rejected", "revoked"})
    standing = tuple(consent.given_at for consent in consents if consent.stands)
    return Application(
        id=app_id,
        name=name,
        standing=_standing(approved, pending, standing),
        approved=approved,
        pending=pending,
        over=over,
        consents=standing,
    )


def _standing(
    approved: tuple[AccessRequest, ...], pending: tuple[AccessRequest, ...], consents: tuple[int, ...]
) -> Standing:
    if approved:
        return "has access"
    if pending:
        return "asks"
    return "signed in" if consents else "had access"
