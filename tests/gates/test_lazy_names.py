"""The packages' names are loaded when they are first asked for, and are all known before."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import memoram_async
import memoram_sync
from tests.gates.source import ROOT

if TYPE_CHECKING:
    from types import ModuleType

HEAVY = ("attrs", "httpx", "anyio", "asyncio", "cattrs", "cryptography", "dataclasses", "typing", "sniffio")
both_packages = pytest.mark.parametrize(
    "package", [memoram_async, memoram_sync], ids=lambda each: each.__name__
)


def loaded_by(code: str) -> set[str]:
    """Which of the heavy modules a fresh interpreter has loaded after this."""
    code = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(  # noqa: S603 - our own words
        (sys.executable, "-S", "-c", code), capture_output=True, encoding="utf-8", check=True, cwd=ROOT
    )
    return set(done.stdout.split()) & set(HEAVY)


@pytest.mark.parametrize("name", ["memoram_async", "memoram_sync"])
def test_importing_a_package_loads_nothing_heavy(name: str) -> None:
    assert loaded_by(f"import {name}") == set()


def test_what_is_loaded_is_seen() -> None:
    assert loaded_by("import typing, dataclasses") == {"typing", "dataclasses"}


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
