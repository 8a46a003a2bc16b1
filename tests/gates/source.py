"""The product's source as syntax trees, for rules that read it without running it."""

from __future__ import annotations

import ast
import importlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("memoram_async", "memoram_sync", "memoram_local")
HOMES: Final[Mapping[str, Mapping[str, str]]] = {
    name: importlib.import_module(f"{name}._homes").HOMES
    for name in ("memoram_async", "memoram_async.memory_api", "memoram_sync", "memoram_sync.memory_api")
}
"""Where the names of packages are defined that load them when they are first asked for."""
PURE_FLOORS: Final = ("memoram_async.core", "memoram_async.crypto", "memoram_async.models")


@attrs.frozen(eq=False)
class Module:
    """One module of the product, or one that a test makes up.

    Attributes:
        name: Its dotted name; a package's own module goes by the package's name.
        text: Its source.
        tree: The same, parsed.
    """

    name: str
    text: str = attrs.field(repr=False)
    tree: ast.Module = attrs.field(repr=False, init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "tree", ast.parse(self.text))

    def within(self, *packages: str) -> bool:
        """Whether it is one of these packages or modules, or lies below one."""
        return any(self.name == package or self.name.startswith(f"{package}.") for package in packages)


Rule: TypeAlias = "Callable[[Module], Iterator[str]]"
"""Yields what is wrong with a module."""


@cache
def modules(*packages: str) -> tuple[Module, ...]:
    """Every module of these packages."""
    return tuple(
        Module(_name(path), path.read_text("utf-8"))
        for package in packages
        for path in sorted(ROOT.joinpath(*package.split(".")).rglob("*.py"))
    )


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def violations(rule: Rule, *packages: str) -> list[str]:
    """Everything in these packages that a rule objects to."""
    return [f"{module.name}: {fault}" for module in modules(*packages) for fault in rule(module)]


def planted(rule: Rule, name: str, text: str) -> list[str]:
    """What a rule says about a made-up module."""
    return list(rule(Module(name, text)))


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """The line and dotted target of every import, wherever it stands; `from a import b` yields `a.b`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                homes = HOMES.get(alias.name)
                if homes is None or alias.asname is None:
                    yield node.lineno, alias.name
                else:
                    yield from names_taken(module, alias.asname, homes)
        elif isinstance(node, ast.ImportFrom):
            # Relative imports are a violation of their own, so their base does not matter here.
            base = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def names_taken(module: Module, package: str, homes: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """What is used of a package that loads names when asked for them: `sdk.Tag` imports it from its home."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == package:
                yield node.lineno, f"{homes.get(attribute, package)}.{attribute}"
            case _:
                pass


def is_below(target: str, *packages: str) -> bool:
    """Whether a dotted name is one of these packages or lies below one."""
    return any(target == package or target.startswith(f"{package}.") for package in packages)


def own_scope(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions and classes inside it."""
    for child in ast.iter_child_nodes(function):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from own_scope(child)


def dotted(node: ast.AST) -> str:
    """A name or attribute chain as text; what it begins with otherwise is left out."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{dotted(value)}.{name}"
        case _:
            return ""
