"""What organizations have called, counted by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from memoram_local.store.memory_api.tables import usage

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from memoram_local.store.memory_api.memories import Space

MICROS_A_DAY: Final = 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class DayOfUse:
    """One day of a space.

    Attributes:
        day: Days since 1970 in UTC.
        calls: How often each operation was called, by the contract's name.
    """

    day: int
    calls: dict[str, int]


class Usage:
    """Units of work on counts of calls."""

    def count(self, connection: Connection, space: Space, *, operation: str, at: int) -> None:
        """Count one call."""
        row = insert(usage).values(
            org_id=space[0], environment=space[1], day=at // MICROS_A_DAY, operation=operation, calls=1
        )
        connection.execute(
            row.on_conflict_do_update(
                index_elements=["org_id", "environment", "day", "operation"],
                set_={"calls": usage.c.calls + 1},
            )
        )

    def days(self, connection: Connection, space: Space, *, since: int) -> list[DayOfUse]:
        """The days from this one on on which anything was called, oldest first."""
        rows = connection.execute(
            select(usage.c.day, usage.c.operation, usage.c.calls)
            .where(usage.c.org_id == space[0], usage.c.environment == space[1], usage.c.day >= since)
            .order_by(usage.c.day, usage.c.operation)
        )
        found: dict[int, dict[str, int]] = {}
        for day, operation, calls in rows:
            found.setdefault(day, {})[operation] = calls
        return [DayOfUse(day, calls) for day, calls in found.items()]
