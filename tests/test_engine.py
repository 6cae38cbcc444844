"""The facade: what a caller gives, what a caller gets, and the behaviours that were promised by name."""

from __future__ import annotations

import copy
import decimal
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from policy_engine import (
    CannotRun,
    Decision,
    Engine,
    Explanation,
    FactsError,
    NotInForce,
    RulesetError,
    Status,
    UnknownDecision,
    UnknownReading,
    Violation,
)
from policy_engine.language.traces import Origin, Step, Verdict
from tests.conftest import ROOT, lay_out
from tests.support.rulebook import shipped

SCHEMA = json.loads((ROOT / "schemas/decision.schema.json").read_text("utf-8"))
JULY = date(2025, 7, 1)
ORDER_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["price"],
    "properties": {
        "price": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1000000},
        "rate": {"type": "number", "multipleOf": 0.1, "minimum": 0, "maximum": 10},
        "placed": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "days": {"type": "array", "maxItems": 9, "items": {"type": "string", "format": "date"}},
        "note": {"type": "string"},
    },
}
ORDER = """
ruleset: orders
title: Orders
version: "2"
effective: {from: 2025-01-01, until: 2030-01-01}
timezone: America/New_York
facts: order
sources:
  the-list: {title: The price list}
readings:
  free_from:
    question: Is exactly the limit free of charge?
    choice: included
    choices: {included: It is reached., excluded: It is not passed.}
  rounding:
    question: How is half a cent rounded?
    choice: half_even
    choices: {half_even: As banks do., half_up: As shops do.}
    fixed: true
parameters:
  limit: {values: {2025-01-01: 50, 2026-01-01: 60}, unit: dollars, source: the-list}
definitions:
  is_large: price >= limit if free_from == "included" else price > limit
decisions:
  shipping:
    question: Is shipping free?
    source: the-list
    outcomes: [free, charged]
    with: {above: price - limit}
    rules:
      - {id: large, when: is_large, then: free, because: "The price of {price} reaches {limit}.", readings: [rounding]}
    otherwise: {then: charged, because: "The price of {price} is below {limit}."}
  totals:
    question: What comes of it?
    source: the-list
    values:
      share: 'round(price / 3, 2, "half_even")'
      local_day: if_known(date_of(at))
      moment: if_known(at)
      off: if_known(days)
      due: if_known(add_days(placed, 30))
      tripled: if_known(rate * 3)
  notes:
    question: Which notes apply?
    source: the-list
    hit: collect
    outcomes: [large, noted, rated]
    rules:
      - {id: big, when: is_large, then: large, because: It is large.}
      - {id: note, when: known(note), then: noted, because: There is a note.}
      - {id: rate, when: rate > 1, then: rated, because: It is rated.}
  only_large:
    question: Is it large?
    source: the-list
    outcomes: [large]
    rules: [{id: big, when: is_large, then: large, because: It is large.}]
silence:
  - {code: uncovered-case, name: only_large, because: The gap is what is looked at.}
"""


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A small ruleset with every kind of decision."""
    folder = tmp_path_factory.mktemp("orders")
    lay_out({"rules/orders.yaml": ORDER, "schemas/order.schema.json": json.dumps(ORDER_SCHEMA)}, folder)
    return Engine.load(folder / "rules", folder / "schemas")


def conforms(told: object) -> None:
    """An answer as JSON is what the published schema says."""
    again = json.loads(json.dumps(told))
    assert again == told
    problems = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(again)
    assert [problem.message for problem in problems] == []


def parts(schema: object) -> Iterable[Mapping[str, Any]]:
    """Every schema inside a schema."""
    if isinstance(schema, dict):
        if "type" in schema or "anyOf" in schema:
            yield schema
        for value in schema.values():
            yield from parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from parts(value)


# The answer.


def test_the_schema_of_answers_is_whole() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    found = list(parts(SCHEMA))
    assert len(found) > 20
    assert [part for part in found if not part.get("description")] == []
    closed = [part["additionalProperties"] for part in found if "properties" in part]
    assert closed == [False, False]
    assert set(SCHEMA["required"]) == set(SCHEMA["properties"])


def test_the_fields_of_a_decided_answer(orders: Engine) -> None:
    answer = orders.decide("orders.shipping", {"price": 50}, as_of=JULY)
    assert isinstance(answer, Decision)
    assert answer.decision == "orders.shipping"
    assert answer.status is Status.DECIDED
    assert answer.outcome == "free"
    assert answer.rules == ("large",)
    assert answer.reason == "The price of 50.00 reaches 50."
    assert answer.values == {"above": Decimal("0.00")}
    assert str(answer.values["above"]) == "0.00"
    assert answer.sources == ("the-list",)
    assert answer.readings == {"free_from": "included", "rounding": "half_even"}
    assert answer.missing == ()
    assert answer.as_of == JULY
    assert (answer.ruleset.id, answer.ruleset.version) == ("orders", "2")
    assert answer.ruleset.digest.startswith("sha256:")


def test_a_calculation_has_neither_outcome_nor_rules(orders: Engine) -> None:
    facts = {"price": 10, "placed": "2025-01-31", "at": "2025-03-01T03:00:00Z", "days": ["2025-01-01"], "rate": 1.1}
    answer = orders.decide("orders.totals", facts, as_of=JULY)
    assert (answer.status, answer.outcome, answer.rules) == (Status.DECIDED, None, ())
    assert answer.to_dict()["values"] == {
        "share": "3.33",
        "local_day": "2025-02-28",
        "moment": "2025-03-01T03:00:00Z",
        "off": ["2025-01-01"],
        "due": "2025-03-02",
        "tripled": "3.3",
    }


def test_a_value_that_may_be_unknown_is_null(orders: Engine) -> None:
    answer = orders.decide("orders.totals", {"price": 10}, as_of=JULY)
    assert answer.status is Status.DECIDED
    assert {name for name, value in answer.values.items() if value is None} == set(answer.values) - {"share"}


def test_collect_gives_a_tuple_and_keeps_what_surely_applies(orders: Engine) -> None:
    decided = orders.decide("orders.notes", {"price": 10, "note": "x", "rate": 2}, as_of=JULY)
    assert decided.outcome == ("noted", "rated")
    assert decided.to_dict()["outcome"] == ["noted", "rated"]
    open_ = orders.decide("orders.notes", {"price": 90}, as_of=JULY)
    assert (open_.status, open_.outcome, open_.rules) == (Status.UNDETERMINED, ("large",), ("big",))
    assert open_.missing == ("rate",)


def test_a_gap_names_no_rule(orders: Engine) -> None:
    answer = orders.decide("orders.only_large", {"price": 1}, as_of=JULY)
    assert (answer.status, answer.outcome, answer.rules, answer.missing) == (Status.GAP, None, (), ())
    assert answer.reason


FACTS: tuple[dict[str, object], ...] = (
    {"price": 50},
    {"price": 49.99, "rate": 0.1, "note": "x"},
    {"price": 10, "placed": "2025-01-31", "at": "2025-03-01T03:00:00Z", "days": ["2025-01-01"]},
)


@pytest.mark.parametrize("facts", FACTS)
def test_answers_are_json_and_conform(orders: Engine, facts: dict[str, object]) -> None:
    for answer in orders.decide_all("orders", facts, as_of=JULY).values():
        conforms(answer.to_dict())


def test_answers_of_the_shipped_rulesets_conform() -> None:
    for name, file in (
        ("partner_earnings", "account_moves"),
        ("user_roles", "role_questions"),
        ("email_suppression", "senders"),
    ):
        for line in (ROOT / f"fixtures/{file}.jsonl").read_text("utf-8").splitlines()[:100]:
            try:
                answers = shipped().decide_all(name, json.loads(line), as_of=JULY)
            except (FactsError, ValueError):
                continue
            for answer in answers.values():
                conforms(answer.to_dict())


def test_decide_all_gives_every_decision_in_file_order(orders: Engine) -> None:
    answers = orders.decide_all("orders", {"price": 50}, as_of=JULY)
    assert list(answers) == ["shipping", "totals", "notes", "only_large"]
    for name, answer in answers.items():
        assert answer == orders.decide(f"orders.{name}", {"price": 50}, as_of=JULY)


def test_the_same_question_gives_the_same_bytes(orders: Engine) -> None:
    first, second = (json.dumps(orders.explain("orders.shipping", {"price": 1}, as_of=JULY).to_dict()) for _ in "ab")
    assert first == second


def test_a_parameter_has_the_value_of_the_day(orders: Engine) -> None:
    outcomes = [
        orders.decide("orders.shipping", {"price": 55}, as_of=date(year, 1, 1)).outcome for year in (2025, 2026)
    ]
    assert outcomes == ["free", "charged"]


# Errors.


def test_a_faulty_file_raises_with_every_diagnostic(tmp_path: Path) -> None:
    faulty = ORDER.replace("price >= limit", "pirce >= limit").replace("known(note)", "noted")
    lay_out({"rules/orders.yaml": faulty, "schemas/order.schema.json": json.dumps(ORDER_SCHEMA)}, tmp_path)
    with pytest.raises(RulesetError) as caught:
        Engine.load(tmp_path / "rules", tmp_path / "schemas")
    assert [d.code for d in caught.value.diagnostics] == ["unknown-name", "unknown-name"]
    assert "pirce" in str(caught.value)


def test_no_such_folder_cannot_run(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="nowhere"):
        Engine.load(tmp_path / "nowhere", tmp_path)


def test_load_takes_texts_paths_and_lists() -> None:
    file = ROOT / "rules/partner_earnings.yaml"
    for rules in (str(file), file, [file], [str(file)]):
        assert Engine.load(rules, str(ROOT / "schemas")).rulebook.rulesets[0].id == "partner_earnings"


def test_invalid_facts_raise_with_every_violation(orders: Engine) -> None:
    with pytest.raises(FactsError) as caught:
        orders.decide("orders.shipping", {"price": "5", "nots": 1, "days": ["2025-02-30"]}, as_of=JULY)
    violations = caught.value.violations
    assert all(isinstance(violation, Violation) for violation in violations)
    assert [violation.pointer for violation in violations] == ["", "/days/0", "/price"]


def test_a_day_outside_every_period_names_the_periods(orders: Engine) -> None:
    with pytest.raises(NotInForce, match="version 2 from 2025-01-01 until 2030-01-01"):
        orders.decide("orders.shipping", {"price": 5}, as_of=date(2030, 1, 1))
    with pytest.raises(NotInForce) as caught:
        shipped().decide("email_suppression.suppression_removal", {}, as_of=date(2021, 1, 1))
    assert "from 2022-01-01 until 2024-08-08" in str(caught.value)
    assert "from 2024-08-08" in str(caught.value)


@pytest.mark.parametrize(
    ("question", "hint"),
    [
        ("orders.shiping", "did you mean `shipping`"),
        ("order.shipping", "did you mean `orders`"),
        ("orders.zzz", "shipping, totals"),
        ("", "there is orders"),
        ("orders.shipping.x", "did you mean"),
    ],
)
def test_an_unknown_question_suggests(orders: Engine, question: str, hint: str) -> None:
    with pytest.raises(UnknownDecision) as caught:
        orders.decide(question, {"price": 5}, as_of=JULY)
    assert hint in str(caught.value)


@pytest.mark.parametrize(("method", "question"), [("decide", "orders"), ("decide_all", "orders.shipping")])
def test_a_ruleset_is_no_decision_and_a_decision_no_ruleset(orders: Engine, method: str, question: str) -> None:
    with pytest.raises(UnknownDecision):
        getattr(orders, method)(question, {"price": 5}, as_of=JULY)


@pytest.mark.parametrize(
    ("readings", "told"),
    [
        ({"fre_from": "included"}, "did you mean `free_from`"),
        ({"free_from": "include"}, "did you mean `included`"),
        ({"rounding": "half_up"}, "fixed at `half_even`"),
    ],
)
def test_a_reading_that_cannot_be_switched_so(orders: Engine, readings: dict[str, str], told: str) -> None:
    with pytest.raises(UnknownReading) as caught:
        orders.decide("orders.shipping", {"price": 5}, as_of=JULY, readings=readings)
    assert told in str(caught.value)


def test_a_reading_is_switched_and_told(orders: Engine) -> None:
    answer = orders.decide("orders.shipping", {"price": 50}, as_of=JULY, readings={"free_from": "excluded"})
    assert answer.outcome == "charged"
    assert answer.readings["free_from"] == "excluded"
    fixed = orders.decide("orders.shipping", {"price": 50}, as_of=JULY, readings={"rounding": "half_even"})
    assert fixed.outcome == "free"


@pytest.mark.parametrize("day", [datetime(2025, 7, 1, tzinfo=UTC), "2025-07-01", None, 20250701])
def test_the_day_is_a_date_and_nothing_else(orders: Engine, day: Any) -> None:
    with pytest.raises(TypeError, match=r"datetime\.date"):
        orders.decide("orders.shipping", {"price": 5}, as_of=day)


# Facts as Python has them.


def test_facts_are_never_changed(orders: Engine) -> None:
    facts = {"price": 10.5, "note": None, "days": ["2025-01-02", "2025-01-01"], "at": datetime(2025, 1, 1, tzinfo=UTC)}
    before = copy.deepcopy(facts)
    for ask in (orders.decide, orders.explain):
        ask("orders.totals", facts, as_of=JULY)
    orders.decide_all("orders", facts, as_of=JULY)
    assert facts == before


def test_lists_of_the_caller_are_not_reordered() -> None:
    entries = [{"since": "2025-06-01", "status": "Healthy"}, {"since": "2025-01-01", "status": "New"}]
    facts = {"sender_status_history": entries, "actor": "client_user"}
    before = copy.deepcopy(facts)
    shipped().decide("email_suppression.suppression_removal", facts, as_of=JULY)
    assert facts == before


def test_python_dates_decimals_and_tuples_are_facts(orders: Engine) -> None:
    eastern = timezone(timedelta(hours=-5))
    python = {
        "price": Decimal("10.50"),
        "placed": date(2025, 1, 31),
        "at": datetime(2025, 2, 28, 22, tzinfo=eastern),
        "days": (date(2025, 1, 1),),
        "rate": 0.1,
    }
    plain = {
        "price": 10.5,
        "placed": "2025-01-31",
        "at": "2025-03-01T03:00:00Z",
        "days": ["2025-01-01"],
        "rate": Decimal("0.1"),
    }
    given = [orders.decide("orders.totals", facts, as_of=JULY) for facts in (python, plain)]
    assert given[0] == given[1]


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-9, 0.005])
def test_a_float_is_read_by_its_shortest_form(orders: Engine, value: float) -> None:
    with pytest.raises(FactsError) as caught:
        orders.decide("orders.shipping", {"price": value}, as_of=JULY)
    assert [v.keyword for v in caught.value.violations] == ["multipleOf"]


@pytest.mark.parametrize("value", [0.1, 0.29, 1000000.0, 4.35, 1e2, 999999.99])
def test_floats_that_mean_cents_are_cents(orders: Engine, value: float) -> None:
    answer = orders.decide("orders.shipping", {"price": value}, as_of=JULY)
    assert answer.values["above"] == Decimal(repr(value)) - 50


CONTEXTS = (
    decimal.Context(prec=2),
    decimal.Context(prec=3, rounding=decimal.ROUND_UP, traps=[decimal.Inexact]),
    decimal.Context(prec=1, Emax=1, Emin=-1, rounding=decimal.ROUND_FLOOR),
)


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_callers_decimal_context_does_not_matter(orders: Engine, context: decimal.Context) -> None:
    facts = {"price": Decimal("1000.00"), "rate": Decimal("1.1")}
    wanted = {name: answer.to_dict() for name, answer in orders.decide_all("orders", facts, as_of=JULY).items()}
    with decimal.localcontext(context):
        found = {name: answer.to_dict() for name, answer in orders.decide_all("orders", facts, as_of=JULY).items()}
        assert decimal.getcontext().prec == context.prec
    assert found == wanted


# The explanation.


def steps_of(steps: Iterable[Step]) -> Iterable[Step]:
    """Every step and those below it."""
    for step in steps:
        yield step
        yield from steps_of(step.steps)


MOVE = {
    "destination_category": "referred",
    "move_effective_date": "2025-03-03",
    "customer_conversion_date": "2025-01-01",
    "partner_deployment_date": "2020-01-01",
}


def every_step(explanation: Explanation) -> list[Step]:
    """All steps of a trace, those of used decisions included."""
    trace = explanation.trace
    own = [step for rule in trace.rules for step in steps_of(rule.steps)]
    return [*own, *steps_of(trace.values), *(step for used in trace.used for step in every_step(used))]


def test_every_step_has_an_origin_and_a_text() -> None:
    for decision in ("new_account_bonus", "revenue_share", "latest_referred_move"):
        explanation = shipped().explain(f"partner_earnings.{decision}", MOVE, as_of=JULY)
        steps = every_step(explanation)
        assert steps
        assert all(isinstance(step.origin, Origin) and step.text for step in steps)


def test_parameters_name_their_period_and_source(orders: Engine) -> None:
    explanation = orders.explain("orders.shipping", {"price": 50}, as_of=JULY)
    (note,) = {step.note for step in every_step(explanation) if step.origin is Origin.PARAMETER}
    assert note == "dollars, from 2025-01-01 until 2026-01-01, the-list"


def test_readings_name_their_question_and_the_other_choices(orders: Engine) -> None:
    explanation = orders.explain("orders.shipping", {"price": 50}, as_of=JULY)
    (note,) = {step.note for step in every_step(explanation) if step.origin is Origin.READING}
    assert note == "Is exactly the limit free of charge? Not: excluded"


def test_an_explanation_holds_the_answer_and_the_verdicts(orders: Engine) -> None:
    explanation = orders.explain("orders.shipping", {"price": 1}, as_of=JULY)
    assert explanation.decision == orders.decide("orders.shipping", {"price": 1}, as_of=JULY)
    verdicts = [(rule.id, rule.verdict) for rule in explanation.trace.rules]
    assert verdicts == [("large", Verdict.DOES_NOT_APPLY), ("otherwise", Verdict.APPLIES)]
    assert explanation.trace.rules[0].place.endswith("orders.yaml:31:14")


def test_facts_of_the_trace_are_the_facts(orders: Engine) -> None:
    steps = every_step(orders.explain("orders.shipping", {"price": 50}, as_of=JULY))
    assert {(step.text, step.value) for step in steps if step.origin is Origin.FACT} == {("price", Decimal("50.00"))}


def test_an_unknown_step_says_why(orders: Engine) -> None:
    told = orders.explain("orders.notes", {"price": 50}, as_of=JULY).to_dict()
    text = json.dumps(told)
    assert '"unknown": {"missing": ["rate"]' in text
    conforms({key: value for key, value in told.items() if key != "trace"})
