"""The way of a call: token, send, retry, error. Every service and every resource goes through here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from memoram_async.core.config import Options
from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    ClientClosedError,
    ConfigurationError,
    MemoramError,
    OutcomeUnknownError,
)
from memoram_async.core.http import HTTPResponse
from memoram_async.core.retry import (
    ErrorAnswer,
    NoAnswer,
    RetryPolicy,
    Safety,
    leaves_open,
    parse_retry_after,
)
from memoram_async.runtime.protocol import Runtime
from memoram_async.transport.call import IDEMPOTENCY_KEY, Call, Progress, doubt_of, is_replay
from memoram_async.transport.hooks import Audience, Hooks, Told
from memoram_async.transport.sending import Authorization, Sending, TokenGone

_LOG: Final = logging.getLogger("memoram")


class Transport:
    """Carries calls for one client; clients of a family have a transport each over one runtime."""

    def __init__(self, runtime: Runtime, options: Options, hooks: Hooks | None = None) -> None:
        self.runtime = runtime
        self.options = options
        self.hooks = hooks
        self._audience = Audience(hooks)
        self._authorization = Authorization()
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
        progress = Progress(runtime.now())
        if deadline is None:
            deadline = Deadline.after(self.options.timeout, now=progress.began)
        sending = self._sending(call, progress)
        try:
            response = await self._attempts(call, sending, deadline, progress)
        except MemoramError as error:
            error.info = progress.info(call.operation, runtime=runtime)
            if isinstance(error, APIConnectionError):
                error.sent = progress.in_doubt  # of this call, not of the exchange that it may have led
            doubt = doubt_of(call) if progress.in_doubt and not _leaves_open(error) else None
            if doubt is None:
                raise
            lost = "cannot be read" if isinstance(error, APIResponseError) else "was lost"
            unknown = OutcomeUnknownError(
                f"{call.operation}: the request was sent but its answer {lost}, so {doubt}", sent=True
            )
            unknown.info = error.info
            raise unknown from error
        # A copy would cost a twentieth of what this whole module does.
        object.__setattr__(response, "info", progress.info(call.operation, runtime=runtime))
        return response

    async def _attempts(
        self, call: Call, sending: Sending, deadline: Deadline, progress: Progress
    ) -> HTTPResponse:
        runtime, credentials = self.runtime, call.credentials
        replayed = False
        retries = 0
        while True:
            if credentials is not None and credentials.peek() is None:
                await credentials.get(deadline)  # the request takes the latest one when it has its turn
            sending.told = None
            try:
                response = await self._send(call, sending, deadline, progress)
            except TokenGone:
                continue
            except (APIConnectionError, APIResponseError) as error:
                delay = self._pause_after(error, call, retries, deadline)
                if delay is None:
                    raise
            else:
                if call.is_answered_by(response.status):
                    return response
                if response.status == 401 and sending.refuse() and not replayed:
                    replayed = True
                    continue
                delay = self._pause_after_refusal(response, call, retries, deadline)
            retries += 1
            _LOG.info("%s: sending again in %.1f s, attempt %d", call.operation, delay, progress.attempts + 1)
            if sending.told is not None:
                sending.told.of_retry(delay)
            await runtime.sleep(delay)

    def _sending(self, call: Call, progress: Progress) -> Sending:
        return Sending(
            call,
            self._authorization,
            timeout=call.request_timeout or self.options.request_timeout,
            begin=self._teller(call, progress) if self._audience.listens else None,
        )

    def _teller(self, call: Call, progress: Progress) -> Callable[[], Told]:
        runtime, audience = self.runtime, self._audience
        return lambda: audience.begin(call, number=progress.attempts, now=runtime.now())

    def _pause_after_refusal(
        self, response: HTTPResponse, call: Call, retries: int, deadline: Deadline
    ) -> float:
        """Seconds until the next attempt after one that was refused.

        Raises:
            APIStatusError: There is none, or none in time.
        """
        retry_after = parse_retry_after(response.headers, wall=self.runtime.wall())
        delay = self._pause(call, ErrorAnswer(response.status, retry_after), retries, deadline)
        if delay is not None:
            return delay
        from memoram_async.core.answers import status_error

        raise status_error(
            response,
            operation=call.operation,
            meaning=call.meaning,
            retry_after=retry_after,
            doubt=doubt_of(call) if _is_open(response) else None,
        )

    def _pause_after(
        self, error: APIConnectionError | APIResponseError, call: Call, retries: int, deadline: Deadline
    ) -> float | None:
        """Seconds until the next attempt after one whose answer is missing or makes no sense."""
        if isinstance(error, APIConnectionError):
            return self._pause(call, NoAnswer(sent=error.sent), retries, deadline)
        if call.safety is Safety.IDEMPOTENT:
            return None  # reading once more would show the same
        return self._pause(call, NoAnswer(sent=True), retries, deadline)

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
            acknowledged=call.peer is not None and call.peer.honours(call),
        )
        return None if delay is None or deadline.expired(runtime.now() + delay) else delay

    async def _send(
        self, call: Call, sending: Sending, deadline: Deadline, progress: Progress
    ) -> HTTPResponse:
        """One request, told to hooks and log whichever way it ends."""
        runtime = self.runtime
        was_in_doubt = progress.in_doubt
        progress.attempts += 1
        try:
            progress.in_doubt = True
            response = await runtime.send(sending.request, deadline)
        except BaseException as error:
            if _was_not_sent(error):
                progress.in_doubt = was_in_doubt
            if isinstance(error, APIResponseError):  # the runtime knows what is wrong, and not with what
                error.args = (f"{call.operation}: {error}",)
            if isinstance(error, TokenGone):
                progress.attempts -= 1
            elif sending.told is not None:
                sending.told.of_failure(error, now=runtime.now())
            raise
        progress.last = response
        done = 200 <= response.status < 300
        # A refusal accounts for its own request, and an answer given again for those before it too.
        progress.in_doubt = (not done and _is_open(response)) or (was_in_doubt and not is_replay(response))
        if sending.told is not None:
            sending.told.of_answer(response, now=runtime.now())
        unreadable = _read(call, response) if done else None
        if call.peer is not None:
            sent = sending.request.headers
            if IDEMPOTENCY_KEY in sent:
                done = done and unreadable is None
                call.peer.learn(call, response, sent_key=sent[IDEMPOTENCY_KEY], done=done)
        if unreadable is not None:
            progress.in_doubt = True
            raise unreadable
        return response


def _read(call: Call, response: HTTPResponse) -> APIResponseError | None:
    """Read an answer of success; the error if it makes no sense."""
    if call.read is not None:
        try:
            call.read(response)
        except APIResponseError as error:
            return error.with_traceback(None)  # the frames in it hold what was read
    return None


def _is_open(response: HTTPResponse) -> bool:
    """Whether an answer does not say if the request was carried out."""
    status = response.status
    asked = status == 503 and parse_retry_after(response.headers, wall=0.0) is not None
    return leaves_open(status, asked_to_wait=asked)


def _was_not_sent(error: BaseException) -> bool:
    """Whether an error of the runtime says that no part of the request left."""
    if isinstance(error, APIConnectionError):
        return not error.sent
    return isinstance(error, TokenGone | ClientClosedError | ConfigurationError)


def _leaves_open(error: MemoramError) -> bool:
    """Whether an error is an answer which says itself that the outcome is unknown."""
    return isinstance(error, APIStatusError) and leaves_open(
        error.status, asked_to_wait=error.retry_after is not None
    )
