"""Mocks and recorders that know httpx see every request of a client that was given nothing."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Final

import httpx
import pytest
import respx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from memoram_sync import APIConnectionError, APITimeoutError, Memoram, NotFoundError
from tests.raw_server import answer, read_request, serving

if TYPE_CHECKING:
    import socket

    from pytest_httpx import HTTPXMock

API: Final = "https://api.test/api/v1"
ISSUED: Final = {"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}
TAG: Final = {"id": "tag_1", "name": "travel"}


def client(url: str = API) -> Memoram:
    return Memoram("mem_x", base_url=url, max_retries=0)


def test_respx_sees_every_request_whole() -> None:
    with respx.mock(assert_all_called=True) as mock, client() as memoram:
        exchange = mock.post(f"{API}/auth/token").respond(json=ISSUED)
        tag = mock.get(f"{API}/tags/tag_1", params={"user_id": "a=b&c"}).respond(json=TAG)
        for _ in range(3):
            assert memoram.tags.get("tag_1", user_id="a=b&c").name == "travel"
    assert (exchange.call_count, tag.call_count) == (1, 3)
    seen = tag.calls.last.request
    assert seen.headers["authorization"] == "Bearer eyJ.e.s"
    assert dict(seen.url.params) == {"user_id": "a=b&c"}
    assert str(seen.url).startswith(f"{API}/tags/tag_1?user_id=")


def test_respx_sees_what_is_written() -> None:
    with respx.mock() as mock, client() as memoram:
        mock.post(f"{API}/auth/token").respond(json=ISSUED)
        made = mock.post(f"{API}/memory-blobs").respond(201, json={"id": "mem_1"})
        memoram.memory_blobs.create(user_id="u", memory_key="mk", content="x")
    assert b'"content":"x"' in made.calls.last.request.content


@pytest.mark.parametrize(
    ("raised", "meant", "sent"),
    [
        (httpx.ConnectError, APIConnectionError, False),
        (httpx.ReadTimeout, APITimeoutError, True),
        (httpx.RemoteProtocolError, APIConnectionError, True),
    ],
)
def test_what_a_mock_raises_means_what_the_network_would(
    raised: type[Exception], meant: type[APIConnectionError], *, sent: bool
) -> None:
    with respx.mock() as mock, client() as memoram:
        mock.post(f"{API}/auth/token").respond(json=ISSUED)
        mock.get(url__startswith=f"{API}/tags").mock(side_effect=raised("no"))
        with pytest.raises(meant) as caught:
            memoram.tags.get("tag_1", user_id="u")
    assert caught.value.sent is sent


def test_a_mock_of_a_compressed_answer_is_read() -> None:
    with respx.mock() as mock, client() as memoram:
        mock.post(f"{API}/auth/token").respond(json=ISSUED)
        mock.get(url__startswith=f"{API}/tags").respond(
            headers={"content-encoding": "gzip"}, content=gzip.compress(b'{"id": "tag_1"}')
        )
        assert memoram.tags.get("tag_1", user_id="u").id == "tag_1"


def test_pytest_httpx_sees_every_request(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(method="POST", url=f"{API}/auth/token", json=ISSUED)
    httpx_mock.add_response(url=f"{API}/tags/tag_1?user_id=u", json=TAG)
    httpx_mock.add_response(url=f"{API}/tags/tag_2?user_id=u", status_code=404)
    with client() as memoram:
        assert memoram.tags.get("tag_1", user_id="u").name == "travel"
        with pytest.raises(NotFoundError):
            memoram.tags.get("tag_2", user_id="u")
    assert [request.method for request in httpx_mock.get_requests()] == ["POST", "GET", "GET"]


def test_opentelemetry_has_a_span_of_every_request() -> None:
    def play(connection: socket.socket) -> None:
        while request := read_request(connection):
            body = b'{"token": "eyJ.e.s"}' if b"/auth/token" in request else b'{"id": "tag_1"}'
            connection.sendall(answer(body))

    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        with serving(play) as url, client(url) as memoram:
            for _ in range(2):
                memoram.tags.get("tag_1", user_id="u")
    finally:
        instrumentor.uninstrument()
    addresses = [str((span.attributes or {})["http.url"]) for span in spans.get_finished_spans()]
    assert addresses == [f"{url}/auth/token", *[f"{url}/tags/tag_1?user_id=u"] * 2]
