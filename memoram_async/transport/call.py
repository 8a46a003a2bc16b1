"""One operation of a service on its way: what is asked, by whose leave, and how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

import attrs

from memoram_async.core.deadline import Deadline
from memoram_async.core.http import HTTPResponse
from memoram_async.core.info import ResponseInfo
from memoram_async.core.rate_limit_fields import says_limit
from memoram_async.core.retry import Safety
from memoram_async.core.secret import Secret
from memoram_async.core.token import Use
from memoram_async.runtime.protocol import Runtime

if TYPE_CHECKING:  # imported for the first answer that needs them
    from memoram_async.core.answers import MeaningOf
    from memoram_async.core.rate_limit import RateLimit

IDEMPOTENCY_KEY: Final = "idempotency-key"

_PLACES_REMEMBERED: Final = 256


class Credentials(Protocol):
    """What proves the application to a service: a token that is fetched, or a key that is just sent."""

    def peek(self) -> Use | None:
        """The bearer token to send now, if it need not be waited for."""
        ...

    async def get(self, deadline: Deadline) -> Use:
        """The bearer token to send now."""
        ...

    def latest(self) -> Use | None:
        """The token for a request that waited since it was given one; None if that was refused meanwhile."""
        ...

    def invalidate(self, use: Use) -> bool:
        """Note that the service refused this token; whether another one may serve."""
        ...


@attrs.define(eq=False, repr=False)
class Peer:
    """What a client family has learnt about the service that it talks to.

    Attributes:
        honoured: The operations of which the service has acknowledged an idempotency key, by sending it back.
    """

    honoured: set[str] = attrs.field(factory=set[str])

    def honours(self, call: Call) -> bool:
        """Whether the service takes notice of the idempotency keys of this operation."""
        return _place(call) in self.honoured

    def learn(self, call: Call, response: HTTPResponse, *, sent_key: str, done: bool) -> None:
        """Note whether an answer acknowledges the key of its request.

        Args:
            call: What was asked.
            response: The answer.
            sent_key: The key.
            done: Whether the answer shows that the service did its work; else it need not acknowledge.
        """
        if response.headers.get(IDEMPOTENCY_KEY) == sent_key:
            if len(self.honoured) >= _PLACES_REMEMBERED:  # free requests may name any number of paths
                self.honoured.clear()
            self.honoured.add(_place(call))
        elif done:
            self.honoured.discard(_place(call))


@attrs.define(kw_only=True, eq=False, repr=False)
class Call:
    """One operation of a service, before credentials and tries.

    Attributes:
        operation: The contract's name for it.
        method: The HTTP method.
        url: Absolute, without the query.
        template: The path with the names of its ids in place of them, if it is known.
        params: Query parameters; None is left out.
        json: The body, if it is JSON.
        form: The body, if it is a form.
        safety: What sending it twice can do.
        credentials: What to authenticate with; None for none.
        peer: The service's memory of idempotency keys; None if it keeps none.
        meaning: How the service words its refusals, where it says more than a status.
        read: Reads an answer of success, and raises APIResponseError if it makes no sense; None takes any.
        idempotency_key: The caller's own; by default a random one, where the service is asked for it.
        headers: Header fields of this operation. With `if-none-match`, 304 is an answer like any other.
        request_timeout: Seconds that connecting, each read and each write may take; None for the client's.
    """

    operation: str
    method: str
    url: str
    template: str | None
    params: Mapping[str, object] = attrs.field(factory=dict[str, object], repr=False)
    json: object = attrs.field(default=None, repr=False)
    form: Mapping[str, str | Secret] | None = attrs.field(default=None, repr=False)
    safety: Safety = Safety.IDEMPOTENT
    credentials: Credentials | None = None
    peer: Peer | None = None
    meaning: MeaningOf | None = None
    read: Callable[[HTTPResponse], object] | None = attrs.field(default=None, repr=False)
    idempotency_key: str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    request_timeout: float | None = None

    def is_answered_by(self, status: int) -> bool:
        """Whether an answer of that status is what was asked for."""
        return 200 <= status < 300 or (status == 304 and "if-none-match" in self.headers)


def _place(call: Call) -> str:
    """What a service answers alike: an operation, or for free requests a method and a path."""
    return f"{call.method} {call.url if call.template is None else call.template}"


@attrs.define(eq=False, repr=False)
class Progress:
    """How far a call has come.

    Attributes:
        began: The monotonic clock when it began.
        attempts: Requests sent so far.
        in_doubt: Whether a request left that no answer has accounted for: a write may have been carried out.
        last: The last answer.
    """

    began: float
    attempts: int = 0
    in_doubt: bool = False
    last: HTTPResponse | None = None

    def info(self, operation: str, *, runtime: Runtime) -> ResponseInfo:
        """What is to be told of the call."""
        elapsed, last = runtime.now() - self.began, self.last
        if last is None:
            return ResponseInfo(operation=operation, attempts=self.attempts, elapsed=elapsed)
        return ResponseInfo(
            operation=operation,
            status=last.status,
            request_id=last.request_id,
            attempts=self.attempts,
            elapsed=elapsed,
            replayed=is_replay(last),
            rate_limit=_rate_limit(last, wall=runtime.wall()) if says_limit(last.headers) else None,
        )


def _rate_limit(response: HTTPResponse, *, wall: float) -> RateLimit | None:
    from memoram_async.core.rate_limit import rate_limit_of  # noqa: PLC0415 - few services say

    return rate_limit_of(response.headers, wall=wall)


def is_replay(response: HTTPResponse) -> bool:
    """Whether the service recognized a key and gave its first answer again."""
    return response.headers.get("idempotency-replayed") == "true"


def doubt_of(call: Call) -> str | None:
    """What to say of a request that may have been carried out; None if it was one that only reads."""
    match call.safety:
        case Safety.IDEMPOTENT:
            return None
        case Safety.ONCE:
            remedy = "read the resource back to see whether it was, before sending it again"
        case Safety.NEVER:
            remedy = (
                "the code or token may be spent: if it is refused, send the user through authorization again"
            )
    return f"it may or may not have been carried out; {remedy}"
