"""The service answers over HTTP what the engine answers in Python, and says what is wrong where it cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from policy_engine.engine import Engine
from policy_engine.language.timezones import zone
from policy_engine.service.problems import KINDS
from tests.conftest import ROOT
from tests.support.served import Server, serving

DAY = "2025-06-30"
MOVE = {
    "destination_category": "referred",
    "move_effective_date": "2025-03-20",
    "customer_conversion_date": "2025-01-19",
    "partner_deployment_date": "2022-09-01",
}
QUESTION = {"facts": MOVE, "as_of": DAY}
SHARE = "/v1/decisions/partner_earnings/revenue_share"
ROLE = "/v1/decisions/user_roles/permission"
LINES = {"content-type": "application/jsonl"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    rulesets = ("partner_earnings", "user_roles", "partner_lifecycle")
    with serving(tmp_path_factory.mktemp("served"), only=rulesets) as running:
        yield running


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.load(ROOT / "rules", ROOT / "schemas")


def test_a_decision_has_the_bytes_of_the_engine(server: Server, engine: Engine) -> None:
    answered = server.ask("POST", SHARE, QUESTION)
    assert (answered.status, answered.headers["content-type"]) == (200, "application/json")
    decided = engine.decide("partner_earnings.revenue_share", MOVE, as_of=date(2025, 6, 30))
    assert answered.body == decided.to_json()
    assert decided.outcome == "eligible"


def test_a_ruleset_answers_all_its_decisions(server: Server, engine: Engine) -> None:
    answers = engine.decide_all("partner_earnings", MOVE, as_of=date(2025, 6, 30))
    answered = server.ask("POST", "/v1/decisions/partner_earnings", QUESTION)
    assert answered.json == {name: decision.to_dict() for name, decision in answers.items()}


def test_readings_are_switched(server: Server) -> None:
    answered = server.ask("POST", SHARE, {**QUESTION, "readings": {"day_60": "does_not_count"}})
    assert (answered.json["outcome"], answered.json["readings"]["day_60"]) == ("not_eligible", "does_not_count")


def test_without_a_day_today_is_asked_about_in_the_time_zone_of_the_ruleset(server: Server, engine: Engine) -> None:
    here = zone(engine.rulebook.versions("partner_earnings")[-1].timezone)
    today = datetime.now(here).date()
    told = server.ask("POST", SHARE, {"facts": MOVE}).json["as_of"]
    assert told in (str(today), str(today + timedelta(days=1)))  # midnight may just have passed


def test_null_means_that_a_member_is_absent(server: Server) -> None:
    given = {**QUESTION, "readings": None, "explain": None, "for": None}
    assert server.ask("POST", SHARE, given).body == server.ask("POST", SHARE, QUESTION).body


def test_how_much_is_told(server: Server) -> None:
    told = {how: server.ask("POST", SHARE, {**QUESTION, "explain": how}).json for how in ("none", "reason", "trace")}
    assert told["reason"] == server.ask("POST", SHARE, QUESTION).json
    assert "reason" not in told["none"]
    assert told["none"].items() <= told["reason"].items()
    assert {**told["trace"], "trace": None} == {**told["reason"], "trace": None}
    verdicts = {rule["rule"]: rule["verdict"] for rule in told["trace"]["trace"]["rules"]}
    assert verdicts["moved-soon-after-conversion"] == "applies"


def test_each_reader_is_told_what_is_meant_for_it(server: Server) -> None:
    told = {who: server.ask("POST", SHARE, {**QUESTION, "for": who}).json for who in ("customer", "agent", "auditor")}
    assert list(told["customer"]) == ["decision", "status", "outcome", "as_of", "ruleset", "explanation"]
    lines = [line["text"] for line in told["customer"]["explanation"][0]["lines"]]
    assert lines[-1] == "The account moved 60 days after the conversion; 60 are allowed."
    headings = {who: [section["heading"] for section in answer["explanation"]] for who, answer in told.items()}
    assert "What decided" in headings["agent"]
    assert "Rules" in headings["auditor"]


def test_a_batch_answers_each_line_by_itself(server: Server, engine: Engine) -> None:
    sent = [
        {"ruleset": "partner_earnings", "decision": "revenue_share", **QUESTION},
        {
            "ruleset": "user_roles",
            "facts": {"activity": "send_test_emails", "acting_in": "client_account"},
            "as_of": DAY,
        },
        {"ruleset": "nothing", "facts": {}},
        {"ruleset": "partner_earnings", "decision": "revenue_share", "facts": {}, "as_of": DAY},
    ]
    body = b"\n".join([json.dumps(sent[0]).encode(), b"", b"{", *(json.dumps(each).encode() for each in sent[1:])])
    answered = server.ask("POST", "/v1/batch", body, LINES)
    assert (answered.status, answered.headers["content-type"]) == (200, "application/jsonl")
    first, broken, roles, unknown, invalid = answered.lines
    decided = engine.decide("partner_earnings.revenue_share", MOVE, as_of=date(2025, 6, 30))
    assert first == {"line": 1, "answer": decided.to_dict()}
    assert broken["line"] == 3
    assert broken["problem"]["detail"] == "the line: not JSON at column 1: a bracket is never closed"
    assert roles["answer"]["permission"]["status"] == "undetermined"
    assert unknown["problem"]["status"] == 404
    assert [each["pointer"] for each in invalid["problem"]["violations"]]


REFUSED: list[tuple[str, object, str, int, str]] = [
    (SHARE, b"", "not-json", 400, "the body is empty"),
    (SHARE, b"[]", "not-json", 400, 'the body must be one JSON object, such as {"facts": {...}}'),
    (SHARE, b"\xff", "not-json", 400, "the body is not UTF-8 at byte 0"),
    (SHARE, b'{"facts":{"a":1,"a":2}}', "not-json", 400, "the body: the name `a` stands twice in one object"),
    (SHARE, b'{"facts":' + b"[" * 100_000, "not-json", 400, "the body: nested too deep"),
    (SHARE, {}, "invalid-question", 422, "`facts` is missing: give an object, {} where nothing is known"),
    (SHARE, {"fact": {}}, "invalid-question", 422, "there is no member `fact`; did you mean `facts`?"),
    (SHARE, {**QUESTION, "as_of": "30.6.2025"}, "invalid-question", 422,
     "`as_of`: `30.6.2025` is not a date; write it as 2025-02-28"),
    (SHARE, {**QUESTION, "as_of": 2025}, "invalid-question", 422, "`as_of` must be a text"),
    (SHARE, {**QUESTION, "explain": "all"}, "invalid-question", 422, "`explain`: `all` is none of none, reason, trace"),
    (SHARE, {**QUESTION, "for": "me"}, "invalid-question", 422, "`for`: `me` is none of customer, agent, auditor"),
    (SHARE, {**QUESTION, "for": "customer", "explain": "trace"}, "invalid-question", 422,
     "a trace tells what is withheld from customers: leave out `explain` or `for`"),
    (SHARE, {**QUESTION, "readings": {"day_60": 1}}, "invalid-question", 422,
     '`readings` must be an object of texts, such as {"day_60": "does_not_count"}'),
    (SHARE, {**QUESTION, "readings": {"day_60": "perhaps"}}, "unknown-reading", 422,
     "there is no choice of `day_60` `perhaps`; there is counts, does_not_count"),
    (SHARE, {**QUESTION, "as_of": "1999-01-01"}, "not-in-force", 422,
     "`partner_earnings` is not in force on 1999-01-01: there is version 2025-02-28 from 2022-01-01"),
    (SHARE + "s", QUESTION, "unknown-decision", 404,
     "there is no decision of `partner_earnings` `revenue_shares`; did you mean `revenue_share`?"),
    ("/v1/decisions/partner", QUESTION, "unknown-decision", 404,
     "there is no ruleset `partner`; did you mean `partner_earnings`?"),
    ("/v2/decisions", QUESTION, "not-found", 404, "there is nothing at `/v2/decisions`"),
    ("/healthz", QUESTION, "wrong-method", 405, "this address takes GET, HEAD, not `POST`"),
    (SHARE, b"{" + b" " * 1_000_000 + b"}", "too-large", 413, "the body has more than 1000000 bytes"),
    (SHARE, b'{"facts":{"a":[' + b"0," * 100_000 + b"0]}}", "too-large", 413, "there are more than 100000 values"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "kind", "status", "detail"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_is_wrong_is_said(server: Server, path: str, body: object, kind: str, status: int, detail: str) -> None:
    answered = server.ask("POST", path, body)
    assert (answered.status, answered.headers["content-type"]) == (status, "application/problem+json")
    told = answered.json
    assert (told["type"], told["status"], told["detail"]) == (f"/problems/{kind}", status, detail)


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "the body must be `application/json` in UTF-8, and it must be named"),
        ({"content-type": "text/plain"}, "the body must be `application/json` in UTF-8, not `text/plain`"),
        ({"content-type": "application/json; charset=latin-1"},
         "the body must be `application/json` in UTF-8, not `application/json; charset=latin-1`"),
        ({"content-type": "application/json; v=1; charset=latin-1"},
         "the body must be `application/json` in UTF-8, not `application/json; v=1; charset=latin-1`"),
        ({"content-type": "application/json", "content-encoding": "gzip"},
         "the body must not be compressed: send it without `Content-Encoding`"),
    ],
)  # fmt: skip
def test_a_body_of_another_type_is_refused(server: Server, headers: dict[str, str], detail: str) -> None:
    answered = server.ask("POST", SHARE, QUESTION, headers)
    assert (answered.status, answered.json["detail"]) == (415, detail)


def test_a_charset_and_capital_letters_are_no_other_type(server: Server) -> None:
    for told in (
        'Application/JSON; charset="UTF-8"',
        "application/json; profile=a; charset=utf-8;",
        "application/json;v=1",
    ):
        assert server.ask("POST", SHARE, QUESTION, {"content-type": told}).status == 200


INVALID: list[tuple[bytes, str, str]] = [
    (b"{}", "", "`destination_category` is missing"),
    (b"[]", "", "facts are an object, not a list"),
    (b'{"destination_category":"Managed"}', "/destination_category", '"Managed" is none of referred, managed'),
    (b'{"account_id":"\\ud800"}', "/account_id", "the text holds half a character (a lone surrogate)"),
    (b'{"account_id":' + b"[" * 70 + b"]" * 70 + b"}", "/account_id" + "/0" * 64, "facts are nested more than 64 levels deep"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "pointer", "message"), INVALID, ids=lambda value: str(value)[:40])
def test_invalid_facts_are_told_with_pointers(server: Server, facts: bytes, pointer: str, message: str) -> None:
    answered = server.ask("POST", SHARE, b'{"as_of":"2025-06-30","facts":%b}' % facts)
    assert (answered.status, answered.json["type"]) == (422, "/problems/invalid-facts")
    told = answered.json["violations"]
    assert answered.json["detail"] == (
        "there is 1 violation" if len(told) == 1 else f"there are {len(told)} violations"
    )
    assert (pointer, message) in [(each["pointer"], each["message"]) for each in told]
    assert all(set(each) == {"pointer", "keyword", "expected", "message", "description"} for each in told)


def test_a_number_of_30_digits_is_read_exactly(server: Server) -> None:
    facts = b'{"facts":{"month_number_unable_to_pay":123456789012345678901234567890}}'
    told = server.ask("POST", "/v1/decisions/partner_lifecycle/brand_suspension", facts).json
    assert "123456789012345678901234567890" in told["violations"][0]["message"]


def test_every_answer_has_an_id(server: Server) -> None:
    for path, body in ((SHARE, QUESTION), ("/nothing", None), ("/v1/batch", None)):
        assert server.ask("POST", path, body, {**LINES, "x-request-id": "mine-7"}).headers["x-request-id"] == "mine-7"
    own = {server.ask("GET", "/healthz").headers["x-request-id"] for _ in range(2)}
    assert len(own) == 2
    long = server.ask("GET", "/healthz", headers={"x-request-id": "x" * 129}).headers["x-request-id"]
    assert len(long) < 30


def test_every_answer_is_safe_to_receive(server: Server) -> None:
    for answered in (server.ask("POST", SHARE, QUESTION), server.ask("GET", "/nothing"), server.ask("GET", "/healthz")):
        assert answered.headers["x-content-type-options"] == "nosniff"
        assert answered.headers["cache-control"] == "no-store"
        assert answered.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_type_of_a_problem_leads_to_what_to_do(server: Server, kind: Any) -> None:
    assert (
        server.ask("GET", f"/problems/{kind.name}").body.decode()
        == f"{kind.title} (status {kind.status}).\n{kind.advice}\n"
    )


def test_a_head_is_answered_like_a_get_without_its_body(server: Server) -> None:
    answered = server.ask("HEAD", "/healthz")
    assert (answered.status, answered.body, answered.headers["content-length"]) == (200, b"", "15")


def test_a_server_that_is_told_to_stop_stops_and_has_logged_no_facts(tmp_path: Path) -> None:
    with serving(tmp_path, only=["partner_earnings"]) as server:
        assert server.ask("POST", SHARE, QUESTION).status == 200
        assert server.ask("POST", SHARE, {"facts": {"account_id": "secret-7"}}).status == 422
        assert server.stop() == 0
        assert [each["event"] for each in server.events()] == ["listening", "stopped"]
        assert "secret-7" not in server.log.read_text("utf-8")
