"""Carries out a policy: decides what is due before anybody could see that it was not."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from memoram_local.behaviour import behaviour
from memoram_local.controls.operations import operation_of
from memoram_local.controls.policies import ByHand, Pending
from memoram_local.http.header_fields import value_of
from memoram_local.services.developer_tokens import TokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection
    from starlette.types import ASGIApp, Receive, Scope, Send

    from memoram_local.controls.history import History
    from memoram_local.controls.operations import Operation
    from memoram_local.controls.policies import Policy
    from memoram_local.services.services import Services

SETTLE = "memoram.settle"
"""Where a scope holds what decides access requests that are due: to be awaited before reading again."""

_SECOND = 1_000_000
# These show no decision, and the answer to asking is always "pending".
_BLIND = frozenset({"createToken", "exchangeCode", "createAccessRequest"})


class Decisions:
    """The policy of one platform, and what it needs to know.

    Attributes:
        policy: Who decides.
    """

    def __init__(self, services: Services, history: History, policy: Policy | None) -> None:
        self.policy: Policy = ByHand() if policy is None else policy
        self._services = services
        self._history = history
        self._lock = threading.Lock()
        self._polls: Counter[str] = Counter()

    @property
    def polls(self) -> Mapping[str, int]:
        """How often applications have looked at each request."""
        with self._lock:
            return dict(self._polls)

    @polls.setter
    def polls(self, polls: Mapping[str, int]) -> None:
        with self._lock:
            self._polls = Counter(polls)

    def settle_now(self) -> None:
        """Decide what is due."""
        if not isinstance(self.policy, ByHand):
            before = self._history.state_now()
            if self._services.database.write_now(self._settling(None, None)):
                self._history.keep(before)

    async def settle(self, operation: Operation | None, authorization: str) -> None:
        """Count who looks, and decide what is due.

        Args:
            operation: What is called; None for a page.
            authorization: Of the request, which says which application looks.
        """
        if isinstance(self.policy, ByHand) or (operation is not None and operation.name in _BLIND):
            return
        before = await self._history.state()
        if await self._services.database.write(self._settling(operation, self._app_id(authorization))):
            self._history.keep(before)

    def _app_id(self, authorization: str) -> str | None:
        try:
            return self._services.tokens.caller(authorization.partition(" ")[2].strip()).app_id
        except TokenError:
            return None

    @behaviour(
        "policies",
        "invented",
        "What a policy decides is decided when the next request comes in, or while one waits for news.",
    )
    def _settling(self, operation: Operation | None, app_id: str | None) -> Callable[[Connection], bool]:
        requests, clock = self._services.access_requests, self._services.clock

        def settle(connection: Connection) -> bool:
            decided = False
            for request in requests.all(connection):
                if request.status != "pending":
                    continue
                looks = operation is not None and (
                    (operation.name == "getAccessRequest" and operation.id == request.id)
                    or operation.name == "listAccessRequests"
                )
                if looks and request.app_id == app_id:
                    with self._lock:
                        self._polls[request.id] += 1
                # Moments are told apart by microseconds that have not passed: a clock that was advanced by
                # just so much would seem to fall short.
                age = round((clock.micros() - request.created_at) / _SECOND, 3)
                answer = self.policy(Pending(request, age, self._polls[request.id]))
                if answer is not None:
                    requests.decide(connection, request.id, answer)
                    decided = True
            return decided

        return settle


class DecisionGate:
    """Decides what is due before a request is answered, as plain ASGI middleware."""

    def __init__(self, app: ASGIApp, *, decisions: Decisions) -> None:
        self._app = app
        self._decisions = decisions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not isinstance(self._decisions.policy, ByHand):
            operation = operation_of(scope["method"], scope["path"])
            await self._decisions.settle(operation, value_of(scope["headers"], b"authorization") or "")
            # Set in place: what others note in the scope must stay visible outside.
            scope[SETTLE] = self._settle_unseen
        await self._app(scope, receive, send)

    async def _settle_unseen(self) -> None:
        await self._decisions.settle(None, "")
