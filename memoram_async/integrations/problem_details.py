"""Errors of the SDK as answers of a web application: problem details (RFC 9457)."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, Final

import attrs

from memoram_async.core.errors import (
    AccessRejected,
    AccessRevoked,
    APIConnectionError,
    APIStatusError,
    ApprovalRequired,
    ApprovalTimeout,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    ContentError,
    InvalidArgumentError,
    MemoramError,
    NotFoundError,
    OAuthError,
    OAuthFlowError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
)

MEDIA_TYPE: Final = "application/problem+json"
TYPES: Final = "urn:memoram:problem:"
"""What the type of every problem begins with; an identifier, and no address."""

_SECONDS: Final = {429: 1, 503: 5}
"""When to try again, where the service did not say."""

_KINDS: Final[tuple[tuple[type[MemoramError], int, str, str], ...]] = (
    (AccessRejected, 403, "access-rejected", "The user said no"),
    (AccessRevoked, 403, "access-revoked", "The user took the access back"),
    (ApprovalTimeout, 409, "approval-required", "The user has to decide first"),
    (OAuthFlowError, 400, "flow-refused", "This return belongs to no flow of this user"),
    (OAuthError, 403, "authorization-refused", "The account was not linked"),
    (ContentError, 422, "invalid-argument", "The memory cannot be stored"),
    (InvalidArgumentError, 422, "invalid-argument", "An argument cannot be used"),
    (OutcomeUnknownError, 502, "outcome-unknown", "It may or may not have happened"),
    (APIConnectionError, 503, "unavailable", "The memory service does not answer"),
    (RateLimitedError, 429, "rate-limited", "Too many requests"),
    (ServerError, 503, "unavailable", "The memory service failed"),
    (NotFoundError, 404, "not-found", "There is no such thing"),
    (PermissionDeniedError, 403, "permission-denied", "The user has not let the application in"),
    (ConflictError, 409, "conflict", "It cannot be done now"),
    (AuthenticationError, 500, "misconfigured", "The application is not set up"),
    (ConfigurationError, 500, "misconfigured", "The application is not set up"),
    (APIStatusError, 502, "refused", "The memory service refused"),
)
"""The first row that an error belongs to holds."""


@attrs.frozen(kw_only=True)
class Problem:
    """An answer that says what went wrong.

    Attributes:
        status: The HTTP status.
        body: The members of the JSON object.
        headers: Header fields, the content type left out.
    """

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


def problem_of(error: MemoramError) -> Problem:
    """How a web application answers when a call of the SDK raised this.

    Its messages quote no key, token or memory. Nobody waits for the user here: approval that is needed is a
    409, told apart by `type`, with the page where the user goes as `url`.
    """
    status, kind, title = _kind(error)
    members = {"url": "url", "request_id": "request_id", "until": "until", "code": "code"}
    further = {name: _plain(getattr(error, each, None)) for name, each in members.items()}
    if isinstance(error, APIStatusError) and not isinstance(error, OAuthError):
        further = {}  # its request id is the service's, for the log
    headers = {} if status not in _SECONDS else {"Retry-After": str(_seconds(error, status))}
    shown = error.message if status != 500 else "See the application's log."
    body = {"type": f"{TYPES}{kind}", "title": title, "status": status, "detail": shown}
    return Problem(
        status=status,
        body=body | {name: value for name, value in further.items() if value is not None},
        headers=headers,
    )


def _kind(error: MemoramError) -> tuple[int, str, str]:
    if isinstance(error, ApprovalRequired):
        if error.kind == "link":
            return 409, "not-linked", "The user has to link an account first"
        return 409, "approval-required", "The user has to decide first"
    for kind, status, name, title in _KINDS:
        if isinstance(error, kind):
            return status, name, title
    return 500, "failed", "The memory could not be read or written"


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _seconds(error: MemoramError, status: int) -> int:
    asked = getattr(error, "retry_after", None)
    return _SECONDS[status] if asked is None else max(1, math.ceil(asked))


_TEXT: Final = {"type": "string"}
SCHEMA: Final[dict[str, Any]] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {**_TEXT, "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "url": {**_TEXT, "format": "uri", "description": "Where the user goes to link an account or decide."},
        "request_id": {**_TEXT, "description": "The access request."},
        "until": {**_TEXT, "format": "date-time", "description": "When asking is possible again."},
        "code": {**_TEXT, "description": "The authorization server's error."},
    },
}
"""What OpenAPI says of a problem."""
