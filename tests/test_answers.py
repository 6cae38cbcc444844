"""An answer is a value: nothing changes it, it means the same in another process, and reading it decides nothing."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Decision, Engine, FactsError, RulesetError
from policy_engine.errors import CannotRun, EngineFault, NotInForce, UnknownDecision, UnknownReading, Violation
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.traces import Explanation
from tests.conftest import ROOT, lay_out
from tests.support.conformance import Case, load_cases
from tests.support.rulebook import shipped
from tests.test_engine import JULY, ORDER, ORDER_SCHEMA

CASES = [case for case in load_cases() if case.invalid is None]
LISTS = json.dumps(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "names": {"type": "array", "items": {"type": "string"}},
            "prices": {"type": "array", "items": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 100}},
            "who": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0, "maximum": 150}},
            },
            "n": {"type": "integer", "minimum": 0, "maximum": 100},
        },
    }
)
TELLING = """
ruleset: telling
title: What reasons tell
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: telling
sources: {text: {title: The text}}
definitions:
  age: default(who.age, 0)
decisions:
  told:
    question: What is told?
    source: text
    outcomes: [lists, record, half]
    values: {all_names: if_known(names)}
    rules:
      - {id: lists, when: known(names) and known(prices), then: lists, because: "{names} cost {prices}."}
      - {id: record, when: known(who), then: record, because: "It is {who}, aged {age}."}
      - {id: half, when: n > 1, then: half, because: "100% of {n}."}
"""


def everything(answer: Decision | Explanation) -> dict[str, object]:
    """All that an answer tells."""
    decision = answer.decision if isinstance(answer, Explanation) else answer
    told = {"dict": answer.to_dict(), "said": decision.said, "bytes": decision.to_json(), "reason": decision.reason}
    return {**told, "missing": decision.missing, "values": decision.values}


def emptied(value: object) -> None:
    """Take everything out of facts, however deep."""
    if isinstance(value, dict):
        for member in value.values():
            emptied(member)
        value.clear()
    if isinstance(value, list):
        for item in value:
            emptied(item)
        value.clear()


@pytest.fixture
def telling(tmp_path: Path) -> Engine:
    """A ruleset whose reasons name lists and records."""
    lay_out({"rules/telling.yaml": TELLING, "schemas/telling.schema.json": LISTS}, tmp_path)
    return Engine.load(tmp_path / "rules", tmp_path / "schemas")


@pytest.fixture
def orders(tmp_path: Path) -> Engine:
    """A ruleset about orders."""
    lay_out({"rules/order.yaml": ORDER, "schemas/order.schema.json": json.dumps(ORDER_SCHEMA)}, tmp_path)
    return Engine.load(tmp_path / "rules", tmp_path / "schemas")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a1_nothing_done_to_the_facts_changes_an_answer(case: Case) -> None:
    """The facts are emptied and then filled with something else; every answer still tells what another told before."""
    engine, names = Engine(Rulebook((case.ruleset,), ())), [logic.name for logic in case.ruleset.decisions]

    def asked(facts: Any) -> list[Decision | Explanation]:
        how: dict[str, Any] = {"as_of": case.as_of, "readings": case.readings}
        ruleset = case.ruleset.id
        answers: list[Decision | Explanation] = [*engine.decide_all(ruleset, facts, **how).values()]
        answers += [engine.decide(f"{ruleset}.{name}", facts, **how) for name in names]
        return answers + [engine.explain(f"{ruleset}.{name}", facts, **how) for name in names]

    before = [everything(answer) for answer in asked(copy.deepcopy(case.facts))]
    facts = copy.deepcopy(case.facts)
    answers = asked(facts)
    emptied(facts)
    facts["something"] = "else"
    assert [everything(answer) for answer in answers] == before


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"names": ["a", "b"], "prices": [1.5, 2]}, "a, b cost 1.50, 2.00."),
        ({"names": [], "prices": []}, "none cost none."),
        ({"who": {"name": "Ann", "age": 30}}, "It is {name: Ann, age: 30}, aged 30."),
        ({"who": {}}, "It is {}, aged 0."),
        ({"n": 5}, "100% of 5."),
        ({}, "This cannot be decided without n."),
    ],
)
def test_a1_reasons_keep_lists_and_records_as_they_were(telling: Engine, facts: Any, reason: str) -> None:
    answer = telling.decide("telling.told", facts, as_of=JULY)
    explained = telling.explain("telling.told", facts, as_of=JULY)
    together = telling.decide_all("telling", facts, as_of=JULY)["told"]
    emptied(facts)
    assert {answer.reason, explained.decision.reason, together.reason} == {reason}
    assert answer == explained.decision == together


def test_a1_what_was_missing_stays_missing(telling: Engine) -> None:
    facts: dict[str, object] = {}
    answer = telling.decide("telling.told", facts, as_of=JULY)
    facts["n"] = 70
    assert answer.missing == ("n",)
    assert answer.reason == "This cannot be decided without n."


def test_a1_dictionaries_of_an_answer_are_ones_own(orders: Engine) -> None:
    answer = orders.decide("orders.totals", {"price": 50}, as_of=JULY)
    before = answer.to_dict()
    answer.values.clear()
    answer.readings.clear()
    answer.to_dict().clear()
    assert answer.to_dict() == before


def test_a1_reading_an_answer_runs_no_generated_code(orders: Engine) -> None:
    answers: list[Decision | Explanation] = [
        orders.decide("orders.shipping", {"price": 50}, as_of=JULY),
        orders.decide("orders.shipping", {"price": 70, "days": ["2025-01-01"]}, as_of=JULY),
        orders.explain("orders.shipping", {"price": 50}, as_of=JULY),
    ]
    ran: list[str] = []

    def watch(frame: Any, event: str, _: object) -> None:
        if event == "call" and "orders" in frame.f_code.co_filename:
            ran.append(frame.f_code.co_name)

    sys.setprofile(watch)
    try:
        for answer in answers:
            everything(answer)
    finally:
        sys.setprofile(None)
    assert ran == []
    sys.setprofile(watch)
    orders.decide("orders.shipping", {"price": 50}, as_of=JULY)
    sys.setprofile(None)
    assert "decide_shipping" in ran  # so that a watch that sees nothing is noticed


@pytest.mark.parametrize(
    "name",
    [
        "decision",
        "status",
        "outcome",
        "rules",
        "values",
        "sources",
        "readings",
        "missing",
        "as_of",
        "ruleset",
        "reason",
    ],
)
def test_a1_no_attribute_can_be_set(orders: Engine, name: str) -> None:
    answer = orders.decide("orders.shipping", {"price": 50}, as_of=JULY)
    with pytest.raises(AttributeError):
        setattr(answer, name, None)
    with pytest.raises(AttributeError):
        delattr(answer, name)
    with pytest.raises(AttributeError):
        answer.note = "mine"  # type: ignore[attr-defined]


def test_a1_errors_and_explanations_cannot_be_changed_either(orders: Engine) -> None:
    explanation = orders.explain("orders.shipping", {"price": 50}, as_of=JULY)
    violation = Violation("/a", [{"b": [1]}], "type", "a text", "it is no text")
    error = FactsError([violation])
    for thing, name in (
        (explanation, "decision"),
        (explanation, "trace"),
        (explanation.trace, "rules"),
        (error, "violations"),
        (error, "args"),
        (violation, "value"),
        (RulesetError(()), "diagnostics"),
        (NotInForce("x"), "args"),
    ):
        with pytest.raises(AttributeError):
            setattr(thing, name, ())
    with pytest.raises(TypeError, match="cannot be changed"):
        violation.value[0]["b"] = 2  # type: ignore[index]


def test_a1_a_violation_keeps_a_copy() -> None:
    facts: dict[str, Any] = {"a": [1, {"b": 2}]}
    violation = Violation("", facts, "type", "a text", "it is no text")
    emptied(facts)
    assert violation.value == {"a": (1, {"b": 2})}
    assert violation.to_dict()["value"] == {"a": [1, {"b": 2}]}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a1_the_bytes_are_those_of_the_dictionary(case: Case) -> None:
    engine = Engine(Rulebook((case.ruleset,), ()))
    for answer in engine.decide_all(case.ruleset.id, case.facts, as_of=case.as_of, readings=case.readings).values():
        assert answer.to_json() == as_bytes(answer.to_dict())


def as_bytes(told: object) -> bytes:
    """What `to_json` promises."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def test_a1_bytes_escape_what_json_must(telling: Engine) -> None:
    facts = {"names": ['"quoted"\n', "é\u2028", "\\"], "prices": [0]}
    answer = telling.decide("telling.told", facts, as_of=JULY)
    assert answer.to_json() == as_bytes(answer.to_dict())
    halved = telling.decide("telling.told", {"names": ["\ud800"], "prices": [0]}, as_of=JULY, trusted=True)
    assert json.loads(halved.to_json())["values"] == {"all_names": ["\ud800"]}


# In another process.


def looked_at(packed: bytes) -> str:
    """What another process makes of values: each is told, copied, compared and hashed, and nothing is compiled meanwhile."""
    things, same = pickle.loads(packed), pickle.loads(packed)
    compiled: list[object] = []
    sys.addaudithook(lambda event, told: compiled.append(told) if event == "compile" else None)
    told = []
    for thing, twin in zip(things, same, strict=True):
        assert thing == twin == copy.copy(thing) == copy.deepcopy(thing)
        assert hash(thing) == hash(twin)
        told.append((repr(thing), str(thing), shown(thing)))
    assert compiled == []
    return repr(told)


def shown(thing: object) -> object:
    """All that a value tells."""
    if isinstance(thing, Decision | Explanation):
        return everything(thing)
    return thing.to_dict() if isinstance(thing, Violation) else vars(type(thing)).get("__doc__")


def test_a1_answers_and_errors_mean_the_same_in_another_process(
    orders: Engine, telling: Engine, tmp_path: Path
) -> None:
    """Sent to a Python that was started anew, and back."""
    things: list[object] = [
        engine_answer
        for facts in ({"price": 50}, {"price": 70, "days": ["2025-01-01"]}, {"price": 5, "note": "é"})
        for engine_answer in (
            *orders.decide_all("orders", facts, as_of=JULY).values(),
            orders.explain("orders.shipping", facts, as_of=JULY),
        )
    ]
    for facts in ({"names": ["a"], "prices": [1.5]}, {"who": {"name": "Ann"}}, {}):
        things += [ask("telling.told", facts, as_of=JULY) for ask in (telling.decide, telling.explain)]
    things += [*every_error(orders, tmp_path), Violation("/a", {"b": [1, None]}, "type", "a text", "it is no text")]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(looked_at, (pickle.dumps(things),)) == looked_at_here(things)


def looked_at_here(things: list[object]) -> str:
    """The same, told by the process that made the values."""
    return repr([(repr(thing), str(thing), shown(thing)) for thing in things])


def every_error(orders: Engine, tmp_path: Path) -> list[Exception]:
    """One of each kind, as it is raised."""
    faulty = {"rules/orders.yaml": ORDER.replace("price >= limit", "pirce >= limit")}
    lay_out({**faulty, "schemas/order.schema.json": json.dumps(ORDER_SCHEMA)}, tmp_path / "faulty")
    asks: list[Callable[[], object]] = [
        lambda: Engine.load(tmp_path / "faulty/rules", tmp_path / "faulty/schemas"),
        lambda: Engine.load(tmp_path / "nowhere"),
        lambda: orders.decide("orders.shipping", {"price": "5", "days": [{"a": [1]}]}, as_of=JULY),
        lambda: orders.decide("orders.shiping", {"price": 5}, as_of=JULY),
        lambda: orders.decide("orders.shipping", {"price": 5}, as_of=date(2031, 1, 1)),
        lambda: orders.decide("orders.shipping", {"price": 5}, as_of=JULY, readings={"free_from": "x"}),
    ]
    found: list[Exception] = [EngineFault("at fault")]
    for ask in asks:
        try:
            ask()
        except Exception as error:
            found.append(error)
    kinds = [RulesetError, CannotRun, FactsError, UnknownDecision, NotInForce, UnknownReading]
    assert [type(error) for error in found[1:]] == kinds
    return found


def test_a1_errors_that_say_different_things_differ() -> None:
    one, other = Violation("/a", 1, "type", "a text", "one"), Violation("/b", 1, "type", "a text", "one")
    assert FactsError([one]) != FactsError([other])
    assert NotInForce("a") == NotInForce("a") != NotInForce("b")
    assert NotInForce("a") != UnknownDecision("a")


@pytest.mark.parametrize("kind", [Decision, Explanation, FactsError, RulesetError, NotInForce])
def test_a1_repr_works_on_what_is_half_made(kind: type) -> None:
    half: object = object.__new__(kind) if not issubclass(kind, Exception) else kind.__new__(kind)
    assert kind.__name__ in repr(half)


def test_a1_answers_about_the_shipped_rules_are_bytes_of_their_dictionaries() -> None:
    engine = shipped()
    for line in (ROOT / "fixtures/charge_retry.jsonl").read_text("utf-8").splitlines()[:50]:
        with suppress(FactsError):
            for answer in engine.decide_all("charge_retry", json.loads(line), as_of=JULY).values():
                assert answer.to_json() == as_bytes(answer.to_dict())
