"""What users wrote, beside the content itself, stands in no local variable of the SDK's frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from tests.secrecy.calls import USER, credentials, good
from tests.secrecy.canaries import API_KEY, MEMORY_KEY
from tests.secrecy.hunt import frames_of
from tests.worlds import items

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.worlds import World

pytestmark = pytest.mark.anyio

WORD: Final = "c4n4ryWord"
WORDS: Final = {
    "title": f"{WORD} title",
    "summary": f"{WORD} summary",
    "source": f"{WORD} source",
    "tags": [f"{WORD} tag"],
}
SEARCH: Final = {"search": f"{WORD} search", "tags": [f"{WORD} tag"]}

CALLS: Final[dict[str, Callable[[Any, dict[str, Any]], Awaitable[Any]]]] = {
    "memory_blobs.create": lambda client, wrong: client.memory_blobs.create(
        **{"user_id": USER, "memory_key": MEMORY_KEY, "content": "x", **WORDS, **wrong}
    ),
    "memory_blobs.update": lambda client, wrong: client.memory_blobs.update(
        "mem-1", **{"user_id": USER, "memory_key": MEMORY_KEY, **WORDS, **wrong}
    ),
    "store.create": lambda client, wrong: client.open(credentials()).create("x", **{**WORDS, **wrong}),
    "store.update": lambda client, wrong: client.open(credentials()).update("mem-1", **{**WORDS, **wrong}),
    "memory_blobs.list": lambda client, wrong: _listed(
        lambda: client.memory_blobs.list(**{"user_id": USER, **SEARCH, **wrong})
    ),
    "store.list": lambda client, wrong: _listed(
        lambda: client.open(credentials()).list(**{**SEARCH, **wrong})
    ),
}


async def _listed(make: Callable[[], Any]) -> list[Any]:
    return await items(make())


async def shown(call: Awaitable[Any]) -> list[str]:
    """The local variables of the SDK's frames that show a word, when a call raises."""
    try:
        await call
    except Exception as error:  # noqa: BLE001 - whichever it is
        return [where for where, text in frames_of(error) if WORD in text]
    raise AssertionError("nothing was raised")


def failing(request: httpx.Request) -> httpx.Response:
    """A service that gives out tokens, and fails at all else."""
    return good(request) if request.url.path.endswith("/auth/token") else httpx.Response(500)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_the_words_of_a_call_that_fails_are_in_no_frame(
    world: World, call: Callable[[Any, dict[str, Any]], Awaitable[Any]]
) -> None:
    async with world.client(failing, api_key=API_KEY, max_retries=0) as client:
        assert await shown(call(client, {})) == []


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_the_words_of_a_call_that_is_refused_are_in_no_frame(
    world: World, call: Callable[[Any, dict[str, Any]], Awaitable[Any]]
) -> None:
    wrong: dict[str, Any] = {"importance": float("nan")}
    async with world.client(failing, api_key=API_KEY) as client:
        assert await shown(call(client, wrong)) == []


@pytest.mark.parametrize("tags", [f"{WORD} tag", [f"{WORD} tag", ""], [f"{WORD}, tag"]], ids=repr)
async def test_tags_that_are_refused_are_in_no_frame(world: World, tags: Any) -> None:
    async with world.client(failing, api_key=API_KEY) as client:
        assert await shown(CALLS["store.list"](client, {"tags": tags})) == []


@pytest.mark.parametrize("reason", [f"{WORD} reason", f"{WORD} reason" * 99, [f"{WORD} reason"]], ids=len)
@pytest.mark.parametrize("method", ["connect", "create"])
async def test_a_reason_is_in_no_frame(world: World, method: str, reason: Any) -> None:
    async with world.client(failing, api_key=API_KEY, max_retries=0) as client:
        ask = client.connect if method == "connect" else client.access_requests.create

        async def made() -> None:
            await ask(MEMORY_KEY, reason=reason)

        assert await shown(made()) == []


async def test_a_key_that_open_was_handed_by_mistake_is_in_no_frame(world: World) -> None:
    async with world.client(failing, api_key=API_KEY) as client:

        async def made() -> None:
            client.open(WORD)

        assert await shown(made()) == []
