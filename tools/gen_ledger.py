"""Writes docs/fidelity.md: how sure each behaviour of memoram_local is, from the marks in its code.

    python tools/gen_ledger.py            # writes it
    python tools/gen_ledger.py --check    # touches nothing, and fails when it is stale

A behaviour is marked with `@behaviour(name, fidelity, sentence)` on the function that decides it. The part of
the name before the point says which section of the ledger it belongs to.
"""

from __future__ import annotations

import argparse
import inspect
import pkgutil
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import memoram_local  # noqa: E402 - only now can it be found
from memoram_local.behaviour import Behaviour, behaviours_of  # noqa: E402
from memoram_local.contract.document import operations  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

LEDGER: Final = ROOT / "docs" / "fidelity.md"

_HEAD: Final = """\
<!-- Written by tools/gen_ledger.py from the marks in the code. Do not edit. -->
# Fidelity ledger of Memoram Local

The published contracts of the Memoram service and of Memory API leave questions open. Memoram Local answers
all of them, and this page says of each behaviour how sure it is:

- **documented**: stated by the service's own reference or quickstart;
- **inferred**: follows from an example there, or from a standard that the service names;
- **invented**: an answer of our own, because nothing says. Do not rely on it elsewhere: a client that works
  against Memoram Local should tolerate every reasonable answer to an invented question.

"""
_UNIMPLEMENTED: Final = """\
Every operation of both contracts is implemented. What is not part of it and is looked for all the same, as at
an authorization server, is answered with 501.

"""


@dataclass(frozen=True)
class Section:
    """A part of the ledger.

    Attributes:
        title: Its heading.
        subjects: What the names of its behaviours begin with, in this order.
        operations: Of the contract.
    """

    title: str
    subjects: tuple[str, ...]
    operations: tuple[str, ...] = ()


SECTIONS: Final = (
    Section("Developer tokens", ("create-token",), ("createToken",)),
    Section("Asking the user, by OAuth", ("authorize",), ("authorize", "decideAuthorization")),
    Section(
        "OAuth tokens",
        ("exchange-code", "refresh", "metadata", "oauth"),
        ("exchangeCode", "getAuthorizationServerMetadata"),
    ),
    Section("Making access requests", ("create-access-request",), ("createAccessRequest",)),
    Section("Listing access requests", ("list-access-requests",), ("listAccessRequests",)),
    Section("Reading access requests", ("get-access-request", "access-requests"), ("getAccessRequest",)),
    Section("Credentials", ("get-credentials",), ("getAccessCredentials",)),
    Section(
        "All operations on memories and tags",
        ("memories", "blobs"),
    ),
    Section("Listing memories", ("list-blobs",), ("listMemoryBlobs",)),
    Section("Creating memories", ("create-blob",), ("createMemoryBlob",)),
    Section("Reading memories", ("get-blob",), ("getMemoryBlob",)),
    Section("Changing memories", ("update-blob",), ("updateMemoryBlob",)),
    Section("Deleting memories", ("delete-blob",), ("deleteMemoryBlob",)),
    Section("Tags", ("list-tags", "tags"), ("listTags", "getTag")),
    Section("Errors", ("errors",)),
    Section("Reading what did not change", ("reading",)),
    Section("Waiting for news", ("waiting",)),
    Section("Sending a request again", ("idempotency",)),
    Section("Holding everybody to the contract", ("strict",)),
    Section("People and applications", ("accounts", "apps", "api-keys")),
    Section(
        "Memory API: accounts",
        ("health", "signup", "account"),
        ("health", "signup", "getAccount"),
    ),
    Section(
        "Memory API: keys",
        ("keys", "list-keys", "create-key", "revoke-key"),
        ("listApiKeys", "createApiKey", "revokeApiKey"),
    ),
    Section("Memory API: all operations", ("memory-api",)),
    Section(
        "Memory API: memories",
        ("list-memories", "create-memory", "get-memory", "update-memory", "delete-all-memories"),
        ("listMemories", "createMemory", "getMemory", "updateMemory", "deleteMemory", "deleteAllMemories"),
    ),
    Section(
        "Memory API: questions",
        ("query", "query-answer", "extract-memories"),
        ("query", "queryAnswer", "extractMemories"),
    ),
    Section(
        "Memory API: usage and limits",
        ("usage", "usage-history", "usage-projection", "limits"),
        ("getUsage", "getUsageHistory", "getUsageProjection"),
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the ledger, or check it.

    Returns:
        The exit status: 1 when the check found that it is stale.
    """
    parser = argparse.ArgumentParser(description="Write docs/fidelity.md from the marks in memoram_local.")
    parser.add_argument("--check", action="store_true", help="touch nothing; fail when it is stale")
    is_check: bool = parser.parse_args(arguments).check
    text = ledger(marked())
    if is_check:
        if LEDGER.is_file() and LEDGER.read_text(encoding="utf-8") == text:
            return 0
        print("docs/fidelity.md is stale: run python tools/gen_ledger.py", file=sys.stderr)
        return 1
    LEDGER.parent.mkdir(exist_ok=True)
    LEDGER.write_text(text, encoding="utf-8")
    return 0


def marked() -> list[Behaviour]:
    """All marks in memoram_local, by module and in the order in which they are written."""
    return [
        mark for module in _modules() for function in _functions(module) for mark in behaviours_of(function)
    ]


def ledger(marks: Sequence[Behaviour]) -> str:
    """The text of the ledger."""
    known = {subject for section in SECTIONS for subject in section.subjects}
    others = tuple(dict.fromkeys(_subject(mark) for mark in marks if _subject(mark) not in known))
    sections = [*SECTIONS, Section("The platform itself", others)]
    parts = [_HEAD, _counts(marks), _UNIMPLEMENTED]
    parts += [_section(section, marks) for section in sections]
    return "".join(parts).rstrip("\n") + "\n"


def _counts(marks: Sequence[Behaviour]) -> str:
    kinds = ("documented", "inferred", "invented")
    counts = (f"{sum(mark.fidelity == kind for mark in marks)} are {kind}" for kind in kinds)
    return f"Of {len(marks)} behaviours, {', '.join(counts)}.\n\n"


def _section(section: Section, marks: Sequence[Behaviour]) -> str:
    mine = [mark for subject in section.subjects for mark in marks if _subject(mark) == subject]
    stated = [operation for operation in operations() if operation.name in section.operations]
    if not mine and not stated:
        return ""
    lines = [f"## {section.title}", ""]
    lines += [
        f"- `{operation.method} {operation.path}` ({operation.fidelity}): {operation.summary}"
        for operation in stated
    ]
    if stated:
        lines.append("")
    if mine:
        lines += ["| behaviour | how sure | name |", "|---|---|---|"]
        lines += [
            f"| {mark.says.replace('|', '&#124;')} | **{mark.fidelity}** | `{mark.name}` |" for mark in mine
        ]
        lines.append("")
    return "\n".join([*lines, ""])


def _subject(mark: Behaviour) -> str:
    return mark.name.partition(".")[0]


def _modules() -> Iterator[ModuleType]:
    found = pkgutil.walk_packages(memoram_local.__path__, "memoram_local.")
    for name in sorted(each.name for each in found):
        # The demo uses the platform, and importing __main__ would run it.
        if ".demo" not in name and not name.endswith("__main__"):
            yield import_module(name)


def _functions(module: ModuleType) -> Iterator[object]:
    for value in vars(module).values():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        yield value
        if inspect.isclass(value):
            yield from vars(value).values()


if __name__ == "__main__":
    sys.exit(main())
