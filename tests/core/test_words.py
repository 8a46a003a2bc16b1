"""Words as they are looked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core import words as module
from memoram_async.core.words import Words, stem_of


@pytest.mark.parametrize(
    ("text", "stems"),
    [
        ("Prefers WINDOW seats!", ["prefer", "window", "seat"]),
        ("hiking, hikes; hiked. hike", ["hik"] * 4),
        ("hopping hopped hops hop", ["hop"] * 4),
        ("studies studied study studying", ["studi", "studi", "studi", "studi"]),
        ("try tries tried trying", ["tri"] * 4),
        ("by my boys, a boy", ["by", "my", "boy", "a", "boy"]),
        ("its day was red", ["its", "day", "was", "red"]),
        ("city cities, movie movies", ["citi", "citi", "movi", "movi"]),
        ("status menus basis", ["status", "menus", "basis"]),
        ("used using, aged aging", ["us", "us", "ag", "ag"]),
        ("stopping stopped, planned plan", ["stop", "stop", "plan", "plan"]),
        ("the user\u2019s", ["the", "user"]),
        ("\u0142odkas \u0142owing", ["\u0142odkas", "\u0142owing"]),
        ("agreed agree agrees", ["agre"] * 3),
        ("need needs speed", ["need", "need", "speed"]),
        ("falling, missed, buzzing", ["fall", "miss", "buzz"]),
        ("classes ties bus this glass", ["class", "tie", "bus", "this", "glass"]),
        ("sing king red bed", ["sing", "king", "red", "bed"]),
        ("the user's l'avion users\u2019", ["the", "user", "avion", "user"]),
        ("D\u00e9j\u00e0 vu, \uff26\uff35\uff2c\uff2c stra\u00dfe", ["deja", "vu", "full", "strass"]),
        ("12 rooms, 3rd floor", ["12", "room", "3rd", "floor"]),
        (
            "\u041c\u043e\u0438 \u043f\u043e\u0435\u0437\u0434\u043a\u0438",
            ["\u043c\u043e\u0438", "\u043f\u043e\u0435\u0437\u0434\u043a\u0438"],
        ),
        # Vowel signs of Devanagari belong to their words.
        (
            "\u0939\u093f\u0928\u094d\u0926\u0940 \u092e\u0947\u0902",
            ["\u0939\u093f\u0928\u094d\u0926\u0940", "\u092e\u0947\u0902"],
        ),
        # Persian writes a joiner where a word has two parts.
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", ["\u0645\u06cc\u062e\u0648\u0627\u0647\u0645"]),
        ("\u5728\u7a93\u5074", ["\u5728", "\u7a93", "\u5074", "\u5728\u7a93", "\u7a93\u5074"]),
        ("\u5e2dseat\u5e2d", ["\u5e2d", "seat", "\u5e2d"]),
        ("\u0e20\u0e32\u0e29", ["\u0e20\u0e32", "\u0e32\u0e29"]),
        ("\u0e20 \u5728", ["\u0e20", "\u5728"]),
        ("\u0e20\u5728", ["\u0e20\u5728"]),
        ("... _ -- !", []),
    ],
)
def test_a_text_has_these_words(text: str, stems: list[str]) -> None:
    assert Words().of(text) == stems


@given(st.text())
def test_every_text_has_words_that_say_something(text: str) -> None:
    assert all(Words().of(text))


@given(st.text(st.characters(codec="ascii")))
def test_words_in_ascii_are_the_same_beside_others(text: str) -> None:
    assert Words().of(f"{text} \u00e9") == [*Words().of(text), "e"]


@given(st.text(st.sampled_from("abdeginrstuwy'"), min_size=1, max_size=12))
def test_a_stem_is_never_empty_and_never_longer(word: str) -> None:
    stem = stem_of(word)
    assert len(stem) <= len(word)
    assert stem or not word.strip("'")


def test_no_more_stems_are_kept_than_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STEMS_KEPT", 2)
    words = Words()
    for _ in range(2):
        assert words.of("cats dogs birds") == ["cat", "dog", "bird"]
