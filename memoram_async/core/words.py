"""The words of a text, as they are looked for: in one spelling, without endings, in any script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

_ASCII_WORD: Final = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)?")
# Letters and digits, and the marks that belong to the letters before them: Python counts marks as no word
# characters, and would break words of these scripts at each vowel sign.
_MARKS: Final = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f"
    "\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u0900-\u0963\u0966-\u0dff\u0e31"
    "\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u0f71-\u0f84\u0f90-\u0fbc\u102b-\u103e"
    "\u17b4-\u17d3\u3099\u309a"
)
_WORD: Final = re.compile(rf"[^\W_][^\W_{_MARKS}]*(?:[{_MARKS}]+[^\W_]*)*(?:['\u2019][^\W_]+)?")
# Scripts that put no space between words.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0002fa1f]+"
)
_FIRST_IDEOGRAPH: Final = "\u3040"
"""In scripts without spaces: from here on a character may be a word, before it it is a letter or a mark."""

_LATIN_ACCENTS: Final = re.compile("(?<=[a-z])[\u0300-\u036f]+")
_JOINERS: Final = dict.fromkeys(map(ord, "\u00ad\u200c\u200d"))
_VOWELS: Final = frozenset("aeiouy")
_DOUBLES: Final = frozenset({"bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt"})
_SHORTEST_STEMMED: Final = 4
_LONGEST_WITH_OWN_EED: Final = len("speed")
_STEMS_KEPT: Final = 50_000


class Words:
    """Takes texts apart, and remembers the stems of the words that it met."""

    __slots__ = ("_stems",)

    def __init__(self) -> None:
        self._stems: dict[str, str] = {}

    def of(self, text: str) -> list[str]:
        """The stems of a text's words, in their order.

        Case, width and Latin accents make no difference. Text in scripts without spaces between words gives
        its characters and its pairs of neighbours.
        """
        found = _ASCII_WORD.findall(text.lower()) if text.isascii() else _words(_folded(text))
        stems = self._stems
        if len(stems) > _STEMS_KEPT:
            stems.clear()
        return [stems.get(word) or self._stem(word) for word in found]

    def _stem(self, word: str) -> str:
        stem = self._stems[word] = stem_of(word)
        return stem


def _folded(text: str) -> str:
    """The text in one spelling."""
    spelt = unicodedata.normalize("NFKD", text.translate(_JOINERS)).casefold()
    return unicodedata.normalize("NFC", _LATIN_ACCENTS.sub("", spelt))


def _words(text: str) -> Iterator[str]:
    for found in _WORD.finditer(text):
        word = found[0]
        place = 0
        for unspaced in _UNSPACED.finditer(word):
            if unspaced.start() > place:
                yield word[place : unspaced.start()]
            run = unspaced[0]
            if len(run) == 1 or run[0] >= _FIRST_IDEOGRAPH:
                yield from run
            yield from map("".join, pairwise(run))
            place = unspaced.end()
        if place < len(word):
            yield word[place:]


def stem_of(word: str) -> str:
    """A word without the endings that English puts to nouns and verbs (the first step of Porter's stemmer).

    Words of other languages lose the same endings, wherever they stand, which does them little harm.
    """
    word = _without_apostrophe(word)
    if not word.isascii():
        return word
    if len(word) >= _SHORTEST_STEMMED:
        word = _without_verb_ending(_singular(word))
    if word.endswith("y") and len(word) > 2 and word[-2] not in _VOWELS:
        return word[:-1] + "i"
    return word[:-1] if word.endswith("e") and len(word) >= _SHORTEST_STEMMED else word


def _without_apostrophe(word: str) -> str:
    """The longer part: "user" of "user's", "avion" of "l'avion"."""
    return max(word.replace("\u2019", "'").split("'"), key=len)


def _singular(word: str) -> str:
    """What is left of "cities" and "classes" loses its last letter like any other word with an e."""
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _without_verb_ending(word: str) -> str:
    """What is left is "hop" of "hopping" and "hopped", "studi" of "studied", "agree" of "agreed"."""
    if word.endswith("eed"):
        return word[:-1] if len(word) > _LONGEST_WITH_OWN_EED else word
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if len(stem) < len(word) and not _VOWELS.isdisjoint(stem):
            return stem[:-1] if stem[-2:] in _DOUBLES else stem
    return word
