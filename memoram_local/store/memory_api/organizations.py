"""Who uses Memory API: organizations, each with keys and memories of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from memoram_local.behaviour import behaviour
from memoram_local.errors import NotFoundError
from memoram_local.store.memory_api.tables import organizations

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import Connection, Row

    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness

PLAN: Final = "free"
"""The plan of those who name none."""


@dataclass(frozen=True, slots=True)
class Organization:
    """One organization.

    Attributes:
        id: `org_` and 24 hexadecimal digits.
        name: As it called itself.
        email: As it gave it; nobody has checked that it receives anything.
        plan_id: The plan, which costs nothing here.
        is_active: Whether its keys work.
        created_at: Microseconds since 1970.
    """

    id: str
    name: str
    email: str
    plan_id: str
    is_active: bool
    created_at: int


class Organizations:
    """Units of work on organizations."""

    def __init__(self, *, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness

    @behaviour(
        "signup.again",
        "invented",
        "An email address may sign up any number of organizations; none is checked.",
    )
    def create(
        self,
        connection: Connection,
        *,
        name: str,
        email: str,
        plan_id: str = PLAN,
        owner_id: str | None = None,
    ) -> Organization:
        """Open an organization, in a unit of work that writes."""
        made = Organization(
            self._randomness.prefixed("org_"), name, email, plan_id, True, self._clock.stamp()
        )
        connection.execute(
            organizations.insert(),
            {
                "id": made.id,
                "owner_id": owner_id,
                "name": name,
                "email": email,
                "plan_id": plan_id,
                "is_active": True,
                "created_at": made.created_at,
            },
        )
        return made

    def get(self, connection: Connection, org_id: str) -> Organization | None:
        """One organization."""
        row = connection.execute(select(organizations).where(organizations.c.id == org_id)).first()
        return None if row is None else _organization(row)

    def owned(self, connection: Connection, *, owner_id: str) -> list[Organization]:
        """The organizations that an account sees on its pages, oldest first."""
        rows = connection.execute(
            select(organizations)
            .where(organizations.c.owner_id == owner_id)
            .order_by(organizations.c.created_at)
        )
        return [_organization(row) for row in rows]

    def link(self, connection: Connection, *, org_id: str, owner_id: str) -> None:
        """Let an account see an organization on its pages, and no other account any more."""
        connection.execute(
            organizations.update().where(organizations.c.id == org_id).values(owner_id=owner_id)
        )

    @behaviour(
        "keys.organization-disabled",
        "documented",
        "All keys of an organization that is disabled are met with 403 ORGANIZATION_DISABLED.",
    )
    def set_active(self, connection: Connection, org_id: str, *, active: bool) -> None:
        """Disable an organization, or enable it again.

        Raises:
            NotFoundError: There is no such organization.
        """
        changed = connection.execute(
            organizations.update().where(organizations.c.id == org_id).values(is_active=active)
        )
        if not changed.rowcount:
            raise NotFoundError("There is no such organization.")


def _organization(row: Row[Any]) -> Organization:
    return Organization(row.id, row.name, row.email, row.plan_id, row.is_active, row.created_at)
