"""Reads memories from a file with one JSON object a line. Lines that are no memory are named, not fatal."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypedDict, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

LARGEST_CONTENT: Final = 1_048_576
"""Octets of UTF-8 that a memory's content may have: the SDK encrypts no more."""

LARGEST_DESCRIPTION: Final = 2 * 1_048_576
"""Octets of JSON that title, summary, tags and source may have together, so that a request can carry them."""

LONGEST_LINE: Final = 32 * 1_048_576
"""Octets of a line that are read; escapes can make a line much longer than what it says."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_REQUIRED: Final = "content"
_TEXTS: Final = ("title", "summary", "source")
_NUMBERS: Final = ("importance", "confidence")


class Description(TypedDict):
    """What is stored beside the content; the members are those of the SDK's `create`."""

    title: str | None
    summary: str | None
    tags: tuple[str, ...]
    importance: float | None
    confidence: float | None
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMemory:
    """A memory as the file has it.

    Attributes:
        line: The line's number, from 1.
        content: The memory itself.
        title: A title.
        summary: A summary.
        tags: Names of tags; the first of several equal ones counts.
        importance: How much it matters.
        confidence: How sure it is.
        source: Where it came from.
    """

    line: int
    content: str = field(repr=False)
    title: str | None = field(default=None, repr=False)
    summary: str | None = field(default=None, repr=False)
    tags: tuple[str, ...] = field(default=(), repr=False)
    importance: float | None = None
    confidence: float | None = None
    source: str | None = field(default=None, repr=False)

    @property
    def description(self) -> Description:
        """Everything but the content."""
        return {
            "title": self.title,
            "summary": self.summary,
            "tags": self.tags,
            "importance": self.importance,
            "confidence": self.confidence,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no memory.

    Attributes:
        line: Its number, from 1.
        reason: What is wrong with it; quotes nothing of it.
    """

    line: int
    reason: str


class LineError(Exception):
    """A line holds no memory; the message says why, and quotes nothing of it."""


@dataclass(slots=True)
class Reading:
    """What was found in a file.

    Attributes:
        memories: The memories, in the file's order.
        bad_lines: The lines that are none.
    """

    memories: list[FileMemory] = field(default_factory=list[FileMemory])
    bad_lines: list[BadLine] = field(default_factory=list[BadLine])


def read_memories(file: IO[bytes]) -> Reading:
    """Read a whole file of JSON lines in UTF-8. Blank lines and a byte order mark are passed over.

    Raises:
        OSError: The file cannot be read.
    """
    reading = Reading()
    for number, raw in enumerate(_lines(file), start=1):
        octets = (raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw).strip()
        if not octets:
            continue
        try:
            reading.memories.append(parse_memory(octets, line=number))
        except LineError as error:
            reading.bad_lines.append(BadLine(number, str(error)))
    return reading


def parse_memory(octets: bytes, *, line: int) -> FileMemory:
    """The memory that a line holds. Members that no memory has are ignored.

    Raises:
        LineError: It holds none; the message says why, and quotes nothing of it.
    """
    members = _members(octets)
    if members.get(_REQUIRED) == "":
        raise LineError("content is empty")
    if _REQUIRED not in members:
        raise LineError("content is missing")
    texts = {name: _text(members[name], name=name) for name in _TEXTS if members.get(name) is not None}
    numbers = {name: _number(members[name], name=name) for name in _NUMBERS if members.get(name) is not None}
    memory = FileMemory(
        line=line,
        content=_text(members[_REQUIRED], name=_REQUIRED),
        tags=_tags(members.get("tags")),
        title=texts.get("title"),
        summary=texts.get("summary"),
        source=texts.get("source"),
        importance=numbers.get("importance"),
        confidence=numbers.get("confidence"),
    )
    if len(memory.content.encode()) > LARGEST_CONTENT:
        raise LineError(f"content is larger than {LARGEST_CONTENT} octets of UTF-8")
    if len(json.dumps(memory.description, ensure_ascii=False).encode()) > LARGEST_DESCRIPTION:
        raise LineError(
            f"title, summary, tags and source are larger than {LARGEST_DESCRIPTION} octets together"
        )
    return memory


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines; one that is too long comes cut, just too long still, and its rest is passed over."""
    while raw := file.readline(LONGEST_LINE + 1):
        rest = raw
        while rest and not rest.endswith(b"\n") and len(rest) > LONGEST_LINE:
            rest = file.readline(LONGEST_LINE + 1)
        yield raw


def _members(octets: bytes) -> dict[str, object]:
    if len(octets) > LONGEST_LINE:
        raise LineError(f"the line is longer than {LONGEST_LINE} octets")
    try:
        value: object = json.loads(octets.decode("utf-8"))
    except UnicodeDecodeError:
        raise LineError("not UTF-8") from None
    except (ValueError, RecursionError):
        raise LineError("not JSON") from None
    if not isinstance(value, dict):
        raise LineError("not a JSON object")
    return cast("dict[str, object]", value)


def _text(value: object, *, name: str) -> str:
    if not isinstance(value, str):
        raise LineError(f"{name} is not text")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise LineError(f"{name} holds half of a surrogate pair")
    return value


def _number(value: object, *, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise LineError(f"{name} is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise LineError(f"{name} is not a finite number")
    return number


def _tags(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise LineError("tags is not a list")
    names = [_text(item, name="a tag") for item in cast("list[object]", value)]
    if not all(names):
        raise LineError("a tag is empty")
    return tuple(names)
