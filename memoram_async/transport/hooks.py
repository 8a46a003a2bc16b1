"""Hooks: following what a client does, for logs, metrics and traces of one's own."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from memoram_async.core.events import Attempt, Outcome

_LOG: Final = logging.getLogger("memoram")


class Hooks:
    """Override what you need; every method is called in the course of a call and must not block.

    Hooks see operations, addresses, statuses and times, and never a header, a body or a key. One that
    raises is logged and does not disturb the call.
    """

    def before_request(self, attempt: Attempt) -> Mapping[str, str] | None:
        """A request is about to be sent; answers header fields to add, such as a trace context."""

    def after_response(self, attempt: Attempt, outcome: Outcome) -> None:
        """A request has ended, with an answer or without."""

    def on_retry(self, attempt: Attempt, outcome: Outcome, delay: float) -> None:
        """A request will be sent again after that many seconds."""


class HookRunner:
    """Calls a client's hooks and keeps their faults away from the call."""

    __slots__ = ("_hooks",)

    def __init__(self, hooks: Hooks | None) -> None:
        self._hooks = hooks

    def before(self, attempt: Attempt) -> Mapping[str, str]:
        """Header fields to add."""
        hooks = self._hooks
        if hooks is None:
            return {}
        added: dict[str, str] = {}
        self._guard(lambda: added.update(hooks.before_request(attempt) or {}))
        return added

    def after(self, attempt: Attempt, outcome: Outcome) -> None:
        """A request has ended."""
        hooks = self._hooks
        if hooks is not None:
            self._guard(lambda: hooks.after_response(attempt, outcome))

    def retry(self, attempt: Attempt, outcome: Outcome, delay: float) -> None:
        """A request will be sent again."""
        hooks = self._hooks
        if hooks is not None:
            self._guard(lambda: hooks.on_retry(attempt, outcome, delay))

    def _guard(self, hook: Callable[[], object]) -> None:
        try:
            hook()
        except Exception as error:  # noqa: BLE001 - whatever a user's hook raises
            _LOG.warning("a hook raised %s; the call goes on", type(error).__name__)
