"""A client goes on working on both sides of a fork."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import pytest

if TYPE_CHECKING:
    from tests.sync.conftest import Platform
    from tests.sync.scenes import Facts

ROOT: Final = Path(__file__).resolve().parents[2]


def run(scenario: str, facts: Facts, codes: list[str]) -> None:
    """Play a scenario of forking.py in a process of its own, where every warning is an error."""
    done = subprocess.run(  # noqa: S603 - our own words
        (
            sys.executable,
            *("-W", "error"),
            # Python 3.12 warns of every fork while threads run, which is what is tried here.
            *("-W", "ignore:This process:DeprecationWarning"),
            *("-m", "tests.sync.forking", scenario),
        ),
        input=json.dumps({"facts": attrs.asdict(facts), "codes": codes}),
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=ROOT,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stderr


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def test_every_method_works_in_a_child_and_in_its_parent_at_once(platform: Platform, facts: Facts) -> None:
    run("warm", facts, platform.codes(facts, 20))


def test_parent_and_child_share_the_token(platform: Platform, facts: Facts) -> None:
    before = platform.counter.exchanges
    run("closed", facts, [])
    assert platform.counter.exchanges == before + 1


def test_a_child_of_a_busy_process_does_not_hang(facts: Facts) -> None:
    run("busy", facts, [])


def test_a_child_does_not_hang_when_its_parent_was_just_beginning(facts: Facts) -> None:
    run("cold", facts, [])
