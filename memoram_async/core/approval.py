"""Waiting for the user's decision: when to ask again, and what each answer means.

The service pushes nothing, so the state of an access request is polled. One bad answer must not end
a wait at the very moment the user approves: whatever may pass is waited out until the deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from memoram_async.core.errors import (
    AccessRejected,
    AccessRevoked,
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    ApprovalTimeout,
    MemoramError,
    NotFoundError,
    RateLimitedError,
)

if TYPE_CHECKING:
    from memoram_async.core.errors import ConflictError

DEFAULT_TIMEOUT: Final = 600.0
SHORTEST_INTERVAL: Final = 2.0
LONGEST_INTERVAL: Final = 15.0
SHARE_OF_AGE: Final = 0.1
JITTER: Final = 0.15
LONGEST_BACK_OFF: Final = 30.0
LONGEST_RETRY_AFTER: Final = 300.0
UNTOLD_RETRY_AFTER: Final = 5.0
YOUNG: Final = 10.0
CREDENTIALS_LAG: Final = 10.0
LONGEST_POLL: Final = 10.0

_PASSING_STATUSES: Final = frozenset({408, 425})


@attrs.define
class ApprovalWait:
    """One wait for one access request.

    Attributes:
        request_id: The request.
        began: The monotonic clock when the wait began, in seconds.
        last_status: The status seen last.
        last_error: Why the latest poll brought no status; None if it brought one.
        polls: How many times the service was asked.
    """

    request_id: str
    began: float
    last_status: str | None = None
    last_error: MemoramError | None = None
    polls: int = 0
    _failures: int = 0
    _missing_since: float | None = None

    def first_delay(self, *, just_created: bool) -> float:
        """Seconds before the first poll: nobody decides in the instant in which the request is made."""
        return SHORTEST_INTERVAL if just_created else 0.0

    def interval(self, *, now: float, jitter: float) -> float:
        """Seconds until the next poll: a tenth of the wait's age, so that long waits ask less often.

        Args:
            now: The monotonic clock.
            jitter: A random number in [0, 1).
        """
        wish = min(LONGEST_INTERVAL, max(SHORTEST_INTERVAL, SHARE_OF_AGE * (now - self.began)))
        return wish * (1 - JITTER + 2 * JITTER * jitter)

    def saw(self, status: str, *, now: float, jitter: float) -> float | None:
        """Take in a status: None when the user has approved, else seconds until the next poll.

        Raises:
            AccessRejected: The user said no.
            AccessRevoked: The user took an approval back.
        """
        self.polls += 1
        self.last_status = status
        self.last_error = None
        self._failures = 0
        self._missing_since = None
        match status:
            case "approved":
                return None
            case "rejected":
                raise AccessRejected(
                    "the user rejected the access request: ask again only when the user wishes so",
                    request_id=self.request_id,
                )
            case "revoked":
                raise AccessRevoked(
                    "the user revoked the access: a new access request is needed",
                    request_id=self.request_id,
                )
            case _:  # pending, or a status that this version does not know yet
                return self.interval(now=now, jitter=jitter)

    def failed(self, error: MemoramError, *, now: float, jitter: float) -> float:
        """Take in a poll that brought no status: seconds until the next one.

        Raises:
            MemoramError: The error itself, if waiting cannot mend it.
        """
        self.polls += 1
        self.last_error = error.again()  # without its traceback, which would keep frames alive
        if isinstance(error, NotFoundError):
            return self._missing(error, now=now)
        self._missing_since = None
        if isinstance(error, RateLimitedError):
            asked = UNTOLD_RETRY_AFTER if error.retry_after is None else error.retry_after
            return max(SHORTEST_INTERVAL, min(LONGEST_RETRY_AFTER, asked))
        passing = isinstance(error, APIConnectionError | APIResponseError) or (
            isinstance(error, APIStatusError) and (error.status >= 500 or error.status in _PASSING_STATUSES)
        )
        if not passing:
            raise error
        self._failures = min(self._failures + 1, 10)  # a wait without end may see any number of them
        return 1.0 + jitter * (min(LONGEST_BACK_OFF, 2.0**self._failures) - 1.0)

    def _missing(self, error: NotFoundError, *, now: float) -> float:
        """A request may be unknown for a moment after it was made: two 404 in a row, later on, are final."""
        if self._missing_since is None:
            self._missing_since = now
        elif now - self._missing_since >= SHORTEST_INTERVAL and now - self.began > YOUNG:
            raise error
        return SHORTEST_INTERVAL

    def timed_out(self) -> ApprovalTimeout:
        """The error for a wait whose deadline has come."""
        return ApprovalTimeout(
            "the user has not decided in time; the request stays open: wait again with "
            "access_requests.wait_until_approved(id), in this process or another",
            request_id=self.request_id,
            last_status=self.last_status,
            last_error=self.last_error,
            polls=self.polls,
        )


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
