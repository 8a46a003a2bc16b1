"""A class of the blocking facade: it holds the async object, which was built over the blocking runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
import libcst as cst

from tools.mirror.docstrings import mirror_docstring
from tools.mirror.methods import Method, function, mirror_constructor, mirror_method
from tools.mirror.names import is_private, method_name
from tools.mirror.refusal import Refusal
from tools.mirror.source import code, docstring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.mirror.names import Names

_OVER: Final = (
    "client = type(self).__new__(type(self))",
    "client.__dict__.update(without_resources(self))  # what a subclass has beside",
    "client._bind(wrapped)  # noqa: SLF001 - one of our own",
    "return client",
)


@attrs.frozen
class _Members:
    """A class's public members by kind."""

    constructor: cst.FunctionDef | None
    methods: list[cst.FunctionDef]
    has_slots: bool

    @property
    def is_client(self) -> bool:
        """Whether users make objects of this class themselves: those are made over a runtime."""
        return self.constructor is not None and any(
            each.name.value == "runtime" for each in self.constructor.params.kwonly_params
        )


def mirror_class(node: cst.ClassDef, names: Names, *, module: str) -> str:
    """The class's twin, as text.

    Raises:
        Refusal: It has a member that none of the rules is for.
    """
    owner = node.name.value
    where = f"{module}.{owner}"
    members = _members(node, where)
    bases = f"({', '.join(code(base.value) for base in node.bases)})" if node.bases else ""
    parts = [
        *_documentation(node, names, where),
        *_slots(members, where),
        *_constructors(node, members, names, where),
        *_methods(owner, members, names, where),
    ]
    return "\n\n".join([f"class {names.sync(owner, where=where)}{bases}:", *parts])


def _members(node: cst.ClassDef, where: str) -> _Members:
    constructor: cst.FunctionDef | None = None
    methods: list[cst.FunctionDef] = []
    has_slots = False
    for statement in _statements(node):
        match statement:
            case cst.FunctionDef(name=cst.Name(value="__init__")):
                constructor = statement
            case cst.FunctionDef(name=cst.Name(value=name)):
                if not is_private(name):
                    methods.append(statement)
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value="__slots__"))]):
                has_slots = True
            case cst.AnnAssign(target=cst.Name(value=name), value=None) if is_private(name):
                pass
            case cst.Expr(value=cst.SimpleString()) | cst.Pass():
                pass
            case _:
                raise Refusal(f"{where}: no form for `{code(statement).splitlines()[0]}`")
    return _Members(constructor, methods, has_slots)


def _statements(node: cst.ClassDef) -> Iterator[cst.CSTNode]:
    for statement in node.body.body:
        if isinstance(statement, cst.SimpleStatementLine):
            yield from statement.body
        else:
            yield statement


def _documentation(node: cst.ClassDef, names: Names, where: str) -> list[str]:
    text = docstring(node.body.body)
    return [] if text is None else [f"    {mirror_docstring(text, names, where=where)}"]


def _slots(members: _Members, where: str) -> list[str]:
    if members.has_slots and members.is_client:
        raise Refusal(f"{where}: no form for a client with __slots__")
    return ['    __slots__ = ("__weakref__", "_async")'] if members.has_slots else []


def _constructors(node: cst.ClassDef, members: _Members, names: Names, where: str) -> list[str]:
    """How objects of the class come to be: a client from settings, everything else from its async twin."""
    owner = node.name.value
    bases = [code(base.value) for base in node.bases]
    twin = owner + "".join(base.removeprefix("Generic") for base in bases if base.startswith("Generic"))
    if members.constructor is None or not members.is_client:
        return [function(f"def __init__(self, wrapped: {twin}) -> None:", ["self._async = wrapped"])]
    where = f"{where}.__init__"
    method = Method(members.constructor, owner, is_client=True, is_iterator=False, where=where)
    return [
        mirror_constructor(method, names),
        function(f"def _bind(self, wrapped: {twin}) -> None:", ["self._async = wrapped"]),
        function(f"def _over(self, wrapped: {twin}) -> std.Self:", _OVER),
    ]


def _methods(owner: str, members: _Members, names: Names, where: str) -> list[str]:
    is_iterator = any(each.name.value == "__anext__" for each in members.methods)
    methods = [
        Method(each, owner, members.is_client, is_iterator, where=f"{where}.{each.name.value}")
        for each in members.methods
    ]
    _refuse_clashes(methods)
    return [mirror_method(method, names) for method in methods]


def _refuse_clashes(methods: list[Method]) -> None:
    """Two methods may not come to bear one name."""
    taken: dict[str, str] = {}
    for method in methods:
        name = method_name(method.name, where=method.where)
        if taken.setdefault(name, method.name) != method.name:
            raise Refusal(f"{method.where}: {taken[name]} and {method.name} would both be called {name}")
