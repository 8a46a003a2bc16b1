"""Texts ranked by the words that they share with a question."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.ranking import Ranking


def ranking(*texts: str) -> Ranking:
    made = Ranking()
    for number, text in enumerate(texts):
        made.add(number, text.split())
    return made


def order(found: list[tuple[int, float]]) -> list[int]:
    return [number for number, _ in found]


def test_a_rare_word_counts_for_more_than_a_common_one() -> None:
    texts = ranking("the cat", "the dog", "the bird", "the dog")
    assert order(texts.best(["the", "bird"], limit=1)) == [2]


def test_what_shares_more_words_comes_first() -> None:
    texts = ranking("red car", "red bike", "blue bike", "green boat")
    assert order(texts.best(["red", "bike"], limit=3)) == [1, 0, 2]


def test_a_word_counts_for_less_in_a_long_text() -> None:
    texts = ranking("seat by the window and much more of everything else", "window seat", "nothing")
    assert order(texts.best(["window"], limit=2)) == [1, 0]


def test_a_word_that_is_repeated_counts_for_more_and_ever_less() -> None:
    texts = ranking("tea cup pot", "tea tea pot", "tea tea tea", "cup cup cup")
    (_, third), (_, second), (_, first) = texts.best(["tea"], limit=3)
    assert third - second < second - first


def test_the_score_is_that_of_bm25() -> None:
    texts = ranking("a b", "b c c d")
    idf = math.log(1 + (2 + 0.5) / (1 + 0.5))
    norm = 1.2 * (0.25 + 0.75 * 4 / 3)
    ((number, score),) = texts.best(["c"], limit=5)
    assert number == 1
    assert score == pytest.approx(idf * 2 * 2.2 / (2 + norm))


def test_the_only_text_is_of_the_usual_length() -> None:
    ((_, score),) = ranking("a").best(["a"], limit=1)
    assert score == pytest.approx(math.log(1 + 1.5 / 1.5))


def test_nothing_shared_is_nothing_found() -> None:
    assert ranking("a b").best(["z"], limit=5) == []
    assert Ranking().best(["z"], limit=5) == []


def test_equals_come_beyond_the_limit_for_somebody_to_choose_from() -> None:
    texts = ranking("tea", "tea", "tea", "tea and much else")
    assert len(texts.best(["tea"], limit=1)) == 3
    assert sorted(order(texts.best(["tea"], limit=1, closeness=0.9))) == [0, 1, 2, 3]


def test_what_was_taken_out_is_not_found() -> None:
    texts = ranking("tea", "tea", "cup")
    texts.remove(0)
    texts.remove(0)
    texts.remove(9)
    assert order(texts.best(["tea"], limit=5)) == [1]
    assert len(texts) == 2


def test_what_was_taken_out_changes_no_score_of_the_rest() -> None:
    texts = ranking("tea", "tea for two", "gone and forgotten long ago")
    for _ in range(2):
        texts.remove(2)
    assert texts.best(["tea", "two"], limit=2) == ranking("tea", "tea for two").best(["tea", "two"], limit=2)


def test_among_many_texts_the_words_of_most_of_them_do_not_count_beside_a_rare_one() -> None:
    texts = ranking(*[f"the n{number}" for number in range(150)])
    assert order(texts.best(["the", "n7"], limit=150)) == [7]
    assert len(texts.best(["the"], limit=150)) == 150


@pytest.mark.parametrize(("count", "found"), [(100, 100), (101, 1)])
def test_a_hundred_texts_are_few(count: int, found: int) -> None:
    texts = ranking(*[f"the n{number}" for number in range(count)])
    assert len(texts.best(["the", "n7"], limit=count)) == found


def test_what_stands_in_half_of_many_texts_counts_and_in_more_does_not() -> None:
    words = [
        "half the" if number < 75 else "most the" if number < 149 else "most half" for number in range(150)
    ]
    texts = ranking(*words)
    assert len(texts.best(["most", "half"], limit=150)) == 75
    texts = ranking(*[f"half n{n}" if n % 2 else f"other n{n}" for n in range(150)])
    assert len(texts.best(["half", "n8"], limit=150)) == 76


def test_closeness_is_a_part_of_the_best_score() -> None:
    texts = ranking("tea", "tea and much else", "cup", "pot")
    (_, best), (_, second) = texts.best(["tea"], limit=2)
    between = (best - second) / best
    assert len(texts.best(["tea"], limit=1, closeness=between * 1.01)) == 2
    assert len(texts.best(["tea"], limit=1, closeness=between * 0.99)) == 1


@given(
    st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), max_size=12),
    st.sets(st.sampled_from("abcdefg")),
)
def test_only_texts_that_share_a_word_are_found_in_the_order_of_their_scores(
    texts: list[list[str]], question: set[str]
) -> None:
    made = Ranking()
    for number, words in enumerate(texts):
        made.add(number, words)
    found = made.best(question, limit=20)
    assert set(order(found)) == {n for n, words in enumerate(texts) if question & set(words)}
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert all(score > 0 for score in scores)
