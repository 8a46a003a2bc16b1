"""Answers for what was called: the contract leaves their bodies open."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from memoram_local.behaviour import behaviour
from memoram_local.http.routing import resource
from memoram_local.memory_api.envelope import Good

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.routing import Route

    from memoram_local.memory_api.door import Door
    from memoram_local.services.services import Services
    from memoram_local.store.memory_api.keys import Key
    from memoram_local.store.memory_api.usage import DayOfUse

_HISTORY_DAYS: Final = 30
_EPOCH: Final = date(1970, 1, 1)


class UsageApi:
    """Answers for usage."""

    def __init__(self, services: Services, door: Door) -> None:
        self._database = services.database
        self._clock = services.clock
        self._parts = services.memory_api
        self._door = door

    def routes(self) -> list[Route]:
        """The routes of this resource."""
        needing = self._door.needing
        return [
            resource("/v1/usage", get=needing("read", "getUsage", self.usage)),
            resource("/v1/usage/history", get=needing("read", "getUsageHistory", self.history)),
            resource("/v1/usage/projection", get=needing("read", "getUsageProjection", self.projection)),
        ]

    @behaviour(
        "usage.body",
        "invented",
        "Calls of this month in UTC by operation, and how many memories there are. A call counts when it is "
        "let in, the one that asks included.",
    )
    async def usage(self, _request: Request, key: Key) -> Good:
        """Contract operation getUsage."""
        today = self._today()
        first = today.replace(day=1)
        days, stored = await self._since(key, first)
        return Good(
            {
                "period": {"start": first.isoformat(), "end": _last_of_month(today).isoformat()},
                "requests": _total(days),
                "operations": _by_operation(days),
                "memories_stored": stored,
            }
        )

    @behaviour("usage-history.body", "invented", "The days of the last 30 on which anything was called.")
    async def history(self, _request: Request, key: Key) -> Good:
        """Contract operation getUsageHistory."""
        days, _ = await self._since(key, self._today() - timedelta(days=_HISTORY_DAYS - 1))
        return Good(
            {
                "days": [
                    {
                        "date": (_EPOCH + timedelta(days=day.day)).isoformat(),
                        "requests": sum(day.calls.values()),
                        "operations": day.calls,
                    }
                    for day in days
                ]
            }
        )

    @behaviour(
        "usage-projection.body", "invented", "This month's calls, as if every day were like those so far."
    )
    async def projection(self, _request: Request, key: Key) -> Good:
        """Contract operation getUsageProjection."""
        today = self._today()
        days, _ = await self._since(key, today.replace(day=1))
        so_far, last = _total(days), _last_of_month(today)
        return Good(
            {
                "period": {"start": today.replace(day=1).isoformat(), "end": last.isoformat()},
                "requests_so_far": so_far,
                "projected_requests": round(so_far / today.day * last.day),
            }
        )

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.micros() // 1_000_000, UTC).date()

    async def _since(self, key: Key, first: date) -> tuple[list[DayOfUse], int]:
        since = (first - _EPOCH).days

        def find(connection: Connection) -> tuple[list[DayOfUse], int]:
            counted = self._parts.usage.days(connection, key.space, since=since)
            return counted, self._parts.memories.count(connection, key.space)

        # Calls are counted by the one writer, in order: what it reads includes all that came before.
        return await self._database.write(find)


def _last_of_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _total(days: Iterable[DayOfUse]) -> int:
    return sum(sum(day.calls.values()) for day in days)


def _by_operation(days: Iterable[DayOfUse]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for day in days:
        for operation, calls in day.calls.items():
            counted[operation] = counted.get(operation, 0) + calls
    return dict(sorted(counted.items()))
