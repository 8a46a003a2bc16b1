"""Telling an access that the user has taken back from others that are refused."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import attrs

from memoram_async.core.approval_verdicts import verdict
from memoram_async.core.errors import AccessRevoked, MemoramError, PermissionDeniedError
from memoram_async.models.access import AccessRequest

T = TypeVar("T")


@attrs.frozen(eq=False)
class Approval:
    """The access request that a store stands on.

    Attributes:
        request_id: Which.
        get: Reads it.
        on_revoked: Told when the user turns out to have taken it back.
    """

    request_id: str
    get: Callable[[str], Coroutine[Any, Any, AccessRequest]]
    on_revoked: Callable[[AccessRevoked], None] | None = None

    async def explained(self, refusal: PermissionDeniedError) -> MemoramError:
        """What a refusal is about: the user's decision, if that can be read, or what the service said."""
        try:
            request = await self.get(self.request_id)
        except MemoramError:
            return refusal
        found = verdict(request.status, request.id)
        if self.on_revoked is not None and isinstance(found, AccessRevoked):
            self.on_revoked(found)
        return found or refusal


async def under(approval: Approval | None, call: Coroutine[Any, Any, T]) -> T:
    """The result of a call that stands on an approval.

    Raises:
        AccessRevoked: The user has taken the approval back.
        PermissionDeniedError: It was refused for another reason, or nobody knows the access request.
    """
    try:
        return await call
    except PermissionDeniedError as refusal:
        if approval is None:
            raise
        explained = await approval.explained(refusal)
        if explained is refusal:
            raise
        raise explained from refusal
