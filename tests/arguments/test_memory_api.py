"""Memory API's methods and settings, with values of every wrong type: our own errors, and nothing is sent."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from memoram_async import AsyncMemoryAPI, InvalidArgumentError, MemoramError
from memoram_sync import MemoryAPI
from memoram_sync.memory_api import Account, APIKeys, Memories, Usage
from tests.arguments.outcomes import outcome
from tests.arguments.wrong_values import SETTING, WRONG
from tests.worlds import MEMORY_API_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.worlds import World

pytestmark = pytest.mark.anyio

RIGHT: Final[dict[str, dict[str, Any]]] = {
    "signup": {"name": "n", "email": "e@example.test", "plan_id": "free"},
    "query": {"context": "c", "max_memories": 1, "relevance_threshold": 0.5, "include_metadata": True},
    "query_answer": {
        "context": "c",
        "max_memories": 1,
        "relevance_threshold": 0.5,
        "prompt_template": "p",
    },
    "extract": {"content": "c", "content_type": "document", "metadata": {}},
    "request": {"method": "GET", "path": "/x", "params": {}, "json": None},
    "with_options": {"timeout": 1, "request_timeout": 1, "max_retries": 1},
    "memories.create": {"text": "t", "metadata": {}, "memory_id": "m"},
    "memories.list": {"page_size": 1},
    "memories.get": {"memory_id": "m"},
    "memories.update": {"memory_id": "m", "text": "t", "metadata": {}},
    "memories.delete": {"memory_id": "m"},
    "memories.delete_all": {"confirm": True},
    "account.api_keys.create": {
        "scopes": ["read"],
        "name": "n",
        "environment": "live",
        "expires_in_days": 1,
    },
    "account.api_keys.revoke": {"key_id": "k"},
    "account.api_keys.rotate": {"key_id": "k", "expires_in_days": 1},
}
"""Arguments that are right, of which one at a time is made wrong."""

CASES: Final = [(method, name) for method, arguments in RIGHT.items() for name in arguments]


@pytest.mark.parametrize(("method", "name"), CASES, ids=map(".".join, CASES))
async def test_a_wrong_argument_is_an_error_of_ours_and_sends_nothing(
    world: World, method: str, name: str
) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(404, json={})

    async with world.memory_api(answer, max_retries=0) as client:
        call: Any = client
        for part in method.split("."):
            call = getattr(call, part)
        for value in WRONG:
            sent.clear()
            error = await outcome(call, {**RIGHT[method], name: value})
            assert isinstance(error, MemoramError | None), (value, error)
            # What was not sent was refused, and the message says which argument it was.
            if not sent and isinstance(error, InvalidArgumentError):
                words = {name, name.replace("_", " "), name.rstrip("s"), "query parameter", "JSON"}
                assert any(word in str(error) for word in words), (value, error)


def test_every_method_with_arguments_is_tried() -> None:
    kinds = {
        "": MemoryAPI,
        "memories.": Memories,
        "account.": Account,
        "account.api_keys.": APIKeys,
        "usage.": Usage,
    }
    public = {
        (prefix + method, name)
        for prefix, kind in kinds.items()
        for method, function in inspect.getmembers(kind, inspect.isfunction)
        if not method.startswith("_")
        for name in [*inspect.signature(function).parameters][1:]
    }
    assert public == set(CASES)


@pytest.mark.parametrize("kind", [AsyncMemoryAPI, MemoryAPI])
@pytest.mark.parametrize("name", sorted(inspect.signature(AsyncMemoryAPI).parameters))
def test_a_wrong_setting_is_an_error_of_ours(kind: Callable[..., object], name: str) -> None:
    right = {"api_key": MEMORY_API_KEY, "base_url": "https://memory.test/v1"}
    for value in WRONG:
        error: Exception | None = None
        try:
            kind(**{**right, name: value})
        except Exception as raised:  # noqa: BLE001 - which one it is, is the question
            error = raised
        assert isinstance(error, MemoramError | None), (value, error)
        assert error is None or SETTING.get(name, name) in str(error), (value, error)
