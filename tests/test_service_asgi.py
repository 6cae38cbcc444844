"""The service within an ASGI server answers what it answers under its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from policy_engine.engine import Engine
from policy_engine.service.asgi import Application
from policy_engine.service.clock import Clock
from policy_engine.service.deciding import Service
from policy_engine.service.loaded import Loaded
from policy_engine.service.settings import Settings
from tests.conftest import ROOT

SHARE = "/v1/decisions/partner_earnings/revenue_share"
FACTS = {"destination_category": "referred", "partner_deployment_date": "2022-09-01"}
JSON = [(b"content-type", b"application/json")]
LINES = [(b"content-type", b"application/jsonl")]


@pytest.fixture(scope="module")
def application() -> Application:
    engine = Engine.load(ROOT / "rules", ROOT / "schemas", only=["partner_earnings"])
    clock = Clock(lambda timezone: {"America/New_York": date(2025, 6, 30)}[timezone])
    return Application(Service(Loaded(engine), Settings(body_seconds=1, largest_body=1_000), clock))


def ask(application: Application, method: str, path: str, parts: Iterable[bytes | None], headers: Any = JSON) -> Any:
    """Status, headers and body of an answer; None among the parts of a body never comes."""
    coming, sent = list(parts), []

    async def receive() -> dict[str, Any]:
        part = coming.pop(0) if coming else b""
        if part is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": part, "more_body": bool(coming)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": headers, "client": ("127.0.0.1", 1)}
    asyncio.run(application(scope, receive, send))
    start, *bodies = sent
    told = {name.decode(): value.decode() for name, value in start["headers"]}
    assert [each["more_body"] for each in bodies] == [*[True] * (len(bodies) - 1), False]
    return start["status"], told, b"".join(each["body"] for each in bodies)


def test_a_body_may_come_in_parts(application: Application) -> None:
    body = json.dumps({"facts": FACTS}).encode()
    status, headers, answer = ask(application, "POST", SHARE, [body[:10], b"", body[10:]])
    decided = application.service.loaded.engine.decide("partner_earnings.revenue_share", FACTS, as_of=date(2025, 6, 30))
    assert (status, answer) == (200, decided.to_json())
    assert headers["content-length"] == str(len(answer))
    assert headers["x-request-id"]


def test_a_body_whose_parts_are_too_much_is_read_no_further(application: Application) -> None:
    status, headers, answer = ask(application, "POST", SHARE, [b"{", b" " * 600, b" " * 600, None])
    assert (status, headers["connection"]) == (413, "close")
    assert json.loads(answer)["detail"] == "the body has more than 1000 bytes"


def test_a_body_that_does_not_come_is_not_waited_for(application: Application) -> None:
    status, headers, answer = ask(application, "POST", SHARE, [b"{", None])
    assert (status, headers["connection"]) == (408, "close")
    assert json.loads(answer)["detail"] == "nothing more came for 1 seconds"


def test_a_line_of_a_batch_may_come_in_parts_and_be_too_long(application: Application) -> None:
    line = json.dumps({"ruleset": "partner_earnings", "decision": "revenue_share", "facts": FACTS}).encode()
    parts = [line[:20], line[20:] + b"\n" + b"x" * 600, b"x" * 600, b"x\n" + line + b"\n", b"\n{}"]
    _, headers, answer = ask(application, "POST", "/v1/batch", parts, LINES)
    told = [json.loads(each) for each in answer.splitlines()]
    assert headers["content-type"] == "application/jsonl"
    assert [each["line"] for each in told] == [1, 2, 3, 5]
    assert told[0]["answer"] == told[2]["answer"]
    assert [told[1]["problem"]["detail"], told[3]["problem"]["detail"]] == [
        "the line has more than 1000 bytes",
        "`ruleset` is missing",
    ]


def test_a_batch_whose_next_part_does_not_come_ends_with_a_problem(application: Application) -> None:
    _, _, answer = ask(application, "POST", "/v1/batch", [b"{}\n", None], LINES)
    told = [json.loads(each) for each in answer.splitlines()]
    assert [each["line"] for each in told] == [1, 2]
    assert told[1]["problem"]["detail"] == "nothing more came for 1 seconds"


def test_a_batch_has_an_end() -> None:
    engine = Engine.load(ROOT / "rules", ROOT / "schemas", only=["partner_earnings"])
    application = Application(Service(Loaded(engine), Settings(longest_batch=2)))
    _, _, answer = ask(application, "POST", "/v1/batch", [b"{}\n{}\n{}\n{}\n"], LINES)
    told = [json.loads(each) for each in answer.splitlines()]
    assert [each["line"] for each in told] == [1, 2, 3]
    assert told[2]["problem"]["detail"] == "a batch has at most 2 lines; nothing after them is answered"


def test_a_failure_of_our_own_is_told_without_its_reason(
    application: Application, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret-7")

    monkeypatch.setattr(Engine, "decide", fail)
    status, _, answer = ask(application, "POST", SHARE, [b'{"facts":{}}'])
    assert (status, json.loads(answer)["type"]) == (500, "/problems/own-fault")
    assert b"secret-7" not in answer
    assert [record.getMessage() for record in caplog.records] == ["own fault"]


def test_an_asgi_server_may_start_and_stop_it(application: Application) -> None:
    coming, sent = ["lifespan.startup", "lifespan.shutdown"], []

    async def receive() -> dict[str, Any]:
        return {"type": coming.pop(0)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    asyncio.run(application({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


SECRETS = """
ruleset: help
title: Help
version: "1"
effective: {from: 2025-01-01}
timezone: UTC
facts: person
sources: {terms: {title: Terms}}
decisions:
  grant:
    question: Is help given?
    source: terms
    outcomes: [given, refused]
    values: {limit: age + 1}
    rules: [{id: old, when: age >= 65, then: given, because: "The age is {age}, in {town}."}]
    otherwise: {then: refused, because: Too young.}
"""
PERSON = {
    "type": "object",
    "properties": {
        "age": {"type": "integer", "minimum": 0, "maximum": 150, "x-sensitive": True},
        "town": {"type": "string", "maxLength": 50},
    },
    "additionalProperties": False,
}


def test_a_customer_is_told_no_sensitive_fact_in_an_answer_or_a_problem() -> None:
    engine = Engine.from_text({"help": SECRETS}, {"person": json.dumps(PERSON)})
    application = Application(Service(Loaded(engine), Settings()))
    path = "/v1/decisions/help/grant"
    for reader, is_told in (("customer", False), ("agent", True)):
        question = {"facts": {"age": 77, "town": "Rome"}, "as_of": "2025-01-01", "for": reader}
        status, _, answer = ask(application, "POST", path, [json.dumps(question).encode()])
        assert (status, b"Rome" in answer) == (200, True)
        assert (b"77" in answer or b"78" in answer) is is_told
        question["facts"] = {"age": 777}
        status, _, answer = ask(application, "POST", path, [json.dumps(question).encode()])
        assert (status, b"777" in answer) == (422, is_told)
