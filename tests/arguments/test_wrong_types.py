"""Every argument of every method, with values of every wrong type: our own errors, and nothing is sent."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

import memoram_sync
from memoram_async import (
    AccessCredentials,
    AsyncMemoram,
    InvalidArgumentError,
    MemoramError,
    MemoryGrantStore,
    OAuthFlowError,
    Secret,
    StoreOptions,
)
from memoram_sync import Memoram
from tests.arguments.outcomes import outcome
from tests.arguments.wrong_values import KEY, SETTING, WRONG
from tests.worlds import API_KEY, Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.worlds import World

pytestmark = pytest.mark.anyio

_BLOB: Final = {
    "title": "t",
    "summary": "s",
    "tags": ["a"],
    "importance": 1,
    "confidence": 1,
    "source": "s",
}
_APPLICATION: Final[dict[str, Any]] = {"client_id": "c", "client_secret": "s"}
_KEY: Final = {"idempotency_key": "outbox-7"}
_WRITE: Final = {"user_id": "u", "memory_key": "k", "content": "c", **_BLOB}
RIGHT: Final[dict[str, dict[str, Any]]] = {
    "connect": {
        "memory_key": "k",
        "reason": "why",
        "timeout": 1,
        "wait": True,
        "request_id": None,
        "store_options": None,
    },
    "open": {
        "credentials": AccessCredentials(user_id="u", memory_key=Secret("k"), encryption_key=Secret(KEY)),
        "request_id": None,
        "store_options": None,
    },
    "connections": {
        "grants": MemoryGrantStore(),
        "redirect_uri": "https://app.test/back",
        "reason": "why",
        "secret": "s" * 32,
        "link_url": None,
        "store_options": None,
        "max_open": 1,
        "max_age": 1,
    },
    "connections.begin": {"user": "u", "return_to": "/", "params": {}},
    "connections.complete": {"user": "u", "callback": "code=c&state=s"},
    "connections.link": {"user": "u", "memory_key": "k"},
    "connections.status": {"user": "u"},
    "connections.store": {"user": "u"},
    "connections.tokens": {"user": "u"},
    "connections.disconnect": {"user": "u"},
    "request": {"method": "POST", "path": "/x", "params": {}, "json": None, **_KEY},
    "with_options": {"timeout": 1, "request_timeout": 1, "max_retries": 1, "store_options": StoreOptions()},
    "access_requests.create": {"memory_key": "k", "reason": "why", **_KEY},
    "access_requests.get": {"request_id": "r"},
    "access_requests.credentials": {"request_id": "r", "key_version": 1},
    "access_requests.wait": {"request_id": "r", "timeout": 1},
    "memory_blobs.create": {**_WRITE, **_KEY},
    "memory_blobs.update": {"blob_id": "b", **_WRITE, **_KEY},
    "memory_blobs.get": {"blob_id": "b", "user_id": "u"},
    "memory_blobs.delete": {"blob_id": "b", "user_id": "u", **_KEY},
    "memory_blobs.list": {"user_id": "u", "tags": [], "search": "s", "importance": 1, "page_size": 1},
    "tags.get": {"tag_id": "t", "user_id": "u"},
    "tags.list": {"user_id": "u"},
    "store.create": {"content": "c", **_BLOB, **_KEY},
    "store.update": {"memory_id": "m", "content": "c", **_BLOB, **_KEY},
    "store.get": {"memory_id": "m"},
    "store.delete": {"memory_id": "m", **_KEY},
    "store.recall": {"query": "q", "limit": 1},
    "store.list": {"tags": [], "search": "s", "importance": 1, "page_size": 1},
    "oauth.begin": {"redirect_uri": "https://app.test/back", "scope": "s", **_APPLICATION, "params": {}},
    "oauth.restore": {"sealed": "s", "secret": "s" * 32, "client_secret": "s"},
    "oauth.refresh": {"tokens": "t", **_APPLICATION, "params": {}},
    "flow.seal": {"secret": "s" * 32},
    "flow.complete": {"callback": "https://app.test/back?code=c&state=s", "params": {}},
    "pager.page": {"cursor": None},
}
"""Arguments that are right, of which one at a time is made wrong."""

CASES: Final = [(method, name) for method, arguments in RIGHT.items() for name in arguments]


def refusing() -> Service:
    """A service that a call may reach if its argument was right after all."""
    return Service.answering(httpx.Response(404, json={}))


def target(client: Any, method: str) -> Callable[..., Any]:
    """The method to call."""
    head, _, tail = method.partition(".")
    if head == "store":
        return getattr(client.open(**RIGHT["open"]), tail)  # type: ignore[no-any-return]
    if head == "connections" and tail:
        return getattr(client.connections(**RIGHT["connections"]), tail)  # type: ignore[no-any-return]
    if head == "flow":
        flow = client.oauth.begin(redirect_uri="https://app.test/back")
        return getattr(flow, tail)  # type: ignore[no-any-return]
    if head == "pager":
        return getattr(client.tags.list(user_id="u"), tail)  # type: ignore[no-any-return]
    found: Any = client
    for name in method.split("."):
        found = getattr(found, name)
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize(("method", "name"), CASES, ids=map(".".join, CASES))
async def test_a_wrong_argument_is_an_error_of_ours_and_sends_nothing(
    world: World, method: str, name: str
) -> None:
    service = refusing()
    async with world.client(service, max_retries=0, **_APPLICATION, secret="s" * 33) as client:
        for value in WRONG:
            service.requests.clear()
            error = await outcome(target(client, method), {**RIGHT[method], name: value})
            assert isinstance(error, MemoramError | None), (value, error)
            # What was not sent was refused, and the message says which argument it was.
            if service.requests or isinstance(error, OAuthFlowError):  # there is no such flow
                continue
            if isinstance(error, InvalidArgumentError):
                words = {name, name.replace("_", " "), name.rstrip("s"), "query parameter", "JSON"}
                words |= {"refresh_token"} if name == "tokens" else {"sealed"} if name == "sealed" else set()
                assert any(word in str(error) for word in words), (value, error)


def test_every_method_with_arguments_is_tried() -> None:
    kinds = {
        "": memoram_sync.Memoram,
        "access_requests.": memoram_sync.AccessRequests,
        "memory_blobs.": memoram_sync.MemoryBlobs,
        "tags.": memoram_sync.Tags,
        "store.": memoram_sync.MemoryStore,
        "connections.": memoram_sync.Connections,
        "oauth.": memoram_sync.OAuth,
        "flow.": memoram_sync.OAuthFlow,
        "pager.": memoram_sync.Pager,
    }
    tried = {(method, name) for method, arguments in RIGHT.items() for name in arguments}
    public = {
        (prefix + method, name)
        for prefix, kind in kinds.items()
        for method, function in inspect.getmembers(kind, inspect.isfunction)
        if not method.startswith("_")
        for name in [*inspect.signature(function).parameters][1:]
    }
    callbacks = {pair for pair in public if pair[1] in {"on_status", "on_tokens"}}
    assert public - tried == callbacks | {("access_requests.watch", "request_ids")}


async def test_what_is_watched_are_ids(world: World) -> None:
    async with world.client(refusing()) as client:
        for value in WRONG:
            error = await outcome(partial(client.access_requests.watch, value), {})
            assert isinstance(error, InvalidArgumentError | None), (value, error)


SETTINGS: Final = sorted(inspect.signature(AsyncMemoram).parameters)
OBJECTS: Final = ("http_client", "runtime", "hooks", "token_store", "key_store", "store_options")


def refusal(kind: type[Any], settings: dict[str, Any]) -> Exception | None:
    """What making a client raises."""
    try:
        kind(**settings)
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return error
    return None


@pytest.mark.parametrize("kind", [AsyncMemoram, Memoram])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_wrong_setting_is_an_error_of_ours(kind: type[Any], name: str) -> None:
    right = {"api_key": API_KEY, "base_url": "https://api.test/api/v1"}
    for value in WRONG:
        error = refusal(kind, {**right, name: value})
        assert isinstance(error, MemoramError | None), (value, error)
        assert error is None or SETTING.get(name, name) in str(error), (value, error)
        assert error is not None or name not in OBJECTS or value is None, value


@pytest.mark.parametrize("value", [value for value in WRONG if not isinstance(value, AccessCredentials)])
async def test_only_credentials_open_a_store(world: World, value: Any) -> None:
    async with world.client(refusing()) as client:
        with pytest.raises(InvalidArgumentError, match=r"^credentials must be AccessCredentials, .* not "):
            client.open(value)


def test_credentials_may_be_put_together_from_plain_text() -> None:
    kept: dict[str, Any] = {"user_id": "u", "memory_key": "k", "encryption_key": KEY, "key_version": 1}
    credentials = AccessCredentials(**kept)
    assert (credentials.memory_key.reveal(), credentials.encryption_key.reveal()) == ("k", KEY)
    assert KEY not in repr(credentials)
    assert Memoram(API_KEY).open(credentials).user_id == "u"
