"""What is counted and logged of requests, and what is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date

import pytest

from policy_engine.engine import Engine
from policy_engine.service.metrics import BUCKETS, HELP, Counts, added, exposition
from tests.support.served import JSON, Server, serving

DEADLINE = "/v1/decisions/can_spam/opt_out_deadline"
QUESTION = {"facts": {"opt_out_received_on": "2025-06-27"}, "as_of": "2025-06-30"}
SERIES = re.compile(r'([a-z_]+)(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? ([0-9.e+-]+)')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    with serving(folder, only=["can_spam", "email_limits"], settings={"log_requests": True}) as running:
        yield running


def series(server: Server) -> dict[str, float]:
    """What is counted, by the names of the series."""
    answered = server.ask("GET", "/metrics")
    assert answered.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line for line in answered.body.decode().splitlines() if not line.startswith("#")]
    assert all(SERIES.fullmatch(line) for line in lines)
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_decisions_requests_and_problems_are_counted(server: Server) -> None:
    before = series(server)
    server.ask("POST", DEADLINE, QUESTION)
    server.ask("POST", DEADLINE, {**QUESTION, "explain": "trace"})
    server.ask("POST", DEADLINE, {"facts": {}})
    server.ask("POST", DEADLINE, {"facts": {"x": 1}})
    line = b'{"ruleset":"can_spam","decision":"opt_out_deadline","facts":{}}\n'
    server.ask("POST", "/v1/batch", line + b"{}\n", {"content-type": "application/jsonl"})
    server.ask(
        "POST", "/v1/decisions/email_limits/limit_violations", {"facts": {"client_pays_via_billing_platform": False}}
    )
    server.ask("GET", "/nowhere/secret-7")
    after = series(server)
    more = {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}
    for name in [name for name in more if "seconds" in name or 'address="/metrics"' in name]:
        del more[name]
    decision = 'policy_decisions_total{decision="can_spam.opt_out_deadline"'
    batch = 'policy_requests_total{address="/v1/batch",status="200"}'
    one = "/v1/decisions/{ruleset}/{decision}"
    assert more == {
        f'{decision},status="decided",outcome=""}}': 2,
        f'{decision},status="undetermined",outcome=""}}': 2,
        'policy_decisions_total{decision="email_limits.limit_violations",status="decided",outcome="(list)"}': 1,
        f'policy_requests_total{{address="{one}",status="200"}}': 4,
        f'policy_requests_total{{address="{one}",status="422"}}': 1,
        batch: 1,
        'policy_requests_total{address="(none)",status="404"}': 1,
        'policy_problems_total{kind="invalid-facts"}': 1,
        'policy_problems_total{kind="invalid-question"}': 1,
        'policy_problems_total{kind="not-found"}': 1,
    }
    assert after["policy_epoch"] == 1


def test_a_request_has_a_line_in_the_log_without_facts_and_paths(server: Server) -> None:
    answered = server.ask("POST", DEADLINE, {"facts": {"account_id": "secret-8"}}, {**JSON, "x-request-id": "mine-8"})
    server.ask("GET", "/nowhere/secret-8?secret-8")
    assert answered.status == 422
    own = next(event for event in server.events() if event.get("id") == "mine-8")
    assert {**own, "at": "", "milliseconds": 0} == {
        "at": "",
        "level": "info",
        "event": "request",
        "id": "mine-8",
        "method": "POST",
        "address": "/v1/decisions/{ruleset}/{decision}",
        "status": 422,
        "caller": "anybody",
        "milliseconds": 0,
    }
    assert "secret-8" not in server.log.read_text("utf-8")


def test_times_fall_into_buckets_that_add_up() -> None:
    counts = Counts()
    for seconds in (0.0001, BUCKETS[0], 0.3, 100.0):
        counts.request("/", 200, seconds)
    text = exposition(counts.series()).decode()
    told = {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in text.splitlines() if "bucket" in line}
    assert told['policy_request_seconds_bucket{le="0.0005"}'] == "2"
    assert told['policy_request_seconds_bucket{le="0.25"}'] == "2"
    assert told['policy_request_seconds_bucket{le="0.5"}'] == "3"
    assert told['policy_request_seconds_bucket{le="+Inf"}'] == "4"
    assert "policy_request_seconds_count 4\n" in text
    assert (
        f"# HELP policy_request_seconds {HELP['policy_request_seconds'][1]}\n# TYPE policy_request_seconds histogram\n"
        in text
    )


def test_counts_of_workers_are_added() -> None:
    one, other = Counts(), Counts()
    for counts in (one, one, other):
        counts.problem("not-json")
    assert added([one.series(), other.series()])['policy_problems_total{kind="not-json"}'] == 3


def test_texts_of_authors_are_escaped() -> None:
    counts = Counts()
    rules = SHIP.replace("OUTCOME", json.dumps('a "b" \\ c'))
    engine = Engine.from_text(
        {"order": rules}, {"order": '{"type": "object", "additionalProperties": false, "properties": {}}'}
    )
    counts.decided(engine.decide("order.ship", {}, as_of=date(2025, 1, 1)))
    assert next(iter(counts.series())).endswith('outcome="a \\"b\\" \\\\ c"}')


SHIP = """
ruleset: order
title: Orders
version: "1"
effective: {from: 2025-01-01}
timezone: UTC
facts: order
sources: {terms: {title: Terms}}
decisions:
  ship:
    question: Is it shipped?
    source: terms
    outcomes: [OUTCOME]
    rules: []
    otherwise: {then: OUTCOME, because: It is.}
"""
