"""`client.usage`: what was called."""

from __future__ import annotations

from memoram_async.core.secret import Unshareable
from memoram_async.memory_api.envelope import unwrap_report
from memoram_async.memory_api.models import Report
from memoram_async.transport.requester import Requester


class AsyncUsage(Unshareable):
    """Counts. The contract leaves open what they hold, so they come as the service gives them."""

    def __init__(self, requester: Requester) -> None:
        self._requester = requester

    async def get(self) -> Report:
        """What was called lately (contract `getUsage`)."""
        return unwrap_report(await self._requester.send("getUsage", "GET", "/usage"))

    async def history(self) -> Report:
        """What was called over time (contract `getUsageHistory`)."""
        return unwrap_report(await self._requester.send("getUsageHistory", "GET", "/usage/history"))

    async def projection(self) -> Report:
        """What it will come to (contract `getUsageProjection`)."""
        return unwrap_report(await self._requester.send("getUsageProjection", "GET", "/usage/projection"))
