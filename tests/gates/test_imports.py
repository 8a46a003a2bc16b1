"""Imports point down only, and what may block or suspend is imported in the runtime alone."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Final

import pytest

from tests.gates.source import (
    PACKAGES,
    PURE_FLOORS,
    Module,
    dotted,
    imports,
    is_below,
    modules,
    planted,
    violations,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.gates.source import Rule

PURE_IMPORTS: Final = frozenset(
    {
        "__future__",
        "abc",
        "attrs",
        "base64",
        "binascii",
        "codecs",
        "collections",
        "cryptography",
        "datetime",
        "email.utils",
        "enum",
        "functools",
        "hashlib",
        "heapq",
        "hmac",
        "inspect",
        "ipaddress",
        "itertools",
        "json",
        "math",
        "msgspec",
        "operator",
        "os",
        "pybase64",
        "pydantic_core",
        "re",
        "threading",
        "types",
        "typing",
        "unicodedata",
        "urllib.parse",
        "memoram_async",
    }
)
"""What pure code may import. A new name is a decision: nothing here reads a clock, waits or sends."""

IMPURE_USES: Final = frozenset(
    {
        "datetime.now",
        "datetime.today",
        "datetime.utcnow",
        "date.today",
        "email.utils.localtime",
        "open",
        "input",
        "print",
        "exec",
        "eval",
        "__import__",
        "breakpoint",
    }
)

MAY_IMPORT: Final = {
    "memoram_async": ("memoram_async",),
    "memoram_sync": ("memoram_async", "memoram_sync"),
    "memoram_local.demo": PACKAGES,
    "memoram_local.testing": PACKAGES,
    "memoram_local": ("memoram_local",),
}
"""Which of our packages a module may import; the first row that it lies in holds."""

FLOORS: Final = {
    "memoram_async": (
        ("_homes", "_lazy", "_std"),
        ("core",),
        ("crypto",),
        ("models",),
        ("runtime",),
        ("transport", "tokens", "keys"),
        ("approvals", "memories", "recall"),
        ("resources",),
        ("access",),
        ("family", "member"),
        ("memory_store", "client", "memory_api", "grants"),
        ("integrations",),
    ),
    "memoram_sync": (
        ("_homes", "runtime"),
        ("transport",),
        ("resources", "memory_store", "client", "memory_api", "grants"),
    ),
    "memoram_local": (
        (
            *("behaviour", "clock", "errors", "hashing", "limits", "master_keys", "randomness"),
            *("redirect_uris", "sealing", "shown_text", "user"),
        ),
        ("contract",),
        ("store",),
        ("services",),
        ("http",),
        ("controls",),
        ("process",),
        ("oauth",),
        ("api", "memory_api"),
        ("web",),
        ("application",),
        ("platform",),
        ("cli", "__main__"),
        ("testing",),
        ("demo",),
    ),
}
"""The rooms of each package, ground first; a package's own module, which exports, stands above them all."""

SUSPENDING: Final = ("anyio", "asyncio", "trio", "sniffio", "httpx", "httpcore", "httpx2", "httpcore2")
RUNTIMES: Final = {
    "memoram_async.runtime.anyio_runtime": ("anyio", "asyncio", "sniffio"),
    "memoram_async.runtime.async_clients": ("anyio", "httpx2"),
    "memoram_async.runtime.read_ahead": ("anyio",),
    "memoram_async.runtime.async_connections": ("anyio", "httpcore", "httpx", "sniffio"),
    "memoram_async.runtime.asyncio_streams": ("anyio", "asyncio", "httpcore"),
    "memoram_async.runtime.trio_streams": ("anyio", "httpcore"),
    "memoram_async.runtime.loop_end": ("anyio",),
    "memoram_async.runtime.turns": ("anyio",),
    "memoram_async.runtime.httpx_adapter": ("httpx", "httpx2"),
    "memoram_async.runtime.environment": ("httpx",),
    "memoram_async.runtime.intercepted": ("httpx", "httpcore"),
    "memoram_async.runtime.wire_request": ("httpx", "httpcore"),
}


def imports_only_what_is_pure(module: Module) -> Iterator[str]:
    """Pure code imports from a list, uses nothing of `threading` but `Lock` and of `os` but `urandom`."""
    for line, target in imports(module):
        if not is_below(target, *PURE_IMPORTS):
            yield f"{line}: imports {target}"
        if is_below(target, "threading", "os") and target not in {"threading", "os"}:
            yield f"{line}: imports {target}: write {target.split('.')[0]}.… so that its use can be seen"
    for node in ast.walk(module.tree):
        name = dotted(node)
        if name and is_impure(name, within_crypto=module.within("memoram_async.crypto")):
            yield f"uses {name}"


def is_impure(name: str, *, within_crypto: bool) -> bool:
    """Whether code that uses this name may wait, look around or depend on more than its arguments."""
    root, *rest = name.split(".")
    if rest and root == "threading":
        return rest != ["Lock"]
    if rest and root == "os":
        return rest != ["urandom"] or not within_crypto
    return name in IMPURE_USES or ".".join([root, *rest][-2:]) in IMPURE_USES


def imports_only_from_below(module: Module) -> Iterator[str]:
    """A module imports its own floor and the floors below it, for type checkers as at run time."""
    package = module.name.partition(".")[0]
    allowed = next(allowed for place, allowed in MAY_IMPORT.items() if module.within(place))
    own = floor_of(module.name)
    if own is None:
        yield f"{module.name} stands on no floor"
        return
    for line, target in imports(module):
        if target.startswith("."):
            yield f"{line}: imports {target} relatively"
        elif is_below(target, *PACKAGES) and not is_below(target, *allowed):
            yield f"{line}: imports {target}"
        elif is_below(target, package):
            floor = floor_of(target)
            if floor is None or floor > own:
                yield f"{line}: imports {target}, which lies higher"


def floor_of(name: str) -> int | None:
    """How high a module or a name in it stands; a package's own module is its roof."""
    package, *room = name.split(".")
    floors = FLOORS[package]
    if not room:
        return len(floors)
    return next((height for height, rooms in enumerate(floors) if room[0] in rooms), None)


def circles(modules: Iterable[Module]) -> list[str]:
    """Modules that import each other, directly or in a round."""
    by_name = {module.name: module for module in modules}
    graph = {name: set[str]() for name in by_name}
    for name, module in by_name.items():
        for _, target in imports(module):
            found = target if target in by_name else target.rpartition(".")[0]
            if found in by_name:
                graph[name].add(found)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def imports_nothing_that_suspends(module: Module) -> Iterator[str]:
    """Loops and HTTP clients are known to the runtime alone, httpx to its adapter as well."""
    if module.within("memoram_async.integrations"):
        return
    allowed = RUNTIMES.get(module.name, ())
    for line, target in imports(module):
        if is_below(target, *SUSPENDING) and not is_below(target, *allowed):
            yield f"{line}: imports {target}"
        if is_below(target, "importlib") and module.name not in {*RUNTIMES, "memoram_async._lazy"}:
            yield f"{line}: imports {target}, which can import anything"


# --- the source keeps the rules ----------------------------------------------------------------


def test_the_pure_floors_import_only_what_is_pure() -> None:
    assert not violations(imports_only_what_is_pure, *PURE_FLOORS)


def test_imports_point_down() -> None:
    assert not violations(imports_only_from_below, *PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other(package: str) -> None:
    assert not circles(modules(package))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_is_on_one_floor(package: str) -> None:
    rooms = {module.name.split(".")[1] for module in modules(package) if "." in module.name}
    listed = [room for floor in FLOORS[package] for room in floor]

    assert sorted(listed) == sorted(rooms)


def test_only_the_runtime_imports_what_suspends() -> None:
    assert not violations(imports_nothing_that_suspends, "memoram_async")


# --- and the rules see what breaks them --------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "import httpx",
        "import asyncio",
        "import anyio.lowlevel",
        "from trio import sleep",
        "import socket",
        "import ssl",
        "import time",
        "import random",
        "import secrets",
        "from time import monotonic",
        "import urllib.request",
        "import logging",
        "import subprocess",
        "import concurrent.futures",
        "def f():\n    import time",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import httpx",
        "import threading\nthreading.Thread",
        "import threading\nlock = threading.RLock()",
        "import threading\nthreading.local()",
        "from threading import Lock",
        "import os\nos.environ['HOME']",
        "import os\nos.getenv('HOME')",
        "import os\nos.urandom(1)",
        "from os import environ",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime, UTC\nf = datetime.utcnow",
        "from datetime import date\ndate.today()",
        "open('file')",
        "__import__('time')",
    ],
)
def test_impurity_is_seen(text: str) -> None:
    assert planted(imports_only_what_is_pure, "memoram_async.core.x", text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("memoram_async.core.x", "import threading\nlock = threading.Lock()"),
        ("memoram_async.core.x", "from datetime import UTC, datetime\ndatetime.fromisoformat('')"),
        ("memoram_async.core.x", "from urllib.parse import quote"),
        ("memoram_async.crypto.x", "import os\ndef f(random=os.urandom): ..."),
        ("memoram_async.models.x", "import attrs\nfrom attrs.converters import optional"),
    ],
)
def test_purity_is_let_through(name: str, text: str) -> None:
    assert not planted(imports_only_what_is_pure, name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("memoram_async.core.x", "from memoram_async.crypto import encrypt"),
        ("memoram_async.core.x", "from memoram_async.models.page import Page"),
        ("memoram_async.core.x", "from memoram_async import Secret"),
        ("memoram_async.core.x", "import memoram_async"),
        ("memoram_async.core.x", "import memoram_async as sdk\ndef f(client: sdk.AsyncMemoram): ..."),
        ("memoram_async.core.x", "import memoram_async as sdk\ndef f(): return sdk.Tag"),
        ("memoram_async.core.x", "from memoram_async.core_two import a"),
        ("memoram_async.core.x", "from .errors import MemoramError"),
        ("memoram_async.crypto.x", "from memoram_async.models.memory import Memory"),
        ("memoram_async.crypto.x", "from memoram_async.runtime.protocol import Runtime"),
        ("memoram_async.models.x", "from memoram_async.transport.transport import Call"),
        ("memoram_async.client", "from memoram_sync import Memoram"),
        ("memoram_async.client", "import memoram_local"),
        ("memoram_async.client", "def f():\n    from memoram_local.platform import MemoramLocal"),
        ("memoram_sync.client", "from memoram_local import MemoramLocal"),
        ("memoram_sync", "import memoram_local.process.server"),
        ("memoram_local.process.server", "from memoram_async import AsyncMemoram"),
        ("memoram_local.cli", "import memoram_sync"),
        ("memoram_local.platform", "import memoram_sync"),
        ("memoram_async.runtime.x", "from memoram_async.transport.hooks import Hooks"),
        ("memoram_async.approvals", "from memoram_async.resources.tags import AsyncTags"),
        ("memoram_async.approvals", "import memoram_async"),
        (
            "memoram_async.approvals",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import memoram_async.client",
        ),
        ("memoram_async.loose", ""),
        ("memoram_sync.runtime.x", "from memoram_sync.transport.pager import Pager"),
        ("memoram_local.clock", "from memoram_local.store import units"),
        ("memoram_local.store.x", "from memoram_local.services.activity import Activity"),
        ("memoram_local.controls.x", "from memoram_local.api.waiting import wait_until"),
        ("memoram_local.platform", "from memoram_local.testing.proxy import FaultProxy"),
        ("memoram_local.testing.x", "from memoram_local import MemoramLocal"),
        ("memoram_local.testing.x", "from memoram_local.demo import stage"),
    ],
)
def test_an_import_that_points_up_is_seen(name: str, text: str) -> None:
    assert planted(imports_only_from_below, name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("memoram_async.core.x", "from memoram_async.core.errors import MemoramError"),
        ("memoram_async.models.x", "from memoram_async.crypto import Decrypted"),
        ("memoram_async.models.x", "import memoram_async as sdk\ndef f(x: sdk.Decrypted) -> sdk.Tag: ..."),
        ("memoram_async", "from memoram_async.client import AsyncMemoram as AsyncMemoram"),
        ("memoram_sync.client", "from memoram_async.core.secret import Secret"),
        ("memoram_local.demo.run", "from memoram_sync import Memoram"),
        ("memoram_local.testing.plugin", "from memoram_sync import Memoram"),
        ("memoram_local", "from memoram_local.platform import MemoramLocal as MemoramLocal"),
        ("memoram_local.demo", "from memoram_async import AsyncMemoram"),
    ],
)
def test_an_import_that_points_down_is_let_through(name: str, text: str) -> None:
    assert not planted(imports_only_from_below, name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("memoram_async.transport.transport", "import asyncio"),
        ("memoram_async.tokens.provider", "from anyio import sleep"),
        ("memoram_async.resources.tags", "import trio"),
        ("memoram_async.client", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import httpx"),
        ("memoram_async.client", "from httpx import AsyncClient"),
        ("memoram_async.runtime.trio_streams", "import asyncio"),
        ("memoram_async.runtime.anyio_runtime", "import trio"),
        ("memoram_async.runtime.httpx_adapter", "import anyio"),
        ("memoram_async.transport.pager", "import importlib"),
        ("memoram_async.transport.pager", "from importlib import import_module"),
    ],
)
def test_an_import_of_what_suspends_is_seen(name: str, text: str) -> None:
    assert planted(imports_nothing_that_suspends, name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("memoram_async.runtime.anyio_runtime", "import anyio\nimport anyio.to_thread"),
        ("memoram_async.runtime.httpx_adapter", "import httpx"),
        ("memoram_async.client", "from memoram_async.runtime.httpx_adapter import AsyncHTTPClient"),
    ],
)
def test_the_runtime_may_import_what_suspends(name: str, text: str) -> None:
    assert not planted(imports_nothing_that_suspends, name, text)


@pytest.mark.parametrize(
    "rule", [imports_only_what_is_pure, imports_only_from_below, imports_nothing_that_suspends]
)
def test_an_empty_module_breaks_no_rule(rule: Rule) -> None:
    assert not planted(rule, "memoram_async.core.x", "")
