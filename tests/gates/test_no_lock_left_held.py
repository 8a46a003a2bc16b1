"""In the way of a blocking call there is nothing that an interrupt can leave held.

KeyboardInterrupt, or whatever else a signal handler raises, comes after any call into C and before the
first line of any function in Python. So a lock is left held now and then, measured with real signals on
CPython 3.11 to 3.13, by

-   `lock.acquire()` followed by `try` and `finally`: the interrupt comes in between;
-   `with` on anything whose `__enter__` or `__exit__` is Python, which is what `threading.Condition`, and
    with it `Event`, `Queue`, `Semaphore`, `Barrier`, executors and `Thread.start`, are made of.

`with` on a lock in C is never left held: the interpreter does not look for signals between taking it and
entering the block. So the rules for every module that takes part in a blocking call are:

1.  It names none of those classes.
2.  It calls no `acquire` and no `release`; `bell.py` does, on a lock that belongs to one waiter, and what
    `os.fork` calls.
3.  What is locked is locked by `with`.

A module of `memoram_async` takes part unless it belongs to the async world alone.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

import pytest

from tests.gates.source import Module, imports, is_below, modules, planted

if TYPE_CHECKING:
    from collections.abc import Iterator

ASYNC_ALONE: Final = (
    "memoram_async.runtime.anyio_runtime",
    "memoram_async.tokens.redis_store",  # redis-py has locks of its own, inside the user's store
)
ONE_SHOT: Final = "memoram_sync.runtime.bell"
AROUND_FORKS: Final = "memoram_async.runtime.forking"  # called by `os.fork`, in C
LEFT_HELD: Final = frozenset(
    {
        "Barrier",
        "BoundedSemaphore",
        "Condition",
        "Event",
        "LifoQueue",
        "PriorityQueue",
        "ProcessPoolExecutor",
        "Queue",
        "Semaphore",
        "SimpleQueue",
        "Thread",
        "ThreadPoolExecutor",
        "Timer",
    }
)
WHOLE_IN_C: Final = "queue.SimpleQueue"
"""Written in C from end to end and made to be interrupted: nothing of it is held when Python code runs."""

HOLDERS: Final = ("threading", "queue", "concurrent.futures", "multiprocessing", "contextlib.ExitStack")


def takes_part(module: Module) -> bool:
    """Whether a module's code may run in a blocking call."""
    return not module.within(*ASYNC_ALONE)


def leaves_nothing_held(module: Module) -> Iterator[str]:
    """Rules 1 and 2."""
    if not takes_part(module):
        return
    calls = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    of_stores = {id(call.func) for call in calls if _is_of_a_store(module, call)}
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(value=ast.Name(id=holder), attr=name) if (
                holder in {"threading", "queue", "futures"} and name in LEFT_HELD
            ):
                yield f"{node.lineno}: uses {holder}.{name}"
            case ast.Import(names=names) if any(
                alias.asname and is_below(alias.name, *HOLDERS) for alias in names
            ):
                yield f"{node.lineno}: {ast.unparse(node)}: write the name out, so that it is seen"
            case ast.Attribute(attr="acquire" | "release" as name) if (
                module.name
                not in {
                    ONE_SHOT,
                    AROUND_FORKS,
                }
                and id(node) not in of_stores
            ):
                yield f"{node.lineno}: uses {name}()"
            case ast.Call(func=ast.Attribute(attr="__enter__" | "__exit__" as name), args=given) if not (
                isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value).startswith("super()")
            ):
                yield f"{node.lineno}: calls {name}() with {len(given)} arguments by hand"
            case _:
                pass
    for line, target in imports(module):
        if target == WHOLE_IN_C:
            continue
        if is_below(target, *HOLDERS) and (
            target.rpartition(".")[2] in LEFT_HELD or is_below(target, "concurrent.futures", "queue")
        ):
            yield f"{line}: imports {target}"


def _is_of_a_store(module: Module, node: ast.AST) -> bool:
    """Whether `release` gives back a lease in a token store, which is no lock of this process."""
    return module.within("memoram_async.tokens") and isinstance(node, ast.Call) and bool(node.args)


def locks_by_with(module: Module) -> Iterator[str]:
    """Rule 3: a lock is made to be kept under a name, and only ever the subject of a `with`."""
    if not takes_part(module) or module.name == ONE_SHOT:
        return
    subjects = {
        id(item.context_expr)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.With | ast.AsyncWith)
        for item in node.items
    }
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(attr="_lock", ctx=ast.Load()) if id(node) not in subjects:
                yield f"{node.lineno}: uses {ast.unparse(node)} otherwise than by with"
            case _:
                pass


PACKAGES: Final = ("memoram_async", "memoram_sync")


def test_nothing_in_the_way_of_a_call_can_be_left_held() -> None:
    faults = [f"{each.name}: {fault}" for each in modules(*PACKAGES) for fault in leaves_nothing_held(each)]
    assert faults == []


def test_locks_are_taken_by_with_alone() -> None:
    faults = [f"{each.name}: {fault}" for each in modules(*PACKAGES) for fault in locks_by_with(each)]
    assert faults == []


def test_the_exceptions_exist() -> None:
    names = {module.name for module in modules(*PACKAGES)}
    assert {*ASYNC_ALONE, ONE_SHOT, AROUND_FORKS} <= names


@pytest.mark.parametrize(
    "text",
    [
        "import threading\nx = threading.Condition()",
        "import threading\nx = threading.Event()",
        "from threading import Event",
        "from threading import Thread",
        "import threading\nthreading.Thread(target=print).start()",
        "import queue",
        "from concurrent.futures import ThreadPoolExecutor",
        "import concurrent.futures",
        "lock.acquire()",
        "self._lock.release()",
        "self._limiter.acquire()",
        "import threading as t\nx = t.Event()",
        "take = self._lock.acquire",
        "self._lock.__enter__()",
    ],
)
def test_what_can_be_left_held_is_seen(text: str) -> None:
    assert planted(leaves_nothing_held, "memoram_sync.runtime.x", text)


@pytest.mark.parametrize(
    "text",
    [
        "import threading\nlock = threading.Lock()\nwith lock:\n    pass",
        "import threading\nlock = threading.RLock()",
        "import _thread\n_thread.start_new_thread(print, ())",
    ],
)
def test_what_cannot_is_let_through(text: str) -> None:
    assert not planted(leaves_nothing_held, "memoram_sync.runtime.x", text)


def test_a_bell_may_be_rung() -> None:
    assert not planted(leaves_nothing_held, ONE_SHOT, "self._lock.release()")


@pytest.mark.parametrize(
    "text", ["self._lock.locked()", "f(self._lock)", "with suppress(x):\n    g(self._lock)"]
)
def test_another_use_of_a_lock_is_seen(text: str) -> None:
    assert planted(locks_by_with, "memoram_sync.runtime.x", text)


def test_a_lock_that_is_made_and_taken_by_with_is_let_through() -> None:
    assert not planted(
        locks_by_with, "memoram_sync.runtime.x", "self._lock = Lock()\nwith self._lock:\n    pass"
    )
