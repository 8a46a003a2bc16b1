"""Chooses what to search and filter for, so that the server's answers can be foretold from the file alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from memoram_local.demo.memories import FileMemory

_LONGEST_PHRASE: Final = 40
_LONGEST_TAG: Final = 100
_TRIES: Final = 200
_WORD: Final = re.compile(r"\w{2,}")
# What a stored content consists of. The server searches it too, so a short word of these could be found in it
# by chance; a phrase with any other character cannot.
_CIPHERTEXT: Final = re.compile(r"[a-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Probes:
    """What the demo looks for.

    Attributes:
        title_phrase: Stands in a title; None when there is no suitable one.
        content_phrase: Stands in a content, but in no title or summary; None likewise.
        tag: One that a filter can name; None likewise.
    """

    title_phrase: str | None
    content_phrase: str | None
    tag: str | None


def choose(memories: Sequence[FileMemory]) -> Probes:
    """Choose from the memories of a file."""
    readable = "\n".join(_folded(memory.title) + "\n" + _folded(memory.summary) for memory in memories)
    titles = (phrase for memory in memories for phrase in _phrases(memory.title))
    contents = (phrase for memory in memories for phrase in _phrases(memory.content))
    hidden = (phrase for phrase in islice(contents, _TRIES) if _folded(phrase) not in readable)
    tags = (tag for memory in memories for tag in memory.tags if _can_be_filtered_by(tag))
    return Probes(next(titles, None), next(hidden, None), next(tags, None))


def lines_with_phrase(memories: Iterable[FileMemory], phrase: str) -> set[int]:
    """The lines whose title or summary holds a phrase; letter case does not matter."""
    needle = _folded(phrase)
    return {
        memory.line
        for memory in memories
        if needle in _folded(memory.title) or needle in _folded(memory.summary)
    }


def lines_with_tag(memories: Iterable[FileMemory], tag: str) -> set[int]:
    """The lines that bear a tag."""
    return {memory.line for memory in memories if tag in memory.tags}


def _phrases(text: str | None) -> Iterator[str]:
    """Words that cannot occur in ciphertext, or as many words in a row as it takes."""
    words = list(islice(_WORD.finditer(text or ""), _TRIES))
    for first, word in enumerate(words):
        for last in words[first : first + 2]:
            phrase = (text or "")[word.start() : last.end()]
            if (
                phrase.isprintable()
                and len(phrase) <= _LONGEST_PHRASE
                and not _CIPHERTEXT.fullmatch(_folded(phrase))
            ):
                yield phrase
                break


def _can_be_filtered_by(tag: str) -> bool:
    # A filter joins names by commas, and travels in the address of a request.
    return "," not in tag and len(tag) <= _LONGEST_TAG


def _folded(text: str | None) -> str:
    return (text or "").casefold()
