"""What every request passes before anything answers it, as plain ASGI middleware."""

from __future__ import annotations

import random
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from memoram_local.behaviour import behaviour
from memoram_local.http.header_fields import value_of, values_of, with_value
from memoram_local.http.origins import host_name, is_cross_site, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness

    # Makes the answer to a refused request: path, status, message.
    Refuse = Callable[[str, int, str], Response]

REQUEST_ID: Final = "memoram.request_id"
"""Where a scope keeps what its answer's X-Request-Id says."""

_SECOND = 1_000_000
# Longer Content-Length values are refused without being read as numbers.
_LENGTH_DIGITS = 15
# Clients of one machine spell its few names, with ports, in a few ways.
_HOSTS_REMEMBERED = 64
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


class RequestIds:
    """Gives every answer an X-Request-Id, and a Date by the platform's own clock."""

    def __init__(self, app: ASGIApp, *, randomness: Randomness, clock: Clock) -> None:
        self._app = app
        # These ids protect nothing. Asking the system for each would let go of the interpreter each time.
        self._draw = random.Random(randomness.octets(32))  # noqa: S311
        self._clock = clock
        # Written once a second. A pair, so that threads never see the one of another's second.
        self._second_and_date = (-1, b"")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope[REQUEST_ID] = f"req_{self._draw.randbytes(12).hex()}"

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = with_value(message["headers"], b"x-request-id", request_id.encode())
                # A fault may have set another one.
                if b"date" not in [name.lower() for name, _ in headers]:
                    headers.append((b"date", self._date()))
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, send_with_id)

    def _date(self) -> bytes:
        now = self._clock.micros() // _SECOND
        second, date = self._second_and_date
        if second != now:
            date = formatdate(now, usegmt=True).encode()
            self._second_and_date = (now, date)
        return date


class HostGuard:
    """Refuses requests for other hosts.

    A web page can make its own name lead to this machine (DNS rebinding) and would then be same-origin; the
    Host header still tells. An address of this machine is no name, so no page can make it lead here.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], refuse: Refuse) -> None:
        self._app = app
        served = frozenset(hosts)

        def is_served(host: str) -> bool:
            name = host_name(host)
            return name in served or is_loopback(name)

        self._is_served = lru_cache(_HOSTS_REMEMBERED)(is_served)
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "http":
            hosts = values_of(scope["headers"], b"host")
            if len(hosts) != 1 or not self._is_served(hosts[0]):
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


class FormsOnly:
    """Refuses what is sent to pages and says that it is anything but a form.

    The fields of anything else would be read as missing, and a form that needs none be carried out.
    """

    def __init__(self, app: ASGIApp, *, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse

    @behaviour(
        "pages.content-type", "invented", "Pages take forms alone: a body of another type is met with 415."
    )
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS:
            named = values_of(scope["headers"], b"content-type")
            types = {value.partition(";")[0].strip().lower() for value in named}
            if len(named) > 1 or not types <= _FORM_TYPES:
                answer = self._refuse(scope["path"], 415, "Pages take forms alone.")
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
        announced = value_of(scope["headers"], b"content-length") or "0"
        too_large_announced = len(announced) > _LENGTH_DIGITS or int(announced) > self._octets
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            # Only those who read a body are told: everyone else's answer stands.
            if too_large_announced:
                raise self._too_large()
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._octets:
                raise self._too_large()
            return message

        await self._app(scope, receive_limited, send)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"A body may have at most {self._octets} octets.")
