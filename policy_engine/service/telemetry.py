"""Traces for OpenTelemetry: a span for each request, with what was decided and without facts. Imported where wanted alone.

A decision is an event of its span; where a request asks for one, the span itself has the same attributes. Which requests are
traced, by what name, and with which headers spans are sent is said by the variables of OpenTelemetry, such as
`OTEL_TRACES_SAMPLER`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from multiprocessing.util import Finalize
from typing import TypeVar

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from policy_engine.language.decisions import Decision
from policy_engine.service.metrics import Counts
from policy_engine.service.requests import Head
from policy_engine.version import VERSION

PATIENCE = 5
"""Seconds that sending spans may take."""
MOST_EVENTS = 100
"""Decisions of one request that are told one by one; a batch has any number."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CARRIED = ("traceparent", "tracestate")
Told = TypeVar("Told")


@dataclass(slots=True)
class RequestSpan:
    """The span of one request."""

    span: Span
    method: str
    decisions: int = 0
    latest: Decision | None = None
    problem: str = ""

    def around(self, work: Callable[[], Told]) -> Told:
        """What work gives; decisions that are made meanwhile belong to this span."""
        before = CURRENT.set(self)
        try:
            return work()
        finally:
            CURRENT.reset(before)

    def decided(self, decision: Decision) -> None:
        """Tell of a decision."""
        self.decisions += 1
        if self.decisions <= MOST_EVENTS:
            self.span.add_event("policy.decided", _attributes(decision))
        self.latest = decision

    def refused(self, kind: str) -> None:
        """Tell the kind of a problem that is answered."""
        self.span.set_attribute("policy.problem", kind)

    def ended(self, address: str, status: int) -> None:
        """End it; an error is only what the service is at fault for."""
        self.span.update_name(f"{self.method} {address}")
        self.span.set_attributes({"http.route": address, "http.response.status_code": status})
        self.span.set_attribute("policy.decisions", self.decisions)
        if self.latest is not None and self.decisions == 1:
            self.span.set_attributes(_attributes(self.latest))
        if status >= 500:
            self.span.set_status(Status(StatusCode.ERROR))
        self.span.end()


CURRENT: ContextVar[RequestSpan | None] = ContextVar("span of the request that is worked on", default=None)


def _attributes(decision: Decision) -> Mapping[str, str | list[str]]:
    outcome = decision.outcome
    told = {
        "policy.decision": decision.decision,
        "policy.status": str(decision.status),
        "policy.outcome": list(outcome) if isinstance(outcome, tuple) else outcome,
        "policy.ruleset.version": decision.ruleset.version,
        "policy.ruleset.digest": decision.ruleset.digest,
    }
    return {name: value for name, value in told.items() if value is not None}


class TracedCounts(Counts):
    """What one worker counts; the span of the request hears of its decisions, too."""

    __slots__ = ()

    def decided(self, decision: Decision) -> None:
        """Count a decision, and tell it to the span of its request."""
        Counts.decided(self, decision)
        span = CURRENT.get()
        if span is not None:
            span.decided(decision)


@dataclass(frozen=True, slots=True)
class Traces:
    """What begins the spans of requests."""

    tracer: Tracer

    def begun(self, head: Head, request_id: str) -> RequestSpan:
        """The span of a request, below that which its header `traceparent` names; a header that is none is passed over."""
        carried = {name: value for name in CARRIED if (value := head.header(name))}
        above = TraceContextTextMapPropagator().extract(carried)
        method = head.method if head.method in METHODS else "_OTHER"  # as the conventions of OpenTelemetry say
        told = {"http.request.method": method, "policy.request_id": request_id}
        return RequestSpan(self.tracer.start_span(method, above, SpanKind.SERVER, told), method)


def traces_by(processor: SpanProcessor) -> Traces:
    """Spans that a processor sends; those that are held are sent when the process ends."""
    own = Resource({"service.name": "policy_engine", "service.version": VERSION})
    provider = TracerProvider(resource=own.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(processor)
    Finalize(None, provider.shutdown, exitpriority=1)
    return Traces(provider.get_tracer("policy_engine", VERSION))


def traces_to(address: str) -> Traces:
    """Spans that go to an address by OTLP over HTTP, in the background."""
    exporter = OTLPSpanExporter(f"{address.rstrip('/')}/v1/traces", timeout=PATIENCE)
    return traces_by(BatchSpanProcessor(exporter))
