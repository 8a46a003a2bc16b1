"""Access requests and the credentials that an approved one yields."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import cast

import attrs
from attrs.converters import optional

from memoram_async.core.arguments import MASKED
from memoram_async.core.errors import InvalidArgumentError
from memoram_async.core.kinds import text_misfit
from memoram_async.core.masks import is_masked
from memoram_async.core.secret import Secret, conceal, hidden
from memoram_async.models.answered import Answered
from memoram_async.models.guard import Unpicklable


class AccessStatus(StrEnum):
    """Where an access request stands; a status that this version does not know stays plain text."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    REVOKED = "revoked"


@attrs.frozen(kw_only=True, eq=False)
class AccessRequest(Unpicklable, Answered):
    """An application's request to a user (contract `AccessRequest`).

    Attributes:
        id: The request; enough to resume waiting for it in any process.
        status: Where it stands.
        reason: What the user was told.
        memory_key: Whose memories were asked for.
        user_id: The user, once the request is linked to one.
        ai_connector_id: The application that asked.
        created_at: When it was made.
        updated_at: When it last changed.
    """

    id: str
    status: AccessStatus | str
    reason: str | None = attrs.field(default=None, repr=False)
    memory_key: Secret | None = attrs.field(
        default=None, converter=optional(conceal), metadata={"wire": "memoryKey"}
    )
    user_id: str | None = None
    ai_connector_id: str | None = attrs.field(default=None, metadata={"wire": "aiConnectorId"})
    created_at: datetime | None = attrs.field(default=None, metadata={"wire": "createdAt"})
    updated_at: datetime | None = attrs.field(default=None, metadata={"wire": "updatedAt"})


@attrs.frozen(kw_only=True, eq=False)
class AccessCredentials(Unpicklable, Answered):
    """What reading and writing one user's memories takes (contract `AccessCredentials`).

    Attributes:
        user_id: The user.
        memory_key: Goes with every write.
        encryption_key: The user's symmetric key in hexadecimal.
        key_version: Which of the user's keys this is; None is read as version 1.
        request_id: The access request that they belong to; not on the wire. `access_requests.credentials`
            fills it, so that a store can fetch other versions of the key, and tell a revoked access from
            others that are refused.
    """

    user_id: str
    memory_key: Secret = attrs.field(converter=conceal)
    encryption_key: Secret = attrs.field(converter=conceal)
    key_version: int | None = None
    request_id: str | None = attrs.field(default=None, metadata={"ours": True})


def check_credentials(value: object) -> AccessCredentials:
    """Credentials, plain or wrapped.

    Raises:
        InvalidArgumentError: It is something else, such as the key alone.
    """
    wrapped = hidden(value)
    del value
    credentials = None if wrapped is None else cast("object", wrapped.reveal())
    if not isinstance(credentials, AccessCredentials):
        kind = type(credentials).__name__
        del credentials
        raise InvalidArgumentError(
            "credentials must be AccessCredentials, as access_requests.credentials() answers them, not "
            f"{kind}"
        )
    fault = _fault(credentials)
    if fault is None:
        return credentials
    raise InvalidArgumentError(f"credentials cannot be used: {fault}")


def _fault(credentials: AccessCredentials) -> str | None:
    """What is wrong with credentials that an application put together itself; None if nothing is."""
    memory_key = cast("object", credentials.memory_key.reveal())  # whatever it was that was passed
    if not isinstance(memory_key, str):
        return f"memory_key must be a string, not {type(memory_key).__name__}"
    if is_masked(memory_key):
        return f"memory_key {MASKED}"
    wrong = text_misfit(credentials.user_id, name="user_id") or text_misfit(
        credentials.request_id, name="request_id", optional=True
    )
    return None if wrong is None else str(wrong)
