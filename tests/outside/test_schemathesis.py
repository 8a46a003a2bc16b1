"""schemathesis, which knows nothing but the contract, examines the platform from outside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.outside import planted
from tests.outside.schemathesis_run import examined, narrowed
from tests.outside.stage import staged

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Scope

BLOBS = "/api/v1/memory-blobs"


CREATE_TO_DELETE = [
    argument
    for name in ("createMemoryBlob", "getMemoryBlob", "updateMemoryBlob", "deleteMemoryBlob")
    for argument in ("--include-operation-id", name)
]


def test_examples_boundaries_and_random_requests_are_all_met_as_the_contract_says(tmp_path: Path) -> None:
    with staged() as stage:
        outcome = examined(stage, tmp_path, "--phases", "examples,coverage,fuzzing")

    assert outcome.found == {}, outcome.output
    assert outcome.exit_code == 0, outcome.output
    assert outcome.report["operations"]["tested"] == outcome.report["operations"]["total"] > 15
    assert outcome.report["test_cases"]["generated"] > 500


def test_so_are_those_of_an_application_that_the_user_lets_in(tmp_path: Path) -> None:
    with staged(approve=True) as stage:
        outcome = examined(stage, tmp_path, "--phases", "examples,coverage,fuzzing", document=narrowed(stage))

    assert outcome.found == {}, outcome.output
    assert outcome.exit_code == 0, outcome.output


def test_so_are_chains_of_calls_along_the_links(tmp_path: Path) -> None:
    with staged(approve=True) as stage:
        outcome = examined(stage, tmp_path, "--phases", "stateful", document=narrowed(stage))

    assert outcome.found == {}, outcome.output
    assert outcome.exit_code == 0, outcome.output
    covered = re.search(r"API Links: +(\d+) covered", outcome.output)
    assert covered is not None, outcome.output
    assert int(covered[1]) >= 15, outcome.output


def test_so_are_the_lives_of_memories(tmp_path: Path) -> None:
    with staged() as stage:
        arguments = ("--phases", "stateful", *CREATE_TO_DELETE)
        outcome = examined(stage, tmp_path, *arguments, document=narrowed(stage))

    assert outcome.found == {}, outcome.output
    assert outcome.report["operations"]["tested"] == 4, outcome.output


# Each with the operation to look at, and what schemathesis must call what it finds.
PLANTED = {
    "another status": (
        "createMemoryBlob",
        "UndefinedStatusCode",
        planted.answers_of("POST", BLOBS, planted.with_status(200), status=201),
    ),
    "a missing member": (
        "getMemoryBlob",
        "JsonSchemaError",
        planted.answers_of("GET", f"{BLOBS}/", planted.without_member("content")),
    ),
    "a member of another type": (
        "listAccessRequests",
        "JsonSchemaError",
        planted.answers_of("GET", "/api/v1/access-requests", planted.with_member("total", "1")),
    ),
    "one wrong value": (
        "getAccessRequest",
        "JsonSchemaError",
        planted.answers_of("GET", "/api/v1/access-requests/", planted.with_member("status", "aproved")),
    ),
    "a time without its zone": (
        "getTag",
        "JsonSchemaError",
        planted.answers_of("GET", "/api/v1/tags/", planted.with_member("created_at", "2030-05-17T12:00:00")),
    ),
    "a missing header": (
        "getTag",
        "MissingHeaders",
        planted.answers_of("GET", "/api/v1/tags/", planted.without_header(b"etag")),
    ),
    "another content type": (
        "listTags",
        "UndefinedContentType",
        planted.answers_of("GET", "/api/v1/tags", planted.with_header(b"content-type", b"text/plain")),
    ),
    "a failure on odd input": (
        "listMemoryBlobs",
        "ServerError",
        planted.answers_of("GET", BLOBS, planted.failing_beyond_ascii(500)),
    ),
    "a refusal of valid input": (
        "createAccessRequest",
        "RejectedPositiveData",
        planted.answers_of("POST", "/api/v1/access-requests", planted.refusal, status=201),
    ),
    "invalid input taken": (
        "listMemoryBlobs",
        "AcceptedNegativeData",
        planted.requests_for("GET", BLOBS, planted.without_parameter("limit")),
    ),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(tmp_path: Path, bug: str) -> None:
    operation, kind, broken = PLANTED[bug]

    with staged(broken=broken) as stage:
        phases = ("--phases", "examples,coverage,fuzzing", "--include-operation-id", operation)
        outcome = examined(stage, tmp_path, *phases, document=narrowed(stage))

    assert outcome.exit_code == 1, outcome.output
    assert kind in outcome.found, outcome.output


def test_a_door_without_a_lock_is_found(tmp_path: Path) -> None:
    tokens: list[str] = []

    def unlocked(app: ASGIApp) -> ASGIApp:
        def let_in(scope: Scope) -> Scope:
            return planted.with_token(tokens[0])(scope)

        return planted.requests_for("GET", "/api/v1/access-requests", let_in)(app)

    with staged(broken=unlocked) as stage:
        tokens.append(stage.token)
        outcome = examined(stage, tmp_path, "--include-operation-id", "listAccessRequests")

    assert "IgnoredAuth" in outcome.found, outcome.output


def test_a_deletion_that_is_none_is_found(tmp_path: Path) -> None:
    with staged(broken=planted.keeping_what_is_deleted(f"{BLOBS}/")) as stage:
        arguments = ("--phases", "stateful", *CREATE_TO_DELETE)
        outcome = examined(stage, tmp_path, *arguments, document=narrowed(stage))

    assert "UseAfterFree" in outcome.found, outcome.output
