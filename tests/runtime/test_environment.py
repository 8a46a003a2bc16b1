"""Proxies and certificates of the environment: used where they can be, named where they cannot."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_async import APIConnectionError, ConfigurationError
from memoram_async.runtime.destination import Destination
from memoram_async.runtime.environment import TLS, make_context, proxy_for
from tests.raw_server import answer, read_request, serving
from tests.worlds import failure

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from tests.worlds import World

pytestmark = pytest.mark.anyio

ELSEWHERE = "https://api.example.com"
VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSLKEYLOGFILE",
)


@pytest.fixture(autouse=True)
def an_empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def get(client: Any) -> Any:
    return client.tags.get("tag_1", user_id="u")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_PROXY", "socks://127.0.0.1:1080"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:21"),
        ("HTTPS_PROXY", "http://proxy.test:CANARY"),
        ("HTTPS_PROXY", "http://"),
        ("https_proxy", "http://ada:CANARY@[::1"),
        ("NO_PROXY", "localhost,[::1]"),
        ("NO_PROXY", "10.0.0.0/8"),
        ("NO_PROXY", "fd00::/8"),
        ("NO_PROXY", "192.168.*"),
        ("SSL_CERT_FILE", "/CANARY/missing.pem"),
        ("SSL_CERT_FILE", "/dev/null"),
        ("SSL_CERT_DIR", "/CANARY/missing"),
        ("SSLKEYLOGFILE", "/CANARY/keys.log"),
    ],
)
async def test_a_variable_that_cannot_be_used_is_named_and_not_quoted(
    world: World, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    async with world.real_client(api_key="mem_x", base_url=str(ELSEWHERE)) as client:
        error = await failure(get(client), ConfigurationError)
    assert name in str(error)
    assert "CANARY" not in str(error) + repr(error.__cause__) + repr(error.__context__)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PROXY", "socks://127.0.0.1:1080"),
        ("ALL_PROXY", "http://proxy.test:nonsense"),
        ("NO_PROXY", "[::1]"),
        ("SSL_CERT_FILE", "/missing.pem"),
        ("SSLKEYLOGFILE", "/missing/keys.log"),
    ],
)
async def test_a_service_on_this_machine_looks_at_none_of_them(
    world: World, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(connection: socket.socket) -> None:
        while request := read_request(connection):
            token = b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}'
            connection.sendall(answer(token if b"/auth/token" in request else b'{"id": "tag_1"}'))

    monkeypatch.setenv(name, value)
    with serving(play) as url:
        async with world.real_client(api_key="mem_x", base_url=url) as client:
            assert (await get(client)).id == "tag_1"


async def test_without_trust_in_the_environment_its_proxies_are_not_used(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    with serving(lambda connection: asked.append(read_request(connection))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        options: dict[str, Any] = {
            "api_key": "mem_x",
            "base_url": "https://no-such-host.invalid",
            "max_retries": 0,
        }
        async with world.real_client(**options, trust_env=False) as client:
            await failure(get(client), APIConnectionError)
    assert asked == []


async def test_httpx2_is_used_where_it_is_asked_for_by_name(world: World) -> None:
    seen: list[bytes] = []

    def play(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            token = b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}'
            connection.sendall(answer(token if b"/auth/token" in request else b'{"id": "tag_1"}'))

    with serving(play) as url:
        async with world.real_client(api_key="mem_x", base_url=url, http_client="httpx2") as client:
            assert (await get(client)).id == "tag_1"
    assert len(seen) == 2


async def test_a_service_that_is_not_there_is_a_connection_error_with_httpx2_too(world: World) -> None:
    with serving(lambda _: None) as url:
        pass
    async with world.real_client(
        api_key="mem_x", base_url=url, http_client="httpx2", max_retries=0
    ) as client:
        error = await failure(get(client), APIConnectionError)
    assert error.sent is False


async def test_a_closed_http_client_is_told(world: World) -> None:
    if world.is_sync:
        http: Any = httpx.Client()
        http.close()
    else:
        http = httpx.AsyncClient()
        await http.aclose()
    async with world.real_client(api_key="mem_x", base_url="http://127.0.0.1:9", http_client=http) as client:
        error = await failure(get(client), Exception)
    assert "http_client" in str(error)


@pytest.mark.parametrize("wrong", ["of the other world", "none at all"])
async def test_what_cannot_send_is_no_http_client(world: World, wrong: str) -> None:
    other: Any = httpx.AsyncClient() if world.is_sync else httpx.Client()
    client = other if wrong == "of the other world" else object()
    with pytest.raises(ConfigurationError, match="http_client"):
        world.real_client(api_key="mem_x", base_url="http://127.0.0.1:9", http_client=client)


@pytest.mark.parametrize(
    ("no_proxy", "is_direct"),
    [
        ("example.com", True),
        (".example.com", True),
        ("*.example.com", True),
        ("other.test, api.example.com", True),
        ("api.example.com:443", True),
        ("https://api.example.com", True),
        ("*", True),
        ("", False),
        ("ample.com", False),
        ("api.example.com:8443", False),
        ("http://api.example.com", False),
        ("::1,10.0.0.1", False),
    ],
)
def test_no_proxy_is_read_as_curl_does(
    no_proxy: str, is_direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    proxy = proxy_for(Destination(ELSEWHERE))
    assert (proxy is None) is is_direct
    if proxy is not None:
        assert str(proxy.url) == "http://proxy.test:3128"


def test_a_tls_context_is_as_pythons_default() -> None:
    ours, default = make_context("", "", ""), ssl.create_default_context()
    for name in ("check_hostname", "verify_mode", "verify_flags", "options", "minimum_version"):
        assert getattr(ours, name) == getattr(default, name), name


def test_a_tls_context_is_made_once() -> None:
    assert TLS.context("api.example.com") is TLS.context("other.example.com")


def test_a_certificate_is_trusted_on_this_machine_where_it_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    assert TLS.context("127.0.0.1") is TLS.context("127.0.0.1", trust_env=False)
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        TLS.context("api.example.com")
