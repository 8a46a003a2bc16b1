"""A method of the blocking facade: the async one's signature and docstring, and a line that calls it."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING, Final, cast

import attrs
import libcst as cst
import libcst.matchers as m

from tools.mirror.docstrings import mirror_docstring
from tools.mirror.names import method_name
from tools.mirror.refusal import Refusal
from tools.mirror.source import code, docstring, kind_of, names_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.mirror.names import Names

DECORATORS: Final = frozenset({"property", "resource", "classmethod", "overload"})
READ: Final = frozenset({"property", "resource"})
"""Decorators of what is read as an attribute."""

CONFIDENTIAL: Final = frozenset(
    {
        *("auth_url", "authorization_endpoint", "base_url", "dashboard_url", "token_endpoint"),
        *("query", "reason", "search", "source", "summary", "tags", "title"),
        *("callback", "content", "credentials", "json", "metadata", "params", "sealed", "secret", "tokens"),
    }
)
"""What carries memories, or a password by mistake. The facade's frame must have forgotten it, and every
parameter that may be a `Secret`, by the time that somebody looks at a traceback."""
LOCAL_NAMES: Final = frozenset({"coroutine", "run"})
RUNTIME_SETTINGS: Final = ("http_client", "max_connections", "trust_env")
"""What a client passes on to the runtime that it makes, if it is handed none."""


@attrs.frozen
class Method:
    """An async class's method, and what its mirror must know about it."""

    node: cst.FunctionDef
    owner: str
    is_client: bool
    is_iterator: bool
    where: str

    @property
    def name(self) -> str:
        """Its name in the async world."""
        return self.node.name.value

    @property
    def is_async(self) -> bool:
        """Whether calling it makes a coroutine."""
        return self.node.asynchronous is not None

    @property
    def decorators(self) -> frozenset[str]:
        """What it is decorated with."""
        return frozenset(code(each.decorator) for each in self.node.decorators)

    @property
    def returns(self) -> cst.Annotation:
        """What it promises to return.

        Raises:
            Refusal: It does not say.
        """
        if self.node.returns is None:
            raise Refusal(f"{self.where}: the return type must be annotated")
        return self.node.returns

    @property
    def confidential(self) -> list[str]:
        """The parameters that its mirror's frame must not hold in the clear."""
        return [
            each.name.value
            for each in self.parameters
            if each.name.value in CONFIDENTIAL or (each.annotation and "Secret" in names_in(each.annotation))
        ]

    @property
    def parameters(self) -> Sequence[cst.Param]:
        """Its parameters, without the one for its object."""
        given = self.node.params
        stars = [each for each in (given.star_arg, given.star_kwarg) if isinstance(each, cst.Param)]
        return [*[*given.posonly_params, *given.params][1:], *given.kwonly_params, *stars]


def mirror_method(method: Method, names: Names) -> str:
    """The method's twin, as text.

    Raises:
        Refusal: It has a form that none of the rules is for.
    """
    _check(method)
    signature = _signature(method, names)
    if "overload" in method.decorators:
        return function(signature, ["..."])
    return function(signature, [*_documentation(method, names), *_body(method, names)])


def mirror_constructor(method: Method, names: Names) -> str:
    """The constructor of a client, which builds the async one over the blocking runtime."""
    _check(method)
    made = f"self._bind({method.owner}({_arguments(method)}))"
    return function(_signature(method, names), [*_documentation(method, names), *_forgetting(method, made)])


def _check(method: Method) -> None:
    unknown = method.decorators - DECORATORS
    if unknown:
        raise Refusal(f"{method.where}: no form for the decorator {', '.join(sorted(unknown))}")
    if method.is_async and method.decorators & READ:
        raise Refusal(f"{method.where}: a property cannot be awaited in one world and read in the other")
    if _is_generator(method.node):
        raise Refusal(
            f"{method.where} is {'an async ' if method.is_async else 'a '}generator; write a class with "
            "__anext__, which both worlds can walk through and nobody has to finalize"
        )
    clash = LOCAL_NAMES & {each.name.value for each in method.parameters}
    if clash:
        raise Refusal(
            f"{method.where}: a parameter called {', '.join(clash)} hides a name of the facade's own"
        )


def _is_generator(node: cst.FunctionDef) -> bool:
    return any(isinstance(each, cst.Yield) for each in _own_nodes(node.body))


def _own_nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """All below a node; what functions inside it do is their own business."""
    for child in node.children:
        if not isinstance(child, cst.FunctionDef | cst.Lambda):
            yield child
            yield from _own_nodes(child)


def _sync_types(node: cst.CSTNode, method: Method, names: Names) -> cst.CSTNode:
    """Parameters or an annotation with the names of types exchanged."""

    def exchange(node: cst.CSTNode, _: object) -> cst.Name:
        return cst.Name(names.sync(cst.ensure_type(node, cst.Name).value, where=method.where))

    return cast("cst.CSTNode", m.replace(node, m.Name(), exchange))  # a node stays a node


def _signature(method: Method, names: Names) -> str:
    for parameter in method.parameters:
        _check_parameter(parameter, method, names)
    bare = method.node.with_changes(
        asynchronous=None,
        leading_lines=[],
        lines_after_decorators=[],
        name=cst.Name(
            method.name if method.name == "__init__" else method_name(method.name, where=method.where)
        ),
        params=_sync_types(method.node.params, method, names),
        returns=_sync_types(method.returns, method, names),
        body=cst.SimpleStatementSuite([cst.Expr(cst.Ellipsis())]),
    )
    return code(bare).removesuffix("...").rstrip()


def _check_parameter(parameter: cst.Param, method: Method, names: Names) -> None:
    """A generated object has no way back to the async one, so that no parameter may ask for one."""
    if parameter.annotation is None:
        raise Refusal(f"{method.where}: the parameter {parameter.name.value} must be annotated")
    for kind in names_in(parameter.annotation):
        if names.is_mirrored(kind):
            raise Refusal(f"{method.where}: no form for the parameter {parameter.name.value}: {kind}")


def _documentation(method: Method, names: Names) -> list[str]:
    text = docstring(method.node.body.body)
    return [] if text is None else [mirror_docstring(text, names, where=method.where)]


def _body(method: Method, names: Names) -> list[str]:
    """What the method does: hand the call on, and the result back."""
    match method.name:
        case "__repr__":
            return [
                'wrapped = getattr(self, "_async", None)',
                "if wrapped is None:  # the construction failed, and a debugger shows it all the same",
                '    return f"<{type(self).__name__}, not made>"',
                "return repr(wrapped).replace(type(wrapped).__name__, type(self).__name__, 1)",
            ]
        case "__aenter__":
            return [f"run({_call(method)})", "return self"]
        case "__aiter__" if method.is_iterator:
            return ["return self"]
        case "__anext__":
            result = _returned(method, f"run({_call(method)})", names)
            return [
                "try:",
                f"    {result}",
                "except StopAsyncIteration:",
                "    raise StopIteration from None",
            ]
        case _:
            return _handed_on(method, names)


def _handed_on(method: Method, names: Names) -> list[str]:
    call = _call(method)
    if not method.is_async:
        return _forgetting(method, _returned(method, call, names))
    if not method.confidential:
        return [_returned(method, f"run({call})", names)]
    forgotten = f"del {', '.join(method.confidential)}"
    return [f"coroutine = {call}", forgotten, _returned(method, "run(coroutine)", names)]


def _forgetting(method: Method, statement: str) -> list[str]:
    """A statement of a method that has no coroutine to hand its secrets to."""
    if not method.confidential:
        return [statement]
    return ["try:", f"    {statement}", "finally:", f"    del {', '.join(method.confidential)}"]


def _call(method: Method) -> str:
    """The call of the async twin."""
    if "classmethod" in method.decorators:
        return f"{method.owner}.{method.name}({_arguments(method)})"
    if method.decorators & READ:
        return f"self._async.{method.name}"
    return f"self._async.{method.name}({_arguments(method)})"


def _arguments(method: Method) -> str:
    """The method's own parameters as arguments; an HTTP client becomes the runtime that uses it."""
    given = method.node.params
    arguments = [each.name.value for each in (*given.posonly_params, *given.params)][1:]
    if isinstance(given.star_arg, cst.Param):
        arguments.append(f"*{given.star_arg.name.value}")
    arguments += [f"{each.name.value}={each.name.value}" for each in given.kwonly_params]
    if given.star_kwarg is not None:
        arguments.append(f"**{given.star_kwarg.name.value}")
    settings = [f"{name}={name}" for name in RUNTIME_SETTINGS if f"{name}={name}" in arguments]
    if settings:
        if "runtime=runtime" not in arguments:
            raise Refusal(
                f"{method.where}: {settings[0]} needs a runtime beside it, which the mirror passes on"
            )
        arguments = [each for each in arguments if each not in settings]
        made = f"sdk.BlockingRuntime({', '.join(settings)})"
        arguments[arguments.index("runtime=runtime")] = f"runtime={made} if runtime is None else runtime"
    return ", ".join(arguments)


def _returned(method: Method, value: str, names: Names) -> str:
    """The statement that hands a result back as what the blocking signature promises."""
    annotation = method.returns.annotation
    kind = kind_of(annotation)
    if kind == "None":
        return value
    if kind == "Self":
        return f"return {_own(method)}({value})"
    if kind is not None and names.is_mirrored(kind):
        twin = annotation.value if isinstance(annotation, cst.Subscript) else annotation
        return f"return {code(_sync_types(twin, method, names))}({value})"
    if any(names.is_mirrored(each) or each == "Self" for each in names_in(annotation)):
        raise Refusal(f"{method.where}: no form for the result {code(annotation)}")
    return f"return {value}"


def _own(method: Method) -> str:
    """What makes an object of the same class as the one that the method was called on."""
    if method.is_client:
        if "classmethod" in method.decorators:
            raise Refusal(f"{method.where}: no form for a class method that makes a client")
        return "self._over"
    return "cls" if "classmethod" in method.decorators else "type(self)"


def function(signature: str, body: Sequence[str]) -> str:
    """A method as it stands in a class.

    A docstring's lines after the first are left where they are, as deep as in the async class.
    """
    return "\n".join([indent(signature, " " * 4), *(f"{' ' * 8}{line}" for line in body)])
