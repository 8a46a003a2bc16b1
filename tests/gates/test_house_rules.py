"""Small rules of the house, which a reader would otherwise have to watch over."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import TYPE_CHECKING, Final

import pytest

from tests.gates.source import PACKAGES, Module, planted, violations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gates.source import Rule

MOST_LINES: Final = 400
VAGUE: Final = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})
PROGRAMS: Final = ("memoram_local.cli", "memoram_local.__main__", "memoram_local.demo")
"""What talks to a person in a terminal, by printing."""

# What the rules forbid in the source; below, each is planted to show that its rule sees it.
UNFINISHED: Final = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SILENCERS: Final = {
    "type: ignore": re.compile(r"type:\s*ignore(?!\[[a-z-]+(,\s*[a-z-]+)*\])"),
    "noqa": re.compile(r"noqa(?!: [A-Z]+[0-9]+)"),
    "pyright: ignore": re.compile(r"pyright:\s*ignore(?!\[[A-Za-z]+(,\s*[A-Za-z]+)*\])"),
    "pragma: no cover": re.compile(r"pragma:\s*no\s*(cover|branch)"),
}


def is_short(module: Module) -> Iterator[str]:
    """A file has one subject, which fits into 400 lines."""
    lines = module.text.count("\n")
    if lines > MOST_LINES:
        yield f"has {lines} lines"


def has_a_telling_name(module: Module) -> Iterator[str]:
    """A name says what is in it; these say only that something is."""
    vague = VAGUE & {part.strip("_") for part in module.name.split(".")}
    yield from (f"has the name {part}" for part in sorted(vague))


def prints_nothing(module: Module) -> Iterator[str]:
    """A library does not talk to the terminal."""
    if module.within(*PROGRAMS):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id in {"print", "pprint"}:
            yield f"{node.lineno}: uses {node.id}"


def silences_by_name_only(module: Module) -> Iterator[str]:
    """A checker that is silenced is silenced for one thing, and no line is hidden from coverage."""
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT:
            for name, pattern in SILENCERS.items():
                if pattern.search(token.string):
                    yield f"{token.start[0]}: {name} in {token.string}"


def is_finished(module: Module) -> Iterator[str]:
    """What is here works; what does not is not here."""
    for number, line in enumerate(module.text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield f"{number}: {line.strip()}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id in {"NotImplementedError", "NotImplemented"}:
            yield f"{node.lineno}: uses {node.id}"


def leaves_finalization_alone(module: Module) -> Iterator[str]:
    """No `__del__`: it runs on any thread, at any time, perhaps with a lock of ours held."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__del__":
            yield f"{node.lineno}: has __del__"


RULES: Final[list[Rule]] = [
    is_short,
    has_a_telling_name,
    prints_nothing,
    silences_by_name_only,
    is_finished,
    leaves_finalization_alone,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_source_keeps_the_rule(rule: Rule) -> None:
    assert not violations(rule, *PACKAGES)


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (is_short, "memoram_async.x", "x = 1\n" * 401),
        (has_a_telling_name, "memoram_async.utils", ""),
        (has_a_telling_name, "memoram_local.common.x", ""),
        (has_a_telling_name, "memoram_sync._helpers", ""),
        (prints_nothing, "memoram_async.x", "print('hello')"),
        (prints_nothing, "memoram_local.process.server", "say = print"),
        (prints_nothing, "memoram_local.client", "from pprint import pprint\npprint(1)"),
        (silences_by_name_only, "memoram_async.x", "x = 1  # type: ignore"),
        (silences_by_name_only, "memoram_async.x", "x = 1  # type:ignore"),
        (silences_by_name_only, "memoram_async.x", "x = 1  # noqa"),
        (silences_by_name_only, "memoram_async.x", "# ruff: noqa"),
        (silences_by_name_only, "memoram_async.x", "x = 1  # pyright: ignore"),
        (silences_by_name_only, "memoram_async.x", "if x:  # pragma: no cover\n    pass"),
        (is_finished, "memoram_async.x", "# TODO: later"),
        (is_finished, "memoram_async.x", "'''FIXME'''"),
        (is_finished, "memoram_async.x", "x = 1  # XXX"),
        (is_finished, "memoram_async.x", "def f():\n    raise NotImplementedError"),
        (leaves_finalization_alone, "memoram_async.x", "class A:\n    def __del__(self): ..."),
    ],
)
def test_what_breaks_the_rule_is_seen(rule: Rule, name: str, text: str) -> None:
    assert planted(rule, name, text)


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (is_short, "memoram_async.x", "x = 1\n" * 400),
        (has_a_telling_name, "memoram_async.runtime.forking", ""),
        (prints_nothing, "memoram_local.cli", "print('hello')"),
        (prints_nothing, "memoram_local.demo.report", "print('hello')"),
        (prints_nothing, "memoram_async.x", "'''print this'''\nfingerprint(1)"),
        (silences_by_name_only, "memoram_async.x", "x = 1  # type: ignore[arg-type]"),
        (silences_by_name_only, "memoram_async.x", "x = 1  # noqa: BLE001, S110 - a reason"),
        (silences_by_name_only, "memoram_async.x", "x = '# noqa'"),
        (is_finished, "memoram_async.x", "TODOS = 1"),
    ],
)
def test_what_keeps_the_rule_is_let_through(rule: Rule, name: str, text: str) -> None:
    assert not planted(rule, name, text)
