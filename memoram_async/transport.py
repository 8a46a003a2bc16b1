"""The way of a request: token, send, retry, error. Every service and every resource goes through here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlencode

import attrs

from memoram_async.core.answers import status_error
from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import (
    APIConnectionError,
    OutcomeUnknownError,
)
from memoram_async.core.http import HTTPRequest, json_body
from memoram_async.core.retry import RetryPolicy, Safety, parse_retry_after
from memoram_async.core.urls import with_query

if TYPE_CHECKING:
    from memoram_async.core.config import Options
    from memoram_async.core.http import HTTPResponse
    from memoram_async.core.token import Use
    from memoram_async.seam import Runtime

_LOG: Final = logging.getLogger("memoram")
_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": "memoram-python/0.1.0",
}


class Credentials(Protocol):
    """What proves the application to a service: a token that is fetched, or a key that is just sent."""

    async def get(self, deadline: Deadline) -> Use:
        """The bearer token to send now."""
        ...

    def invalidate(self, use: Use) -> None:
        """Note that the service refused this token."""
        ...


@attrs.frozen(kw_only=True)
class Call:
    """One operation of a service, before credentials and tries.

    Attributes:
        operation: The contract's name for it.
        method: The HTTP method.
        url: Absolute, without the query.
        params: Query parameters; None is left out.
        json: The body, if it is JSON.
        form: The body, if it is a form.
        safety: What sending it twice can do.
        credentials: What to authenticate with; None for none.
        oauth: Whether errors come in the form of RFC 6749 5.2.
    """

    operation: str
    method: str
    url: str
    params: Mapping[str, object] = attrs.field(factory=dict[str, object], repr=False)
    json: object = attrs.field(default=None, repr=False)
    form: Mapping[str, str] | None = attrs.field(default=None, repr=False)
    safety: Safety = Safety.IDEMPOTENT
    credentials: Credentials | None = None
    oauth: bool = False


class Transport:
    """Carries calls for one client; clients of a family have a transport each over one runtime."""

    def __init__(self, runtime: Runtime, options: Options) -> None:
        self.runtime = runtime
        self.options = options
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
        deadline = self.deadline() if deadline is None else deadline
        request = _prepare(call, timeout=self.options.request_timeout)
        progress = _Progress()
        try:
            return await self.runtime.within(
                deadline, self._attempts(call, request, deadline, progress), doing=call.operation
            )
        except APIConnectionError as error:
            if progress.in_doubt and error.sent and call.safety is not Safety.IDEMPOTENT:
                raise _outcome_unknown(call) from error
            raise

    async def _attempts(
        self, call: Call, request: HTTPRequest, deadline: Deadline, progress: _Progress
    ) -> HTTPResponse:
        runtime = self.runtime
        replayed = False
        retries = 0
        while True:
            use = None if call.credentials is None else await call.credentials.get(deadline)
            try:
                progress.in_doubt = True
                response = await runtime.send(_authorized(request, use), deadline)
            except APIConnectionError as error:
                progress.in_doubt = error.sent
                delay = self._retry.after_failure(
                    sent=error.sent, retries=retries, safety=call.safety, jitter=runtime.random()
                )
                if delay is None or deadline.expired(runtime.now() + delay):
                    raise
            else:
                progress.in_doubt = False
                _LOG.debug("%s: HTTP %d, request id %s", call.operation, response.status, response.request_id)
                if 200 <= response.status < 300:
                    return response
                if response.status == 401 and call.credentials and use:
                    call.credentials.invalidate(use)
                    if not replayed:
                        replayed = True
                        continue
                retry_after = parse_retry_after(response.headers, wall=runtime.wall())
                delay = self._retry.after_status(
                    response.status,
                    retries=retries,
                    safety=call.safety,
                    retry_after=retry_after,
                    jitter=runtime.random(),
                )
                if delay is None or deadline.expired(runtime.now() + delay):
                    raise status_error(
                        response, operation=call.operation, oauth=call.oauth, retry_after=retry_after
                    )
            retries += 1
            await runtime.sleep(delay)


@attrs.define
class _Progress:
    """Whether a request left whose answer has not come: what a cut-off write's error must tell."""

    in_doubt: bool = False


def _prepare(call: Call, *, timeout: float) -> HTTPRequest:
    headers = dict(_HEADERS)
    content = None
    if call.form is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
        content = urlencode(call.form).encode()
    elif call.json is not None:
        headers["content-type"] = "application/json"
        content = json_body(call.json)
    return HTTPRequest(
        method=call.method,
        url=with_query(call.url, call.params),
        headers=headers,
        content=content,
        timeout=timeout,
    )


def _authorized(request: HTTPRequest, use: Use | None) -> HTTPRequest:
    if use is None:
        return request
    return attrs.evolve(request, headers={**request.headers, "authorization": f"Bearer {use.token.reveal()}"})


def _outcome_unknown(call: Call) -> OutcomeUnknownError:
    remedy = (
        "list the resource to see whether it is there before sending it again"
        if call.safety is Safety.ONCE
        else "the code or token may be spent: if it is refused now, send the user through authorization again"
    )
    return OutcomeUnknownError(
        f"{call.operation}: the request was sent but its answer was lost, so it may or may not have been "
        f"carried out; {remedy}",
        sent=True,
    )
