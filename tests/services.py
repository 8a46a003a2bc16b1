"""Tests that need a program from outside Python's packages.

Such a test is marked `@pytest.mark.service("redis-server")`, or with a folder of the tree that something
else fills, such as `"tests/outside/oauth4webapi/node_modules"`, or with `"postgresql"`, which Debian keeps
off the path. Where one of the programs is missing, it is deselected and the end of the run says so; where
`CI=true`, it runs and fails, so that CI cannot lose it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT: Final = Path(__file__).resolve().parents[1]
MISSING: Final = pytest.StashKey[set[str]]()
_KEY: Final = "missing_programs"


def missing_programs(needed: Iterable[str]) -> set[str]:
    """Those of the programs that are not on the path, and of the folders that are not in the tree."""
    return {name for name in needed if not _is_here(name)}


def _is_here(name: str) -> bool:
    if name == "postgresql":
        return postgresql_program("initdb") is not None
    return (ROOT / name).is_dir() if "/" in name else shutil.which(name) is not None


def postgresql_program(name: str) -> str | None:
    """The path of one of PostgreSQL's programs, also where Debian keeps them; of several the newest."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, folders)]))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests whose programs are missing."""
    missing = config.stash.setdefault(MISSING, set())
    if os.environ.get("CI") == "true":
        return
    without: list[pytest.Item] = []
    for item in items:
        lacking = missing_programs(program for mark in item.iter_markers("service") for program in mark.args)
        missing |= lacking
        if lacking:
            without.append(item)
    if without:
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist tells what it missed."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        missing = session.config.stash.setdefault(MISSING, set())
        output[_KEY] = sorted(missing)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """The controller of xdist hears it."""
    told: Iterable[str] = getattr(node, "workeroutput", {}).get(_KEY, ())
    node.config.stash.setdefault(MISSING, set()).update(told)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which programs were missing."""
    missing = config.stash.setdefault(MISSING, set())
    if missing:
        terminalreporter.write_line(
            f"deselected the service tests that need {', '.join(sorted(missing))}: not installed here"
        )
