"""The contract, the ledger and the code say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memoram_local.behaviour import Behaviour
from memoram_local.contract.document import operations, read_document
from tools import gen_ledger

if TYPE_CHECKING:
    import httpx

OPERATIONS = {operation.name: operation for operation in operations()}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_implemented(http: httpx.Client, name: str) -> None:
    operation = OPERATIONS[name]
    path = operation.path.replace("{", "x").replace("}", "x")

    answer = http.request(operation.method, path)

    assert answer.status_code not in {404, 405, 501}
    assert answer.status_code in operation.answers


def test_every_operation_has_a_name_and_a_fidelity_of_its_own() -> None:
    found = list(operations())

    assert len({operation.name for operation in found}) == len(found) == 34
    assert {operation.fidelity for operation in found} == {"documented", "inferred", "invented"}


def test_the_contract_is_served_by_the_package_itself() -> None:
    assert read_document()["openapi"].startswith("3.1")


@pytest.mark.parametrize(
    "path", ["/oauth/revoke", "/oauth/introspect", "/oauth/device_authorization", "/oauth/register"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_implemented_is_met_with_501(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, path)

    assert answer.status_code == 501
    assert answer.json()["error"] == "not_implemented"


def test_the_ledger_is_what_the_marks_say() -> None:
    assert gen_ledger.main(["--check"]) == 0, "run python tools/gen_ledger.py"


def test_a_ledger_that_is_stale_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more = [*gen_ledger.marked(), Behaviour("tags.new", "invented", "This is new.")]
    monkeypatch.setattr(gen_ledger, "marked", lambda: more)

    assert gen_ledger.main(["--check"]) == 1
    assert "stale" in capsys.readouterr().err


def test_every_mark_is_in_the_ledger_once() -> None:
    text = gen_ledger.ledger(gen_ledger.marked())

    for mark in gen_ledger.marked():
        assert text.count(f"`{mark.name}`") == 1
        assert f"**{mark.fidelity}** | `{mark.name}`" in text
