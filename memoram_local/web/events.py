"""Tells open dashboards that something changed, as server-sent events."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import anyio
from starlette.responses import Response, StreamingResponse

from memoram_local.http.routing import resource
from memoram_local.process.event_loops import caller_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.web.visitors import Visitors

# Keeps connections alive that something between might cut, and finds those whose browser is gone.
HEARTBEAT_SECONDS: Final = 15


class Events:
    """The stream of each user's changes."""

    def __init__(self, services: Services, visitors: Visitors) -> None:
        self._services = services
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """The route of the stream."""
        return [resource("/dashboard/events", get=self.stream)]

    async def stream(self, request: Request) -> Response:
        """An event `requests` whenever the user's access requests are not those that the page has seen."""
        account = await self._visitors.account(request)
        if account is None:
            # A redirect would lead a script to the sign-in page, which is of no use to it.
            return Response(status_code=204)
        return StreamingResponse(
            self._changes(request, account.id),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def _changes(self, request: Request, account_id: str) -> AsyncGenerator[str]:
        services = self._services
        seen = request.headers.get("last-event-id") or request.query_params.get("seen", "")
        newest_change = partial(services.access_requests.newest_change, account_id=account_id)
        bell, call_in_loop = anyio.Event(), caller_of()

        def set_bell() -> None:
            # Whichever it is by then.
            bell.set()

        def ring() -> None:
            call_in_loop(set_bell)

        with services.changes.watching(account_id, ring) as watch:
            # Whoever signs out in another tab is told nothing more in this one.
            while not watch.released and await self._visitors.account(request) is not None:
                bell = anyio.Event()
                newest = str(await services.database.read(newest_change))
                yield ": still here\n\n" if newest == seen else f"event: requests\nid: {newest}\ndata:\n\n"
                seen = newest
                with anyio.move_on_after(HEARTBEAT_SECONDS):
                    await bell.wait()
