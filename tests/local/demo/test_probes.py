"""What the demo searches for can be foretold: it never occurs in ciphertext by chance."""

from __future__ import annotations

from memoram_local.demo.memories import FileMemory
from memoram_local.demo.probes import Probes, choose, lines_with_phrase, lines_with_tag


def memory(
    line: int,
    content: str,
    *,
    title: str | None = None,
    summary: str | None = None,
    tags: tuple[str, ...] = (),
) -> FileMemory:
    return FileMemory(line=line, content=content, title=title, summary=summary, tags=tags)


def test_phrases_hold_a_character_that_ciphertext_cannot() -> None:
    chosen = choose([memory(1, "secret garden", title="A blue door", tags=("a",))])
    assert chosen == Probes(title_phrase="blue door", content_phrase="secret garden", tag="a")


def test_one_word_is_enough_where_its_letters_are_not_those_of_ciphertext() -> None:
    chosen = choose([memory(1, "週末は晴れ", title="Ждём")])
    assert (chosen.title_phrase, chosen.content_phrase) == ("Ждём", "週末は晴れ")


def test_a_letter_that_folds_to_a_plain_one_is_no_help() -> None:
    assert choose([memory(1, "x", title="\u212a\u212a")]).title_phrase is None  # KELVIN SIGN


def test_a_phrase_that_a_title_or_summary_holds_too_is_not_for_content_alone() -> None:
    chosen = choose([memory(1, "Blue Door", title="the BLUE door"), memory(2, "x", summary="Über")])
    assert chosen.content_phrase is None


def test_nothing_suitable_is_found_in_a_file_without_words() -> None:
    assert choose([memory(1, "\x00", title="!", tags=("a,b", "x" * 500))]) == Probes(None, None, None)


def test_searching_does_not_mind_letter_case() -> None:
    memories = [
        memory(1, "x", title="STRASSE am See"),
        memory(2, "straße am see"),
        memory(3, "x", summary="Straße am"),
    ]
    assert lines_with_phrase(memories, "straße am") == {1, 3}


def test_filtering_does() -> None:
    memories = [memory(1, "x", tags=("a", "b")), memory(2, "x", tags=("A",))]
    assert lines_with_tag(memories, "a") == {1}
