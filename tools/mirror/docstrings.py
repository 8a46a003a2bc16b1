"""Docstrings, told anew for readers who never await anything.

What can be said mechanically is said by a closed list of phrases, each within one line. Whatever still
speaks of the async world after that is refused: the async docstring must then be put in words that the
list can turn, or the list must grow.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tools.mirror.names import ASYNC_PACKAGE, SYNC_PACKAGE
from tools.mirror.refusal import Refusal

if TYPE_CHECKING:
    from tools.mirror.names import Names

PHRASES: Final = (
    # Prose first: a sentence as a whole must not be taken apart by the rules for code below it.
    ("The async Python SDK", "The blocking Python SDK"),
    ("share it among all tasks", "share it among all threads"),
    (
        "A client belongs to the event loop that it was first used in.",
        "No event loop is needed, and a running one is no hindrance.",
    ),
    (
        "It is kept to exactly.",
        "It is kept to exactly, but for the system's name resolution, which can overrun it.",
    ),
    ("await `", "call `"),
)
CODE: Final = (
    (re.compile(r"\basync (?=(?:with|for)\b)"), ""),
    (re.compile(r"\bawait (?=[a-z_][\w.]*\()"), ""),
    (re.compile(r"\baclose\b"), "close"),
    (re.compile(rf"\b{ASYNC_PACKAGE}\b"), SYNC_PACKAGE),
)
ASYNC_WORDS: Final = re.compile(
    r"\basync\w*|\bawait\w*|\bevent\s+loops?\b|\bcoroutines?\b|\btasks?\b|\bcancel\w*|\banyio\b|\btrio\b"
    r"|\bsuspend\w*|__a(?:enter|exit|iter|next|wait)__",
    re.IGNORECASE,
)
# What a phrase of the list put there itself is right, whatever words it uses.
FINE: Final = re.compile("|".join(re.escape(sync) for _, sync in PHRASES))


def mirror_docstring(text: str, names: Names, *, where: str) -> str:
    """A docstring for the blocking world, quotes and line breaks as they were.

    Raises:
        Refusal: It still speaks of the async world.
    """
    for phrase, sync in PHRASES:
        text = text.replace(phrase, sync)
    for pattern, sync in CODE:
        text = pattern.sub(sync, text)
    text = names.sync_words(text)
    left = ASYNC_WORDS.search(FINE.sub("", text))
    if left is not None:
        raise Refusal(
            f"{where}: the docstring still says {left[0]!r} in the blocking world; reword it, or add the "
            "phrase to tools/mirror/docstrings.py"
        )
    return text
