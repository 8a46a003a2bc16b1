"""What the demo prints: plain lines, and a progress bar where somebody is watching."""

from __future__ import annotations

import contextlib
import shutil
import sys
import unicodedata
from typing import TYPE_CHECKING, Final

from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_LABEL_COLUMNS: Final = 20
_TEXT_COLUMNS: Final = 58
_WIDEST_BAR: Final = 100
_ELLIPSIS: Final = "..."
# Zero-width joiners, without which emoji and several scripts fall apart. Other invisible characters are
# shown as escapes: some of them turn a whole line around.
_JOINERS: Final = "\u200c\u200d"
_WIDE: Final = "WF"


def speak_any_script() -> None:
    """Write what the standard output's encoding cannot show as escapes, rather than failing."""
    reconfigure: Callable[..., None] | None = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def say(text: str = "") -> None:
    """Print a line at once, so that whoever reads a pipe sees it when it happens."""
    print(text, flush=True)


def say_step(number: int, label: str, text: str) -> None:
    """Print a line for one of the quickstart's steps."""
    say(f"  {number}  {label:<{_LABEL_COLUMNS}}{text}")


def say_item(label: str, text: str) -> None:
    """Print a line for something else."""
    say(f"     {label:<{_LABEL_COLUMNS}}{text}")


@contextlib.contextmanager
def progress(doing: str, total: int) -> Generator[Callable[[], object]]:
    """A progress bar on the standard error, if that is a terminal; yields what to call for each one done."""
    # Without a console there may be no standard error at all.
    disable = None if hasattr(sys.stderr, "isatty") else True
    # Some terminals do not know their size and say 0, for which tqdm would show nothing.
    size = shutil.get_terminal_size()
    with tqdm(
        total=total,
        desc=f"  {doing}",
        unit=" memories",
        leave=False,
        file=sys.stderr,
        disable=disable,
        ncols=min(size.columns, _WIDEST_BAR),
        nrows=size.lines,
    ) as bar:
        yield bar.update


def shown(text: str, *, columns: int = _TEXT_COLUMNS) -> str:
    """A text on one line of a terminal: cut to a width, and without anything that the terminal would obey."""
    pieces: list[tuple[str, int]] = []
    used = 0
    for character in text:
        piece = _visible(character)
        pieces.append((piece, _columns(piece)))
        used += pieces[-1][1]
        if used > columns:
            break
    if used <= columns:
        return "".join(piece for piece, _ in pieces)
    while pieces and used > columns - len(_ELLIPSIS):
        used -= pieces.pop()[1]
    return "".join(piece for piece, _ in pieces) + _ELLIPSIS


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many}"


def _visible(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return character.encode("unicode_escape").decode("ascii")


def _columns(piece: str) -> int:
    return sum(
        0
        if unicodedata.category(character) in {"Mn", "Me", "Cf"}
        else 2
        if unicodedata.east_asian_width(character) in _WIDE
        else 1
        for character in piece
    )
