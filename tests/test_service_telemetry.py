"""Spans of OpenTelemetry: of each request one, with what was decided and no fact, below the caller's; sent to a real receiver."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from policy_engine.errors import CannotRun
from policy_engine.service.asgi import Application
from policy_engine.service.clock import Clock
from policy_engine.service.deciding import Service
from policy_engine.service.loaded import Loaded
from policy_engine.service.settings import Settings, settings_from
from policy_engine.service.telemetry import MOST_EVENTS, TracedCounts, traces_by
from tests.conftest import ROOT
from tests.support.rulebook import shipped
from tests.support.served import JSON, free_port, serving
from tests.test_service_asgi import JSON as OF_JSON
from tests.test_service_asgi import LINES, ask

SHARE = "/v1/decisions/partner_earnings/revenue_share"
FACTS = {
    "destination_category": "referred",
    "move_effective_date": "2025-03-20",
    "customer_conversion_date": "2025-01-19",
    "partner_deployment_date": "2022-09-01",
    "account_id": "secret-7",
}
BODY = json.dumps({"facts": FACTS}).encode()
CALLERS_TRACE, CALLERS_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{CALLERS_TRACE}-{CALLERS_SPAN}-01"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def application(spans: InMemorySpanExporter) -> Application:
    traces, clock = traces_by(SimpleSpanProcessor(spans)), Clock(lambda timezone: date(2025, 6, 30))
    service = Service(Loaded(shipped()), Settings(), clock, traces=traces, counts=TracedCounts())
    return Application(service)


def told(spans: InMemorySpanExporter) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """The spans by name with their attributes, in the order in which they ended."""
    return [(span.name, dict(span.attributes or {})) for span in spans.get_finished_spans()]


def test_a_span_tells_what_was_decided(application: Application, spans: InMemorySpanExporter) -> None:
    status, headers, body = ask(application, "POST", SHARE, [BODY])
    answer = json.loads(body)
    ((name, attributes),) = told(spans)
    assert name == "POST /v1/decisions/{ruleset}/{decision}"
    assert attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/decisions/{ruleset}/{decision}",
        "http.response.status_code": status,
        "policy.request_id": headers["x-request-id"],
        "policy.decision": "partner_earnings.revenue_share",
        "policy.status": answer["status"],
        "policy.outcome": answer["outcome"],
        "policy.ruleset.version": answer["ruleset"]["version"],
        "policy.ruleset.digest": answer["ruleset"]["digest"],
        "policy.decisions": 1,
    }
    assert application.service.counts.decisions == {(answer["decision"], answer["status"], answer["outcome"]): 1}


def test_a_span_tells_no_fact(application: Application, spans: InMemorySpanExporter) -> None:
    ask(application, "POST", SHARE, [BODY])
    ask(application, "POST", SHARE, [b'{"facts": {"account_id": "secret-7", "x": 1}}'])
    ask(application, "GET", "/v1/rulesets/secret-7", [])
    for span in spans.get_finished_spans():
        assert "secret-7" not in span.to_json()
        assert "2022-09-01" not in span.to_json()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "problem", "name"),
    [
        ("POST", SHARE, b"{", 400, "not-json", "POST /v1/decisions/{ruleset}/{decision}"),
        ("POST", SHARE, b'{"facts": {}}', 422, "invalid-facts", "POST /v1/decisions/{ruleset}/{decision}"),
        ("GET", "/nothing", b"", 404, "not-found", "GET (none)"),
        ("BREW", "/healthz", b"", 405, "wrong-method", "_OTHER (none)"),
        ("GET", "/healthz", b"", 200, None, "GET /healthz"),
    ],
)
def test_a_span_tells_the_kind_of_a_problem(
    application: Application,
    spans: InMemorySpanExporter,
    method: str,
    path: str,
    body: bytes,
    status: int,
    problem: str | None,
    name: str,
) -> None:
    ask(application, method, path, [body])
    ((told_name, attributes),) = told(spans)
    assert (told_name, attributes["http.response.status_code"]) == (name, status)
    assert (attributes.get("policy.problem"), attributes["policy.decisions"]) == (problem, 0)
    assert spans.get_finished_spans()[0].status.status_code is StatusCode.UNSET


def test_a_fault_of_the_service_is_an_error(
    application: Application, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("policy_engine.service.routes.question_of", lambda *_: 1 / 0)
    assert ask(application, "POST", SHARE, [BODY])[0] == 500
    (span,) = spans.get_finished_spans()
    assert (span.status.status_code, span.status.description, span.events) == (StatusCode.ERROR, None, ())


def test_several_decisions_are_events(application: Application, spans: InMemorySpanExporter) -> None:
    ask(application, "POST", "/v1/decisions/partner_earnings", [BODY])
    names = [logic.name for logic in shipped().ruleset("partner_earnings", date(2025, 6, 30)).decisions]
    (span,) = spans.get_finished_spans()
    assert _events(span) == [f"partner_earnings.{name}" for name in names]
    assert span.attributes is not None
    assert span.attributes["policy.decisions"] == len(names) > 1
    assert "policy.decision" not in span.attributes


def _events(span: ReadableSpan) -> list[object]:
    assert {event.name for event in span.events} <= {"policy.decided"}
    return [(event.attributes or {})["policy.decision"] for event in span.events]


def test_of_a_batch_so_many_are_events_and_all_are_counted(
    application: Application, spans: InMemorySpanExporter
) -> None:
    line = json.dumps({"ruleset": "partner_earnings", "decision": "revenue_share", "facts": FACTS}).encode()
    ask(application, "POST", "/v1/batch", [b"\n".join([line] * (MOST_EVENTS + 5))], LINES)
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert (len(span.events), span.attributes["policy.decisions"]) == (MOST_EVENTS, MOST_EVENTS + 5)


@pytest.mark.parametrize(
    ("header", "trace", "parent"),
    [(TRACEPARENT, CALLERS_TRACE, CALLERS_SPAN), ("00-nonsense", None, None), ("", None, None)],
)
def test_a_span_stands_below_that_of_the_caller(
    application: Application, spans: InMemorySpanExporter, header: str, trace: str | None, parent: str | None
) -> None:
    ask(application, "GET", "/healthz", [], [(b"traceparent", header.encode())])
    (span,) = spans.get_finished_spans()
    assert (span.parent and f"{span.parent.span_id:016x}") == parent
    assert span.context is not None
    assert trace in (None, f"{span.context.trace_id:032x}")


def test_what_a_caller_does_not_want_traced_is_not(application: Application, spans: InMemorySpanExporter) -> None:
    unsampled = f"{TRACEPARENT[:-2]}00".encode()
    assert ask(application, "POST", SHARE, [BODY], [(b"traceparent", unsampled), *OF_JSON])[0] == 200
    assert spans.get_finished_spans() == ()


@contextmanager
def receiving(port: int) -> Iterator[list[Any]]:
    """A receiver of OTLP at a port of this machine, and the spans that came."""
    came: list[Any] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked = ExportTraceServiceRequest.FromString(body)
            for resource in asked.resource_spans:
                own = {each.key: each.value.string_value for each in resource.resource.attributes}
                came.extend((self.path, own, span) for scope in resource.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Nothing is logged."""

    with ThreadingHTTPServer(("127.0.0.1", port), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield came
        finally:
            server.shutdown()
            thread.join()


def test_the_service_sends_its_spans_and_those_it_holds_when_it_ends(tmp_path: Path) -> None:
    port = free_port()
    settings = {"telemetry": f"http://127.0.0.1:{port}/"}
    with receiving(port) as came:
        with serving(tmp_path, only=["partner_earnings"], settings=settings) as server:
            answered = server.ask("POST", SHARE, BODY, {**JSON, "traceparent": TRACEPARENT})
            assert answered.status == 200
        mine = [each for each in came if each[2].name.startswith("POST")]
    ((path, own, span),) = mine
    assert path == "/v1/traces"
    assert own["service.name"] == "policy_engine"
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (CALLERS_TRACE, CALLERS_SPAN)
    attributes = {each.key: each.value.string_value for each in span.attributes}
    assert attributes["policy.ruleset.digest"] == answered.json["ruleset"]["digest"]


def test_a_receiver_that_is_not_there_stops_no_answer_and_is_logged(tmp_path: Path) -> None:
    settings = {"telemetry": f"http://127.0.0.1:{free_port()}"}
    with serving(tmp_path, only=["partner_earnings"], settings=settings) as server:
        assert server.ask("POST", SHARE, BODY).status == 200
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 25
        events = [event["event"] for event in server.events()]
    assert any("span" in event or "export" in event.lower() for event in events), events


def test_without_it_nothing_of_opentelemetry_is_imported() -> None:
    script = "import sys, policy_engine.service.server; print([n for n in sys.modules if 'opentelemetry' in n])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(CannotRun) as caught:
        settings_from(None, {"POLICY_SERVE_TELEMETRY": "localhost:4318"}, {})
    assert str(caught.value) == (
        "the setting `telemetry` must be an address that begins with http:// or https://, not `localhost:4318`"
    )
