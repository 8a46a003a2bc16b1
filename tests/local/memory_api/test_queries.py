"""Questions, answers and extractions, which are what they say they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from memoram_local.memory_api.extracts import NOTHING, answer, extracted, sentences

if TYPE_CHECKING:
    from memoram_local import MemoramLocal
    from tests.local.memory_api.conftest import Caller


def found(caller: Caller, context: str, **options: Any) -> list[tuple[str, float]]:
    """The texts and scores of what a question finds."""
    data = caller.data("POST", "/query", json={"context": context, **options})
    return [(memory["text"], memory["relevance_score"]) for memory in data["memories"]]


def test_the_only_memory_is_found_by_its_words(caller: Caller) -> None:
    caller.remember("Ada prefers window seats")

    assert found(caller, "window seats") == [("Ada prefers window seats", 1.0)]


def test_what_shares_most_rare_words_comes_first(caller: Caller) -> None:
    texts = ["Ada likes the sea", "Ada likes tea", "Ada prefers window seats", "Bob likes tea with milk"]
    for text in texts:
        caller.remember(text)

    ranked = found(caller, "Does Ada like tea?", relevance_threshold=0)

    assert ranked[0][0] == "Ada likes tea"
    assert {text for text, _ in ranked} == set(texts)
    scores = [score for _, score in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@pytest.mark.parametrize(
    "context", ["PREFER", "préférs", "window!", "seat", '"seats" OR *', "windows seat -x"]
)
def test_case_accents_forms_and_signs_do_not_matter(caller: Caller, context: str) -> None:
    caller.remember("Ada prefers window seats")

    assert len(found(caller, context, relevance_threshold=0.3)) == 1


@pytest.mark.parametrize("context", ["?!", "NEAR(a b)", "\0", "☃"])
def test_a_question_without_known_words_finds_nothing(caller: Caller, context: str) -> None:
    caller.remember("Ada prefers window seats")

    assert found(caller, context, relevance_threshold=0) == []


def test_the_threshold_and_the_number_hold(caller: Caller) -> None:
    for number in range(4):
        caller.remember(f"window seat number {number}")
    caller.remember("window")

    assert len(found(caller, "window seat", max_memories=2)) == 2
    assert len(found(caller, "window seat", relevance_threshold=0, max_memories=100)) == 5
    assert all(score >= 0.9 for _, score in found(caller, "window seat number", relevance_threshold=0.9))


def test_another_organization_does_not_shift_a_score(
    local: MemoramLocal, caller: Caller, caller_with: Any
) -> None:
    for text in ("window seats", "aisle seats are near", "tea"):
        caller.remember(text)
    before = found(caller, "window seats", relevance_threshold=0)

    other = caller_with(local.memory_api.sign_up())
    for _ in range(5):
        other.remember("window window window and a great many other words")

    assert found(caller, "window seats", relevance_threshold=0) == before


def test_metadata_comes_along_unless_it_is_not_wanted(caller: Caller) -> None:
    caller.remember("window seats", metadata={"a": 1})

    def shown(**options: object) -> Any:
        body = {"context": "window", **options}
        return caller.data("POST", "/query", json=body)["memories"][0]["metadata"]

    assert shown() == {"a": 1}
    assert shown(include_metadata=False) is None


def test_a_match_says_why(caller: Caller) -> None:
    caller.remember("Ada prefers window seats")

    data = caller.data("POST", "/query", json={"context": "Which seats near a window?"})

    assert data["memories"][0]["relevance_reasoning"] == "Words found: seats, window."
    assert data["query_context"] == "Which seats near a window?"
    assert data["total_memories_searched"] == 1


@pytest.mark.parametrize("path", ["/query", "/query/answer"])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "context"),
        ({"context": " "}, "context"),
        ({"context": "a", "max_memories": 0}, "max_memories"),
        ({"context": "a", "max_memories": 101}, "max_memories"),
        ({"context": "a", "max_memories": 1.5}, "max_memories"),
        ({"context": "a", "relevance_threshold": 1.1}, "relevance_threshold"),
        ({"context": "a", "relevance_threshold": "1"}, "relevance_threshold"),
    ],
)
def test_a_question_that_cannot_be_is_refused(caller: Caller, path: str, body: object, field: str) -> None:
    answered = caller.http.post(path, json=body)

    assert answered.status_code == 400
    assert answered.json()["error"]["details"]["field"] == field


def test_an_answer_is_made_of_sentences_that_are_there(caller: Caller) -> None:
    caller.remember("Ada lives in Rome. Her cat is called Bob.")
    caller.remember("Tea is served at five.")

    data = caller.data(
        "POST", "/query/answer", json={"context": "Where does Ada live?", "prompt_template": None}
    )

    assert data == {"answer": "Ada lives in Rome.", "memories_used": 1, "model": "local-extractive"}


def test_where_nothing_is_known_the_answer_says_so(caller: Caller) -> None:
    data = caller.data("POST", "/query/answer", json={"context": "Where does Ada live?"})

    assert data == {"answer": NOTHING, "memories_used": 0, "model": "local-extractive"}


def test_an_extraction_stores_what_people_state(caller: Caller) -> None:
    talk = "Ada: I prefer window seats. Do you?\nAssistant: I never fly at all.\nAda: My dog is old."
    body = {"content": talk, "content_type": "conversation", "metadata": {"from": "talk"}}

    data = caller.data("POST", "/query/extract", json=body)

    stored = [caller.data("GET", f"/memories/{memory_id}") for memory_id in data["memory_ids"]]
    assert [memory["text"] for memory in stored] == ["I prefer window seats.", "My dog is old."]
    assert {str(memory["metadata"]) for memory in stored} == {"{'from': 'talk'}"}
    assert (data["extracted_count"], data["model"]) == (2, "local-extractive")
    assert len(found(caller, "dog")) == 1


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": "a", "content_type": "song"}])
def test_an_extraction_that_cannot_be_is_refused(caller: Caller, body: object) -> None:
    assert caller.refusal("POST", "/query/extract", json=body) == (400, "VALIDATION_ERROR")
    assert caller.data("GET", "/memories") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("One", ["One"]),
        ("One. Two! Three?\nFour", ["One.", "Two!", "Three?", "Four"]),
        ("Version 1.2 is out.", ["Version 1.2 is out."]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
    ],
)
def test_sentences_end_where_people_end_them(text: str, expected: list[str]) -> None:
    assert [sentence.rstrip('"') for sentence in sentences(text)] == [each.rstrip('"') for each in expected]


def test_a_document_is_taken_as_it_is() -> None:
    text = "Note: the dog is old. The dog is old. Too short. Is the dog old?"

    assert extracted(text, content_type="document") == ["Note: the dog is old.", "The dog is old."]


def test_an_answer_without_common_words_is_the_best_sentence() -> None:
    assert answer("xyzzy", ["One sentence. Another."]) == ("One sentence.", 1)
