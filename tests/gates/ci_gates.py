"""Each gate of CI fails when what it guards against is there.

Every test plants a violation in a copy of the tree and runs the very session of the noxfile, without
installing anything. The file's name keeps it out of the ordinary suite: `nox -s gates` runs it, where all
tools are at hand.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.wheel.contents import faults
from tests.wheel.test_contents import build

ROOT: Final = Path(__file__).resolve().parents[2]
LEFT_OUT: Final = (
    ".git",
    ".nox",
    ".venv",
    ".ci",
    "__pycache__",
    ".pytest_cache",
    ".ruff_cache",
    ".coverage*",
)
DEADLINES: Final = "memoram_async.core.deadline"
THREAD_THAT_STAYS: Final = """
    import threading

    threading.Thread(target=threading.Event().wait, args=(1,), name="memoram-planted").start()
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the tree, to be spoilt."""
    return shutil.copytree(ROOT, tmp_path / "tree", ignore=shutil.ignore_patterns(*LEFT_OUT))


def session(tree: Path, name: str) -> tuple[bool, str]:
    """Whether a session of the noxfile went well there, and all that it printed."""
    done = subprocess.run(  # noqa: S603 - our own words
        (sys.executable, "-m", "nox", "--no-venv", "--no-install", "--error-on-external-run", "-s", name),
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=tree,
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith(("COV_", "PYTEST_"))},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(tree),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    return done.returncode == 0, done.stdout + done.stderr


def append(path: Path, text: str) -> None:
    """Plant something at the end of a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def only_test(tree: Path, name: str, text: str) -> None:
    """Let this be the whole suite."""
    for path in (tree / "tests").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    (tree / "tests/core").mkdir()
    (tree / "tests/core" / name).write_text(text, "utf-8")


def test_the_copy_itself_passes(tree: Path) -> None:
    for name in ("lint", "sync-check"):
        passed, output = session(tree, name)
        assert passed, output


def test_lint_sees_a_violation(tree: Path) -> None:
    append(tree / "memoram_async/core/deadline.py", "\n\ndef shout() -> None:\n    print('planted')\n")
    passed, output = session(tree, "lint")
    assert not passed
    assert "T201" in output
    assert "memoram_async/core/deadline.py" in output


def test_lint_sees_another_format(tree: Path) -> None:
    append(tree / "memoram_async/core/deadline.py", "\nPLANTED  =  1\n")
    passed, output = session(tree, "lint")
    assert not passed
    assert "would be reformatted" in output
    assert "--> memoram_async/core/deadline.py" in output


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("memoram_sync/client.py", "\nPLANTED = 1\n", "stale: memoram_sync/client.py"),
        ("memoram_sync/planted.py", "PLANTED = 1\n", "orphan: memoram_sync/planted.py"),
        (
            "memoram_async/resources/tags.py",
            '\n    async def planted(self) -> None:\n        """Planted."""\n',
            "stale: memoram_sync/resources/tags.py",
        ),
    ],
)
def test_sync_check_sees_a_mirror_that_does_not_match(tree: Path, path: str, text: str, said: str) -> None:
    append(tree / path, text)
    passed, output = session(tree, "sync-check")
    assert not passed
    assert said in output


def plant_type_errors(tree: Path) -> None:
    append(tree / "memoram_async/core/deadline.py", '\nPLANTED: int = "text"\n')
    append(tree / "tests/typing/mistakes.py", "\nPLANTED: int = 1  # type: ignore[assignment]\n")
    append(tree / "tests/typing/sync_usage.py", "\nassert_type(Memoram.close, int)\n")


@pytest.mark.parametrize(
    ("checker", "said"),
    [
        (
            "mypy",
            {
                "deadline.py": "[assignment]",
                "mistakes.py": "[unused-ignore]",
                "sync_usage.py": "[assert-type]",
            },
        ),
        (
            "pyright",
            {
                "deadline.py": "reportAssignmentType",
                "mistakes.py": "reportUnnecessaryTypeIgnoreComment",
                "sync_usage.py": "reportAssertTypeFailure",
            },
        ),
    ],
)
def test_typing_sees_errors_and_comments_without_need(tree: Path, checker: str, said: dict[str, str]) -> None:
    plant_type_errors(tree)
    noxfile = (tree / "noxfile.py").read_text("utf-8")
    other = {"mypy": 'session.run("pyright")', "pyright": 'session.run("mypy")'}[checker]
    assert other in noxfile
    (tree / "noxfile.py").write_text(noxfile.replace(other, "pass"), "utf-8")
    passed, output = session(tree, "typing")
    assert not passed
    for name, code in said.items():
        assert name in output
        assert code in output


@pytest.mark.parametrize("tested", [True, False])
def test_the_coverage_gate_sees_an_untested_branch(tree: Path, *, tested: bool) -> None:
    append(
        tree / "memoram_async/core/deadline.py",
        '\n\ndef branch(seconds: float) -> str:\n    """Planted."""\n    if seconds:\n        return "some"\n'
        '    return "none"\n',
    )
    tests = (ROOT / "tests/core/test_deadline.py").read_text("utf-8")
    calls = "branch(1), branch(0)" if tested else "branch(1)"
    plant = (
        f"\n\ndef test_planted() -> None:\n    from {DEADLINES} import branch\n\n    assert all([{calls}])\n"
    )
    only_test(tree, "test_deadline.py", tests + plant)
    # The floors are narrowed to the one file whose tests are left.
    noxfile = (tree / "noxfile.py").read_text("utf-8")
    narrowed = re.sub("(?m)^PURE_FLOORS = .*$", 'PURE_FLOORS = "memoram_async/core/deadline.py"', noxfile)
    assert narrowed != noxfile
    (tree / "noxfile.py").write_text(narrowed, "utf-8")
    passed, output = session(tree, "tests")
    assert passed is tested, output
    listed = re.search(r"^memoram_async/core/deadline\.py .*%", output, re.MULTILINE)
    assert (listed is None) is tested


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ("    assert False\n", "test_planted"),
        ("    import warnings\n\n    warnings.warn('planted', stacklevel=1)\n", "UserWarning: planted"),
        (THREAD_THAT_STAYS, "these threads still run: memoram-planted"),
    ],
    ids=["failure", "warning", "thread"],
)
def test_the_tests_see_a_failure_a_warning_and_a_thread_that_stays(
    tree: Path, planted: str, said: str
) -> None:
    only_test(tree, "test_planted.py", f"def test_planted() -> None:\n{planted}")
    passed, output = session(tree, "tests")
    assert not passed
    assert said in output


@pytest.mark.parametrize("lost", ["memoram_sync/py.typed", "memoram_local/demo/sample.jsonl"])
def test_the_wheel_check_sees_a_file_that_was_left_out(tree: Path, tmp_path: Path, lost: str) -> None:
    settings = (tree / "pyproject.toml").read_text("utf-8")
    header = "[tool.hatch.build.targets.wheel]\n"
    assert header in settings
    (tree / "pyproject.toml").write_text(settings.replace(header, f'{header}exclude = ["{lost}"]\n'), "utf-8")
    assert faults(build(tree, "wheel", tmp_path / "wheel"), tree) == [f"missing in the wheel: {lost}"]


def test_the_wheel_check_sees_a_package_without_types(tree: Path, tmp_path: Path) -> None:
    (tree / "memoram_async/py.typed").unlink()
    wheel = build(tree, "wheel", tmp_path / "wheel")
    assert faults(wheel, tree) == ["missing in the wheel: memoram_async/py.typed"]


def test_the_rules_of_the_house_have_gates_of_their_own() -> None:
    present = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    assert present >= {"test_house_rules.py", "test_import_effects.py", "test_imports.py", "test_seam.py"}
