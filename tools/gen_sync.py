"""Writes memoram_sync, the blocking mirror of memoram_async.

The mirror delegates: each of its classes holds the async object, built over the blocking runtime, and
each method has the async one's signature and docstring around one call. Only `runtime/` and
`py.typed` are written by hand. Beside each package that exports names, in both, it writes a module
`_homes.py`: where each name is defined, so that it can be loaded when it is first asked for.

    python tools/gen_sync.py            write the mirror
    python tools/gen_sync.py --check    say what is stale, missing or too much; touches nothing
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a script's own folder is on the path, and its package's is not

from tools.mirror.modules import HEADER, HOMES, homes, mirror_exports, mirror_module  # noqa: E402
from tools.mirror.names import ASYNC_PACKAGE, SYNC_PACKAGE, Names, sync_place  # noqa: E402
from tools.mirror.refusal import Refusal  # noqa: E402
from tools.mirror.source import Source, read  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

SOURCES: Final = (
    "__init__.py",
    "client.py",
    "memory_store.py",
    "grants/__init__.py",
    "grants/connections.py",
    "transport/__init__.py",
    "transport/pager.py",
    "resources/*.py",
    "memory_api/__init__.py",
    "memory_api/client.py",
    "memory_api/resources/*.py",
)
WRITTEN_BY_HAND: Final = ("runtime/", "py.typed")
"""What lies in the mirror's package and is not mirrored: paths, or how they begin."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the mirror or check it; 1 if it is stale, 2 if the source cannot be mirrored."""
    parser = argparse.ArgumentParser(description="Write memoram_sync from memoram_async.")
    parser.add_argument("--check", action="store_true", help="compare, and touch nothing")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder that holds both packages")
    options = parser.parse_args(arguments)
    try:
        mirror = generate(options.root)
    except Refusal as refusal:
        print(f"cannot mirror {refusal}", file=sys.stderr)
        return 2
    if not options.check:
        write(options.root, mirror)
    faults = compare(options.root, mirror)
    print("\n".join(faults) or f"{SYNC_PACKAGE} is up to date", file=sys.stderr if faults else sys.stdout)
    return 1 if faults else 0


def generate(root: Path) -> dict[str, str]:
    """The text of every generated file, by its path below the root.

    Raises:
        Refusal: The async sources hold something that the mirror has no form for.
    """
    sources = {path: read(_module(path), (root / path).read_text("utf-8")) for path in _source_paths(root)}
    names = Names({kind.name.value: each.name for each in sources.values() for kind in each.classes})
    texts = {sync_place(path): _mirror(path, each, names) for path, each in sources.items()}
    return formatted(texts | dict(_homes(sources, names)))


def _homes(sources: Mapping[str, Source], names: Names) -> Iterator[tuple[str, str]]:
    """The modules that say where the names of each package are defined, in both packages."""
    for path, source in sources.items():
        for mirrored in (False, True) if path.endswith("__init__.py") else ():
            text = homes(source, names, path=path, mirrored=mirrored)
            if text is not None:
                place = path.replace("__init__", HOMES)
                yield sync_place(place) if mirrored else place, text


def _source_paths(root: Path) -> list[str]:
    package = root / ASYNC_PACKAGE
    found = sorted(path for pattern in SOURCES for path in package.glob(pattern))
    return [path.relative_to(root).as_posix() for path in found]


def _module(path: str) -> str:
    """The dotted name of the module in a file."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _mirror(path: str, source: Source, names: Names) -> str:
    mirror = mirror_exports if path.endswith("/__init__.py") else mirror_module
    return mirror(source, names, path=path)


def formatted(texts: Mapping[str, str]) -> dict[str, str]:
    """The files as the project's ruff writes them: imports in order, then everything in form.

    They are laid out below a folder of their own, because starting ruff costs more than what it does.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = {path: Path(folder, path) for path in sorted(texts)}
        for path, file in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(texts[path].encode())
        _ruff("check", "--select", "I", "--fix-only", among=Path(folder), paths=files)
        _ruff("format", among=Path(folder), paths=files)
        return {path: file.read_bytes().decode() for path, file in files.items()}


def _ruff(*command: str, among: Path, paths: Iterable[str]) -> None:
    """The interpreter's own ruff, which the development dependencies pin."""
    settings = ("--no-cache", "--config", str(ROOT / "pyproject.toml"))
    done = subprocess.run(  # noqa: S603 - our own words
        (sys.executable, "-m", "ruff", *command, *settings, *paths),
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=among,
    )
    if done.returncode:
        raise Refusal(f"what ruff cannot write: {done.stderr.strip()}")


def compare(root: Path, mirror: dict[str, str]) -> list[str]:
    """What differs between the tree and what it should be, one line a file."""
    present = _present(root)
    return sorted(
        [f"missing: {path}" for path in mirror.keys() - present]
        + [f"orphan: {path}" for path in present - mirror.keys()]
        + [
            f"stale: {path}"
            for path in mirror.keys() & present
            if (root / path).read_bytes() != mirror[path].encode()
        ]
    )


def _present(root: Path) -> set[str]:
    """The files of both packages that nobody wrote by hand, except Python's own byte code."""
    package = root / SYNC_PACKAGE
    mirrored = {
        path
        for path in package.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not path.relative_to(package).as_posix().startswith(WRITTEN_BY_HAND)
    }
    homes_of_async = set((root / ASYNC_PACKAGE).rglob(f"{HOMES}.py"))
    return {path.relative_to(root).as_posix() for path in mirrored | homes_of_async}


def write(root: Path, mirror: dict[str, str]) -> None:
    """Make the tree what it should be. Files without a source are deleted if they were generated."""
    for path in sorted(_present(root) - mirror.keys()):
        if (root / path).read_bytes().startswith(HEADER.encode()):
            (root / path).unlink()
            print(f"deleted {path}")
    for path, text in mirror.items():
        target = root / path
        if not target.exists() or target.read_bytes() != text.encode():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())
            print(f"wrote {path}")


if __name__ == "__main__":
    sys.exit(main())
