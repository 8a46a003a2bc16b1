"""What annotations name is there at run time: tools are made of our functions by those who read it there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
import typing
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final, cast

import attrs
import pytest

import memoram_async
import memoram_sync
from memoram_async._lazy import resource

if TYPE_CHECKING:
    from collections.abc import Iterator

LOADED_LATE: Final = "it is loaded when it is first asked for"
NO_PROXY: Final = "httpx is not loaded for those who have no proxy"
NOT_RESOLVED: Final = {
    "memoram_async.family.Family.access": LOADED_LATE,
    "memoram_async.family.Family.hub": LOADED_LATE,
    "memoram_async.family.Family.refreshes": LOADED_LATE,
    "memoram_async.member.Member.connecting": LOADED_LATE,
    "memoram_async.member.Member.opener": LOADED_LATE,
    "memoram_async.member.Member.requests": LOADED_LATE,
    "memoram_async.member.Member.tokens": LOADED_LATE,
    "memoram_async.tokens.provider.TokenProvider.__init__": LOADED_LATE,
    "memoram_async.tokens.shared.SharedTokens.__init__": "whoever shares no token needs no cryptography",
    "memoram_async.core.approval_calls.Entry.__init__": "it and Ticket name each other; one comes first",
    "memoram_async.runtime.environment.credentials_of": NO_PROXY,
    "memoram_async.runtime.environment.proxy_for": NO_PROXY,
    "memoram_async.runtime.environment.proxy_for_library": NO_PROXY,
    "memoram_sync.runtime.connection.Connection.__init__": NO_PROXY,
    "memoram_async.transport.call.Call": LOADED_LATE,
    "memoram_async.transport.call.Call.__init__": LOADED_LATE,
    "memoram_async.transport.requester.Requester": LOADED_LATE,
    "memoram_async.transport.requester.Requester.__init__": LOADED_LATE,
}
"""Parts that no user holds, and why their annotations are for type checkers alone."""

both_packages = pytest.mark.parametrize(
    "package", [memoram_async, memoram_sync], ids=lambda each: each.__name__
)


def public_modules(package: ModuleType) -> Iterator[ModuleType]:
    """Those of a package that no part of their name calls private."""
    yield package
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not any(part.startswith("_") for part in found.name.split(".")):
            yield importlib.import_module(found.name)


def public_parts(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The functions and classes that a module defines, and the methods and properties of its classes."""
    for name, part in vars(module).items():
        if name.startswith("_") or getattr(part, "__module__", None) != module.__name__:
            continue
        place = f"{module.__name__}.{name}"
        if isinstance(part, FunctionType):
            yield place, part
        elif isinstance(part, type):
            yield place, part
            yield from members(place, part)


def members(place: str, kind: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties of a class, and those that Python calls itself."""
    for name, member in vars(kind).items():
        if name.startswith("_") and not name.endswith("__"):
            continue
        for part in accessors(member):
            if isinstance(part, FunctionType):
                yield f"{place}.{name}", part


def accessors(member: object) -> tuple[object, ...]:
    """The functions behind an attribute of a class."""
    if isinstance(member, staticmethod | classmethod):
        return (inspect.unwrap(cast("Any", member).__func__),)
    if isinstance(member, resource):
        return (vars(member)["_make"],)
    if isinstance(member, property):
        return (member.fget, member.fset)
    return (inspect.unwrap(member) if callable(member) else getattr(member, "func", None),)


def unresolved(place: str, part: Any) -> Iterator[str]:
    """What is wrong with the annotations of a function or class, to those who ask for them."""
    try:
        typing.get_type_hints(part, include_extras=True)
        if isinstance(part, FunctionType):
            inspect.signature(part, eval_str=True)
        elif attrs.has(part):
            attrs.resolve_types(part)
    except Exception as error:  # noqa: BLE001 - annotations are code, and may fail in any way
        yield f"{place}: {type(error).__name__}: {error}"


@both_packages
def test_annotations_resolve(package: ModuleType) -> None:
    parts = [found for module in public_modules(package) for found in public_parts(module)]
    faults = {place: fault for place, part in parts for fault in unresolved(place, part)}

    assert sorted(faults.values()) == sorted(faults[place] for place in faults.keys() & NOT_RESOLVED.keys())
    assert len(parts) > 150


def test_exceptions_are_needed() -> None:
    modules = [*public_modules(memoram_async), *public_modules(memoram_sync)]
    parts = {place: part for module in modules for place, part in public_parts(module)}

    assert not [place for place in NOT_RESOLVED if not list(unresolved(place, parts[place]))]


@both_packages
def test_every_exported_name_is_looked_at(package: ModuleType) -> None:
    exported = {
        getattr(package, name) for name in package.__all__ if isinstance(getattr(package, name), type)
    }
    looked_at = {
        part
        for each in (memoram_async, memoram_sync)
        for module in public_modules(each)
        for _, part in public_parts(module)
        if isinstance(part, type)
    }

    assert exported <= looked_at


PLANTED: Final = """
from __future__ import annotations
TYPE_CHECKING = False
if TYPE_CHECKING:
    from memoram_async.models.tags import Tag
{planted}
"""


@pytest.mark.parametrize(
    "planted",
    [
        "def read() -> Tag: ...",
        "class Reader:\n    def __init__(self, tag: Tag) -> None: ...",
        "class Reader:\n    tag: Tag",
        "class Reader:\n    @property\n    def tag(self) -> Tag: ...",
        "class Reader:\n    @classmethod\n    def of(cls, tag: Tag) -> None: ...",
        "class Reader:\n    async def __anext__(self) -> Tag: ...",
        "import attrs\n@attrs.frozen\nclass Reader:\n    tag: Tag",
    ],
)
def test_a_name_for_type_checkers_alone_is_seen(planted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("memoram_async.planted")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(PLANTED.format(planted=planted), vars(module))  # noqa: S102 - our own words

    assert any(fault for place, part in public_parts(module) for fault in unresolved(place, part))
