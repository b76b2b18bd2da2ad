"""OpenTelemetry traces, where ``OTEL_EXPORTER_OTLP_ENDPOINT`` says where to: nothing of it is imported otherwise.

A request gives two spans when it is over: the request itself, below the client's own ``traceparent`` if it sent one,
and in it the provider's answer. Sampling, headers and resource attributes follow OpenTelemetry's own variables
(``OTEL_TRACES_SAMPLER``, ``OTEL_EXPORTER_OTLP_HEADERS``, ``OTEL_RESOURCE_ATTRIBUTES``, ``OTEL_SERVICE_NAME``).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from .arrival import Arrival

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_NS: Final = 1_000_000_000
_provider: TracerProvider | None = None


def start() -> None:
    """Reads the environment; from now on requests are traced, if it says so."""
    global _provider
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT or _provider is not None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    _provider = TracerProvider(resource=Resource.create({"service.name": settings.OTEL_SERVICE_NAME}))
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))


def stop() -> None:
    """Sends what is left. Blocks until that is done."""
    global _provider
    provider, _provider = _provider, None
    if provider is not None:
        provider.shutdown()


def record(arrival: Arrival, surface: str) -> None:
    """The spans of a request that is over; none where traces are off."""
    if _provider is None:
        return
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    passage = arrival.passage
    now, wall = time.perf_counter(), time.time_ns()

    def at(moment: float) -> int:
        return wall - round((now - moment) * _NS)

    tracer = _provider.get_tracer("tollgate")
    parent = TraceContextTextMapPropagator().extract(arrival.headers)
    request = tracer.start_span(
        f"/v1 {surface}", parent, trace.SpanKind.SERVER, attributes=_attributes(arrival), start_time=at(passage.began)
    )
    if passage.upstream_began:
        upstream = tracer.start_span(
            f"{passage.provider} {passage.model}",
            trace.set_span_in_context(request),
            trace.SpanKind.CLIENT,
            attributes={"gen_ai.provider.name": passage.provider, "gen_ai.request.model": passage.model},
            start_time=at(passage.upstream_began),
        )
        if passage.upstream_failure:
            upstream.set_status(trace.StatusCode.ERROR, passage.upstream_failure)
        upstream.end(wall)
    if passage.status >= 500 or passage.outcome.endswith("_error"):
        request.set_status(trace.StatusCode.ERROR, passage.outcome)
    request.end(wall)


def _attributes(arrival: Arrival) -> dict[str, Any]:
    passage = arrival.passage
    tokens = passage.tokens
    found: dict[str, Any] = {
        "http.response.status_code": passage.status,
        "tollgate.request_id": arrival.request_id,
        "tollgate.outcome": passage.outcome,
        "tollgate.tier": passage.tier,
        "tollgate.key": passage.caller.key_public_id if passage.caller else "",
    }
    if passage.first_byte_ms is not None:
        found["tollgate.first_byte_ms"] = passage.first_byte_ms
    if tokens is not None:
        found["gen_ai.usage.input_tokens"] = tokens.total_input
        found["gen_ai.usage.output_tokens"] = tokens.output
    return found
