"""Runs schemathesis, as a program of its own, against a staged platform."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memoram_local.contract.document import FILE, read_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.outside.stage import Stage

CONFIG = Path(__file__).with_name("schemathesis.toml")


@dataclass(frozen=True)
class Outcome:
    """What schemathesis says."""

    exit_code: int
    report: dict[str, Any]
    output: str

    @property
    def found(self) -> dict[str, list[str]]:
        """The operations that have failures, by kind of failure."""
        return {failure["type"]: failure["operations"] for failure in self.report["failures"]}


def examined(stage: Stage, folder: Path, *arguments: str, document: dict[str, Any] | None = None) -> Outcome:
    """Have schemathesis examine a platform by the contract.

    Args:
        stage: The platform.
        folder: For the contract and the report.
        *arguments: Further ones of `schemathesis run`.
        document: The contract; the project's own by default.
    """
    # JSON is YAML.
    text = FILE.read_text(encoding="utf-8") if document is None else json.dumps(document)
    known = {
        "MEMORAM_TOKEN": stage.token,
        "MEMORAM_CLIENT_ID": stage.app.client_id,
        "MEMORAM_CLIENT_SECRET": stage.app.client_secret,
        "MEMORAM_USER_ID": stage.user.id,
    }
    return run(stage.server.url, folder, with_examples_of(stage, text), *arguments, known=known)


def run(
    url: str,
    folder: Path,
    text: str,
    *arguments: str,
    known: Mapping[str, str],
    config: Path = CONFIG,
) -> Outcome:
    """Have schemathesis examine what answers at an address by a contract.

    Args:
        url: The address.
        folder: For the contract and the report.
        text: The contract.
        *arguments: Further ones of `schemathesis run`.
        known: Values that its configuration names.
        config: Its configuration.
    """
    contract, report = folder / "openapi.yaml", folder / "report.json"
    contract.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(contract)]
    command += ["--url", url, "--report", "json", "--report-json-path", str(report), *arguments]
    # Its output must be readable whatever the terminal of whoever runs the tests.
    terminal = {"PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    finished = subprocess.run(  # noqa: S603 - our own command
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=folder,
        env={**os.environ, **terminal, **known},
    )
    output = finished.stdout + finished.stderr
    assert report.is_file(), output
    return Outcome(finished.returncode, json.loads(report.read_text(encoding="utf-8")), output)


def with_examples_of(stage: Stage, text: str) -> str:
    """The contract, with what is really there in place of the made-up values of its examples."""
    for made_up, real in (
        (f"mem_{'0' * 48}", stage.app.api_key),
        (f"mk_{'0' * 48}", stage.user.memory_key),
        (f"mem_{'0' * 24}", stage.blob_id),
        (f"tag_{'0' * 24}", stage.tag_id),
        (f"c{'0' * 24}", stage.request_id),
        ("00000000-0000-4000-8000-000000000000", stage.user.id),
        ("client_0000", stage.app.client_id),
        ("http://localhost:3000/callback", stage.redirect_uri),
        ("0" * 43, stage.code()),
    ):
        assert made_up in text, f"the contract has no example {made_up}"
        text = text.replace(made_up, real)
    return text


def narrowed(stage: Stage) -> dict[str, Any]:
    """The contract for the one user and the one cursor that are there.

    Requests by it get far, where those by the whole contract mostly name somebody else and meet 403.
    """
    document = read_document()
    paths = document["paths"]
    for path, method in (
        ("/api/v1/memory-blobs", "post"),
        ("/api/v1/memory-blobs/{blobId}", "patch"),
        ("/api/v1/access-requests", "post"),
    ):
        members = paths[path][method]["requestBody"]["content"]["application/json"]["schema"]["properties"]
        for name, known in (("user_id", stage.user.id), ("memoryKey", stage.user.memory_key)):
            if name in members:
                members[name] = {"const": known}
    document["components"]["parameters"]["UserId"]["schema"] = {"const": stage.user.id}
    for parameter in paths["/api/v1/memory-blobs"]["get"]["parameters"]:
        if parameter.get("name") == "cursor":
            parameter["schema"] = {"const": stage.cursor}
    return document
