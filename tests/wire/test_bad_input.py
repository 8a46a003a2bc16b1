"""What cannot be sent is refused before anything is, in words that help and show no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from memoram_async import (
    AccessCredentials,
    ConfigurationError,
    ContentError,
    InvalidArgumentError,
    InvalidKeyError,
    MemoramError,
    Secret,
)
from tests.worlds import Service, World, failure

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

KEY = "c0ffee" * 10 + "abcd"
CREDENTIALS = AccessCredentials(
    user_id="u", memory_key=Secret("mk"), encryption_key=Secret(KEY), key_version=1
)

BAD_IDS = ["", ".", "..", "a/b", "a?b", "a#b", "a\\b", "a\nb", "a\x00b", "a b", "\ud800", 7, None]


def nothing() -> Service:
    return Service.answering(httpx.Response(500))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"api_key": ""}, "MEMORAM_API_KEY"),
        ({"api_key": None}, "MEMORAM_API_KEY"),
        ({"api_key": "mem_CANARY\n"}, "newline"),
        ({"api_key": " mem_CANARY"}, "white space"),
        ({"api_key": "mem_CANÄRY"}, "non-ASCII"),
        ({"api_key": 7}, "string"),
        ({"base_url": "http://api.example.com"}, "allow_insecure_http=True"),
        ({"base_url": "https://user:CANARY@api.example.com"}, "user name or password"),
        ({"base_url": "https://api.example.com/?x=CANARY"}, "query"),
        ({"base_url": "https://api.example.com/#CANARY"}, "fragment"),
        ({"base_url": "api.example.com"}, "https://"),
        ({"base_url": "ftp://api.example.com"}, "https://"),
        ({"base_url": "https://"}, "host"),
        ({"base_url": "https://a b"}, "white space"),
        ({"base_url": "https://a:99999999"}, "valid URL"),
        ({"base_url": 3}, "string"),
        ({"auth_url": "http://auth.example.com"}, "auth_url"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"request_timeout": -1}, "request_timeout"),
        ({"request_timeout": None}, "request_timeout"),
        ({"max_retries": -1}, "max_retries"),
        ({"max_retries": True}, "max_retries"),
        ({"token_lifetime": 0}, "token_lifetime"),
        ({"store_options": {"read_policy": "raw"}}, "store_options"),
    ],
)
async def test_a_client_that_cannot_work_is_not_made(
    world: World, options: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEMORAM_API_KEY", raising=False)
    with pytest.raises(MemoramError) as caught:
        world.client(nothing(), **options)
    assert isinstance(caught.value, ConfigurationError | InvalidArgumentError)
    assert words in str(caught.value)
    assert "CANARY" not in str(caught.value)


async def test_the_environment_configures_what_the_arguments_leave_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMORAM_API_KEY", "mem_env")
    monkeypatch.setenv("MEMORAM_BASE_URL", "http://127.0.0.1:9/api/v1/")
    monkeypatch.setenv("MEMORAM_AUTH_URL", "http://[::1]:9")
    client = world.client(nothing(), api_key=None, base_url=None, auth_url=None)
    assert repr(client).endswith("of http://127.0.0.1:9/api/v1>")
    assert client.oauth.begin(client_id="a", redirect_uri="https://a.test").url.startswith("http://[::1]:9/")
    monkeypatch.setenv("MEMORAM_BASE_URL", "http://api.example.com")
    with pytest.raises(ConfigurationError, match="MEMORAM_BASE_URL"):
        world.client(nothing(), base_url=None)


async def test_insecure_http_is_allowed_when_asked_for(world: World) -> None:
    world.client(nothing(), base_url="http://api.example.com", allow_insecure_http=True)


CALLS_WITH_AN_ID: Final[list[Callable[[Any, Any], Any]]] = [
    lambda client, bad: client.access_requests.get(bad),
    lambda client, bad: client.access_requests.credentials(bad),
    lambda client, bad: client.access_requests.wait(bad),
    lambda client, bad: client.memory_blobs.get(bad, user_id="u"),
    lambda client, bad: client.memory_blobs.get("b", user_id=bad),
    lambda client, bad: client.memory_blobs.delete(bad, user_id="u"),
    lambda client, bad: client.memory_blobs.update(bad, user_id="u", memory_key="k"),
    lambda client, bad: client.tags.get(bad, user_id="u"),
    lambda client, bad: client.open(CREDENTIALS).get(bad),
    lambda client, bad: client.open(CREDENTIALS).delete(bad),
]


@pytest.mark.parametrize("bad", BAD_IDS)
@pytest.mark.parametrize("call", CALLS_WITH_AN_ID)
async def test_an_id_that_is_none_is_refused(world: World, call: Any, bad: Any) -> None:
    service = nothing()
    async with world.client(service) as client:
        with pytest.raises(InvalidArgumentError):
            await call(client, bad)
    assert service.exchanges == []


@pytest.mark.parametrize("reason", ["", "   ", "x" * 256, 7, None])
async def test_a_reason_that_the_user_cannot_read_is_refused(world: World, reason: Any) -> None:
    service = nothing()
    async with world.client(service) as client:
        await failure(client.access_requests.create("mk", reason=reason), InvalidArgumentError)
        await failure(client.connect("mk", reason=reason), InvalidArgumentError)
    assert service.exchanges == []


@pytest.mark.parametrize("key", ["", "a b", "a\n", "ä", 7, None, Secret("")])
async def test_a_memory_key_that_cannot_be_sent_is_refused(world: World, key: Any) -> None:
    service = nothing()
    async with world.client(service) as client:
        await failure(client.access_requests.create(key, reason="r"), InvalidArgumentError)
        await failure(client.connect(key, reason="r"), InvalidArgumentError)
        await failure(
            client.memory_blobs.create(user_id="u", memory_key=key, content="c"), InvalidArgumentError
        )
    assert service.exchanges == []


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("abc", "not 3"),
        ("zz" * 32, "hex"),
        ("ab" * 31, "62"),
        ("00" * 32, "zero"),
        ("", "not 0"),
        (" " + "ab" * 32, "hex"),
    ],
)
async def test_an_encryption_key_that_cannot_be_used_is_refused(world: World, key: str, words: str) -> None:
    credentials = AccessCredentials(
        user_id="u", memory_key=Secret("mk"), encryption_key=Secret(key), key_version=1
    )
    async with world.client(nothing()) as client:
        with pytest.raises(InvalidKeyError, match=words) as caught:
            client.open(credentials)
    assert not key.strip() or key not in str(caught.value)


@pytest.mark.parametrize("content", ["", "x" * (1024 * 1024 + 1), "\ud800", b"bytes", 7, None])
async def test_content_that_cannot_be_stored_is_refused(world: World, content: Any) -> None:
    service = nothing()
    async with world.client(service) as client:
        store = client.open(CREDENTIALS)
        await failure(store.create(content), ContentError)
        await failure(store.update("m", content=content), ContentError)
        if content in ("", "\ud800") or not isinstance(content, str):
            await failure(
                client.memory_blobs.create(user_id="u", memory_key="k", content=content), InvalidArgumentError
            )
    assert service.requests == []


@pytest.mark.parametrize(
    "member",
    [
        {"importance": float("nan")},
        {"importance": float("inf")},
        {"importance": "1"},
        {"importance": True},
        {"confidence": float("-inf")},
        {"title": 7},
        {"summary": b"x"},
        {"source": 7},
        {"tags": "travel"},
        {"tags": [7]},
        {"tags": [""]},
        {"tags": None},
        {"title": "\ud800"},
    ],
)
async def test_a_member_that_cannot_be_stored_is_refused(world: World, member: dict[str, Any]) -> None:
    service = nothing()
    async with world.client(service) as client:
        store = client.open(CREDENTIALS)
        await failure(store.create("text", **member), InvalidArgumentError)
        await failure(store.update("m", **member), InvalidArgumentError)
    assert service.requests == []


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x",
        "//evil.test/",
        "https://evil.test/",
        "/a/../b",
        "/a?b=c",
        "/a#b",
        "/a b",
        "/é",
        "/a/%2e%2e/b",
        "/\\evil",
        7,
    ],
)
async def test_a_free_request_stays_below_the_base_url(world: World, path: Any) -> None:
    service = nothing()
    async with world.client(service) as client:
        await failure(client.request("GET", path), InvalidArgumentError)
        await failure(client.request("FETCH", "/a"), InvalidArgumentError)
        await failure(client.request("POST", "/a", json={"x": float("nan")}), InvalidArgumentError)
        await failure(client.request("POST", "/a", json=object()), InvalidArgumentError)
        await failure(client.request("GET", "/a", params={"q": "\ud800"}), InvalidArgumentError)
    assert service.exchanges == []


@pytest.mark.parametrize("uri", ["", "back", "https://a.test/#x", "https://a b", 7])
async def test_a_redirect_uri_that_is_none_is_refused(world: World, uri: Any) -> None:
    async with world.client(nothing()) as client:
        with pytest.raises(InvalidArgumentError):
            client.oauth.begin(client_id="a", client_secret="s", redirect_uri=uri)
