"""Notes the calls of applications, as plain ASGI middleware around everything else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from memoram_local.http.guards import REQUEST_ID
from memoram_local.store.request_log import Call

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from memoram_local.clock import Clock
    from memoram_local.services.activity import Activity

_APP = "memoram.app"


def note_app(request: Request, app_id: str) -> None:
    """An application has proved that this request is its own."""
    request.scope[_APP] = app_id


class CallLog:
    """Tells an application's request log about each of its calls.

    Nothing that a caller can choose is noted but the method: of the path its template, no query, no body.
    """

    def __init__(self, app: ASGIApp, *, activity: Activity, clock: Clock) -> None:
        self._app = app
        self._activity = activity
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        at = self._clock.micros()
        status = 0

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        finally:
            app_id = scope.get(_APP)
            if app_id is not None:
                millis = (time.perf_counter() - started) * 1_000
                request_id = scope[REQUEST_ID] if status else ""
                # An application is known only after a route has matched.
                template: str = scope["route"].path
                call = Call(at, scope["method"], template, status, millis, request_id)
                self._activity.called(app_id, call)
