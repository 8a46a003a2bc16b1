"""The wheel holds every file of its packages, built from the tree or from the source distribution."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Final

from tests.wheel.contents import faults

ROOT: Final = Path(__file__).resolve().parents[2]


def build(root: Path, kind: str, out: Path) -> Path:
    """Build with the backend that is installed, without an environment of its own."""
    command = (sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out))
    subprocess.run(command, check=True, capture_output=True, cwd=root)  # noqa: S603 - our own words
    (built,) = out.iterdir()
    return built


def contents(wheel: Path) -> dict[str, int]:
    """The files in a wheel and their checksums."""
    with zipfile.ZipFile(wheel) as archive:
        return {each.filename: each.CRC for each in archive.infolist()}


def test_the_wheel_of_the_tree_and_that_of_the_source_distribution(tmp_path: Path) -> None:
    wheel = build(ROOT, "wheel", tmp_path / "wheel")
    assert faults(wheel, ROOT) == []
    with tarfile.open(build(ROOT, "sdist", tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert contents(build(unpacked, "wheel", tmp_path / "again")) == contents(wheel)
