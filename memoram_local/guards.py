"""What every request passes before anything answers it, as plain ASGI middleware."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException

from memoram_local.origins import host_name, is_cross_site

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness

    # Makes the answer to a refused request: path, status, message.
    Refuse = Callable[[str, int, str], Response]

# Longer Content-Length values are refused without being read as numbers.
_LENGTH_DIGITS = 15
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class RequestIds:
    """Gives every answer an X-Request-Id, and a Date by the platform's own clock."""

    def __init__(self, app: ASGIApp, *, randomness: Randomness, clock: Clock) -> None:
        self._app = app
        self._randomness = randomness
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req_{self._randomness.hexadecimal(12)}"

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                headers.setdefault("date", format_datetime(self._clock.now(), usegmt=True))
            await send(message)

        await self._app(scope, receive, send_with_id)


class HostGuard:
    """Refuses requests for other hosts.

    A web page can make its own name lead to this machine (DNS rebinding) and would then be same-origin; the
    Host header still tells.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], refuse: Refuse) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "http":
            hosts = Headers(scope=scope).getlist("host")
            if len(hosts) != 1 or host_name(hosts[0]) not in self._hosts:
                answer = self._refuse(scope["path"], 421, "This platform does not serve that host.")
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


class SameOriginGuard:
    """Refuses forms that another site sends with this site's cookies."""

    def __init__(self, app: ASGIApp, *, without_cookies: tuple[str, ...], refuse: Refuse) -> None:
        self._app = app
        self._without_cookies = without_cookies
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if (
            scope["type"] == "http"
            and scope["method"] not in _SAFE_METHODS
            and not scope["path"].startswith(self._without_cookies)
            and is_cross_site(Headers(scope=scope))
        ):
            answer = self._refuse(scope["path"], 403, "This form was sent from another site.")
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


class BodyLimit:
    """Stops reading bodies that are too large, whether they say so or not."""

    def __init__(self, app: ASGIApp, *, octets: int) -> None:
        self._app = app
        self._octets = octets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as far as its body may be read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        too_large_announced = len(announced) > _LENGTH_DIGITS or int(announced) > self._octets
        too_large = HTTPException(413, f"A body may have at most {self._octets} octets.")
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            # Only those who read a body are told: everyone else's answer stands.
            if too_large_announced:
                raise too_large
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._octets:
                raise too_large
            return message

        await self._app(scope, receive_limited, send)
