"""The SDK and the platform work however Python was started, and out of a zip."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.wheel.test_contents import build

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).resolve().parents[2]
SCRIPT: Final = ROOT / "tests/wheel/round_trip.py"


def round_trip(*options: str, method: str | None = None, path: Path = ROOT) -> Mapping[str, Any]:
    """What the script finds in an interpreter with these options, and nothing on its stderr."""
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, *options, str(SCRIPT), *([method] if method else [])],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT.parent,
        env={
            **{
                name: value for name, value in os.environ.items() if not name.startswith(("COV_", "MEMORAM_"))
            },
            "PYTHONPATH": str(path),
        },
    )
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def works(found: Mapping[str, Any]) -> None:
    """Whether all of it did."""
    assert found["sync"] == ["sync"]
    assert found["async"] == ["sync"]
    assert found["pages"] == {"/signin": 200, "/static/style.css": 200}


@pytest.mark.parametrize("options", [["-OO"], ["-W", "error"], ["-X", "dev", "-W", "error"]], ids=" ".join)
def test_it_works_with_options(options: list[str]) -> None:
    works(round_trip(*options))


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_it_works_in_a_child_process(method: str) -> None:
    works(round_trip("-W", "error", method=method))


def test_it_works_out_of_a_zip(tmp_path: Path) -> None:
    wheel = build(ROOT, "wheel", tmp_path)

    found = round_trip("-W", "error", path=wheel)

    assert found["place"].startswith(str(wheel))
    works(found)
