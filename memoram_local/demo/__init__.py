"""The demo: the SDK and the platform at work together, over real HTTP.

It is the one part of `memoram_local` that uses the SDK, and nothing is imported before it runs.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator

__all__ = ["main"]

_FAILED = 1
_UNUSABLE = 2
_INTERRUPTED = 130  # as shells report a process that Ctrl-C ended


def main(arguments: argparse.Namespace) -> int:
    """Run the demo.

    Args:
        arguments: `service`, `memories`, a file's path or None, and `interactive`.

    Returns:
        The exit status: 0 when every memory came back as it is in the file, 1 when something differed or
        failed, 2 when the demo cannot begin, 130 after Ctrl-C.
    """
    try:
        with _interruptible():
            return _run(arguments)
    except KeyboardInterrupt:
        print("\nmemoram-local demo: stopped", file=sys.stderr, flush=True)
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read the lines has gone, as `head` does. The interpreter must not try to flush once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED


@contextlib.contextmanager
def _interruptible() -> Generator[None]:
    """Let Ctrl-C through, even where a shell started this in the background and so had it ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _run(arguments: argparse.Namespace) -> int:
    try:
        if arguments.service == "memory-api":
            walk = importlib.import_module("memoram_local.demo.memory_api_walk")
            outcome: int = walk.run()
            return outcome
        demo = importlib.import_module("memoram_local.demo.run")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("memoram_"):
            raise
        message = f"{error.name} is missing: pip install 'memoram[local]' brings it"
        print(f"memoram-local demo: {message}", file=sys.stderr, flush=True)
        return _UNUSABLE
    status: int = demo.run(arguments)
    return status
