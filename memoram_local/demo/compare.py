"""Compares memories as they came back with the lines that they came from."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memoram_async import Memory
    from memoram_local.demo.memories import FileMemory


def is_jwe(stored: str | None) -> bool:
    """Whether a stored content is built like an encrypted one: a JWE in compact form (RFC 7516 7.1).

    The structure tells, not the text: a short memory such as "y" stands in most ciphertexts by chance.
    """
    parts = (stored or "").split(".")
    if len(parts) != 5:  # header, encrypted key (none, for a direct key), IV, ciphertext, tag
        return False
    try:
        header: Any = json.loads(urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except ValueError:
        return False
    expected = {"alg": "dir", "enc": "A256GCM"}
    return isinstance(header, dict) and expected.items() <= cast("dict[str, Any]", header).items()


def expected_tags(memory: FileMemory) -> tuple[str, ...]:
    """A memory's tags as the platform keeps them: in their order, each in its first place."""
    return tuple(dict.fromkeys(memory.tags))


def differing_members(expected: FileMemory, actual: Memory) -> list[str]:
    """The names of the members in which a memory differs from its line; empty when they are equal."""
    if actual.error is not None:
        return [f"content, which cannot be decrypted ({type(actual.error).__name__})"]
    pairs: list[tuple[str, object, object]] = [
        ("content", expected.content, actual.content),
        ("title", expected.title, actual.title),
        ("summary", expected.summary, actual.summary),
        ("tags", expected_tags(expected), actual.tags),
        ("importance", expected.importance, actual.importance),
        ("confidence", expected.confidence, actual.confidence),
        ("source", expected.source, actual.source),
    ]
    return [name for name, wanted, found in pairs if wanted != found]


class Stocktaking:
    """Ticks off the memories that a list shows against those that were stored.

    Attributes:
        equal: How many were equal in every member.
        problems: What was not as it should be, a sentence each.
    """

    def __init__(self, stored: Mapping[str, FileMemory]) -> None:
        self._missing = dict(stored)
        self.equal = 0
        self.problems: list[str] = []

    def saw(self, memory: Memory) -> None:
        """Compare a memory of the list with its line."""
        expected = self._missing.pop(memory.id, None)
        if expected is None:
            self.problems.append(f"{memory.id} was listed, but was not stored or was listed before")
            return
        problem = difference(expected, memory)
        if problem is None:
            self.equal += 1
        else:
            self.problems.append(problem)

    def finish(self) -> None:
        """Note what the list did not show."""
        self.problems += [
            f"line {memory.line} was stored, but not listed" for memory in self._missing.values()
        ]


def difference(expected: FileMemory, actual: Memory) -> str | None:
    """In which members a memory differs from its line, as a sentence; None when they are equal."""
    members = differing_members(expected, actual)
    return f"line {expected.line} came back different in {', '.join(members)}" if members else None


def rewritten(memory: FileMemory, *, content: str, tag: str) -> FileMemory:
    """A memory with another content and one tag more."""
    return replace(memory, content=content, tags=(*memory.tags, tag))
