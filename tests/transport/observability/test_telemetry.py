"""OpenTelemetry: spans and metrics by the conventions, content off."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from memoram_async import NotFoundError, OutcomeUnknownError
from memoram_async.transport.telemetry import OpenTelemetryHooks
from tests.worlds import API_KEY, TOKEN, Service, World, failure, link

pytestmark = pytest.mark.anyio

OK = httpx.Response(200, json={"id": "tag_1"}, headers={"x-request-id": "req-1"})


class Telemetry:
    """Hooks whose spans and metrics stay here."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.hooks = OpenTelemetryHooks(
            tracer_provider=self.tracer_provider, meter_provider=MeterProvider([self.reader])
        )

    @property
    def spans(self) -> list[Any]:
        """The spans that have ended."""
        return list(self.exporter.get_finished_spans())

    def points(self) -> list[Any]:
        """The data points of the one metric."""
        data = self.reader.get_metrics_data()
        assert data is not None
        (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
        assert (metric.name, metric.unit) == ("http.client.request.duration", "s")
        return list(metric.data.data_points)


async def test_each_request_is_a_client_span(world: World) -> None:
    telemetry = Telemetry()
    service = Service.answering(httpx.Response(503), OK)
    async with world.client(service, hooks=telemetry.hooks) as client:
        await client.tags.get("tag_1", user_id="u")
    exchange, failed, succeeded = telemetry.spans
    assert exchange.name == "POST /auth/token"
    assert (failed.name, failed.kind) == ("GET /tags/{tagId}", trace.SpanKind.CLIENT)
    assert dict(succeeded.attributes) == {
        "http.request.method": "GET",
        "http.request.resend_count": 1,
        "http.response.status_code": 200,
        "server.address": "api.test",
        "server.port": 443,
        "url.scheme": "https",
        "url.full": "https://api.test/api/v1/tags/tag_1",
        "url.template": "/tags/{tagId}",
        "memoram.operation": "getTag",
        "memoram.request_id": "req-1",
    }
    assert failed.attributes["error.type"] == "503"
    assert (failed.status.status_code, succeeded.status.status_code) == (
        trace.StatusCode.ERROR,
        trace.StatusCode.UNSET,
    )


async def test_a_span_is_a_child_of_the_current_one_and_travels_along(world: World) -> None:
    telemetry, service = Telemetry(), Service.answering(OK)
    tracer = telemetry.tracer_provider.get_tracer("test")
    async with world.client(service, hooks=telemetry.hooks) as client:
        with tracer.start_as_current_span("outer") as outer:
            await client.tags.get("tag_1", user_id="u")
    span = next(span for span in telemetry.spans if span.name.startswith("GET"))
    assert span.parent.span_id == outer.get_span_context().span_id
    sent = service.requests[0].headers["traceparent"]
    assert sent.startswith(f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-")


async def test_no_answer_is_an_error_of_its_type(world: World) -> None:
    telemetry = Telemetry()
    service = Service.answering(httpx.ReadTimeout("x"))
    async with world.client(service, hooks=telemetry.hooks) as client:
        await failure(
            client.memory_blobs.create(user_id="u", memory_key="k", content="c"), OutcomeUnknownError
        )
    span = telemetry.spans[-1]
    assert span.attributes["error.type"] == "APITimeoutError"
    assert "http.response.status_code" not in span.attributes


async def test_durations_are_counted_by_what_was_asked_and_how_it_ended(world: World) -> None:
    telemetry = Telemetry()
    service = Service.answering(OK, OK, httpx.Response(404))
    async with world.client(service, hooks=telemetry.hooks) as client:
        for _ in range(2):
            await client.tags.get("tag_1", user_id="u")
        await failure(client.tags.get("tag_2", user_id="u"), NotFoundError)
    counts = {
        (point.attributes["url.template"], point.attributes["http.response.status_code"]): point.count
        for point in telemetry.points()
    }
    assert counts == {("/auth/token", 200): 1, ("/tags/{tagId}", 200): 2, ("/tags/{tagId}", 404): 1}


async def test_neither_spans_nor_metrics_carry_a_secret_or_content(world: World) -> None:
    telemetry = Telemetry()
    service = Service.answering(httpx.Response(201, json={"id": "m", "content": "CANARY"}))
    async with world.client(service, hooks=telemetry.hooks) as client:
        await client.memory_blobs.create(
            user_id="u", memory_key="CANARY", content="CANARY", title="CANARY", tags=["CANARY"]
        )
        await client.request("GET", "/memory-blobs", params={"searchQuery": "CANARY"})
        await failure(
            link(client, "CANARY", client_id="a", client_secret="CANARY"),
            Exception,
        )
    everything = " ".join(span.to_json() for span in telemetry.spans) + repr(
        telemetry.reader.get_metrics_data()
    )
    for secret in ("CANARY", API_KEY, TOKEN):
        assert secret not in everything


def test_without_opentelemetry_the_error_names_the_extra() -> None:
    script = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from memoram_async import ConfigurationError\n"
        "try:\n    import memoram_async.transport.telemetry\n"
        "except ConfigurationError as error:\n    print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert "pip install 'memoram[otel]'" in result.stdout
