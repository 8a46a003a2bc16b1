"""OpenTelemetry: a span and a duration for every request, by the conventions for HTTP clients.

Needs the extra `memoram[otel]`. Nothing is recorded unless these hooks are passed to a client:

    client = AsyncMemoram(hooks=OpenTelemetryHooks())

Spans and metrics carry operations, addresses, statuses and times; never a header, a query, a body, a key
or memory content.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from memoram_async.core.errors import ConfigurationError
from memoram_async.core.events import Attempt, Outcome
from memoram_async.transport.hooks import Hooks

try:
    from opentelemetry import metrics, propagate, trace
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
except ImportError:
    raise ConfigurationError(
        "OpenTelemetry is not installed: pip install 'memoram[otel]' brings it"
    ) from None
_SCOPE = "memoram"
_DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


class OpenTelemetryHooks(Hooks):
    """Spans and metrics for every request of the clients that these hooks are passed to.

    Each request is a span of kind CLIENT, a child of whatever span is current, and its context travels
    along as `traceparent`. The histogram is `http.client.request.duration`, in seconds. Source: the
    OpenTelemetry semantic conventions for HTTP, stable since 1.23.

    Args:
        tracer_provider: Where spans go; the global provider by default.
        meter_provider: Where metrics go; the global provider by default.
    """

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        self._duration = metrics.get_meter(_SCOPE, meter_provider=meter_provider).create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_DURATION_BUCKETS,
        )
        self._spans: dict[Attempt, Span] = {}

    def before_request(self, attempt: Attempt) -> Mapping[str, str]:
        """Begin a span; answers its trace context, to be sent along."""
        attributes = _common(attempt) | {"url.full": attempt.url, "memoram.operation": attempt.operation}
        if attempt.number > 1:
            attributes["http.request.resend_count"] = attempt.number - 1
        name = f"{attempt.method} {attempt.template}" if attempt.template else attempt.method
        span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)
        self._spans[attempt] = span
        carrier: dict[str, str] = {}
        propagate.inject(carrier, context=trace.set_span_in_context(span))
        return carrier

    def after_response(self, attempt: Attempt, outcome: Outcome) -> None:
        """End the span and record how long it took."""
        attributes = _common(attempt)
        fault = outcome.error
        if outcome.status is not None:
            attributes["http.response.status_code"] = outcome.status
            if outcome.status >= 400:
                fault = str(outcome.status)
        if fault is not None:
            attributes["error.type"] = fault
        self._duration.record(outcome.elapsed, attributes)
        span = self._spans.pop(attempt, None)
        if span is None:
            return
        span.set_attributes(attributes)
        if outcome.request_id is not None:
            span.set_attribute("memoram.request_id", outcome.request_id)
        if fault is not None:
            span.set_status(Status(StatusCode.ERROR))
        span.end()


def _common(attempt: Attempt) -> dict[str, str | int]:
    """The attributes that spans and metrics share."""
    address = urlsplit(attempt.url)
    attributes: dict[str, str | int] = {
        "http.request.method": attempt.method,
        "server.address": address.hostname or "",
        "server.port": address.port or (443 if address.scheme == "https" else 80),
        "url.scheme": address.scheme,
    }
    if attempt.template is not None:
        attributes["url.template"] = attempt.template
    return attributes
