# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false
# The calls of its tables are lambdas on clients of three worlds, whose types they cannot name.
"""No error, log line or object of the second service shows a key or a memory, whatever the service does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from memoram_async import AsyncMemoryAPI, MemoramError, Secret
from memoram_sync import MemoryAPI
from tests.secrecy.canaries import CONTENT, ECHO, MEMORY_API_KEY, NEW_MEMORY_API_KEY
from tests.secrecy.hunt import listening, shown_by_error, shown_by_object, sightings
from tests.worlds import items

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.worlds import World

pytestmark = pytest.mark.anyio

MEMORY: Final = {"id": "mem_1", "text": CONTENT, "metadata": {"said": CONTENT}}
LISTED: Final = {
    "id": "key_1",
    "name": "Default Key",
    "key_prefix": "mem_live_",
    "environment": "live",
    "scopes": ["admin"],
    "is_active": True,
}
NEW: Final = {"id": "key_2", "key": NEW_MEMORY_API_KEY, "name": "Default Key", "scopes": ["admin"]}


def good(request: httpx.Request) -> httpx.Response:
    """What a sound service says."""
    path, beside = request.url.path, {}
    data: Any = MEMORY
    if path.endswith("/memories") and request.method == "GET":
        data, beside = [MEMORY], {"pagination": {"total": 1, "page": 1, "has_next": False}}
    elif path.endswith("/api-keys"):
        data = NEW if request.method == "POST" else [LISTED]
    elif path.endswith("/signup"):
        data = NEW
    elif path.endswith("/account"):
        data = {"org_id": "org_1"}
    elif path.endswith("/query"):
        data = {"memories": [{**MEMORY, "relevance_score": 1}], "query_context": CONTENT}
    elif path.endswith("/answer"):
        data = {"answer": CONTENT, "memories_used": 1}
    elif path.endswith("/extract"):
        data = {"extracted_count": 1, "memory_ids": ["mem_1"]}
    return httpx.Response(200, json={"success": True, "data": data, "meta": {"request_id": "r"}, **beside})


CALLS: Final[dict[str, Callable[[Any], Awaitable[Any]]]] = {
    "health": lambda api: api.health(),
    "signup": lambda api: api.signup(name="Planner", email="ada@example.test"),
    "account.get": lambda api: api.account.get(),
    "api_keys.list": lambda api: items(api.account.api_keys.list()),
    "api_keys.create": lambda api: api.account.api_keys.create(scopes=["read"]),
    "api_keys.revoke": lambda api: api.account.api_keys.revoke("key_1"),
    "api_keys.rotate": lambda api: api.account.api_keys.rotate("key_1"),
    "memories.create": lambda api: api.memories.create(CONTENT, metadata={"said": CONTENT}),
    "memories.update": lambda api: api.memories.update("mem_1", text=CONTENT, metadata={"said": CONTENT}),
    "memories.get": lambda api: api.memories.get("mem_1"),
    "memories.list": lambda api: items(api.memories.list()),
    "memories.delete": lambda api: api.memories.delete("mem_1"),
    "memories.delete_all": lambda api: api.memories.delete_all(confirm=True),
    "query": lambda api: api.query(CONTENT),
    "query_answer": lambda api: api.query_answer(CONTENT, prompt_template=CONTENT),
    "extract": lambda api: api.extract(CONTENT, metadata={"said": CONTENT}),
    "usage.get": lambda api: api.usage.get(),
    "usage.history": lambda api: api.usage.history(),
    "usage.projection": lambda api: api.usage.projection(),
    "request": lambda api: api.request("POST", "/new", params={"q": 1}, json={"text": CONTENT}),
}
"""Every method that sends something."""

ERROR: Final = {
    "success": False,
    "error": {
        "code": "VALIDATION_ERROR",
        "message": ECHO,
        "details": {"field": ECHO, "errors": [{"field": ECHO}]},
    },
}
FAULTS: Final[dict[str, httpx.Response | Exception]] = {
    **{
        f"{status}": httpx.Response(status, json=ERROR, headers={"x-echo": ECHO})
        for status in (400, 403, 429, 500)
    },
    "401": httpx.Response(401, json={"error": {"code": MEMORY_API_KEY, "message": ECHO}}),
    "another shape": httpx.Response(200, json={"success": True, "data": {"id": [ECHO], "text": 5}}),
    "no envelope": httpx.Response(200, json={"text": ECHO}),
    "text": httpx.Response(200, content=ECHO),
    "no connection": httpx.ConnectError(f"Illegal header value b'Bearer {MEMORY_API_KEY}' {ECHO}"),
    "a broken connection": httpx.ReadError(ECHO),
}


async def hunted(world: World, service: Any, call: Callable[[Any], Awaitable[Any]]) -> list[str]:
    """What a call lets be seen."""
    with listening() as ear:
        async with world.memory_api(service, api_key=MEMORY_API_KEY) as api:
            try:
                thing = await call(api)
            except MemoramError as error:
                shown = list(shown_by_error(error))
            else:
                shown = list(shown_by_object([api, getattr(api, "_blocking", api), thing]))
    return sightings(shown) + sightings(ear.heard)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_what_goes_well_shows_nothing(world: World, call: Any) -> None:
    assert await hunted(world, good, call) == []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_what_goes_wrong_shows_nothing(world: World, call: Any, fault: Any) -> None:
    def failing(request: httpx.Request) -> httpx.Response:
        if isinstance(fault, Exception):
            raise fault
        return httpx.Response(fault.status_code, headers=fault.headers, content=fault.content)

    assert await hunted(world, failing, call) == []


@pytest.mark.parametrize("step", ["POST", "GET /v1/account", "DELETE"])
async def test_a_rotation_that_stops_shows_no_key(world: World, step: str) -> None:
    def failing(request: httpx.Request) -> httpx.Response:
        is_meant = step in {request.method, f"{request.method} {request.url.path}"}
        return httpx.Response(400, json=ERROR) if is_meant else good(request)

    assert await hunted(world, failing, CALLS["api_keys.rotate"]) == []


SPOILT: Final[dict[str, Callable[[str], Any]]] = {
    "as bytes": lambda text: text.encode(),
    "in a list": lambda text: [text],
    "too long": lambda text: text * 2000,
    "with a lone surrogate": lambda text: f"{text}\ud800",
    "in a Secret in a Secret": lambda text: Secret(Secret(text)),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
@pytest.mark.parametrize(
    "call",
    [
        lambda api, spoil: api.memories.create(spoil(CONTENT), memory_id=".."),
        lambda api, spoil: api.memories.create(CONTENT, metadata=spoil(CONTENT)),
        lambda api, spoil: api.memories.create(CONTENT, metadata={"a": float("nan"), "b": spoil(CONTENT)}),
        lambda api, spoil: api.memories.update("..", text=spoil(CONTENT)),
        lambda api, spoil: api.query(spoil(CONTENT), max_memories=0),
        lambda api, spoil: api.query_answer(CONTENT, prompt_template=spoil(CONTENT), max_memories=0),
        lambda api, spoil: api.extract(spoil(CONTENT), content_type="song"),
    ],
)
async def test_what_a_call_refuses_is_not_shown(world: World, call: Any, spoil: Any) -> None:
    assert await hunted(world, good, lambda api: call(api, spoil)) == []


@pytest.mark.parametrize("kind", [AsyncMemoryAPI, MemoryAPI])
@pytest.mark.parametrize(
    "spoil", [lambda key: f"{key}\n", lambda key: key.encode(), lambda key: f"x{key}", lambda key: [key]]
)
def test_a_client_that_cannot_be_made_shows_no_key(kind: Any, spoil: Any) -> None:
    with pytest.raises(MemoramError) as caught:
        kind(spoil(MEMORY_API_KEY))
    assert sightings(shown_by_error(caught.value)) == []
    with pytest.raises(MemoramError) as caught:
        kind(MEMORY_API_KEY, base_url=f"https://user:{json.dumps(MEMORY_API_KEY)}@api.test")
    assert sightings(shown_by_error(caught.value)) == []
    assert kind.__name__ in repr(kind.__new__(kind))
