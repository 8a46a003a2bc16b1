"""Everything public in the async package has a twin in the blocking one, and the reverse.

The generator is not trusted here: these tests compare the two packages as a user's interpreter sees them.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from types import FunctionType, MemberDescriptorType, ModuleType
from typing import Any, Final, get_overloads

import pytest

import memoram_async
import memoram_sync
from memoram_async._lazy import resource

NAMES: Final = {"AnyioRuntime": "BlockingRuntime"}
METHODS: Final = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
}
PYTHONS_OWN: Final = {
    "__module__",
    "__dict__",
    "__weakref__",
    "__doc__",
    "__slots__",
    "__slotnames__",
    "__annotations__",
} | {
    "__orig_bases__",
    "__parameters__",
    "__firstlineno__",
    "__static_attributes__",
    "__init__",
}
ASYNC_WORDS: Final = re.compile(
    r"async|await|event loop|coroutine|task|aclose|anyio|trio\b|kept to exactly", re.IGNORECASE
)
WRITTEN_BY_HAND: Final = "memoram_sync.runtime."


def sync_name(name: str) -> str:
    return NAMES.get(name, re.sub(r"^Async(?=[A-Z])", "", name))


def sync_text(text: str) -> str:
    return re.sub(r"\bAsync(?=[A-Z])", "", text)


def exports(package: ModuleType) -> dict[str, Any]:
    return {name: getattr(package, name) for name in package.__all__}


def public_classes(module: ModuleType) -> list[type]:
    return [
        value
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
    ]


def mirrored_modules() -> list[tuple[ModuleType, ModuleType]]:
    pairs: list[tuple[ModuleType, ModuleType]] = []
    for found in pkgutil.walk_packages(memoram_sync.__path__, "memoram_sync."):
        if not found.name.startswith(WRITTEN_BY_HAND):
            original = found.name.replace("memoram_sync", "memoram_async")
            pairs.append((importlib.import_module(original), importlib.import_module(found.name)))
    return pairs


MODULES: Final = mirrored_modules()
CLASSES: Final = [
    (kind, getattr(mirror, sync_name(kind.__name__), None))
    for original, mirror in MODULES
    for kind in public_classes(original)
]


def members(kind: type) -> dict[str, Any]:
    """The public members by name, with the methods that Python calls."""
    return {
        name: value
        for name, value in vars(kind).items()
        if name not in PYTHONS_OWN
        and (not name.startswith("_") or name.startswith("__"))
        and not isinstance(value, MemberDescriptorType)  # a slot, whose annotation is compared
    }


def function(member: Any) -> FunctionType:
    """What a member is made of."""
    if isinstance(member, resource):
        member = vars(member)["_make"]
    if isinstance(member, property):
        assert isinstance(member.fget, FunctionType)
        assert member.fset is None
        return member.fget
    plain = getattr(member, "__func__", member)
    assert isinstance(plain, FunctionType)
    return plain


def signature(made_of: Any, *, text: Any) -> tuple[list[tuple[str, Any, Any, str]], str]:
    """Parameters as name, kind, default and annotation, and what is returned."""
    parsed = inspect.signature(made_of)
    parameters = [
        (each.name, each.kind, each.default, text(str(each.annotation)))
        for each in parsed.parameters.values()
    ]
    return parameters, text(str(parsed.return_annotation))


def compared(kind: type, name: str) -> tuple[Any, Any]:
    """A member and its twin."""
    mirror = dict(CLASSES)[kind]
    return vars(kind)[name], vars(mirror)[METHODS.get(name, name)]


def is_client(kind: type) -> bool:
    return "runtime" in inspect.signature(kind).parameters


MEMBERS: Final = [
    pytest.param(kind, name, id=f"{kind.__name__}.{name}") for kind, _ in CLASSES for name in members(kind)
]
DOCUMENTED: Final = [
    *(pytest.param(*pair, id=pair[0].__name__) for pair in MODULES),
    *(pytest.param(*pair, id=pair[0].__name__) for pair in CLASSES),
]


def test_the_packages_export_the_same_things() -> None:
    assert sorted(exports(memoram_sync)) == sorted(sync_name(name) for name in exports(memoram_async))


def test_what_bears_the_same_name_is_the_same_thing() -> None:
    mirrored = exports(memoram_sync)
    shared = {name: value for name, value in exports(memoram_async).items() if sync_name(name) == name}
    assert len(shared) > 40
    assert {name: mirrored[name] for name in shared} == shared


def test_there_is_something_to_compare() -> None:
    assert {kind.__name__ for kind, _ in CLASSES} >= {"AsyncMemoram", "AsyncMemoryStore", "AsyncPager"}
    assert len(MEMBERS) > 30


@pytest.mark.parametrize(("original", "mirror"), MODULES, ids=lambda module: module.__name__)
def test_modules_hold_the_same_classes(original: ModuleType, mirror: ModuleType) -> None:
    assert [kind.__name__ for kind in public_classes(mirror)] == [
        sync_name(kind.__name__) for kind in public_classes(original)
    ]


@pytest.mark.parametrize(("original", "mirror"), CLASSES, ids=lambda kind: kind.__name__)
def test_classes_have_the_same_members(original: type, mirror: type) -> None:
    assert sorted(members(mirror)) == sorted(METHODS.get(name, name) for name in members(original))
    assert getattr(mirror, "__parameters__", ()) == () or len(mirror.__parameters__) == len(  # type: ignore[attr-defined]
        original.__parameters__  # type: ignore[attr-defined]
    )


@pytest.mark.parametrize(("original", "mirror"), CLASSES, ids=lambda kind: kind.__name__)
def test_classes_declare_the_same_attributes(original: type, mirror: type) -> None:
    declared = {
        name: sync_text(kind)
        for name, kind in vars(original).get("__annotations__", {}).items()
        if name[0] != "_"
    }
    assert vars(mirror).get("__annotations__", {}) == declared


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_members_are_of_the_same_kind(kind: type, name: str) -> None:
    original, mirror = compared(kind, name)
    assert type(mirror) is type(original)


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_signatures_are_the_same(kind: type, name: str) -> None:
    original, mirror = compared(kind, name)
    assert signature(function(mirror), text=str) == signature(function(original), text=sync_text)


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_overloads_are_the_same(kind: type, name: str) -> None:
    original, mirror = compared(kind, name)
    assert [signature(each, text=str) for each in get_overloads(function(mirror))] == [
        signature(each, text=sync_text) for each in get_overloads(function(original))
    ]


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_nothing_blocking_makes_a_coroutine(kind: type, name: str) -> None:
    _, mirror = compared(kind, name)
    made = function(mirror)
    assert not inspect.iscoroutinefunction(made)
    assert not inspect.isasyncgenfunction(made)


@pytest.mark.parametrize(
    ("original", "mirror"),
    [pair for pair in CLASSES if is_client(pair[0])],
    ids=lambda kind: kind.__name__,
)
def test_clients_are_constructed_alike(original: type, mirror: type) -> None:
    assert signature(function(vars(mirror)["__init__"]), text=str) == signature(
        function(vars(original)["__init__"]), text=sync_text
    )
    compare_docstrings(vars(original)["__init__"].__doc__, vars(mirror)["__init__"].__doc__)


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_members_are_documented_alike(kind: type, name: str) -> None:
    original, mirror = compared(kind, name)
    compare_docstrings(original.__doc__, mirror.__doc__)


@pytest.mark.parametrize(("original", "mirror"), DOCUMENTED)
def test_modules_and_classes_are_documented_alike(original: Any, mirror: Any) -> None:
    compare_docstrings(original.__doc__, mirror.__doc__)


def test_the_package_is_documented_for_blocking_code() -> None:
    compare_docstrings(memoram_async.__doc__, memoram_sync.__doc__)
    assert memoram_sync.__doc__
    assert "with Memoram() as memoram:" in memoram_sync.__doc__
    assert "memoram_async" not in memoram_sync.__doc__


def compare_docstrings(original: str | None, mirror: str | None) -> None:
    """Line by line the same, but for lines that speak of the async world; those may not stay."""
    assert (original is None) == (mirror is None)
    before, after = (original or "").splitlines(), (mirror or "").splitlines()
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        if ASYNC_WORDS.search(old) is None:
            assert new == old
        else:
            assert new != old
