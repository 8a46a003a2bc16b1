"""The packages' names are loaded when they are first asked for, and are all known before."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import memoram_async
import memoram_sync
from tests.gates.source import ROOT, imports, is_below, modules

if TYPE_CHECKING:
    from types import ModuleType

HEAVY = (
    *("anyio", "asyncio", "attr", "attrs", "cattrs", "cryptography", "httpcore", "httpx", "sniffio", "ssl"),
    *("collections.abc", "contextlib", "dataclasses", "http.cookiejar", "importlib", "inspect", "json"),
    *("logging", "re", "threading", "typing", "warnings"),
)
both_packages = pytest.mark.parametrize(
    "package", [memoram_async, memoram_sync], ids=lambda each: each.__name__
)


def loaded_by(code: str) -> set[str]:
    """Which of the heavy modules this loads in a fresh interpreter, beside those that it starts with."""
    watched = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
before = set(sys.modules)
{code}
print(*sys.modules.keys() - before)
"""
    done = subprocess.run(  # noqa: S603 - our own words
        (sys.executable, "-I", "-c", watched), capture_output=True, encoding="utf-8", check=True
    )
    return set(done.stdout.split()) & set(HEAVY)


@pytest.mark.parametrize(
    "statement",
    [
        "import memoram_async, memoram_async.memory_api",
        "import memoram_sync, memoram_sync.memory_api",
        "from memoram_async import AsyncMemoram, AsyncMemoryAPI",
        "from memoram_sync import Memoram, MemoryAPI",
        "from memoram_async.memory_api import AsyncMemoryAPI",
        "from memoram_sync.memory_api import MemoryAPI",
        "from memoram_async import UNSET, MemoramError, NotFoundError, Secret",
        "from memoram_sync.memory_api import RotationError, ValidationError",
    ],
)
def test_clients_and_errors_load_nothing_heavy_before_they_are_used(statement: str) -> None:
    assert loaded_by(statement) == set()


@pytest.mark.parametrize(
    ("heavy", "statement"),
    [
        ("httpx", "from memoram_async import Memory, StoreOptions"),
        ("asyncio", "from memoram_sync import Memoram, MemoryBlob, Tag"),
        ("cryptography", "from memoram_async import AccessRequest, ResponseInfo"),
        ("httpx", f"from memoram_async import AsyncMemoram; AsyncMemoram('mem_{'0' * 48}')"),
    ],
)
def test_a_name_loads_no_more_than_it_needs(heavy: str, statement: str) -> None:
    assert heavy not in loaded_by(statement)


def test_nobody_imports_what_reads_cookies() -> None:
    assert not [
        (module.name, target)
        for module in modules("memoram_async", "memoram_sync")
        for _, target in imports(module)
        if is_below(target, "http")
    ]


def test_what_is_loaded_is_seen() -> None:
    assert {"typing", "dataclasses"} <= loaded_by("import typing, dataclasses")


@both_packages
def test_every_name_can_be_had(package: ModuleType) -> None:
    for name in package.__all__:
        assert getattr(package, name) is not None


@both_packages
def test_names_are_known_before_they_are_loaded(package: ModuleType) -> None:
    assert set(package.__all__) <= set(dir(package))


@both_packages
def test_a_star_import_brings_every_name(package: ModuleType) -> None:
    names: dict[str, object] = {}
    exec(f"from {package.__name__} import *", names)  # noqa: S102 - a star import fits in no function

    assert names.keys() - {"__builtins__"} == set(package.__all__)


@both_packages
def test_a_name_is_loaded_once(package: ModuleType) -> None:
    assert package.Tag is package.Tag
    assert "Tag" in vars(package)


@both_packages
def test_a_name_that_does_not_exist_is_told(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'Tga'"):
        getattr(package, "Tga")  # noqa: B009 - the checkers would say so first
    with pytest.raises(ImportError, match="cannot import name 'Tga'"):
        exec(f"from {package.__name__} import Tga")  # noqa: S102 - as above
