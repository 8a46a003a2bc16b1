"""Tell how many of mutmut's mutants the tests have killed, module by module.

Survivors that no test can or should notice are named in `tests/mutants.toml`, each kind with its reason: by a
pattern, where original and mutant are the same once it is replaced, or by the names of mutants. They count as
neither killed nor survived.
"""

from __future__ import annotations

import argparse
import ast
import fnmatch
import json
import re
import sys
import tomllib
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parent.parent
JUSTIFIED: Final = ROOT / "tests" / "mutants.toml"
_VERDICTS: Final = {0: "survived", **dict.fromkeys((1, 3, 24, 36, -24, 152), "killed")}
"""By the exit codes that mutmut notes; a test that no longer ends has noticed, too."""


@attrs.frozen
class Kind:
    """One kind of mutant that is let live.

    Attributes:
        reason: Why no test can or should notice.
        pattern: A regular expression; without what it finds, original and mutant are the same.
        words: Whether it is the words of messages that make none.
        names: Patterns of mutants' names, instead.
    """

    reason: str
    pattern: re.Pattern[str] | None
    words: bool
    names: tuple[str, ...]

    def covers(self, name: str, original: ast.AST, mutant: ast.AST) -> bool:
        """Whether a mutant is of this kind."""
        if any(fnmatch.fnmatchcase(name, each) for each in self.names):
            return True
        if self.words:
            return ast.dump(_Wordless().visit(original)) == ast.dump(_Wordless().visit(mutant))
        if self.pattern is None:
            return False
        return self.pattern.sub("", ast.unparse(original)) == self.pattern.sub("", ast.unparse(mutant))


class _Wordless(ast.NodeTransformer):
    """Takes the words out of messages: of texts with a blank between two words."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        is_message = isinstance(node.value, str) and re.search(r"\w[,;:]? \w", node.value) is not None
        return ast.Constant("") if is_message else node


def kinds(path: Path) -> list[Kind]:
    """The kinds that are let live."""
    return [
        Kind(
            reason=each["reason"],
            pattern=re.compile(each["pattern"]) if "pattern" in each else None,
            words=each.get("words", False),
            names=tuple(each.get("names", ())),
        )
        for each in tomllib.loads(path.read_text())["kind"]
    ]


def functions(path: Path) -> dict[str, ast.Module]:
    """The arguments and bodies of a mutated module's functions, the originals among them."""
    found: dict[str, ast.Module] = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "__mutmut_" in node.name:
            arguments = ast.Expr(ast.Lambda(node.args, ast.Constant(None)))
            found[node.name] = ast.Module([arguments, *node.body], [])
    return found


def judged(meta: Path, live: list[Kind]) -> Iterator[tuple[str, str]]:
    """Each mutant of a module and its verdict."""
    verdicts: dict[str, int | None] = json.loads(meta.read_text())["exit_code_by_key"]
    if not verdicts:
        return
    bodies = functions(meta.with_suffix(""))
    for name, code in verdicts.items():
        verdict = "not run" if code is None else _VERDICTS.get(code, "no test")
        function = name.rpartition(".")[2]
        mutant, original = bodies.get(function), bodies.get(_original(function))
        if verdict == "survived" and mutant is not None and original is not None:
            is_let_live = any(kind.covers(name, deepcopy(original), deepcopy(mutant)) for kind in live)
            verdict = "let live" if is_let_live else verdict
        yield name, verdict


def _original(mutant: str) -> str:
    return mutant.rpartition("__mutmut_")[0] + "__mutmut_orig"


def score(count: Counter[str]) -> float:
    """The share of killed ones, in per cent."""
    against = count["killed"] + count["survived"]
    return 100 * count["killed"] / against if against else 100.0


def main() -> int:
    """Print the table, and the survivors if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "mutants", help="where mutmut worked")
    parser.add_argument("--survivors", action="store_true", help="name those that are left")
    parser.add_argument("--least", type=float, default=0.0, help="fail below this score")
    options = parser.parse_args()
    live = kinds(JUSTIFIED)
    total = Counter[str]()
    print("| module | killed | survived | let live | not covered | not run | score |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for meta in sorted(options.folder.glob("memoram_async/**/*.meta")):
        found = list(judged(meta, live))
        count = Counter(verdict for _, verdict in found)
        total += count
        if found:
            print(_row(meta.name.removesuffix(".py.meta"), count))
        if options.survivors:
            print(*(f"  {name}" for name, verdict in found if verdict == "survived"), sep="\n")
    print(_row("all", total))
    return 0 if score(total) >= options.least else 1


def _row(name: str, count: Counter[str]) -> str:
    columns = [str(count[each]) for each in ("killed", "survived", "let live", "no test", "not run")]
    return f"| {name} | {' | '.join(columns)} | {score(count):.1f} % |"


if __name__ == "__main__":
    sys.exit(main())
