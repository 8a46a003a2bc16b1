"""Reading memories from JSON lines: what is read exactly, and what is named instead."""

from __future__ import annotations

import importlib.resources
import io
import json
from typing import Any

import pytest

from memoram_local.demo import memories
from memoram_local.demo.memories import FileMemory, Reading, read_memories

GOOD = b'{"content": "x"}'


def read(*lines: bytes) -> Reading:
    return read_memories(io.BytesIO(b"\n".join(lines)))


def line_of(**members: Any) -> bytes:
    return json.dumps(members, ensure_ascii=False).encode()


def reason_for(line: bytes) -> str:
    """Why a line is left out; the good line after it is read all the same."""
    reading = read(line, GOOD)
    assert [memory.line for memory in reading.memories] == [2]
    assert [bad.line for bad in reading.bad_lines] == [1]
    return reading.bad_lines[0].reason


def test_every_member_is_read_exactly() -> None:
    reading = read(
        line_of(
            content="a\x00b\n",
            title="t",
            summary="s",
            tags=["b", "a", "b"],
            importance=1,
            confidence=0.25,
            source="c",
        )
    )
    assert reading.memories == [
        FileMemory(
            line=1,
            content="a\x00b\n",
            title="t",
            summary="s",
            tags=("b", "a", "b"),
            importance=1.0,
            confidence=0.25,
            source="c",
        )
    ]


def test_optional_members_may_be_missing_or_null_and_unknown_ones_are_ignored() -> None:
    reading = read(
        line_of(content="x", title=None, tags=None, importance=None, colour={"deep": [float("nan")]})
    )
    assert reading.memories == [FileMemory(line=1, content="x")]


def test_empty_texts_are_kept() -> None:
    assert read(line_of(content="x", title="", summary="", source="")).memories == [
        FileMemory(line=1, content="x", title="", summary="", source="")
    ]


def test_a_byte_order_mark_blank_lines_and_crlf_are_passed_over() -> None:
    reading = read(b"\xef\xbb\xbf" + GOOD + b"\r", b"", b"  \t\r", GOOD)
    assert [memory.line for memory in reading.memories] == [1, 4]
    assert reading.bad_lines == []


def test_only_newlines_end_a_line() -> None:
    content = "one\u2028two\u2029three\x85four\x0bfive"
    assert read(line_of(content=content)).memories[0].content == content


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b"nope", "not JSON"),
        (b'{"content": "x"} {"content": "y"}', "not JSON"),
        (b'{"content": "a\x00b"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"content": "x", "importance": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'"content"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"content": "\xe4"}', "not UTF-8"),
        (b'{"content": "\xed\xa0\x80"}', "not UTF-8"),
        (b"{}", "content is missing"),
        (line_of(content=""), "content is empty"),
        (line_of(content=None), "content is not text"),
        (line_of(content=1), "content is not text"),
        (line_of(content=["x"]), "content is not text"),
        (b'{"content": "\\ud800"}', "content holds half of a surrogate pair"),
        (b'{"content": "x", "title": "\\udc00"}', "title holds half of a surrogate pair"),
        (b'{"content": "x", "tags": ["\\ud83d"]}', "a tag holds half of a surrogate pair"),
        (line_of(content="x", title=1), "title is not text"),
        (line_of(content="x", summary=[]), "summary is not text"),
        (line_of(content="x", source={}), "source is not text"),
        (line_of(content="x", tags="travel"), "tags is not a list"),
        (line_of(content="x", tags={"a": 1}), "tags is not a list"),
        (line_of(content="x", tags=["a", 1]), "a tag is not text"),
        (line_of(content="x", tags=[""]), "a tag is empty"),
        (line_of(content="x", importance="high"), "importance is not a number"),
        (line_of(content="x", confidence=True), "confidence is not a number"),
        (b'{"content": "x", "importance": NaN}', "importance is not a finite number"),
        (b'{"content": "x", "importance": -Infinity}', "importance is not a finite number"),
        (b'{"content": "x", "confidence": 1e999}', "confidence is not a finite number"),
        (line_of(content="x", confidence=10**400), "confidence is not a finite number"),
    ],
)
def test_a_line_that_is_no_memory_is_named_and_stops_nothing(line: bytes, reason: str) -> None:
    assert reason_for(line) == reason


def test_content_may_be_as_large_as_the_sdk_encrypts_and_no_larger() -> None:
    largest = "\u00e9" * (memories.LARGEST_CONTENT // 2)
    assert read(line_of(content=largest)).memories[0].content == largest
    assert reason_for(line_of(content=largest + "x")).startswith("content is larger than 1048576 octets")


def test_what_describes_a_memory_has_a_limit_too() -> None:
    assert "larger than" in reason_for(line_of(content="x", title="t" * memories.LARGEST_DESCRIPTION))


def test_a_line_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "LONGEST_LINE", 100)
    assert reason_for(line_of(content="x" * 1000)) == "the line is longer than 100 octets"
    assert read(line_of(content="x" * 1000)).bad_lines[0].line == 1


def test_an_empty_file_holds_nothing() -> None:
    assert read() == Reading([], [])


def test_a_reason_quotes_nothing() -> None:
    for line in (
        b'{"content": hunter2}',
        line_of(content={"hunter2": 1}),
        line_of(content="x", tags="hunter2"),
    ):
        assert "hunter2" not in reason_for(line)


def test_the_sample_is_good_throughout_and_holds_several_scripts() -> None:
    with (importlib.resources.files("memoram_local.demo") / "sample.jsonl").open("rb") as file:
        reading = read_memories(file)
    assert len(reading.memories) == 12
    assert reading.bad_lines == []
    everything = "".join(memory.content for memory in reading.memories)
    assert all(letter in everything for letter in "aяعの周λ매")
