"""Connections of our own through the proxies that the environment names."""

from __future__ import annotations

import asyncio
import base64
import logging
import select
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread
import pytest
import respx

from memoram_async import APIConnectionError, ConfigurationError
from tests.raw_server import answer, read_request, serving
from tests.tls import TrustedServer, trusted_server
from tests.worlds import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.worlds import World

pytestmark = pytest.mark.anyio

TOKEN: Final = answer(b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}')
TAG: Final = answer(b'{"id": "tag_1"}')
PASSWORD: Final = "pr0xy-pa55w0rd"
BASIC: Final = base64.b64encode(f"ada:{PASSWORD}".encode())

Script = Any


@pytest.fixture(scope="module")
def trusted() -> Iterator[TrustedServer]:
    with trusted_server() as server:
        yield server


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def service(connection: socket.socket) -> None:
    """The service itself, or a proxy that answers in its place."""
    while request := read_request(connection):
        connection.sendall(TOKEN if b"/auth/token" in request else TAG)


def relay(connection: socket.socket, url: str) -> None:
    """Carry bytes between a client and a service until one of them leaves."""
    host, _, port = url.partition("://")[2].partition(":")
    with socket.create_connection((host, int(port))) as other:
        while True:
            unread = isinstance(connection, ssl.SSLSocket) and connection.pending()
            ready = [connection] if unread else select.select([connection, other], [], [], 20)[0]
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                (other if one is connection else connection).sendall(data)


def tunnel(to: str, seen: list[bytes]) -> Callable[[socket.socket], None]:
    """A proxy that connects all its clients with one service."""

    def play(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        relay(connection, to)

    return play


def exactly(connection: socket.socket, number: int) -> bytes:
    return connection.recv(number, socket.MSG_WAITALL)


def socks(to: str, seen: list[bytes], *, password: bool = False) -> Callable[[socket.socket], None]:
    """A SOCKS proxy (RFC 1928) that connects all its clients with one service."""

    def play(connection: socket.socket) -> None:
        exactly(connection, exactly(connection, 2)[1])
        connection.sendall(b"\x05\x02" if password else b"\x05\x00")
        if password:
            name = exactly(connection, exactly(connection, 2)[1])
            seen.append(name + b":" + exactly(connection, exactly(connection, 1)[0]))
            connection.sendall(b"\x01\x00")
        assert exactly(connection, 4) == b"\x05\x01\x00\x03"
        host = exactly(connection, exactly(connection, 1)[0])
        seen.append(host + b":%d" % int.from_bytes(exactly(connection, 2), "big"))
        connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
        relay(connection, to)

    return play


def with_password(url: str) -> str:
    return url.replace("://", f"://ada:{PASSWORD}@")


async def get_twice(world: World, url: str, **options: Any) -> None:
    async with world.real_client(
        api_key="mem_x", base_url=url, allow_insecure_http=True, max_retries=0, timeout=20, **options
    ) as client:
        assert PASSWORD not in repr(client)
        for _ in range(2):
            assert (await client.tags.get("tag_1", user_id="u")).id == "tag_1"


async def test_requests_without_tls_are_handed_to_the_proxy(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            connection.sendall(TOKEN if b"/auth/token" in request else TAG)

    with serving(proxy) as url:
        monkeypatch.setenv("HTTP_PROXY", with_password(url))
        await get_twice(world, "http://api.test")
    assert [request.split()[1].startswith(b"http://api.test/") for request in seen] == [True] * 3
    assert all(BASIC in request for request in seen)


@pytest.mark.parametrize("proxy_scheme", ["http", "https"])
async def test_a_tunnel_leads_to_a_service_with_tls(
    world: World, trusted: TrustedServer, monkeypatch: pytest.MonkeyPatch, proxy_scheme: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", trusted.certificate)
    seen: list[bytes] = []
    with serving(trusted.over(service)) as there:
        proxy = tunnel(there, seen)
        with serving(trusted.over(proxy) if proxy_scheme == "https" else proxy) as url:
            monkeypatch.setenv("HTTPS_PROXY", with_password(url.replace("http", proxy_scheme, 1)))
            await get_twice(world, "https://api.test")
    (connect,) = seen
    assert connect.startswith(b"CONNECT api.test:443 ")
    assert BASIC in connect


OWN: Final[dict[str, Any]] = {}
HTTPX2: Final[dict[str, Any]] = {"http_client": "httpx2"}


@pytest.mark.parametrize("library", [OWN, HTTPX2], ids=["own", "httpx2"])
@pytest.mark.parametrize("password", [False, True])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_socks_proxy_resolves_the_name_and_connects(
    world: World,
    trusted: TrustedServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    scheme: str,
    password: bool,
    library: dict[str, Any],
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("SSL_CERT_FILE", trusted.certificate)
    seen: list[bytes] = []
    with (
        serving(trusted.over(service) if scheme == "https" else service) as there,
        serving(socks(there, seen, password=password)) as url,
    ):
        address = url.replace("http", "socks5h")
        monkeypatch.setenv("ALL_PROXY", with_password(address) if password else address)
        await get_twice(world, f"{scheme}://api.test", **library)
    assert "httpcore" in caplog.text
    assert PASSWORD not in caplog.text
    expected = [b"api.test:%d" % (443 if scheme == "https" else 80)]
    assert seen == [f"ada:{PASSWORD}".encode(), *expected] if password else seen == expected


async def test_a_socks_proxy_without_its_package_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(_: str) -> None: ...

    monkeypatch.setattr("memoram_async.runtime.environment.find_spec", nothing)
    monkeypatch.setenv("ALL_PROXY", with_password("socks5://127.0.0.1:1"))
    async with world.real_client(api_key="mem_x", base_url="https://api.test") as client:
        error = await failure(client.tags.get("tag_1", user_id="u"), ConfigurationError)
    assert "ALL_PROXY" in str(error)
    assert PASSWORD not in f"{error!r}"


@pytest.mark.parametrize("proxy_scheme", ["http", "https"])
async def test_a_certificate_behind_a_tunnel_that_is_not_trusted_is_told(
    world: World, trusted: TrustedServer, monkeypatch: pytest.MonkeyPatch, proxy_scheme: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", trusted.certificate)
    if world.name == "asyncio":  # Python 3.11 tells the loop that it stumbled over TLS inside TLS
        asyncio.get_running_loop().set_exception_handler(ignore)
    with serving(trusted.over(service)) as there:
        proxy = tunnel(there, [])
        with serving(trusted.over(proxy) if proxy_scheme == "https" else proxy) as url:
            monkeypatch.setenv("HTTPS_PROXY", url.replace("http", proxy_scheme, 1))
            error = await refused(world, "https://other.test")
    assert "certificate not trusted: Hostname mismatch" in str(error)
    assert error.sent is False


async def test_a_proxy_that_is_not_there_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(service) as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
    assert "(Connection refused)" in str(await refused(world, "https://api.test"))


SOCKS_REFUSALS: Final = {
    "all ways to sign in": [b"\x05\xff"],
    "the connection": [b"\x05\x00", b"\x05\x05\x00\x01" + bytes(6)],
}


@pytest.mark.parametrize("answers", SOCKS_REFUSALS.values(), ids=SOCKS_REFUSALS)
async def test_a_socks_proxy_that_refuses_leaves_no_connection_open(
    world: World, monkeypatch: pytest.MonkeyPatch, answers: list[bytes]
) -> None:
    left = threading.Event()

    def refuse(connection: socket.socket) -> None:
        for each in answers:
            connection.recv(4096)
            connection.sendall(each)
        if not connection.recv(4096):
            left.set()

    with serving(refuse) as url:
        monkeypatch.setenv("HTTPS_PROXY", url.replace("http", "socks5h"))
        error = await refused(world, "https://api.test")
        assert await anyio.to_thread.run_sync(left.wait, 10)
    assert "the proxy refused" in str(error)


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
@pytest.mark.parametrize("service_scheme", ["http", "https"])
async def test_respx_sees_every_request_in_place_of_a_proxy(
    world: World, monkeypatch: pytest.MonkeyPatch, scheme: str, service_scheme: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:1")
    url = f"{service_scheme}://api.test"
    with respx.mock() as network:
        network.post(f"{url}/auth/token").respond(json={"token": "eyJ.e.s"})
        tag = network.get(f"{url}/tags/tag_1", params={"user_id": "u"}).respond(json={"id": "tag_1"})
        await get_twice(world, url)
    assert tag.call_count == 2


def ignore(*_: object) -> None: ...


async def refused(world: World, url: str) -> APIConnectionError:
    """The error of a call to a service that cannot be reached, once the client is closed."""
    async with world.real_client(api_key="mem_x", base_url=url, max_retries=0, timeout=20) as client:
        error: APIConnectionError = await failure(client.tags.get("tag_1", user_id="u"), APIConnectionError)
    return error


def wants_another_password(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(answer(b"", status=407))


def wants_another_socks_password(connection: socket.socket) -> None:
    for each in (b"\x05\x02", b"\x01\x01"):
        connection.recv(4096)
        connection.sendall(each)


@pytest.mark.parametrize(
    ("library", "scheme"),
    [
        *((OWN, scheme) for scheme in ("http", "https", "socks5", "socks5h")),
        *((HTTPX2, scheme) for scheme in ("http", "https")),  # over SOCKS it leaves refused connections open
    ],
)
async def test_a_proxys_password_is_in_no_log_and_no_error(
    world: World,
    trusted: TrustedServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    library: dict[str, Any],
    scheme: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("SSL_CERT_FILE", trusted.certificate)
    refuse = wants_another_socks_password if scheme.startswith("socks") else wants_another_password
    with serving(trusted.over(refuse) if scheme == "https" else refuse) as url:
        monkeypatch.setenv("HTTPS_PROXY", with_password(url.replace("http", scheme, 1)))
        async with world.real_client(
            api_key="mem_x", base_url="https://api.test", max_retries=0, timeout=20, **library
        ) as client:
            error = await failure(client.tags.get("tag_1", user_id="u"), APIConnectionError)
    shown = f"{error!r} {error} {error.__cause__!r} {error.__context__!r} {client!r} {caplog.text}"
    assert "httpcore" in caplog.text
    assert PASSWORD not in shown
    assert BASIC.decode() not in shown
    assert error.sent is False
