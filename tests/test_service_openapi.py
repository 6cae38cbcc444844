"""What `/openapi.json` and `/v1/rulesets` say of the rulesets is so: its examples are answered, its schemas fit the answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import jsonschema
import pytest

from policy_engine.engine import Engine
from policy_engine.errors import FactsError
from policy_engine.service.authzen.addresses import is_authzen
from policy_engine.service.authzen.tenants import read_tenants
from policy_engine.service.clock import CLOCK
from policy_engine.service.deciding import Service
from policy_engine.service.exchanges import Whole
from policy_engine.service.loaded import Loaded
from policy_engine.service.problems import KINDS, Problem
from policy_engine.service.requests import Head
from policy_engine.service.responses import Response
from policy_engine.service.routes import ROUTES, received
from policy_engine.service.settings import Settings
from tests.conftest import ROOT

NOT_DESCRIBED = {"/docs", "/docs/docs.js", "/docs/scalar-1.46.0.js"}
NOT_OF_QUESTIONS = 405
UNDECIDED = {"/v1/decisions/partner_access/join_request"}
"""Its facts must all be there, and no try gave so many."""


@pytest.fixture(scope="module")
def service() -> Service:
    return Service(Loaded(Engine.load(ROOT / "rules", ROOT / "schemas")), Settings())


@pytest.fixture(scope="module")
def document(service: Service) -> Any:
    return json.loads(service.loaded.openapi)


def asked(service: Service, method: str, path: str, body: bytes = b"") -> Response:
    """What the service answers to a body of JSON."""
    _, step = received(service, Head(method, path, {"content-type": "application/json"}.get))
    if isinstance(step, Whole):
        return step.answer(body)
    assert isinstance(step, Response)
    return step


def questions(document: Any) -> Iterator[tuple[str, Any]]:
    """The addresses of decisions, each with what is said of it."""
    for path, item in document["paths"].items():
        if path.startswith("/v1/decisions/"):
            yield path, item["post"]


def validator(document: Any, schema: Any) -> jsonschema.Draft202012Validator:
    """What tells whether a value fits a schema of the document."""
    return jsonschema.Draft202012Validator({**schema, "components": document["components"]})


def media(part: Any) -> Any:
    return part["content"]["application/json"]


def test_every_route_is_described_and_every_description_has_a_route(document: Any) -> None:
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    routes = [(route.method, route.address) for route in ROUTES]
    own = {
        route
        for route in routes
        if "{decision}" not in route[1] and "decisions/{ruleset}" not in route[1] and not is_authzen(route[1])
    }
    assert {route for route in own if route[1] not in NOT_DESCRIBED} == {
        each for each in described if not each[1].startswith("/v1/decisions/")
    }


@pytest.fixture(scope="module")
def authzen() -> Service:
    data = ROOT / "tests" / "data" / "authzen"
    engine = Engine.load(data / "rules", data / "schemas")
    tenants = read_tenants(data / "permissions.yaml", engine.rulebook, CLOCK)
    return Service(Loaded(engine, tenants=tenants), Settings(public_url="https://pdp.example"))


def test_authzen_is_described_where_there_is_a_mapping(authzen: Service) -> None:
    described = {
        (method.upper(), path) for path, item in json.loads(authzen.loaded.openapi)["paths"].items() for method in item
    }
    routes = {(route.method, route.address) for route in ROUTES}
    assert {each for each in described if is_authzen(each[1])} == {each for each in routes if is_authzen(each[1])}
    assert {each for each in described if each[1].startswith("/v1/decisions/")}


def test_every_question_of_authzen_is_answered_as_is_described(authzen: Service) -> None:
    document = json.loads(authzen.loaded.openapi)
    for path, item in ((path, item) for path, item in document["paths"].items() if is_authzen(path)):
        asked_at = path.replace("{tenant}", "library")
        for method, operation in item.items():
            body = b"{}"
            if method == "post":
                example = media(operation["requestBody"])["example"]
                validator(document, media(operation["requestBody"])["schema"]).validate(example)
                body = json.dumps(example).encode()
            response = asked(authzen, method.upper(), asked_at, body)
            assert response.status == 200, (path, response.body)
            validator(document, media(operation["responses"]["200"])["schema"]).validate(json.loads(response.body))
            refused = asked(authzen, method.upper(), asked_at.replace("library", "nobody"), b"{")
            assert refused.status == 200 or str(refused.status) in operation["responses"]


def test_a_batch_of_authzen_is_answered_as_is_described(authzen: Service) -> None:
    document = json.loads(authzen.loaded.openapi)
    operation = document["paths"]["/access/v1/evaluations"]["post"]
    body = {"evaluations": [media(operation["requestBody"])["example"], {}]}
    validator(document, media(operation["requestBody"])["schema"]).validate(body)
    answer = json.loads(asked(authzen, "POST", "/access/v1/evaluations", json.dumps(body).encode()).body)
    validator(document, media(operation["responses"]["200"])["schema"]).validate(answer)
    assert len(answer["evaluations"]) == 2


def test_every_decision_is_described(service: Service, document: Any) -> None:
    told = {operation["operationId"] for _, operation in questions(document)}
    assert told == {*service.loaded.engine.decisions, *service.loaded.versions}


def test_every_example_is_answered_as_is_described(service: Service, document: Any) -> None:
    undecided = set()
    for path, operation in questions(document):
        body = media(operation["requestBody"])
        validator(document, body["schema"]).validate(body["example"])
        for how in ("none", "reason", "trace"):
            response = asked(service, "POST", path, json.dumps({**body["example"], "explain": how}).encode())
            assert response.status == 200, (path, response.body)
            answer = json.loads(response.body)
            validator(document, media(operation["responses"]["200"])["schema"]).validate(answer)
        if answer.get("status") == "undetermined":
            undecided.add(path)
    assert undecided == UNDECIDED


@pytest.mark.parametrize("reader", ["customer", "agent", "auditor"])
def test_what_readers_are_told_is_as_is_described(service: Service, document: Any, reader: str) -> None:
    operation = document["paths"]["/v1/decisions/partner_earnings/revenue_share"]["post"]
    example = media(operation["requestBody"])["example"]
    path = "/v1/decisions/partner_earnings/revenue_share"
    answer = json.loads(asked(service, "POST", path, json.dumps({**example, "for": reader}).encode()).body)
    validator(document, media(operation["responses"]["200"])["schema"]).validate(answer)


@pytest.mark.parametrize("path", ["/v1/rulesets", "/readyz"])
def test_what_is_told_of_rulesets_and_readiness_is_as_is_described(service: Service, document: Any, path: str) -> None:
    told = json.loads(asked(service, "GET", path).body)
    fits = validator(document, media(document["paths"][path]["get"]["responses"]["200"])["schema"])
    fits.validate(told)
    for name in told:
        assert not fits.is_valid({**told, name: None})


def test_another_outcome_or_value_would_not_fit(document: Any) -> None:
    operation = document["paths"]["/v1/decisions/charge_retry/charge_status"]["post"]
    fits = validator(document, media(operation["responses"]["200"])["schema"])
    answer = {
        "decision": "charge_retry.charge_status",
        "status": "decided",
        "outcome": "Paid",
        "as_of": "2025-01-01",
        "ruleset": {"id": "charge_retry", "version": "1", "digest": f"sha256:{'0' * 64}"},
        "values": {"further_automatic_attempts": 1, "retry_dates": ["2025-01-01"], "next_automatic_attempt": None},
    }
    assert fits.is_valid(answer)
    assert not fits.is_valid({**answer, "outcome": "paid"})
    assert not fits.is_valid({**answer, "values": {"further_automatic_attempts": "1"}})
    assert not fits.is_valid({**answer, "more": 1})


def test_a_fact_that_may_be_absent_may_be_null_and_another_may_not(document: Any) -> None:
    facts = document["components"]["schemas"]["role_question_facts"]
    fits = validator(document, facts)
    needed = {"activity": "send_test_emails", "acting_in": "client_account"}
    assert fits.is_valid({**needed, "role": None, "billing_scope_is_single_bill": None})
    assert not fits.is_valid({**needed, "activity": None})
    assert not fits.is_valid({**needed, "rolle": "account_owner"})


def test_every_status_that_can_be_answered_is_described(document: Any) -> None:
    told = document["components"]["responses"]
    assert set(told) == {str(kind.status) for kind in KINDS} - {str(NOT_OF_QUESTIONS)}
    for _, operation in questions(document):
        assert set(operation["responses"]) == {"200"} | {
            str(kind.status) for kind in KINDS if kind.status != NOT_OF_QUESTIONS
        }


def test_a_schema_with_references_becomes_components() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.org/order",
        "type": "object",
        "properties": {"to": {"$ref": "#/$defs/address"}, "lines": {"type": "array", "items": {"$ref": "#/$defs/a%20line"}}},
        "required": ["lines"],
        "additionalProperties": False,
        "$defs": {
            "address": {
                "type": "object",
                "properties": {"gift": {"const": True, "type": "boolean"}},
                "additionalProperties": False,
            },
            "a line": {"type": "integer", "minimum": 0, "maximum": 9},
        },
    }  # fmt: skip
    rules = """
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
    outcomes: [yes_, no_]
    rules: [{id: gift, when: to.gift, then: yes_, because: It is a gift.}]
    otherwise: {then: no_, because: It is none.}
"""
    engine = Engine.from_text({"order": rules}, {"order": json.dumps(schema)})
    document = json.loads(Loaded(engine).openapi)
    components = document["components"]["schemas"]
    assert set(components) >= {"order_facts", "order_facts.address", "order_facts.a_20line"}
    text = json.dumps(components)
    assert "$defs" not in text
    assert "example.org" not in text
    fits = validator(document, components["order_facts"])
    right: list[Any] = [{"lines": [1]}, {"lines": [], "to": None}, {"lines": [], "to": {"gift": None}}]
    wrong: list[Any] = [{"lines": [10]}, {"lines": None}, {"lines": [], "to": {"gift": False}}]
    for facts in right:
        assert fits.is_valid(facts)
        assert engine.is_valid("order", facts, as_of=date(2025, 1, 1))
    for facts in wrong:
        assert not fits.is_valid(facts)
        with pytest.raises(FactsError):
            engine.decide("order.ship", facts, as_of=date(2025, 1, 1))


def test_all_rulesets_are_listed(service: Service) -> None:
    told = json.loads(asked(service, "GET", "/v1/rulesets").body)["rulesets"]
    assert [each["id"] for each in told] == list(service.loaded.versions)
    roles = next(each for each in told if each["id"] == "user_roles")
    assert [(each["version"], each["from"], each["until"]) for each in roles["versions"]] == [
        ("2025-03-14", "2022-01-01", "2025-07-24"),
        ("2025-07-24", "2025-07-24", None),
    ]
    assert roles["decisions"] == [
        {"name": "permission", "question": "May a user with this role do this in this account?"}
    ]


def test_a_ruleset_tells_all_of_its_versions(service: Service) -> None:
    told = json.loads(asked(service, "GET", "/v1/rulesets/email_suppression").body)
    newest = told["versions"][-1]
    ruleset = service.loaded.versions["email_suppression"][-1]
    assert (len(told["versions"]), newest["digest"]) == (2, ruleset.digest)
    assert newest["facts"]["properties"].keys() == {member.name for member in ruleset.facts.type.members}
    assert next(each for each in newest["readings"] if each["name"] == "day_60")["choices"].keys() == {
        "counts",
        "does_not_count",
    }
    assert told["page"].startswith("# email_suppression\n")
    assert all(logic.question in told["page"] for logic in ruleset.decisions)


def test_a_ruleset_that_there_is_not_is_told(service: Service) -> None:
    response = asked(service, "GET", "/v1/rulesets/user_role")
    assert (response.status, json.loads(response.body)["detail"]) == (
        404,
        "there is no ruleset `user_role`; did you mean `user_roles`?",
    )


def test_a_problem_has_the_members_that_are_described(document: Any) -> None:
    fits = validator(document, document["components"]["schemas"]["Problem"])
    fits.validate(Problem("not-found", "there is nothing").document())
