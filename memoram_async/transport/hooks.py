"""Hooks: following what a client does, for logs, metrics and traces of one's own."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable, Mapping
from typing import Final, cast

import memoram_async as sdk
from memoram_async.core.errors import ConfigurationError
from memoram_async.core.http import HTTPResponse
from memoram_async.transport.call import Call

_LOG: Final = logging.getLogger("memoram")


class Hooks:
    """Override what you need; every method is called in the course of a call and must not block.

    Hooks see operations, addresses, statuses and times, and never a header, a body or a key. One that
    raises is logged and does not disturb the call.
    """

    def before_request(self, attempt: sdk.Attempt) -> Mapping[str, str] | None:
        """A request is about to be sent; answers header fields to add, such as a trace context."""

    def after_response(self, attempt: sdk.Attempt, outcome: sdk.Outcome) -> None:
        """A request has ended, with an answer or without."""

    def on_retry(self, attempt: sdk.Attempt, outcome: sdk.Outcome, delay: float) -> None:
        """A request will be sent again after that many seconds."""


_METHODS: Final = ("before_request", "after_response", "on_retry")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\x20-\x7e\t]*")


def check_hooks(hooks: Hooks | None) -> None:
    """Make sure that hooks can be called as `Hooks` says.

    Raises:
        ConfigurationError: A method is missing, or is a coroutine function.
    """
    if hooks is None:
        return
    if isinstance(hooks, type):
        raise ConfigurationError(f"hooks must be an object: pass {hooks.__name__}(), not the class")
    for name in _METHODS:
        method = getattr(hooks, name, None)
        if not callable(method) or inspect.iscoroutinefunction(method):
            raise ConfigurationError(
                f"hooks must have plain methods {', '.join(_METHODS)}, in async code too, but "
                f"{type(hooks).__name__}.{name} is not one: derive from Hooks, and write def, not async def"
            )


class Audience:
    """Whoever listens to a client's requests: its hooks, whose faults do not reach the call, and the log."""

    __slots__ = ("_hooks",)

    def __init__(self, hooks: Hooks | None) -> None:
        self._hooks = hooks

    @property
    def listens(self) -> bool:
        """Whether anybody does."""
        return self._hooks is not None or _LOG.isEnabledFor(logging.DEBUG)

    def begin(self, call: Call, *, number: int, now: float) -> Told:
        """Tell of a request that is about to be sent."""
        attempt = sdk.Attempt(
            operation=call.operation, method=call.method, url=call.url, template=call.template, number=number
        )
        return Told(self._hooks, attempt, now)


class Told:
    """One request, as it is told.

    Attributes:
        added: The header fields that hooks add to it, names in lower case; what is none is left out.
    """

    __slots__ = ("_attempt", "_began", "_hooks", "_outcome", "added")

    def __init__(self, hooks: Hooks | None, attempt: sdk.Attempt, began: float) -> None:
        self._hooks = hooks
        self._attempt = attempt
        self._began = began
        self._outcome: sdk.Outcome | None = None
        self.added: dict[str, str] = {}
        if hooks is not None:
            self._guard(lambda: self.added.update(_fields(hooks.before_request(attempt))))

    def of_failure(self, error: BaseException, *, now: float) -> None:
        """It ended without an answer."""
        outcome = sdk.Outcome(error=type(error).__name__, elapsed=now - self._began)
        self._end(outcome)
        _LOG.debug("%s: %s after %.3f s", self._attempt.operation, outcome.error, outcome.elapsed)

    def of_answer(self, response: HTTPResponse, *, now: float) -> None:
        """It was answered."""
        outcome = sdk.Outcome(
            status=response.status, request_id=response.request_id, elapsed=now - self._began
        )
        self._end(outcome)
        _LOG.debug(
            "%s: HTTP %d in %.3f s, request id %s",
            self._attempt.operation,
            response.status,
            outcome.elapsed,
            outcome.request_id,
        )

    def _end(self, outcome: sdk.Outcome) -> None:
        self._outcome = outcome
        hooks = self._hooks
        if hooks is not None:
            self._guard(lambda: hooks.after_response(self._attempt, outcome))

    def of_retry(self, delay: float) -> None:
        """It will be sent again after that many seconds."""
        hooks, outcome = self._hooks, self._outcome
        if hooks is not None and outcome is not None:
            self._guard(lambda: hooks.on_retry(self._attempt, outcome, delay))

    def _guard(self, hook: Callable[[], object]) -> None:
        try:
            _refuse_coroutine(hook())
        except Exception as error:  # noqa: BLE001 - whatever a user's hook raises
            _LOG.warning("a hook raised %s; the call goes on", type(error).__name__)


def _fields(added: object) -> dict[str, str]:
    """The header fields that a hook answered."""
    _refuse_coroutine(added)
    fields: dict[str, str] = {}
    for name, value in dict(cast("Mapping[object, object]", added or {})).items():
        if (
            isinstance(name, str)
            and isinstance(value, str)
            and _NAME.fullmatch(name)
            and _VALUE.fullmatch(value)
        ):
            fields[name.lower()] = value
        else:
            _LOG.warning(
                "a hook added a header field whose name or value is no text for one; it was left out"
            )
    return fields


def _refuse_coroutine(answered: object) -> None:
    """A hook that is a coroutine function in disguise would never run."""
    if inspect.iscoroutine(answered):
        answered.close()
        raise TypeError
