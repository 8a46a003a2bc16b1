"""An async module as the generator reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs
import libcst as cst
import libcst.matchers as m

from tools.mirror.names import is_private
from tools.mirror.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BLANK = cst.Module([])


def code(node: cst.CSTNode) -> str:
    """A node as it is written."""
    return _BLANK.code_for_node(node).strip()


def names_in(node: cst.CSTNode) -> list[str]:
    """The names in an expression or annotation."""
    return [cst.ensure_type(each, cst.Name).value for each in m.findall(node, m.Name())]


def kind_of(annotation: cst.BaseExpression) -> str | None:
    """The class that an annotation names, qualified or not, generic or not; None for any other form."""
    match annotation:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
        case cst.Subscript(value=value):
            return kind_of(value)
        case _:
            return None


BASES: Final = ("Unshareable",)
"""What classes of both worlds may derive from: it knows nothing of either."""


@attrs.frozen
class Import:
    """One imported name: `from module import name as alias`; without a name, `import module as alias`."""

    module: str
    name: str
    alias: str | None = None

    @property
    def bound(self) -> str:
        """The name that it is known by in the importing module."""
        return self.alias or self.name

    def __str__(self) -> str:
        alias = "" if self.alias is None else f" as {self.alias}"
        if not self.name:
            return f"import {self.module}{alias}"
        return f"from {self.module} import {self.name}{alias}"


@attrs.frozen
class Source:
    """One module of the async package.

    Attributes:
        name: Its dotted name.
        docstring: Its docstring as written, with quotes.
        imports: What it imports, by the name it is bound to.
        variables: Its own variables, as written.
        classes: Its public classes.
    """

    name: str
    docstring: str | None
    imports: Mapping[str, Import]
    variables: Mapping[str, str]
    classes: Sequence[cst.ClassDef]


def read(name: str, text: str) -> Source:
    """Read a module.

    Raises:
        Refusal: It holds something besides imports, variables, classes and what is private.
    """
    body = cst.parse_module(text).body
    imports: dict[str, Import] = {}
    variables: dict[str, str] = {}
    classes: list[cst.ClassDef] = []
    for statement in _statements(body, name):
        match statement:
            case cst.ImportFrom() | cst.Import():
                imports |= {each.bound: each for each in _imported(statement, name)}
            case cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString()):
                pass
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=variable))]):
                variables[variable] = code(statement)
            case cst.AnnAssign(target=cst.Name(value=variable)):
                variables[variable] = code(statement)
            case cst.ClassDef(name=cst.Name(value=kind)):
                if not is_private(kind):
                    classes.append(_mirrorable(statement, name))
            case cst.FunctionDef(name=cst.Name(value=function)) if is_private(function):
                pass
            case cst.FunctionDef(name=cst.Name(value=function)):
                raise Refusal(f"{name}.{function}: a public function of a mirrored module has no form")
            case _:
                raise Refusal(f"{name}: no form for the statement `{code(statement).splitlines()[0]}`")
    return Source(name, docstring(body), imports, variables, classes)


def _statements(body: Iterable[cst.BaseStatement], name: str) -> Iterator[cst.CSTNode]:
    """The statements of a module; those under `if TYPE_CHECKING` are imports like any others.

    What a package does instead at run time is the same for all: see `mirror_exports`.
    """
    for statement in body:
        match statement:
            case cst.SimpleStatementLine(body=small):
                yield from small
            case cst.If(
                test=cst.Name(value="TYPE_CHECKING"),
                body=cst.IndentedBlock(body=block),
                orelse=None | cst.Else(),
            ):
                yield from _statements(block, name)
            case _:
                yield statement


def _imported(statement: cst.ImportFrom | cst.Import, name: str) -> Iterator[Import]:
    if isinstance(statement, cst.Import):
        yield from _modules(statement)
        return
    if statement.module is None or statement.relative or isinstance(statement.names, cst.ImportStar):
        raise Refusal(f"{name}: no form for `{code(statement)}`; import by name from an absolute module")
    for each in statement.names:
        alias = None if each.asname is None else code(each.asname.name)
        yield Import(code(statement.module), code(each.name), alias)


def _modules(statement: cst.Import) -> Iterator[Import]:
    """The modules that are imported under another name; the mirror has no use for the others."""
    for each in statement.names:
        if each.asname is not None:
            yield Import(code(each.name), "", code(each.asname.name))


def _mirrorable(kind: cst.ClassDef, module: str) -> cst.ClassDef:
    """The class, if the rules for classes fit it."""
    where = f"{module}.{kind.name.value}"
    if not kind.name.value.startswith("Async"):
        raise Refusal(
            f"{where}: a class of a mirrored module is called Async...; one that serves both worlds "
            "belongs to a module that is not mirrored"
        )
    if kind.decorators or kind.keywords:
        raise Refusal(f"{where}: no form for a decorated class or class keywords")
    if any(
        not code(base.value).startswith("Generic[") and code(base.value) not in BASES for base in kind.bases
    ):
        raise Refusal(f"{where}: no form for inheritance other than from Generic[...] or {', '.join(BASES)}")
    return kind


def docstring(body: Iterable[cst.CSTNode]) -> str | None:
    """The docstring that a body begins with, as it is written."""
    match next(iter(body), None):
        case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString(value=text))]):
            return text
        case _:
            return None
