"""Which texts answer a question best, by the words that they share (BM25)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from heapq import nlargest
from typing import Final

_SATURATION: Final = 1.2
"""BM25's k1: how soon a word that is repeated stops to count for more."""

_LENGTH_COUNTS: Final = 0.75
"""BM25's b: how much less a word counts in a long text."""

_FEW: Final = 100
"""Up to so many texts, words count however common they are."""


class Ranking:
    """An index from words to numbered texts.

    Threads may search while another one adds: each step on what is shared is one operation of a dictionary,
    and a number that was taken out is skipped wherever it still stands. Numbers are never used again; when
    many are gone, make a new index.
    """

    __slots__ = ("_lengths", "_places", "_total")

    def __init__(self) -> None:
        self._places: dict[str, dict[int, int]] = {}
        self._lengths: dict[int, int] = {}
        self._total = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def add(self, number: int, words: Iterable[str]) -> None:
        """Add a text by its words, under a number that was not used before."""
        length = 0
        places = self._places
        for word in words:
            length += 1
            found = places.get(word)
            if found is None:
                places[word] = {number: 1}
            else:
                found[number] = found.get(number, 0) + 1
        self._total += length
        self._lengths[number] = length  # last: until then, searches pass it over

    def remove(self, number: int) -> None:
        """Take a text out; one that is not there is none."""
        self._total -= self._lengths.pop(number, 0)

    def best(self, words: Iterable[str], *, limit: int, closeness: float = 0.0) -> list[tuple[int, float]]:
        """The texts that share most with a question, best first, with their scores.

        Args:
            words: The question's words.
            limit: How many texts are wanted.
            closeness: Texts whose score is that close to the last one's come as well, beyond the limit: a
                part of the best score. Whoever has a reason to prefer one of them can.
        """
        scores = self._scores(dict.fromkeys(words))
        if not scores:
            return []
        top = nlargest(limit, scores.values())
        least = top[-1] - closeness * top[0]
        found = [(number, score) for number, score in scores.items() if score >= least]
        found.sort(key=lambda each: -each[1])
        return found

    def _scores(self, words: Iterable[str]) -> dict[int, float]:
        lengths = self._lengths
        count = len(lengths)
        found = [places for word in words if (places := self._places.get(word))]
        if count > _FEW:
            # What stands in most texts tells none of them from the others, and takes longest to add up.
            rare = [places for places in found if 2 * len(places) <= count]
            found = rare or found
        scores: dict[int, float] = {}
        constant = _SATURATION * (1 - _LENGTH_COUNTS)
        slope = _SATURATION * _LENGTH_COUNTS * count / max(self._total, 1)
        for places in found:
            weight = math.log(1 + (count + 0.5) / (len(places) + 0.5)) * (_SATURATION + 1)
            for number, times in list(places.items()):
                length = lengths.get(number)
                if length is not None:
                    score = weight * times / (times + constant + slope * length)
                    scores[number] = scores.get(number, 0.0) + score
        return scores
