"""Tools and validated calls that frameworks make of a store's methods, in both worlds, used once each.

It has an environment of its own: `nox -s tools`.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

import pydantic
import pytest
from langchain_core.tools import StructuredTool
from mcp.server.mcpserver import MCPServer
from pydantic_ai import RunContext, RunUsage, Tool
from pydantic_ai.models.test import TestModel

from memoram_local.controls.policies import AutoApprove

if TYPE_CHECKING:
    from collections.abc import Callable

    from memoram_async import AsyncMemoram, AsyncMemoryStore
    from memoram_local import User
    from memoram_sync import Memoram, MemoryStore

pytestmark = pytest.mark.anyio
REASON: Final = "Remembers your travel preferences"


@pytest.fixture
def anyio_backend() -> str:
    """Pydantic AI runs on asyncio alone."""
    return "asyncio"


@pytest.fixture
def memoram_options() -> dict[str, Any]:
    return {"decide": AutoApprove()}


@pytest.fixture
async def store(memoram_client: AsyncMemoram, memoram_user: User) -> AsyncMemoryStore:
    return await memoram_client.connect(memoram_user.memory_key, reason=REASON)


@pytest.fixture
def blocking_store(memoram_sync_client: Memoram, memoram_user: User) -> MemoryStore:
    return memoram_sync_client.connect(memoram_user.memory_key, reason=REASON)


async def with_langchain(method: Callable[..., Any], arguments: dict[str, Any]) -> None:
    if inspect.iscoroutinefunction(method):
        tool = StructuredTool.from_function(coroutine=method)
        await tool.ainvoke(arguments)
    else:
        StructuredTool.from_function(func=method).invoke(arguments)


async def with_pydantic_ai(method: Callable[..., Any], arguments: dict[str, Any]) -> None:
    schema = Tool[None](method, takes_ctx=False).function_schema
    context = RunContext[None](deps=None, model=TestModel(), usage=RunUsage())
    await schema.call(schema.validator.validate_python(arguments), context)


async def with_mcp(method: Callable[..., Any], arguments: dict[str, Any]) -> None:
    server = MCPServer("memories")
    server.add_tool(method)
    await server.call_tool(method.__name__, arguments)


async def with_pydantic(method: Callable[..., Any], arguments: dict[str, Any]) -> None:
    outcome = pydantic.validate_call(method)(**arguments)
    if inspect.isawaitable(outcome):
        await outcome


every_framework = pytest.mark.parametrize(
    "use", [with_langchain, with_pydantic_ai, with_mcp, with_pydantic], ids=lambda use: use.__name__
)


@every_framework
async def test_it_uses_the_methods_of_a_store(use: Callable[..., Any], store: AsyncMemoryStore) -> None:
    await use(store.create, {"content": "Prefers window seats", "tags": ["travel"], "importance": 0.5})
    (memory,) = [each async for each in store.list()]
    await use(store.get, {"memory_id": memory.id})
    await use(store.update, {"memory_id": memory.id, "title": "Seats"})

    changed = await store.get(memory.id)
    assert (changed.content, changed.title, changed.tags) == ("Prefers window seats", "Seats", ("travel",))


@every_framework
async def test_it_uses_the_methods_of_a_blocking_store(
    use: Callable[..., Any], blocking_store: MemoryStore
) -> None:
    await use(blocking_store.create, {"content": "Prefers window seats", "tags": ["travel"]})
    (memory,) = blocking_store.list()
    await use(blocking_store.get, {"memory_id": memory.id})
    await use(blocking_store.update, {"memory_id": memory.id, "content": "Prefers aisle seats"})

    changed = blocking_store.get(memory.id)
    assert (changed.content, changed.tags) == ("Prefers aisle seats", ("travel",))


@every_framework
async def test_what_does_not_fit_is_refused_before_a_method_is_called(
    use: Callable[..., Any], store: AsyncMemoryStore
) -> None:
    with pytest.raises(Exception, match="importance"):
        await use(store.create, {"content": "Prefers window seats", "importance": "very"})

    assert not [each async for each in store.list()]
