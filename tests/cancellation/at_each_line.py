"""Something that happens at one of our lines: an interrupt, a client that is closed, a clock that jumps."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

import attrs

import memoram_async
import memoram_sync

OURS: Final = tuple(str(Path(path)) for each in (memoram_async, memoram_sync) for path in each.__path__)
LONGEST_WALK: Final = 5000


def interrupt() -> None:
    """What Ctrl-C does."""
    raise KeyboardInterrupt


@attrs.define
class AtLine:
    """Does something at one of the lines that a thread runs.

    The interpreter looks for signals after calls, not between them: neither where a `try` begins nor where a
    `with` statement is visited once more on the way out. Tracing stops there too, so those visits are left
    out.
    """

    left: int
    act: Callable[[], None] = interrupt
    where: str = ""
    _furthest: dict[FrameType, int] = attrs.field(factory=dict[FrameType, int], init=False)

    def __call__(self, frame: FrameType, event: str, argument: object) -> AtLine | None:
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        if event == "line":
            furthest = self._furthest.get(frame, 0)
            self._furthest[frame] = max(furthest, frame.f_lineno)
            line = _line(frame)
            if line != "try:" and not (frame.f_lineno < furthest and line.startswith("with ")):
                self._count(frame)
        return self

    def _count(self, frame: FrameType) -> None:
        self.left -= 1
        if self.left == 0:
            self._furthest.clear()
            self.where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
            self.act()


def _line(frame: FrameType) -> str:
    return linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()


def interrupted(call: Callable[[], object], at: int, act: Callable[[], None] = interrupt) -> str:
    """Run a call that meets something at one of its lines; where that was, or nothing if it ended before."""
    line = AtLine(at, act)
    before = sys.gettrace()
    sys.settrace(line)
    try:
        call()
    except KeyboardInterrupt:
        assert line.where
    finally:
        sys.settrace(before)
    return line.where


def walk(step: Callable[[int], str], *, stride: int = 1) -> int:
    """Interrupt at the first line, the second, and so on; answers how many there are at least."""
    for at in range(1, LONGEST_WALK, stride):
        if not step(at):
            return at - stride
    raise AssertionError("this call never ends")
