"""Sentences: picked for an answer, or out of a text. Nothing is understood, and nothing is made up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from memoram_local.store.memory_api.relevance import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MODEL: Final = "local-extractive"
"""What answers and extractions call themselves."""

NOTHING: Final = "No memory says anything about that."

_MOST_SENTENCES: Final = 3
_FEWEST_WORDS: Final = 3
# After a full stop and the like, those of Chinese and Japanese included, or at the end of a line.
_END: Final = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])[\"')\]]*\s+|\s*\n+\s*")
_SPEAKER: Final = re.compile(r"^\s*(?:[-*•]\s+|\[[^\]]{1,40}\]\s*)?(?:(?P<who>[A-Za-z][\w .'-]{0,30}):\s+)?")
_NOT_A_PERSON: Final = frozenset({"assistant", "ai", "bot", "system", "agent"})


def sentences(text: str) -> list[str]:
    """The sentences of a text, in its order."""
    return [stripped for part in _END.split(text) if (stripped := part.strip())]


def answer(question: str, memories: Sequence[str]) -> tuple[str, int]:
    """The sentences that share most words with a question, and from how many memories they are.

    Args:
        question: The question.
        memories: The best match first.
    """
    asked = set(words_of(question))
    rated = [
        (-len(_stems(asked) & _stems(words_of(sentence))), rank, place, sentence)
        for rank, memory in enumerate(memories)
        for place, sentence in enumerate(sentences(memory))
    ]
    best = sorted(rated)[:_MOST_SENTENCES]
    # A sentence that shares nothing is worth saying only where none shares anything.
    shown = [each for each in best if each[0]] or best[:1]
    if not shown:
        return NOTHING, 0
    in_order = sorted(shown, key=lambda each: each[1:3])
    return " ".join(each[3] for each in in_order), len({each[1] for each in in_order})


def extracted(content: str, *, content_type: str) -> list[str]:
    """The sentences of a text that are worth remembering: statements of a few words, each once.

    Args:
        content: The text.
        content_type: In a `conversation`, what a machine says is left out, and so are speakers' names.
    """
    found: list[str] = []
    is_person = True
    for sentence in sentences(content):
        said = sentence
        if content_type == "conversation":
            speaker = _SPEAKER.match(sentence)
            if speaker is not None:
                said = sentence[speaker.end() :]
                who = speaker["who"]
                is_person = is_person if who is None else who.strip().lower() not in _NOT_A_PERSON
        if is_person and not said.endswith(("?", "\uff1f")) and len(words_of(said)) >= _FEWEST_WORDS:
            found.append(said)
    return list(dict.fromkeys(found))


def _stems(words: Iterable[str]) -> set[str]:
    # The index has stemmed what it found; here the beginnings of words are enough.
    return {word[:4] for word in words if len(word) > _FEWEST_WORDS}
