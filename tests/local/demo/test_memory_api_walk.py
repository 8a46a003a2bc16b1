"""The demo of the second service."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from memoram_local.demo import memory_api_walk

if TYPE_CHECKING:
    import pytest


def test_the_walk_through_memory_api_ends_well() -> None:
    command = [sys.executable, "-m", "memoram_local", "demo", "--service", "memory-api"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own

    assert done.returncode == 0, done.stdout + done.stderr
    assert "ALL AS IT SHOULD BE, through 2 SDKs" in done.stdout
    for step in ("Signed up", "One more key", "Refused", "Memories", "Question", "Answer", "Rotated"):
        assert done.stdout.count(step) == 2
    assert done.stderr == ""


def test_what_differs_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(memory_api_walk, "_TEXTS", ("Nothing of that", "kind is", "known here"))

    assert memory_api_walk.run() == 1
    assert "PROBLEM  memoram_async: the question did not find its memory first" in capsys.readouterr().out
