"""What is refused before anything is sent is not shown either."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, Final

import pytest

from memoram_async import (
    AccessCredentials,
    AsyncMemoram,
    AsyncMemoryStore,
    ClientClosedError,
    MemoramError,
    MemoryGrantStore,
    Secret,
)
from memoram_sync import Memoram, MemoryStore
from tests.secrecy.calls import (
    APPLICATION,
    BACK,
    LINKED,
    USER,
    begun,
    connections,
    credentials,
    flow,
    good,
    sealed,
)
from tests.secrecy.canaries import (
    API_KEY,
    CLIENT_SECRET,
    CODE,
    CONTENT,
    ENCRYPTION_KEY,
    MEMORY_KEY,
    REFRESH_TOKEN,
    SEALING_SECRET,
    STATE,
)
from tests.secrecy.hunt import listening, shown_by_error, shown_by_object, sightings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.worlds import World

pytestmark = pytest.mark.anyio

SPOILT: Final[dict[str, Callable[[str], Any]]] = {
    "with a newline": lambda text: f"{text}\n",
    "with a NUL": lambda text: f"{text}\x00",
    "with a lone surrogate": lambda text: f"{text}\ud800",
    "wrapped, with a newline": lambda text: Secret(f"{text}\n"),
    "as bytes": lambda text: text.encode(),
    "in a list": lambda text: [text],
    "in a Secret in a Secret": lambda text: Secret(Secret(text)),  # type: ignore[arg-type]
}

CALLS: Final[dict[str, Callable[[Any, Callable[[str], Any]], Awaitable[Any]]]] = {
    "connect": lambda client, spoil: client.connect(spoil(MEMORY_KEY), reason="why"),
    "connect without a reason": lambda client, spoil: client.connect(MEMORY_KEY, reason=spoil("") or ""),
    "access_requests.create": lambda client, spoil: client.access_requests.create(
        spoil(MEMORY_KEY), reason="why"
    ),
    "memory_blobs.create": lambda client, spoil: client.memory_blobs.create(
        user_id=USER, memory_key=spoil(MEMORY_KEY), content=CONTENT
    ),
    "memory_blobs.create, content": lambda client, spoil: client.memory_blobs.create(
        user_id=".", memory_key=MEMORY_KEY, content=spoil(CONTENT)
    ),
    "memory_blobs.update": lambda client, spoil: client.memory_blobs.update(
        "mem-1", user_id=USER, memory_key=spoil(MEMORY_KEY), content=CONTENT
    ),
    "memory_blobs.update, content": lambda client, spoil: client.memory_blobs.update(
        "..", user_id=USER, memory_key=MEMORY_KEY, content=spoil(CONTENT)
    ),
    "store.create": lambda client, spoil: client.open(credentials()).create(spoil(CONTENT), tags="one"),
    "store.update": lambda client, spoil: client.open(credentials()).update(
        "mem-1", content=spoil(CONTENT), importance=float("nan")
    ),
    "flow.complete, code": lambda client, spoil: flow(client).complete({"code": spoil(CODE), "state": STATE}),
    "flow.complete, state": lambda client, spoil: flow(client).complete(
        {"code": CODE, "state": spoil(STATE)}
    ),
    "flow.complete, params": lambda client, spoil: flow(client).complete(
        {"code": CODE, "state": STATE}, params={"client_secret": spoil(CLIENT_SECRET)}
    ),
    "oauth.begin, secret": lambda client, spoil: client.oauth.begin(
        client_id="app", client_secret=spoil(CLIENT_SECRET), redirect_uri=BACK
    ),
    "oauth.begin, address": lambda client, spoil: client.oauth.begin(
        client_id="app", client_secret=CLIENT_SECRET, redirect_uri=spoil("#")
    ),
    "oauth.begin, params": lambda client, spoil: client.oauth.begin(
        client_id="app", redirect_uri=BACK, params={"state": spoil(STATE)}
    ),
    "oauth.restore, secret": lambda client, spoil: client.oauth.restore(
        sealed(client), secret=spoil(SEALING_SECRET)[:31]
    ),
    "oauth.restore, sealed": lambda client, spoil: client.oauth.restore(
        spoil(sealed(client)), secret=SEALING_SECRET
    ),
    "flow.seal, secret": lambda client, spoil: flow(client).seal(secret=spoil(SEALING_SECRET[:20])),
    "oauth.refresh, token": lambda client, spoil: client.oauth.refresh(
        spoil(REFRESH_TOKEN), client_id="app", client_secret=CLIENT_SECRET
    ),
    "oauth.refresh, secret": lambda client, spoil: client.oauth.refresh(
        REFRESH_TOKEN, client_id="app", client_secret=spoil(CLIENT_SECRET)
    ),
    "oauth.refresh, id": lambda client, spoil: client.oauth.refresh(
        REFRESH_TOKEN, client_id="\n", client_secret=CLIENT_SECRET
    ),
    "connections.complete, code": lambda client, spoil: begun(client).complete(
        "ada", {"code": spoil(CODE), "state": STATE}
    ),
    "connections.complete, state": lambda client, spoil: begun(client).complete(
        "ada", {"code": CODE, "state": spoil(STATE)}
    ),
    "connections.complete, user": lambda client, spoil: begun(client).complete(
        spoil("bob"), {"code": CODE, "state": STATE}
    ),
    "connections.complete, of another user": lambda client, _: begun(client).complete(
        "bob", {"code": CODE, "state": STATE}
    ),
    "connections.link": lambda client, spoil: connections(client).link("ada", spoil(MEMORY_KEY)),
    "connections.link, user": lambda client, spoil: connections(client).link(spoil(""), MEMORY_KEY),
    "connections.begin": lambda client, spoil: connections(client).begin(
        "ada", params={"state": spoil(STATE)}
    ),
    "connections, secret": lambda client, spoil: client.connections(
        MemoryGrantStore(), redirect_uri=BACK, reason="why", secret=spoil(SEALING_SECRET)[:31]
    ).status("ada"),
    "connections, address": lambda client, spoil: client.connections(
        MemoryGrantStore(), redirect_uri=spoil("#"), reason="why", secret=SEALING_SECRET
    ).status("ada"),
    "request, method": lambda client, spoil: client.request("steal", "/notes", json={"text": CONTENT}),
    "request, path": lambda client, spoil: client.request("POST", "../..", json={"text": CONTENT}),
    "request, json": lambda client, spoil: client.request(
        "POST", "/notes", json={"text": CONTENT, "importance": float("nan")}
    ),
    "request, json of no kind": lambda client, spoil: client.request("POST", "/notes", json={CONTENT: {1}}),
}
"""Calls of which each refuses something."""


async def refusal(call: Awaitable[Any]) -> list[str]:
    """What the error that a call raises shows; nothing where the call goes well."""
    with listening() as ear:
        try:
            await call
        except Exception as error:  # noqa: BLE001 - a TypeError must not show anything either
            seen = sightings(shown_by_error(error))
        else:
            seen = []
    return seen + sightings(ear.heard)


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_what_a_call_refuses_is_not_shown(
    world: World, call: Callable[[Any, Any], Awaitable[Any]], spoil: Callable[[str], Any]
) -> None:
    async with world.client(good, api_key=API_KEY, **APPLICATION) as client:

        async def made() -> None:
            await call(client, spoil)

        assert await refusal(made()) == []


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
@pytest.mark.parametrize("kind", [AsyncMemoram, Memoram])
def test_a_client_that_cannot_be_made_shows_no_key(kind: Any, spoil: Callable[[str], Any]) -> None:
    with pytest.raises(MemoramError) as caught:
        kind(spoil(API_KEY))
    assert sightings(shown_by_error(caught.value)) == []


@pytest.mark.parametrize("kind", [AsyncMemoram, Memoram])
@pytest.mark.parametrize(
    "options",
    [
        {"timeout": -1},
        {"base_url": "nowhere"},
        {"base_url": f"https://user:{CLIENT_SECRET}@api.test"},
        {"token_lifetime": 0},
        {"store_options": "?"},
    ],
)
def test_a_key_beside_a_bad_option_is_not_shown(kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(MemoramError) as caught:
        kind(API_KEY, **options)
    assert sightings(shown_by_error(caught.value)) == []


@pytest.mark.parametrize("kind", [AsyncMemoram, Memoram, AsyncMemoryStore, MemoryStore])
def test_an_object_whose_construction_failed_can_be_shown(kind: Any) -> None:
    assert kind.__name__ in repr(kind.__new__(kind))


@pytest.mark.parametrize(
    "key",
    [
        f"{ENCRYPTION_KEY}\n",
        ENCRYPTION_KEY[:-1],
        f"0x{ENCRYPTION_KEY}",
        f"{ENCRYPTION_KEY[:-1]}g",
        ENCRYPTION_KEY.encode(),
    ],
)
async def test_an_encryption_key_that_cannot_be_used_is_not_shown(world: World, key: Any) -> None:
    opened = AccessCredentials(
        user_id=USER, memory_key=Secret(MEMORY_KEY), encryption_key=Secret(key), key_version=1
    )
    async with world.client(good, api_key=API_KEY) as client:
        with pytest.raises(MemoramError) as caught:
            client.open(opened)
    assert sightings(shown_by_error(caught.value)) == []


async def test_closing_leaves_nothing_to_see(world: World) -> None:
    client = world.client(good, api_key=API_KEY)
    store = client.open(credentials())
    await store.create(CONTENT)
    store.close()
    with pytest.raises(ClientClosedError) as closed_store:
        await store.create(CONTENT)
    await client.aclose()
    with pytest.raises(ClientClosedError) as closed_client:
        await client.memory_blobs.create(user_id=USER, memory_key=MEMORY_KEY, content=CONTENT)
    for caught in (closed_store, closed_client):
        assert sightings(shown_by_error(caught.value)) == []


CALLBACKS: Final = {
    "of another session": f"{BACK}?code={CODE}&state=other",
    "without a state": f"{BACK}?code={CODE}",
    "with two codes": f"{BACK}?code={CODE}&code={CODE}&state={STATE}",
    "of another server": f"{BACK}?code={CODE}&state={STATE}&iss=https://evil.test",
    "that refuses": f"{BACK}?error={CODE}&error_description={CODE}&state={STATE}",
    "with a code that cannot be sent": f"{BACK}?code={CODE}%0A&state={STATE}",
}


@pytest.mark.parametrize("callback", CALLBACKS.values(), ids=CALLBACKS.keys())
async def test_a_callback_that_is_refused_is_not_shown(world: World, callback: str) -> None:
    async with world.client(good, api_key=API_KEY) as client:
        begun = flow(client)
        with pytest.raises(MemoramError) as caught:
            await begun.complete(callback)
        assert sightings(shown_by_error(caught.value)) == []


async def test_a_flow_shows_none_of_its_secrets(world: World) -> None:
    async with world.client(good, api_key=API_KEY) as client:
        begun = flow(client)
        tokens = await begun.complete(f"{BACK}?code={CODE}&state={STATE}")
        begun = getattr(begun, "_blocking", begun)
        assert sightings(shown_by_object([begun, tokens])) == []
        with pytest.raises(TypeError):
            pickle.dumps(begun)


async def test_a_client_in_use_shows_nothing_of_what_it_holds(world: World) -> None:
    client = world.client(good, api_key=API_KEY)
    async with client:
        store = client.open(credentials())
        memory = await store.create(CONTENT)
        things = [
            client,
            store,
            memory,
            store.list(),
            client.with_options(timeout=1),
            client.tags,
            client.oauth,
            connections(client, LINKED),
            await connections(client, LINKED).store("ada"),
        ]
        things = [getattr(thing, "blocking", thing) for thing in things]
        assert sightings(shown_by_object(things)) == []
        for thing in (*things[:3], *things[-2:]):
            with pytest.raises(TypeError):
                pickle.dumps(thing)
