"""What a wheel must hold, compared with the source tree.

python tests/wheel/contents.py WHEEL ROOT    says what is missing or too much; 1 if anything is
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Final

PACKAGES: Final = ("memoram_async", "memoram_local", "memoram_sync")


def faults(wheel: Path, root: Path) -> list[str]:
    """How a wheel differs from the packages in the tree; empty if it does not."""
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if not name.partition("/")[0].endswith(".dist-info")}
    present = {
        path.relative_to(root).as_posix()
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    needed = present | {f"{package}/py.typed" for package in PACKAGES}
    return sorted(
        [f"missing in the wheel: {name}" for name in needed - packed]
        + [f"too much in the wheel: {name}" for name in packed - needed]
    )


def main() -> int:
    """Print what is wrong."""
    found = faults(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join(found) or "the wheel holds every file of its packages")  # noqa: T201 - a script
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
