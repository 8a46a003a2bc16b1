"""schemathesis examines Memory API, the second service, as it does the first."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from memoram_local import MemoramLocal
from memoram_local.contract.document import MEMORY_API_FILE
from memoram_local.process.server import serving
from tests.outside import planted
from tests.outside.schemathesis_run import run

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from starlette.types import ASGIApp

    from tests.outside.schemathesis_run import Outcome

CONFIG: Final = Path(__file__).with_name("schemathesis-memory-api.toml")
LIFE: Final = [
    argument
    for name in ("createMemory", "getMemory", "updateMemory", "deleteMemory")
    for argument in ("--include-operation-id", name)
]


@contextlib.contextmanager
def staged(broken: Callable[[ASGIApp], ASGIApp] | None = None) -> Generator[Callable[..., Outcome]]:
    """A platform with an organization, a second key and a memory; yields what examines it."""
    with MemoramLocal(password_profile="fast") as local:
        app = local.app if broken is None else broken(local.app)
        key = local.memory_api.sign_up()
        spare = local.memory_api.issue_key(key.org_id, scopes=["read"])
        with serving(app, host="127.0.0.1", port=0) as server:
            answer = httpx.post(
                f"{server.memory_api_url}/memories",
                json={"text": "Prefers window seats"},
                headers={"x-api-key": key.key},
                trust_env=False,
            )
            text = MEMORY_API_FILE.read_text(encoding="utf-8")
            for made_up, real in (
                (f"mem_{'0' * 24}", answer.json()["data"]["id"]),
                (f"key_{'0' * 24}", spare.id),
            ):
                assert made_up in text
                text = text.replace(made_up, real)

            def examined(folder: Path, *arguments: str) -> Outcome:
                known = {"MEMORY_API_KEY": key.key}
                return run(server.url, folder, text, *arguments, known=known, config=CONFIG)

            yield examined


def test_examples_boundaries_and_random_requests_are_all_met_as_the_contract_says(tmp_path: Path) -> None:
    with staged() as examined:
        outcome = examined(tmp_path, "--phases", "examples,coverage,fuzzing")

    assert outcome.found == {}, outcome.output
    assert outcome.exit_code == 0, outcome.output
    assert outcome.report["operations"]["tested"] == outcome.report["operations"]["total"] == 18


def test_so_are_the_lives_of_memories(tmp_path: Path) -> None:
    with staged() as examined:
        outcome = examined(tmp_path, "--phases", "stateful", *LIFE)

    assert outcome.found == {}, outcome.output
    assert outcome.report["operations"]["tested"] == 4, outcome.output


def _without_id(given: planted.Answer) -> planted.Answer:
    content = given.content
    del content["data"]["id"]
    return given.saying(content)


PLANTED: Final = {
    "another status": (
        "createMemory",
        "UndefinedStatusCode",
        planted.answers_of("POST", "/v1/memories", planted.with_status(202), status=201),
    ),
    "a missing member": (
        "getMemory",
        "JsonSchemaError",
        planted.answers_of("GET", "/v1/memories/", _without_id),
    ),
    "a failure at a boundary": (
        "listMemories",
        "ServerError",
        planted.answers_of("GET", "/v1/memories", planted.failing_at("per_page", "100", status=500)),
    ),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(tmp_path: Path, bug: str) -> None:
    operation, kind, broken = PLANTED[bug]

    with staged(broken) as examined:
        outcome = examined(
            tmp_path, "--phases", "examples,coverage,fuzzing", "--include-operation-id", operation
        )

    assert outcome.exit_code == 1, outcome.output
    assert kind in outcome.found, outcome.output
