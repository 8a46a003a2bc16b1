"""The way of a request: token, send, retry, error. Every service and every resource goes through here."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlencode

import attrs

from memoram_async.core.answers import status_error
from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import (
    APIConnectionError,
    APIStatusError,
    ClientClosedError,
    ConfigurationError,
    MemoramError,
    OutcomeUnknownError,
)
from memoram_async.core.events import Attempt, Outcome
from memoram_async.core.http import HTTPRequest, HTTPResponse, json_body
from memoram_async.core.info import ResponseInfo
from memoram_async.core.retry import (
    ErrorAnswer,
    NoAnswer,
    RetryPolicy,
    Safety,
    leaves_open,
    parse_retry_after,
)
from memoram_async.core.secret import Secret, reveal
from memoram_async.core.urls import with_query
from memoram_async.transport.hooks import HookRunner

if TYPE_CHECKING:
    from memoram_async.core.config import Options
    from memoram_async.core.token import Use
    from memoram_async.runtime.protocol import Runtime
    from memoram_async.transport.hooks import Hooks

_LOG: Final = logging.getLogger("memoram")
_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": "memoram-python/0.1.0",
}
_IDEMPOTENCY_KEY: Final = "idempotency-key"


class Credentials(Protocol):
    """What proves the application to a service: a token that is fetched, or a key that is just sent."""

    async def get(self, deadline: Deadline) -> Use:
        """The bearer token to send now."""
        ...

    def invalidate(self, use: Use) -> None:
        """Note that the service refused this token."""
        ...


@attrs.define(eq=False)
class Peer:
    """What a client family has learnt about the service that it talks to.

    Attributes:
        honours_keys: Whether the service has acknowledged an idempotency key, by sending it back.
    """

    honours_keys: bool = False

    def learn(self, response: HTTPResponse, *, sent_key: str) -> None:
        """Note whether an answer acknowledges the key of its request; one that does no work need not."""
        acknowledged = response.headers.get(_IDEMPOTENCY_KEY) == sent_key
        if acknowledged or 200 <= response.status < 300:
            self.honours_keys = acknowledged


@attrs.frozen(kw_only=True)
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
        oauth: Whether errors come in the form of RFC 6749 5.2.
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
    oauth: bool = False


@attrs.define(eq=False)
class _Progress:
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

    def info(self, operation: str, *, now: float) -> ResponseInfo:
        """What is to be told of the call."""
        last = self.last
        return ResponseInfo(
            operation=operation,
            status=last.status if last else None,
            request_id=last.request_id if last else None,
            attempts=self.attempts,
            elapsed=now - self.began,
            replayed=last is not None and _is_replay(last),
        )


class Transport:
    """Carries calls for one client; clients of a family have a transport each over one runtime."""

    def __init__(self, runtime: Runtime, options: Options, hooks: Hooks | None = None) -> None:
        self.runtime = runtime
        self.options = options
        self.hooks = hooks
        self._hooks = HookRunner(hooks)
        self._retry = RetryPolicy(options.max_retries)

    def deadline(self) -> Deadline:
        """The deadline of a call that begins now."""
        return Deadline.after(self.options.timeout, now=self.runtime.now())

    async def call(self, call: Call, *, deadline: Deadline | None = None) -> HTTPResponse:
        """Carry out an operation and answer what the service said, if it said yes.

        Raises:
            APIStatusError: The service said no; the subclass tells how.
            APIConnectionError: No answer came. OutcomeUnknownError if a write may have happened.
            InvalidArgumentError: The call cannot be written as a request; nothing was sent.
        """
        runtime = self.runtime
        deadline = self.deadline() if deadline is None else deadline
        request = _prepare(call, timeout=self.options.request_timeout)
        progress = _Progress(runtime.now())
        try:
            response = await runtime.within(
                deadline, self._attempts(call, request, deadline, progress), doing=call.operation
            )
        except MemoramError as error:
            error.info = progress.info(call.operation, now=runtime.now())
            if isinstance(error, APIConnectionError):
                error.sent = progress.in_doubt  # of this call, not of the exchange that it may have led
            doubt = _doubt(call) if progress.in_doubt and not _leaves_open(error) else None
            if doubt is None:
                raise
            unknown = OutcomeUnknownError(
                f"{call.operation}: the request was sent but its answer was lost, so {doubt}", sent=True
            )
            unknown.info = error.info
            raise unknown from error
        return attrs.evolve(response, info=progress.info(call.operation, now=runtime.now()))

    async def _attempts(
        self, call: Call, request: HTTPRequest, deadline: Deadline, progress: _Progress
    ) -> HTTPResponse:
        runtime = self.runtime
        replayed = False
        retries = 0
        while True:
            use = None if call.credentials is None else await call.credentials.get(deadline)
            progress.attempts += 1
            attempt = Attempt(
                operation=call.operation,
                method=call.method,
                url=call.url,
                template=call.template,
                number=progress.attempts,
            )
            outcome: list[Outcome] = []
            try:
                response = await self._send(call, request, use, deadline, progress, attempt, outcome)
            except APIConnectionError as error:
                delay = self._pause(call, NoAnswer(sent=error.sent), retries, deadline)
                if delay is None:
                    raise
            else:
                if 200 <= response.status < 300:
                    return response
                if response.status == 401 and call.credentials and use:
                    call.credentials.invalidate(use)
                    if not replayed:
                        replayed = True
                        continue
                retry_after = parse_retry_after(response.headers, wall=runtime.wall())
                delay = self._pause(call, ErrorAnswer(response.status, retry_after), retries, deadline)
                if delay is None:
                    raise status_error(
                        response,
                        operation=call.operation,
                        oauth=call.oauth,
                        retry_after=retry_after,
                        doubt=_doubt(call) if leaves_open(response.status) else None,
                    )
            retries += 1
            _LOG.info("%s: sending again in %.1f s, attempt %d", call.operation, delay, progress.attempts + 1)
            self._hooks.retry(attempt, outcome[0], delay)
            await runtime.sleep(delay)

    def _pause(
        self, call: Call, ended: NoAnswer | ErrorAnswer, retries: int, deadline: Deadline
    ) -> float | None:
        """Seconds until the next attempt; None if there is none, or none in time."""
        runtime = self.runtime
        delay = self._retry.decide(
            ended,
            retries=retries,
            safety=call.safety,
            jitter=runtime.random(),
            acknowledged=call.peer is not None and call.peer.honours_keys,
        )
        return None if delay is None or deadline.expired(runtime.now() + delay) else delay

    async def _send(
        self,
        call: Call,
        request: HTTPRequest,
        use: Use | None,
        deadline: Deadline,
        progress: _Progress,
        attempt: Attempt,
        outcome: list[Outcome],
    ) -> HTTPResponse:
        """One request, told to hooks and log whichever way it ends."""
        runtime = self.runtime
        added = self._hooks.before(attempt)
        began = runtime.now()
        was_in_doubt = progress.in_doubt
        try:
            progress.in_doubt = True
            response = await runtime.send(_authorized(request, use, added), deadline)
        except BaseException as error:
            if _was_not_sent(error):
                progress.in_doubt = was_in_doubt
            outcome.append(Outcome(error=type(error).__name__, elapsed=runtime.now() - began))
            self._hooks.after(attempt, outcome[0])
            _LOG.debug("%s: %s after %.3f s", call.operation, outcome[0].error, outcome[0].elapsed)
            raise
        progress.last = response
        # A refusal accounts for its own request, and an answer given again for those before it too.
        progress.in_doubt = leaves_open(response.status) or (was_in_doubt and not _is_replay(response))
        sent_key = request.headers.get(_IDEMPOTENCY_KEY)
        if call.peer is not None and sent_key is not None:
            call.peer.learn(response, sent_key=sent_key)
        outcome.append(
            Outcome(status=response.status, request_id=response.request_id, elapsed=runtime.now() - began)
        )
        self._hooks.after(attempt, outcome[0])
        _LOG.debug(
            "%s: HTTP %d in %.3f s, request id %s",
            call.operation,
            response.status,
            outcome[0].elapsed,
            response.request_id,
        )
        return response


def _prepare(call: Call, *, timeout: float) -> HTTPRequest:
    """The request of a call, the same for every attempt; its idempotency key is minted here."""
    url = with_query(call.url, call.params)
    headers = dict(_HEADERS)
    if call.peer is not None and call.safety is Safety.ONCE:
        headers[_IDEMPOTENCY_KEY] = str(uuid.uuid4())
    if call.form is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
        content = urlencode({name: reveal(value) for name, value in call.form.items()}).encode()
    elif call.json is not None:
        headers["content-type"] = "application/json"
        content = json_body(call.json)
    else:
        content = None
    return HTTPRequest(method=call.method, url=url, headers=headers, content=content, timeout=timeout)


def _authorized(request: HTTPRequest, use: Use | None, added: Mapping[str, str]) -> HTTPRequest:
    if use is None and not added:
        return request
    headers = {**added, **request.headers}
    if use is not None:
        headers["authorization"] = f"Bearer {use.token.reveal()}"
    return attrs.evolve(request, headers=headers)


def _doubt(call: Call) -> str | None:
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


def _is_replay(response: HTTPResponse) -> bool:
    """Whether the service recognized a key and gave its first answer again."""
    return response.headers.get("idempotency-replayed") == "true"


def _was_not_sent(error: BaseException) -> bool:
    """Whether an error of the runtime says that no part of the request left."""
    if isinstance(error, APIConnectionError):
        return not error.sent
    return isinstance(error, ClientClosedError | ConfigurationError)


def _leaves_open(error: MemoramError) -> bool:
    """Whether an error is an answer which says itself that the outcome is unknown."""
    return isinstance(error, APIStatusError) and leaves_open(error.status)
