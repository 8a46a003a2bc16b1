"""How every error of the SDK is answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from memoram_async import (
    AccessRejected,
    AccessRevoked,
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    ApprovalRequired,
    ApprovalTimeout,
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    ConflictError,
    ContentError,
    IntegrityError,
    InvalidArgumentError,
    MemoramError,
    NotFoundError,
    OAuthError,
    OAuthFlowError,
    OutcomeUnknownError,
    PermissionDeniedError,
    PoolTimeoutError,
    RateLimitedError,
    Secret,
    ServerError,
)
from memoram_async.integrations.problem_details import SCHEMA, TYPES, problem_of

UNTIL: Final = datetime(2030, 1, 2, tzinfo=UTC)
ANSWERS: Final[list[tuple[MemoramError, int, str]]] = [
    (ApprovalRequired("said", kind="link"), 409, "not-linked"),
    (ApprovalRequired("said", kind="approve", request_id="r"), 409, "approval-required"),
    (ApprovalTimeout("said", request_id="r", last_status=None, polls=1), 409, "approval-required"),
    (AccessRejected("said", until=UNTIL), 403, "access-rejected"),
    (AccessRevoked("said", request_id="r"), 403, "access-revoked"),
    (PermissionDeniedError("said", status=403), 403, "permission-denied"),
    (OAuthFlowError("said"), 400, "flow-refused"),
    (OAuthError("said", status=0, code="access_denied"), 403, "authorization-refused"),
    (InvalidArgumentError("said"), 422, "invalid-argument"),
    (ContentError("said"), 422, "invalid-argument"),
    (NotFoundError("said", status=404), 404, "not-found"),
    (ConflictError("said", status=409), 409, "conflict"),
    (RateLimitedError("said", status=429), 429, "rate-limited"),
    (ServerError("said", status=500), 503, "unavailable"),
    (APIConnectionError("said", sent=False), 503, "unavailable"),
    (APITimeoutError("said", sent=True), 503, "unavailable"),
    (PoolTimeoutError("said", sent=False), 503, "unavailable"),
    (OutcomeUnknownError("said", sent=True), 502, "outcome-unknown"),
    (APIStatusError("said", status=418), 502, "refused"),
    (AuthenticationError("said", status=401), 500, "misconfigured"),
    (ConfigurationError("said"), 500, "misconfigured"),
    (ClientClosedError("said"), 500, "failed"),
    (APIResponseError("said", status=200), 500, "failed"),
    (IntegrityError("said"), 500, "failed"),
]


@pytest.mark.parametrize(("error", "status", "kind"), ANSWERS, ids=lambda each: str(type(each).__name__))
def test_an_error_is_a_problem(error: MemoramError, status: int, kind: str) -> None:
    problem = problem_of(error)

    assert (problem.status, problem.body["status"], problem.body["type"]) == (status, status, TYPES + kind)
    assert problem.body["detail"] == ("said" if status != 500 else "See the application's log.")
    assert problem.body.keys() <= SCHEMA["properties"].keys()
    assert set(SCHEMA["required"]) <= problem.body.keys()


def test_what_the_user_can_do_is_in_it() -> None:
    required = problem_of(ApprovalRequired("said", kind="approve", request_id="r", url="https://d.test/"))
    rejected = problem_of(AccessRejected("said", until=UNTIL))

    assert (required.body["url"], required.body["request_id"]) == ("https://d.test/", "r")
    assert rejected.body["until"] == "2030-01-02T00:00:00+00:00"


def test_the_services_own_words_and_ids_are_not() -> None:
    error = NotFoundError(
        "said", status=404, request_id="theirs", code="theirs", server_message=Secret("theirs")
    )
    assert "theirs" not in str(problem_of(error))


@pytest.mark.parametrize(
    ("error", "after"),
    [
        (RateLimitedError("said", status=429), "1"),
        (RateLimitedError("said", status=429, retry_after=2.2), "3"),
        (RateLimitedError("said", status=429, retry_after=0), "1"),
        (ServerError("said", status=503, retry_after=30), "30"),
        (APIConnectionError("said", sent=False), "5"),
    ],
)
def test_what_passes_says_when(error: MemoramError, after: str) -> None:
    assert problem_of(error).headers == {"Retry-After": after}


def test_what_may_have_happened_does_not_invite_to_try_again() -> None:
    assert problem_of(OutcomeUnknownError("said", sent=True)).headers == {}
