"""`python -m memoram_local`."""

from __future__ import annotations

import contextlib
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


_INTERRUPTED: Final = 130  # as shells report a process that Ctrl-C ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, or say in one line which extra it needs; answers the exit status."""
    try:
        return _main(argv)
    except KeyboardInterrupt:  # while the libraries load: nothing has begun
        return _INTERRUPTED
    finally:
        _let_go_of_output()


def _main(argv: Sequence[str] | None) -> int:
    try:
        cli = import_module("memoram_local.cli")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("memoram_"):
            raise
        message = f"{error.name} is missing: pip install 'memoram[local]' brings it"
        print(f"memoram-local: {message}", file=sys.stderr)  # noqa: T201 - the command line speaks
        return 1
    status: int = cli.main(argv)
    return status


def _let_go_of_output() -> None:
    """Write what is left to be written; where nobody reads it any more, leave without a complaint."""
    for stream in (sys.stdout, sys.stderr):
        # There is none where it was closed before the start.
        if stream is None:  # pyright: ignore[reportUnnecessaryComparison]
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            # The interpreter would try once more as it ends, and complain.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
