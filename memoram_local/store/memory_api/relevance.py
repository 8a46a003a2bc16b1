"""How well memories match a question: BM25 over the index of words, as a number from 0 to 1.

SQLite's own `bm25()` weighs words by all rows of the index, so what one organization stores would shift the
scores of another, and it gives a word that half of the rows have next to no weight, which leaves nothing of
a store with two memories. So FTS5 finds the words, and the weights are those of Lucene, which are never
negative, counted within the space that is asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, text

from memoram_local.behaviour import behaviour
from memoram_local.store.memory_api.memories import WORD
from memoram_local.store.memory_api.tables import memories

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from memoram_local.store.memory_api.memories import Space

MOST_WORDS: Final = 64
"""So many different words of a question are looked for."""

# Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), 3.4: usual values.
_SATURATION: Final = 1.2
_LENGTH: Final = 0.75

# Each time that a word is found, highlight() adds one character.
_FOUND: Final = text(
    "SELECT m.number, m.words, "
    "length(highlight(memory_api_words, 0, char(1), '')) - length(memory_api_words.text) AS times "
    "FROM memory_api_words JOIN memory_api_memories AS m ON m.number = memory_api_words.rowid "
    "WHERE memory_api_words MATCH :word AND m.org_id = :org_id AND m.environment = :environment"
)


@dataclass(frozen=True, slots=True)
class Match:
    """A memory that has something to do with a question.

    Attributes:
        id: The memory.
        text: The memory itself.
        metadata: JSON, as it is stored.
        score: From 0 to 1.
        words: Those words of the question that it has, in the question's order.
    """

    id: str
    text: str
    metadata: str | None
    score: float
    words: tuple[str, ...]


def words_of(question: str) -> list[str]:
    """The different words of a text, in its order."""
    return list(dict.fromkeys(word.casefold() for word in WORD.findall(question)))[:MOST_WORDS]


@behaviour(
    "query.relevance",
    "invented",
    "Relevance is BM25 over the words of the question that any memory has, from 0 to 1: 1 for a memory of "
    "average length that has each of them once. English words match in all their forms, and case and accents "
    "do not matter.",
)
def search(
    connection: Connection, space: Space, *, question: str, most: int, threshold: float
) -> tuple[list[Match], int]:
    """The memories of a space that match a question best, and how many there were to search.

    Args:
        connection: In a unit of work.
        space: Whose memories.
        question: Words, in any order.
        most: The most memories to find.
        threshold: The least score.
    """
    total, average = connection.execute(
        select(func.count(), func.avg(memories.c.words)).where(
            memories.c.org_id == space[0], memories.c.environment == space[1]
        )
    ).one()
    if not total:
        return [], 0
    found = {word: _found(connection, space, word) for word in words_of(question)}
    ranked = scores({word: rows for word, rows in found.items() if rows}, total=total, average=float(average))
    best = [(number, score) for number, score in ranked if score >= threshold][:most]
    rows = _rows(connection, [number for number, _ in best])
    return [
        Match(
            rows[number].id,
            rows[number].text,
            rows[number].metadata,
            score,
            tuple(word for word, hits in found.items() if number in hits),
        )
        for number, score in best
    ], total


def scores(
    found: Mapping[str, Mapping[int, tuple[int, int]]], *, total: int, average: float
) -> list[tuple[int, float]]:
    """Memories by number with their scores, the best first; among equals the newest.

    Args:
        found: For each word that any memory has, in which memories, of how many words, and how many times.
        total: How many memories there are.
        average: How many words they have on average.
    """
    weights = {
        word: math.log(1 + (total - len(hits) + 0.5) / (len(hits) + 0.5)) for word, hits in found.items()
    }
    whole = sum(weights.values())
    sums: dict[int, float] = {}
    for word, hits in found.items():
        for number, (length, times) in hits.items():
            damped = times + _SATURATION * (1 - _LENGTH + _LENGTH * length / average)
            part = weights[word] * times * (_SATURATION + 1) / damped
            sums[number] = sums.get(number, 0.0) + part
    rated = [(number, round(min(1.0, score / whole), 4)) for number, score in sums.items()]
    return sorted(rated, key=lambda each: (-each[1], -each[0]))


def _found(connection: Connection, space: Space, word: str) -> dict[int, tuple[int, int]]:
    parameters = {"word": f'"{word}"', "org_id": space[0], "environment": space[1]}
    rows = connection.execute(_FOUND, parameters)
    return {number: (length, max(1, times)) for number, length, times in rows}


def _rows(connection: Connection, numbers: Sequence[int]) -> dict[int, Any]:
    wanted = select(memories.c.number, memories.c.id, memories.c.text, memories.c.metadata).where(
        memories.c.number.in_(numbers)
    )
    return {row.number: row for row in connection.execute(wanted)}
