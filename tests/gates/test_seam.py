"""Above the seam nothing is awaited but the runtime and coroutines of our own.

The same coroutines run in both worlds: where they may suspend, and where they must never. So whatever
could suspend has to go through a `Runtime`, and this is checked in the syntax, because driving each
method once proves little: an uncontended lock does not suspend, and a contended one does.

The rule for every module of `memoram_async` but the async side of the runtime:

1.  `core`, `crypto` and `models` have no coroutines at all.
2.  What is awaited is a call. Its callee is, by its last name,

    -   a method of the `Runtime` protocol, called on something named `runtime` or `_runtime`, or of its
        `ReadAhead`, called on something named `_ahead`; or
    -   an `async def` of the package itself, `httpx_adapter`'s protocols excepted; or
    -   a parameter or attribute whose annotation in the same module is a `Callable` that returns an
        `Awaitable` or `Coroutine`: a coroutine of ours that was handed down;

    and neither its first name nor any other was imported from outside the package. Where a name is both
    the runtime's and our own (`send`, `aclose`), either way of calling it will do; our own `wait` is called
    on a hub alone. Or what is awaited is a parameter that is annotated as a `Coroutine`.
3.  `async for` runs over a pager: a parameter that is annotated as one, or the call of a function of the
    package that is annotated to return one. The same holds in comprehensions.
4.  There is no `async with`, no asynchronous generator (neither function nor expression), and no name that
    starts tasks or waits for them: they would tie the code to a loop.
5.  No lock is held across an `await`.

Names stand in for types here, so the rule is an approximation: it can be fooled by a foreign object in a
variable named `runtime`, or by a foreign method that bears a name of ours. Imports of such objects are
forbidden by another gate, and contention tests with real threads do the rest.
"""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest

from tests.gates.source import (
    PURE_FLOORS,
    Module,
    dotted,
    imports,
    is_below,
    modules,
    own_scope,
    planted,
    violations,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SEAM: Final = "memoram_async.runtime.protocol"
RUNTIME: Final = "memoram_async.runtime.anyio_runtime"
EXEMPT: Final = frozenset(
    {
        RUNTIME,
        "memoram_async.runtime.async_clients",
        "memoram_async.runtime.async_connections",
        "memoram_async.runtime.intercepted",
        "memoram_async.runtime.read_ahead",
        "memoram_async.runtime.asyncio_streams",
        "memoram_async.runtime.trio_streams",
        "memoram_async.runtime.loop_end",
        "memoram_async.runtime.turns",
    }
)
INTEGRATIONS: Final = "memoram_async.integrations"
"""They live in frameworks of the async world, and nothing of them is mirrored."""
PROTOCOLS_OF_OTHERS: Final = "memoram_async.runtime.httpx_adapter"
FOR_USERS_ALONE: Final = frozenset({"wait"})
"""Coroutines of ours that bear a name which events of every loop have too; none of ours awaits them."""
PAGERS: Final = ("AsyncPager", "AsyncPageIterator", "AsyncItemIterator")
HUBS: Final = (["hub"], ["_hub"])
"""What our own `wait` is called on: the name is that of the threading module's primitives as well."""

TASKS: Final = frozenset(
    {
        "create_task",
        "create_task_group",
        "ensure_future",
        "gather",
        "get_event_loop",
        "get_running_loop",
        "new_event_loop",
        "open_nursery",
        "run_coroutine_threadsafe",
        "run_until_complete",
        "start_soon",
        "TaskGroup",
    }
)


def coroutine_names(module: Module) -> set[str]:
    """The names of the coroutine functions that a module defines."""
    return {node.name for node in ast.walk(module.tree) if isinstance(node, ast.AsyncFunctionDef)}


@cache
def runtime_names() -> frozenset[str]:
    """The coroutine methods of the `Runtime` protocol."""
    (seam,) = [module for module in modules("memoram_async") if module.name == SEAM]
    return frozenset(coroutine_names(seam))


def is_exempt(module: Module) -> bool:
    """Whether a module belongs to the async world alone."""
    return module.name in EXEMPT or module.within(INTEGRATIONS)


@cache
def own_names() -> frozenset[str]:
    """The coroutine functions of the package above the seam."""
    others = {SEAM, PROTOCOLS_OF_OTHERS}
    above = [each for each in modules("memoram_async") if not is_exempt(each) and each.name not in others]
    return frozenset(name for module in above for name in coroutine_names(module)) - FOR_USERS_ALONE


@cache
def pager_names() -> frozenset[str]:
    """The functions of the package that are annotated to return a pager."""
    return frozenset(
        node.name
        for module in modules("memoram_async")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and mentions(node.returns, *PAGERS)
    )


def mentions(annotation: ast.AST | None, *names: str) -> bool:
    """Whether an annotation speaks of one of these types."""
    nodes = [] if annotation is None else list(ast.walk(annotation))
    return any(isinstance(node, ast.Name) and node.id in names for node in nodes)


def handed_down(module: Module) -> set[str]:
    """Parameters and attributes that hold a coroutine function."""
    names: set[str] = set()
    for node in ast.walk(module.tree):
        match node:
            case ast.arg(arg=name, annotation=annotation):
                holder = name
            case ast.AnnAssign(target=target, annotation=annotation):
                holder = dotted(target).rpartition(".")[2]
            case _:
                continue
        if mentions(annotation, "Callable") and mentions(annotation, "Awaitable", "Coroutine"):
            names.add(holder)
    # What is kept under another name is handed down under that one as well.
    for node in ast.walk(module.tree):
        match node:
            case ast.Assign(targets=[ast.Attribute(attr=attribute)], value=ast.Name(id=name)) if (
                name in names
            ):
                names.add(attribute)
            case _:
                pass
    return names


def foreign(module: Module) -> set[str]:
    """The names that a module has from outside the package."""
    return {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import)
        or (isinstance(node, ast.ImportFrom) and not is_below(node.module or "", "memoram_async"))
        for alias in node.names
        if isinstance(node, ast.ImportFrom) or not is_below(alias.name, "memoram_async")
    }


def awaits_only_the_runtime_and_our_own(module: Module) -> Iterator[str]:
    """Rule 2."""
    if is_exempt(module):
        return
    ours = own_names() | coroutine_names(module) | handed_down(module)
    theirs = foreign(module)
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Await):
            continue
        callee = dotted(node.value.func) if isinstance(node.value, ast.Call) else ""
        *owner, name = callee.split(".")
        on_runtime = bool(owner) and owner[-1] in {"runtime", "_runtime", "_ahead"}
        is_ours = name in ours and not on_runtime and (name != "wait" or owner[-1:] in HUBS)
        fine = (name in runtime_names() and on_runtime) or is_ours or is_coroutine_parameter(module, node)
        if not fine or theirs & {*owner, name}:
            yield f"{node.lineno}: awaits {ast.unparse(node.value)}"


def is_coroutine_parameter(module: Module, node: ast.Await) -> bool:
    """Whether what is awaited is a parameter that is annotated as a coroutine."""
    if not isinstance(node.value, ast.Name):
        return False
    return any(
        isinstance(each, ast.arg) and each.arg == node.value.id and mentions(each.annotation, "Coroutine")
        for each in ast.walk(module.tree)
    )


def iterates_only_pagers(module: Module) -> Iterator[str]:
    """Rule 3."""
    if is_exempt(module):
        return
    annotated = {
        node.arg
        for node in ast.walk(module.tree)
        if isinstance(node, ast.arg) and mentions(node.annotation, *PAGERS)
    }
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.AsyncFor) or (isinstance(node, ast.comprehension) and node.is_async)):
            continue
        match node.iter:
            case ast.Name(id=name) if name in annotated:
                pass
            case ast.Call(func=function) if dotted(function).rpartition(".")[2] in pager_names():
                pass
            case _:
                yield f"{node.iter.lineno}: iterates over {ast.unparse(node.iter)}"


def is_tied_to_no_loop(module: Module) -> Iterator[str]:
    """Rule 4."""
    if is_exempt(module):
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.AsyncWith():
                yield f"{node.lineno}: has an async with"
            case ast.AsyncFunctionDef() if any(
                isinstance(inner, ast.Yield | ast.YieldFrom) for inner in own_scope(node)
            ):
                yield f"{node.lineno}: {node.name} is an asynchronous generator"
            case ast.GeneratorExp() if any(part.is_async for part in node.generators) or any(
                isinstance(inner, ast.Await) for inner in ast.walk(node)
            ):
                yield f"{node.lineno}: has an asynchronous generator expression"
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in TASKS:
                yield f"{node.lineno}: uses {name}"
            case _:
                pass
    for line, target in imports(module):
        if target.rpartition(".")[2] in TASKS:
            yield f"{line}: imports {target}"


def holds_no_lock_across_an_await(module: Module) -> Iterator[str]:
    """Rule 5."""
    if is_exempt(module):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.With) and any(
            "lock" in dotted(item.context_expr).lower() for item in node.items
        ):
            for inner in own_scope(node):
                if isinstance(inner, ast.Await | ast.AsyncFor | ast.AsyncWith):
                    yield f"{inner.lineno}: awaits with a lock held"


def has_no_coroutines(module: Module) -> Iterator[str]:
    """Rule 1."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await):
            yield f"{node.lineno}: has a coroutine"


# --- the source keeps the rules ----------------------------------------------------------------


def test_the_pure_floors_have_no_coroutines() -> None:
    assert not violations(has_no_coroutines, *PURE_FLOORS)


def test_nothing_is_awaited_but_the_runtime_and_our_own() -> None:
    assert not violations(awaits_only_the_runtime_and_our_own, "memoram_async")


def test_nothing_is_iterated_asynchronously_but_pagers() -> None:
    assert not violations(iterates_only_pagers, "memoram_async")


def test_nothing_is_tied_to_a_loop() -> None:
    assert not violations(is_tied_to_no_loop, "memoram_async")


def test_no_lock_is_held_across_an_await() -> None:
    assert not violations(holds_no_lock_across_an_await, "memoram_async")


def test_the_rules_have_something_to_read() -> None:
    """If the seam were renamed, the gates above would pass for want of anything to look at."""
    assert {"sleep", "send", "wait", "within", "map_bounded", "run_blocking"} <= runtime_names()
    assert {"call", "first_page", "connect"} <= own_names()
    assert "list" in pager_names()
    awaits = [
        node
        for module in modules("memoram_async")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Await) and not is_exempt(module)
    ]
    assert len(awaits) > 20


# --- and the rules see what breaks them --------------------------------------------------------


def body(text: str, *, before: str = "") -> str:
    """A coroutine with this body."""
    indented = "\n".join(f"    {line}" for line in text.splitlines())
    return f"{before}\nasync def f(self, runtime, x):\n{indented}\n"


@pytest.mark.parametrize(
    "text",
    [
        body("await asyncio.sleep(1)", before="import asyncio"),
        body("await anyio.sleep(1)", before="import anyio"),
        body("await sleep(1)", before="from anyio import sleep"),
        body("await nap(1)", before="from anyio import sleep as nap"),
        body("await x"),
        body("await self.future"),
        body("await (x or self.f())"),
        body("await x.wait()"),
        body("await x.waiter.wait(1)"),
        body("await x.acquire()"),
        body("await self._lock.acquire()"),
        body("await x.get_nowait()"),
        body("await x.sleep(1)"),
        body("await self._client.sleep(1)"),
        body("await runtime.unheard_of()"),
        body("await x()()"),
        body("await [x][0]()"),
        body("await (lambda: x)()"),
        body("await runtime.call(x)"),
        body("await time.call(x)", before="import time"),
        body("return [await y for y in x]"),
    ],
)
def test_another_await_is_seen(text: str) -> None:
    assert planted(awaits_only_the_runtime_and_our_own, "memoram_async.x", text)


@pytest.mark.parametrize(
    "text",
    [
        body("await runtime.sleep(1)"),
        body("await self._runtime.wait(x, 1)"),
        body("await self._family.runtime.aclose()"),
        body("await self._transport.call(x)"),
        body("await own()", before="async def own(): ..."),
        body("await under(None, x)", before="from memoram_async.access.revocation import under"),
        "async def f(fetch: Callable[[str], Awaitable[int]]):\n    await fetch('')",
        body(
            "await self._fetch_it('')",
            before="def g(self, fetch: Callable[[], Coroutine[Any, Any, int]]):\n    self._fetch_it = fetch",
        ),
        body("await self.go_on()", before="class A:\n    go_on: Callable[[], Awaitable[int]]"),
    ],
)
def test_the_runtime_and_our_own_may_be_awaited(text: str) -> None:
    assert not planted(awaits_only_the_runtime_and_our_own, "memoram_async.x", text)


def test_the_runtime_itself_may_await_what_it_likes() -> None:
    text = body("await anyio.sleep(1)", before="import anyio")
    assert not planted(awaits_only_the_runtime_and_our_own, RUNTIME, text)


@pytest.mark.parametrize(
    "text",
    [
        body("async for y in x:\n    pass"),
        body("async for y in self.lines():\n    pass"),
        body("return [y async for y in x]"),
        body("return {y: 1 async for y in x.aiter_bytes()}"),
    ],
)
def test_another_iteration_is_seen(text: str) -> None:
    assert planted(iterates_only_pagers, "memoram_async.x", text)


@pytest.mark.parametrize(
    "text",
    [
        "async def f(requests: AsyncPager[int]):\n    async for y in requests:\n        pass",
        body("async for y in self.access_requests.list():\n    pass"),
        body("return [y async for y in self._blobs.list(user_id=x).pages()]"),
    ],
)
def test_pagers_may_be_iterated(text: str) -> None:
    assert not planted(iterates_only_pagers, "memoram_async.x", text)


@pytest.mark.parametrize(
    "text",
    [
        body("async with x:\n    pass"),
        body("yield 1"),
        body("if x:\n    for y in x:\n        yield y"),
        body("return (y async for y in x)"),
        body("return (await self.f(y) for y in x)"),
        body("x.start_soon(self.f)"),
        body("x.create_task(self.f())"),
        body("return x.gather"),
        "from asyncio import TaskGroup",
        "from somewhere import gather as collect",
    ],
)
def test_what_is_tied_to_a_loop_is_seen(text: str) -> None:
    assert planted(is_tied_to_no_loop, "memoram_async.x", text)


@pytest.mark.parametrize(
    "text",
    [
        body("return [await self.f(y) for y in x]"),
        body("def g():\n    yield 1\nreturn g"),
        body("with x:\n    pass"),
        "def f():\n    yield 1",
    ],
)
def test_what_is_tied_to_no_loop_is_let_through(text: str) -> None:
    assert not planted(is_tied_to_no_loop, "memoram_async.x", text)


@pytest.mark.parametrize(
    "text",
    [
        body("with self._lock:\n    await runtime.sleep(1)"),
        body("with a, LOCK:\n    if x:\n        return await self.f()"),
        body("with self.state.lock:\n    async for y in x:\n        pass"),
    ],
)
def test_an_await_with_a_lock_held_is_seen(text: str) -> None:
    assert planted(holds_no_lock_across_an_await, "memoram_async.x", text)


@pytest.mark.parametrize(
    "text",
    [
        body("with self._lock:\n    x = 1\nawait runtime.sleep(1)"),
        body("with x:\n    await runtime.sleep(1)"),
        body("with self._lock:\n    async def g():\n        await runtime.sleep(1)"),
    ],
)
def test_an_await_without_a_lock_is_let_through(text: str) -> None:
    assert not planted(holds_no_lock_across_an_await, "memoram_async.x", text)


@pytest.mark.parametrize("text", ["async def f(): ...", "class A:\n    async def f(self): ..."])
def test_a_coroutine_in_a_pure_floor_is_seen(text: str) -> None:
    assert planted(has_no_coroutines, "memoram_async.core.x", text)
