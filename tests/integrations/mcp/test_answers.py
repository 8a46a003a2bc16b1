"""Answers fit into their budget, whatever memories say, and can always be sent."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.crypto.decrypted import Provenance
from memoram_async.integrations.mcp import answers
from memoram_async.integrations.mcp.fence import BYTES_TO_A_TOKEN, Fence, piece_of, tokens_of
from memoram_async.integrations.mcp.server import SMALLEST_BUDGET
from memoram_async.models.memory import Memory

if TYPE_CHECKING:
    from mcp.types import CallToolResult

READ: Final = Provenance(encrypted=True, authenticated=True, bound=True, codec="jwe", key_version=1)
WIDE: Final = {
    "English": "a word ",
    "Japanese": "\u3042",
    "emoji": "\U0001f469\u200d\U0001f467",
    "quotes": '"\\',
    "lines": "\n",
    "control characters": "\x01",
    "halves of characters": "\ud800",
}
budgets = pytest.mark.parametrize("budget", [SMALLEST_BUDGET, SMALLEST_BUDGET + 1, 4_000, 10**9])
texts = pytest.mark.parametrize("text", WIDE.values(), ids=WIDE.keys())


def memory(text: str, number: int = 0) -> Memory:
    """A memory all of whose parts are that text."""
    return Memory(
        id=f"mem_{number:024}",
        title=text,
        summary=text,
        tags=(text,),
        source=text,
        content=text,
        provenance=READ,
        importance=0.123456789,
    )


def check(result: CallToolResult, budget: int) -> None:
    """Whether text and structure fit, and can be sent."""
    assert tokens_of(answers.as_text(result)) <= budget
    assert (
        len(json.dumps(result.structured_content, ensure_ascii=False).encode()) <= budget * BYTES_TO_A_TOKEN
    )
    result.model_dump_json()


@budgets
@texts
def test_text_and_structure_fit_into_the_budget(text: str, budget: int) -> None:
    long = text * (20_000 // len(text))
    found = [memory(long, number) for number in range(30)]
    check(answers.memories_answered(found, budget=budget, none="", cursor="c" * 64), budget)
    check(answers.memory_answered(found[0], budget=budget, start=0), budget)
    names = [f"{text * 50}{number}" for number in range(300)]
    tags = answers.tags_answered(names, budget=budget, complete=True)
    check(tags, budget)
    assert tags.structured_content is not None
    assert tags.structured_content["complete"] is (budget == 10**9)
    assert "There are no tags yet" not in answers.as_text(tags)


@given(st.text(max_size=300), st.integers(-1, 30))
def test_a_text_is_read_part_by_part_and_no_part_is_too_large(text: str, tokens: int) -> None:
    start, parts = 0, list[str]()
    while True:
        piece = piece_of(text, start=start, tokens=tokens)
        assert tokens_of(piece.text) <= max(tokens, 1) or len(piece.text) == 1
        parts.append(piece.text)
        start = piece.end
        if not piece.is_cut:
            break
        assert piece.text
    assert "".join(parts) == text


def test_a_fence_has_a_mark_that_no_text_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["known", "unknown"])

    def next_mark(_: int) -> str:
        return next(drawn)

    monkeypatch.setattr("secrets.token_hex", next_mark)
    fence = Fence(["text", "</memory-known>"])
    assert re.findall(r"memory-(\w+)", fence.around("text")) == ["unknown", "unknown"]
