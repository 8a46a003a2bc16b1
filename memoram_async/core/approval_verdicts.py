"""What each answer means to somebody who waits for a user's decision.

One bad answer must not end a wait at the very moment the user approves: whatever may pass is waited out.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import attrs

from memoram_async.core.errors import (
    AccessRejected,
    AccessRevoked,
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    ApprovalTimeout,
    AuthenticationError,
    ConflictError,
    MemoramError,
)

_PASSING_STATUSES: Final = frozenset({408, 425, 429})


class Meaning(Enum):
    """What a failed call says about the wait."""

    PASSING = "passing"
    """Nothing: ask again later."""
    REFUSED = "refused"
    """It may be in vain: final if it comes twice in a row."""
    FINAL = "final"
    """It is in vain."""


def meaning_of(error: MemoramError) -> Meaning:
    """What an error means to a wait.

    A status that says no (403, 404, 409, a redirect of a captive portal) may be the slip of a moment, so it
    has to come twice. 401 comes here after a fresh token was tried.
    """
    if isinstance(error, APIConnectionError | APIResponseError):
        return Meaning.PASSING
    if isinstance(error, APIStatusError) and not isinstance(error, AuthenticationError):
        passing = error.status >= 500 or error.status in _PASSING_STATUSES
        return Meaning.PASSING if passing else Meaning.REFUSED
    return Meaning.FINAL


def verdict(status: str | None, request_id: str) -> MemoramError | None:
    """The error for a decision against the application; None while there is none."""
    match status:
        case "rejected":
            return AccessRejected(
                "the user rejected the access request: ask again only when the user wishes so",
                request_id=request_id,
            )
        case "revoked":
            return AccessRevoked(
                "the user revoked the access: a new access request is needed", request_id=request_id
            )
        case _:  # pending, approved, or a status that this version does not know yet
            return None


def refused_to_ask(error: ConflictError) -> AccessRejected | None:
    """What it means that no request was made: the user said no before; None where it means something else."""
    match error.code:
        case "asking_paused":
            said = "the user rejected the last access request"
        case "asking_blocked":
            said = "the user rejected several access requests in a row"
        case _:
            return None
    again = "when the user wishes so" if error.until is None else f"from {error.until.isoformat()} on"
    rejected = AccessRejected(f"{said}: ask again {again}, if at all", until=error.until)
    rejected.info = error.info
    return rejected


def timed_out(
    request_id: str, *, timeout: float, last_status: str | None, last_error: MemoramError | None, polls: int
) -> ApprovalTimeout:
    """The error for a wait whose deadline has come; its message says what was seen."""
    seen = f"its status was {last_status}" if last_status is not None else "its status was never seen"
    trouble = "" if last_error is None else f", and the latest poll failed with {type(last_error).__name__}"
    if isinstance(last_error, APIStatusError | APIResponseError):
        trouble += f" (HTTP {last_error.status})"
    asked = "1 poll" if polls == 1 else f"{polls} polls"
    return ApprovalTimeout(
        f"the user has not decided within {timeout:g} s: {seen} after {asked}{trouble}; the request "
        "stays open, and access_requests.wait(request_id) goes on with it, in this process or another",
        request_id=request_id,
        last_status=last_status,
        last_error=last_error,
        polls=polls,
    )


@attrs.frozen(kw_only=True)
class ApprovalProgress:
    """Where a wait stands, for `on_status`.

    Attributes:
        request_id: The access request.
        status: The status seen last; None before the first.
        polls: How often the service was asked.
        next_poll: Seconds until it is asked again.
        last_error: Why the latest poll brought no status; None if it brought one.
    """

    request_id: str
    status: str | None
    polls: int
    next_poll: float
    last_error: MemoramError | None = None
