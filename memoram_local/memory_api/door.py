"""Who is calling, whether they may, and how often: what every route of Memory API passes first."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from memoram_local.behaviour import behaviour
from memoram_local.http.header_fields import value_of
from memoram_local.memory_api.envelope import Good, Refusal, good_answer, refusal_answer
from memoram_local.services.rate_limits import LimitReachedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from memoram_local.http.routing import Handler
    from memoram_local.services.rate_limits import Limit, Standing
    from memoram_local.services.services import Services
    from memoram_local.store.memory_api.keys import Key, Scope

    Open = Callable[[Request], Awaitable[Good]]
    Guarded = Callable[[Request, Key], Awaitable[Good]]

_FORM: Final = re.compile(r"mem_(live|test)_[0-9A-Za-z]{8,128}")

_REACHED: Final[dict[Limit, tuple[str, str]]] = {
    "minute": ("RATE_LIMIT_EXCEEDED", "Too many requests in this minute."),
    "day": ("DAILY_QUOTA_EXCEEDED", "The requests of this day are used up."),
    "concurrent": ("CONCURRENT_LIMIT_EXCEEDED", "Too many requests at once."),
}


@dataclass(slots=True)
class _Visit:
    key: Key | None = None
    standing: Standing | None = None


class Door:
    """Lets requests in, and their answers out in envelopes."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._parts = services.memory_api

    def open(self, handler: Open) -> Handler:
        """A route that needs no key."""

        async def answer(request: Request) -> Response:
            began = time.perf_counter()
            try:
                good = await handler(request)
            except Refusal as refusal:
                return refusal_answer(refusal)
            return good_answer(good, request.scope, began=began, standing=None)

        return answer

    def needing(self, scope: Scope | None, operation: str, handler: Guarded) -> Handler:
        """A route that needs a key.

        Args:
            scope: What the key must be good for; None for any key that works.
            operation: The contract's name.
            handler: What answers.
        """

        async def answer(request: Request) -> Response:
            began = time.perf_counter()
            visit = _Visit()
            try:
                good = await self._visit(request, visit, scope, operation, handler)
            except Refusal as refusal:
                return refusal_answer(refusal, standing=visit.standing)
            finally:
                if visit.key is not None:
                    self._parts.limiter.leave(visit.key.org_id)
            return good_answer(good, request.scope, began=began, standing=visit.standing)

        return answer

    async def _visit(
        self, request: Request, visit: _Visit, scope: Scope | None, operation: str, handler: Guarded
    ) -> Good:
        key = await self._known(request)
        self._count(visit, key)
        self._note(key, operation)
        _require(key, scope)
        return await handler(request, key)

    @behaviour("errors.key-missing", "documented", "Without a key a request is met with 401 MISSING_API_KEY.")
    @behaviour("errors.key-format", "documented", "What has not a key's form: 401 INVALID_API_KEY_FORMAT.")
    @behaviour("errors.key-invalid", "documented", "A key that nobody has is met with 401 INVALID_API_KEY.")
    @behaviour("errors.key-expired", "documented", "A key beyond its time is met with 401 API_KEY_EXPIRED.")
    @behaviour("errors.key-disabled", "documented", "A disabled key is met with 401 API_KEY_DISABLED.")
    @behaviour("errors.key-revoked", "inferred", "A revoked key is met like a disabled one.")
    async def _known(self, request: Request) -> Key:
        secret = _sent(request)
        if _FORM.fullmatch(secret) is None:
            raise _unauthorized("INVALID_API_KEY_FORMAT", "A key begins with mem_live_ or mem_test_.")

        def find(connection: Connection) -> tuple[Key, bool] | None:
            return self._parts.keys.known(connection, secret)

        found = await self._services.database.look_up(find)
        if found is None:
            raise _unauthorized("INVALID_API_KEY", "Nobody has this key.")
        key, org_is_active = found
        if not key.is_active:
            raise _unauthorized("API_KEY_DISABLED", "This key is disabled or revoked.")
        if key.expires_at is not None and key.expires_at <= self._services.clock.micros():
            raise _unauthorized("API_KEY_EXPIRED", "This key has expired.")
        if not org_is_active:
            raise Refusal(403, "ORGANIZATION_DISABLED", "This organization is disabled.")
        return key

    def _count(self, visit: _Visit, key: Key) -> None:
        try:
            visit.standing = self._parts.limiter.enter(key.org_id)
        except LimitReachedError as reached:
            code, message = _REACHED[reached.limit]
            visit.standing = reached.standing
            raise Refusal(
                429,
                code,
                message,
                details={"retry_after": reached.retry_after},
                headers={"retry-after": str(reached.retry_after)},
            ) from None
        visit.key = key

    def _note(self, key: Key, operation: str) -> None:
        """Have the call counted, without waiting for it."""
        now = self._services.clock.micros()
        database, parts = self._services.database, self._parts

        def write(connection: Connection) -> None:
            # Meanwhile everything may have been reset.
            if parts.organizations.get(connection, key.org_id) is not None:
                parts.usage.count(connection, key.space, operation=operation, at=now)
                parts.keys.used(connection, key.id, at=now)

        with suppress(RuntimeError):  # the store is closed: its answers are refusals
            database.write_later(partial(write))


@behaviour("keys.headers", "documented", "A key comes as Authorization: Bearer KEY or as X-API-Key: KEY.")
@behaviour("keys.two-headers", "invented", "Where both are sent, Authorization counts.")
def _sent(request: Request) -> str:
    authorization = value_of(request.scope["headers"], b"authorization")
    if authorization is not None:
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() == "bearer" and secret.strip():
            return secret.strip()
    secret = (value_of(request.scope["headers"], b"x-api-key") or "").strip()
    if not secret:
        raise _unauthorized(
            "MISSING_API_KEY", "A key is needed, as Authorization: Bearer KEY or X-API-Key: KEY."
        )
    return secret


def _unauthorized(code: str, message: str) -> Refusal:
    return Refusal(401, code, message, headers={"www-authenticate": "Bearer"})


@behaviour(
    "keys.scopes", "documented", "A key without the scope of an operation meets 403 INSUFFICIENT_PERMISSIONS."
)
@behaviour("keys.admin", "documented", "The scope admin is good for everything.")
@behaviour("keys.missing-scope", "invented", "`details.required_scope` names the scope that is missing.")
def _require(key: Key, scope: Scope | None) -> None:
    if scope is None or scope in key.scopes or "admin" in key.scopes:
        return
    raise Refusal(
        403,
        "INSUFFICIENT_PERMISSIONS",
        f"This key has not the scope {scope}.",
        details={"required_scope": scope, "scopes": list(key.scopes)},
    )
