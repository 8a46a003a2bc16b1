"""What a decision, a refusal to ask and a deadline come to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memoram_async.core.approval_verdicts import refused_to_ask, timed_out, verdict
from memoram_async.core.errors import (
    AccessRejected,
    AccessRevoked,
    APIConnectionError,
    ConflictError,
    MemoramError,
    ServerError,
)
from memoram_async.core.info import ResponseInfo

UNTIL = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.mark.parametrize(("status", "kind"), [("rejected", AccessRejected), ("revoked", AccessRevoked)])
def test_a_decision_against_the_application_is_an_error(status: str, kind: type[MemoramError]) -> None:
    error = verdict(status, "ar_1")
    assert type(error) is kind
    assert isinstance(error, AccessRejected | AccessRevoked)
    assert error.request_id == "ar_1"
    assert str(error).startswith(f"the user {status} ")


@pytest.mark.parametrize("status", [None, "pending", "approved", "under_review"])
def test_any_other_status_is_none(status: str | None) -> None:
    assert verdict(status, "ar_1") is None


@pytest.mark.parametrize("code", ["asking_paused", "asking_blocked"])
def test_a_refusal_to_ask_is_a_rejection_with_its_end(code: str) -> None:
    refusal = ConflictError("no", status=409, code=code)
    refusal.until = UNTIL
    refusal.info = ResponseInfo(operation="createAccessRequest", status=409)
    rejected = refused_to_ask(refusal)
    assert rejected is not None
    assert rejected.info is refusal.info
    assert rejected.until == UNTIL
    assert str(rejected).startswith("the user rejected ")
    assert UNTIL.isoformat() in str(rejected)


def test_a_refusal_to_ask_without_an_end_says_when_to_ask() -> None:
    rejected = refused_to_ask(ConflictError("no", status=409, code="asking_blocked"))
    assert rejected is not None
    assert "when the user wishes so" in str(rejected)


def test_another_conflict_is_no_rejection() -> None:
    assert refused_to_ask(ConflictError("no", status=409, code="too_many")) is None


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (None, None, "its status was never seen after 3 polls; "),
        ("pending", None, "its status was pending after 3 polls; "),
        ("pending", ServerError("no", status=502), "failed with ServerError (HTTP 502)"),
        (None, APIConnectionError("gone", sent=True), "failed with APIConnectionError; "),
    ],
)
def test_a_deadline_says_what_was_seen(status: str | None, error: MemoramError | None, said: str) -> None:
    timeout = timed_out("ar_1", timeout=600, last_status=status, last_error=error, polls=3)
    assert said in str(timeout)
    assert (timeout.request_id, timeout.last_status, timeout.polls) == ("ar_1", status, 3)
    assert timeout.last_error is error


@pytest.mark.parametrize(
    ("polls", "said"), [(0, "after 0 polls; "), (1, "after 1 poll; "), (2, "after 2 polls; ")]
)
def test_a_deadline_counts_polls_in_english(polls: int, said: str) -> None:
    assert said in str(timed_out("ar_1", timeout=1, last_status=None, last_error=None, polls=polls))
