"""What can be made to go wrong with an answer. Each class is one fault; `Faults.add` arms it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, cast

import anyio
from starlette.responses import Response

from memoram_local.behaviour import behaviour
from memoram_local.controls.answers import Answer, caught
from memoram_local.controls.hang_up import hang_up
from memoram_local.http.routing import MEMORY_API_PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from memoram_local.clock import Clock
    from memoram_local.controls.history import History
    from memoram_local.services.services import Services

ARRIVED = "memoram_local.arrived"
"""Where a scope keeps the moment of the platform's clock at which its request arrived, in microseconds."""

_SECOND = 1_000_000
# Real time between two looks at a clock that anybody may advance.
_GLANCE_SECONDS = 0.01
_CODES = {401: "invalid_token", 409: "conflict", 429: "rate_limited", 502: "bad_gateway", 503: "unavailable"}


@dataclass(frozen=True, slots=True)
class Bench:
    """What faults work with.

    Attributes:
        services: The platform.
        history: What its store held before.
    """

    services: Services
    history: History


class Fault(ABC):
    """Something that goes wrong. Subclass it for faults of your own."""

    __slots__ = ()

    @abstractmethod
    def around(self, app: ASGIApp, bench: Bench) -> ASGIApp:
        """The application as a request meets it that this fault strikes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _StatusOptions:
    retry_after: float | str | None = None
    code: str | None = None
    message: str = "This answer was made up by a fault hook."
    body: bytes | None = None
    after_commit: bool = False


@dataclass(frozen=True, slots=True)
class Status(_StatusOptions, Fault):
    """An answer with that status instead of the real one.

    Attributes:
        status: The HTTP status.
        retry_after: Of the header Retry-After: seconds, or an HTTP date.
        code: The code in the error answer; one that fits the status when left out.
        message: The message in the error answer.
        body: Another body than an error answer, sent as text/plain.
        after_commit: Whether the request is carried out first.
    """

    status: int = 503

    def around(self, app: ASGIApp, bench: Bench) -> ASGIApp:
        """Answer with the status."""
        del bench

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if self.after_commit:
                await caught(app, scope, receive)
            await self._response(scope["path"])(scope, receive, send)

        return answer

    def _response(self, path: str) -> Response:
        error: dict[str, object] = {
            "error": {"code": self.code or _CODES.get(self.status, "error"), "message": self.message}
        }
        if path.startswith(f"{MEMORY_API_PATH}/"):
            error = {"success": False, **error}
        content = json.dumps(error).encode() if self.body is None else self.body
        media_type = "application/json" if self.body is None else "text/plain"
        headers = {} if self.retry_after is None else {"retry-after": f"{self.retry_after}"}
        return Response(content, self.status, headers=headers, media_type=media_type)


@dataclass(frozen=True, slots=True)
class Delay(Fault):
    """An answer that comes late.

    Attributes:
        seconds: Of the platform's clock, counted from the request's arrival.
        after_commit: Whether the request is carried out before the wait, not after it.
    """

    seconds: float
    after_commit: bool = False

    def around(self, app: ASGIApp, bench: Bench) -> ASGIApp:
        """Answer late."""
        clock = bench.services.clock

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            until = scope.get(ARRIVED, clock.micros()) + round(self.seconds * _SECOND)
            if self.after_commit:
                result = await caught(app, scope, receive)
                await _sleep_until(until, clock)
                await result.send(send)
                return
            await _sleep_until(until, clock)
            await app(scope, receive, send)

        return answer


async def _sleep_until(micros: int, clock: Clock) -> None:
    # Looking often is all that works in every event loop, on clocks that any thread may advance.
    while (left := (micros - clock.micros()) / _SECOND) > 0:  # noqa: ASYNC110
        await anyio.sleep(min(clock.real_seconds(left), _GLANCE_SECONDS))


@dataclass(frozen=True, slots=True)
class DropBeforeCommit(Fault):
    """The connection is closed without an answer, and nothing was done."""

    def around(self, app: ASGIApp, bench: Bench) -> ASGIApp:
        """Hang up."""
        del app, bench

        async def answer(scope: Scope, receive: Receive, _send: Send) -> None:
            await hang_up(scope, receive, why="before the request was carried out")

        return answer


@dataclass(frozen=True, slots=True)
class DropAfterCommit(Fault):
    """The request is carried out, and then the connection is closed without an answer."""

    def around(self, app: ASGIApp, bench: Bench) -> ASGIApp:
        """Work, then hang up."""
        del bench

        async def answer(scope: Scope, receive: Receive, _send: Send) -> None:
            await caught(app, scope, receive)
            await hang_up(scope, receive, why="after the request was carried out")

        return answer


@dataclass(frozen=True, slots=True)
class Truncate(Fault):
    """The request is carried out; its answer's body ends too soon, and the connection with it.

    Attributes:
        octets: How many of the body are sent.
    """

    octets: int = 1

    def around(self, app: ASGIApp, bench: Bench) -> ASGIApp:
        """Work, answer in part, hang up."""
        del bench

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            result = await caught(app, scope, receive)
            await result.send(send, octets=min(self.octets, max(len(result.body) - 1, 0)))
            await hang_up(scope, receive, why=f"after {self.octets} octets of the answer")

        return answer


@dataclass(frozen=True, slots=True)
class NotJSON(Fault):
    """The request is carried out; the answer keeps its status, but its body is not JSON.

    Attributes:
        text: The body.
        content_type: What it is called.
    """

    text: str = "<html><body>It works!</body></html>"
    content_type: str = "text/html"

    def around(self, app: ASGIApp, bench: Bench) -> ASGIApp:
        """Work, then answer something else."""
        del bench
        return _changing(
            app, lambda answer: answer.with_body(self.text.encode(), content_type=self.content_type)
        )


@dataclass(frozen=True, slots=True)
class OtherShape(Fault):
    """The request is carried out; the answer keeps its status, but its JSON is another than expected.

    Attributes:
        content: The body: anything that JSON can carry.
    """

    content: object = field(default_factory=lambda: {"unexpected": True})

    def around(self, app: ASGIApp, bench: Bench) -> ASGIApp:
        """Work, then answer something else."""
        del bench
        body = json.dumps(self.content).encode()
        return _changing(app, lambda answer: answer.with_body(body, content_type="application/json"))


@dataclass(frozen=True, slots=True)
class StaleRead(Fault):
    """The answer comes from what the store held before the latest write.

    Writes are noticed from the moment on at which this fault is armed: arm it before the write.
    """

    def around(self, app: ASGIApp, bench: Bench) -> ASGIApp:
        """Answer from the past."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            with bench.history.reading_before():
                await app(scope, receive, send)

        return answer


@dataclass(frozen=True, slots=True)
class Redirect(Fault):
    """A redirect instead of the real answer; nothing is done.

    Attributes:
        url: Where to.
        status: The HTTP status.
    """

    url: str
    status: int = 307

    def around(self, app: ASGIApp, bench: Bench) -> ASGIApp:
        """Send the client elsewhere."""
        del app, bench
        return Response(status_code=self.status, headers={"location": self.url})


@dataclass(frozen=True, slots=True)
class ExpireTokens(Fault):
    """All developer tokens that were issued until now expire, the one of this request too."""

    def around(self, app: ASGIApp, bench: Bench) -> ASGIApp:
        """Expire, then answer."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            bench.services.tokens.expire_all()
            await app(scope, receive, send)

        return answer


@dataclass(frozen=True, slots=True)
class Skew(Fault):
    """The answer speaks of another time: in its Date, and in the `expires_at` of a token.

    Attributes:
        seconds: How far the answering machine's clock goes ahead; negative when it is behind.
    """

    seconds: float

    @behaviour("dates", "invented", "Date shows the platform's clock, which a test may have moved.")
    def around(self, app: ASGIApp, bench: Bench) -> ASGIApp:
        """Answer as from another time."""
        step, clock = timedelta(seconds=self.seconds), bench.services.clock

        def changed(answer: Answer) -> Answer:
            date = answer.header(b"date")
            said = clock.now() if date is None else parsedate_to_datetime(date.decode("latin-1"))
            dated = answer.with_header(b"date", format_datetime(said + step, usegmt=True).encode())
            return _with_later_expiry(dated, step)

        return _changing(app, changed)


def _with_later_expiry(answer: Answer, step: timedelta) -> Answer:
    try:
        content: object = json.loads(answer.body)
    except ValueError:
        return answer
    if not isinstance(content, Mapping):
        return answer
    members = dict(cast("Mapping[str, object]", content))
    expires_at = members.get("expires_at")
    if not isinstance(expires_at, str):
        return answer
    shown = (datetime.fromisoformat(expires_at) + step).isoformat(timespec="microseconds")
    members["expires_at"] = shown.replace("+00:00", "Z")
    return answer.with_body(json.dumps(members).encode())


def _changing(app: ASGIApp, change: Callable[[Answer], Answer]) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await change(await caught(app, scope, receive)).send(send)

    return answer
