"""What is recorded of a question: its entry, its payload, and what the schema keeps out of both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from policy_engine import Engine, FactsError, LogUnavailable
from policy_engine.decision_log.masking import DIGEST, Masking, keyed_digests, mask_of, masked_paths
from policy_engine.decision_log.recording import Moment, Recorder
from policy_engine.decision_log.records import Record, entry_bytes, payload_digest, read_entry
from policy_engine.engine import Asked
from policy_engine.frontend.schemas import schema_of
from policy_engine.language.types import Record as RecordType

DAY = date(2025, 6, 1)
MOMENT = Moment(1_700_000_000_007, bytes(range(26)))
RECORDER = Recorder(b"k" * 32)
RULES = """
ruleset: loan
title: Loans
version: "1"
effective: {from: 2025-01-01}
timezone: UTC
facts: person
readings:
  bound: {question: Does the bound count?, choice: "yes", choices: {"yes": It does., "no": It does not.}}
definitions:
  doubled: income + income
decisions:
  may_borrow:
    question: May they borrow?
    outcomes: [yes, no]
    values: {limit: doubled, years: age}
    rules:
      - {id: rich, when: income >= 100, then: yes, because: "{name} earns {income}."}
      - {id: old, when: age > 60, then: no, because: "At {age} nobody borrows."}
    otherwise: {then: no, because: Too little.}
  offers:
    question: Which?
    outcomes: [card, loan]
    hit: collect
    rules:
      - {id: card, when: age >= 18, then: card, because: "An \\"adult\\" of {age}."}
      - {id: loan, when: "income >= 100 or bound == 'no'", then: loan, because: "Enough."}
  reach:
    question: How long?
    values: {share: "round(income / age, 2, 'half_up')"}
"""
PERSON: dict[str, Any] = {
    "account_id": {"type": "string"},
    "name": {"type": "string"},
    "age": {"type": "integer", "minimum": 0, "maximum": 150},
    "income": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 100000},
    "orders": {
        "type": "array",
        "maxItems": 9,
        "x-report": True,
        "items": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"note": {"type": "string"}, "n": {"type": "integer", "minimum": 0, "maximum": 9}},
        },
    },
    "words": {"type": "array", "maxItems": 9, "x-report": True, "items": {"type": "string"}},
}
FACTS = {"account_id": "A-1", "name": "Zo\u00eb", "age": 40, "income": Decimal("120.50")}


def schema(marks: Mapping[str, Mapping[str, Any]], **top: Any) -> dict[str, Any]:
    """The schema of a person with further keywords for some of the facts."""
    properties = {name: {**part, **marks.get(name, {})} for name, part in PERSON.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties, **top}


def engine(**marks: Mapping[str, Any]) -> Engine:
    """The rules over a person of whom some facts are marked."""
    marks = {"account_id": {"x-account": True}, **marks}
    return Engine.from_text({"loan": RULES}, {"person": json.dumps(schema(marks))})


def recorded(rules: Engine, facts: Any, question: str = "loan.may_borrow", **more: Any) -> Record:
    """The record of a question."""
    asked = Asked(question, facts, DAY, **more)
    readings = asked.readings
    if "." in question:
        answers = [rules.decide(question, facts, as_of=DAY, readings=readings)]
    else:
        answers = list(rules.decide_all(question, facts, as_of=DAY, readings=readings).values())
    return RECORDER.answered(asked, rules.ruleset("loan", DAY), answers, "crm", MOMENT)


def payload(record: Record) -> Any:
    """The payload of a record, numbers exact."""
    return json.loads(record.payload, parse_float=Decimal)


def test_a_record_holds_who_asked_what_by_which_text_and_what_was_answered() -> None:
    rules = engine()
    record = recorded(rules, FACTS)
    entry = read_entry(record.entry)
    answer = rules.decide("loan.may_borrow", FACTS, as_of=DAY)
    assert (entry.kind, entry.caller, entry.question, entry.as_of) == ("answer", "crm", "loan.may_borrow", "2025-06-01")
    assert (entry.id, entry.time, entry.ruleset) == (record.id, "2023-11-14T22:13:20.007Z", answer.ruleset)
    [told] = entry.answers
    assert (told.decision, told.status, told.outcome, told.rules) == ("loan.may_borrow", "decided", "yes", ("rich",))
    assert (record.account, record.salt) == ("A-1", bytes(range(10, 26)))
    assert payload(record) == {
        "account": "A-1",
        "answers": [{"missing": [], "reason": "Zo\u00eb earns 120.50.", "values": {"limit": "241.00", "years": 40}}],
        "facts": FACTS,
        "masked": [],
    }
    assert entry.payload == payload_digest(record.salt, record.payload)


def test_the_entry_of_a_record_tells_no_fact() -> None:
    assert not [
        word for word in ("A-1", "Zo", "120", "241", "earns") if word in recorded(engine(), FACTS).entry.decode()
    ]


QUESTIONS: Mapping[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "decided": ("loan.may_borrow", FACTS, {}),
    "collected": ("loan.offers", FACTS, {}),
    "nothing collected": ("loan.offers", {"age": 2, "income": 0}, {}),
    "calculated": ("loan.reach", FACTS, {}),
    "undetermined": ("loan.may_borrow", {}, {}),
    "without a value": ("loan.reach", {"age": 0, "income": 1}, {}),
    "all decisions": ("loan", FACTS, {}),
    "switched": ("loan.offers", FACTS, {"readings": {"bound": "no"}}),
    "an account of the caller": ("loan.offers", {"age": 20}, {"account": 'B "2"'}),
    "half a character": ("loan.offers", {"age": 20}, {"account": "\ud800"}),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_entry_is_canonical_and_the_payload_says_what_the_answers_say(name: str) -> None:
    question, facts, more = QUESTIONS[name]
    rules = engine(name={"x-log": "drop"})
    record = recorded(rules, facts, question, **more)
    entry = read_entry(record.entry)
    assert entry_bytes(entry) == record.entry
    assert entry.readings == more.get("readings", {})
    told = [{**vars_of(answer), **each} for answer, each in zip(entry.answers, payload(record)["answers"], strict=True)]
    asked = rules.decide_all("loan", facts, as_of=DAY, readings=entry.readings)
    expected = [one.to_dict() for key, one in asked.items() if question in ("loan", f"loan.{key}")]
    for each in expected:
        if "name" in facts and each["decision"] == "loan.may_borrow":
            each.update(reason=None, masked=["reason"])
    keys = ("decision", "status", "outcome", "rules", "reason", "values", "missing", "masked")
    assert told == [{key: one[key] for key in keys if key in one} for one in expected]


def vars_of(answer: Any) -> dict[str, Any]:
    """What an entry says of an answer, in JSON types."""
    outcome = list(answer.outcome) if isinstance(answer.outcome, tuple) else answer.outcome
    return {"decision": answer.decision, "status": answer.status, "outcome": outcome, "rules": list(answer.rules)}


@dataclass
class Person:
    """Facts of a caller's own type."""

    account_id: Any
    age: int
    income: Any


class Id(Enum):
    """An account as a caller may have it."""

    FIRST = "A-1"


class Word(str):
    """A text of a caller's own type."""

    __slots__ = ()


SAME = [
    {"account_id": "A-1", "age": 40, "income": 120.5},
    {"account_id": Word("A-1"), "age": 40, "income": Decimal("120.5")},
    {"account_id": Id.FIRST, "age": 40, "income": Decimal("120.5")},
    Person("A-1", 40, Decimal("120.5")),
]


@pytest.mark.parametrize("facts", SAME, ids=["plain", "subclass", "enumeration", "dataclass"])
def test_facts_are_recorded_as_they_were_decided_about(facts: Any) -> None:
    record = recorded(engine(), facts)
    assert (record.account, payload(record)["facts"]) == (
        "A-1",
        {"account_id": "A-1", "age": 40, "income": Decimal("120.5")},
    )


def test_the_numbers_of_facts_are_kept_as_they_are_written() -> None:
    assert b'"income":120.50' in recorded(engine(), FACTS).payload


def test_facts_that_change_later_change_no_record() -> None:
    facts = {"age": 40, "income": 120, "words": ["a"]}
    record = recorded(engine(), facts)
    facts["words"].append("b")  # type: ignore[attr-defined]
    assert payload(record)["facts"]["words"] == ["a"]


def test_what_the_caller_says_of_the_account_goes_before_what_the_facts_say() -> None:
    assert recorded(engine(), FACTS, account="B-2").account == "B-2"
    assert recorded(engine(), FACTS, account="").account == ""
    assert recorded(engine(), {"age": 3, "income": 1}).account == ""


def test_an_account_may_be_a_number() -> None:
    number = {"x-account": True, "type": "integer", "minimum": 0, "maximum": 99}
    assert recorded(engine(account_id=number), {"account_id": 7, "age": 3, "income": 1}).account == "7"


def test_facts_that_are_no_json_are_not_recorded() -> None:
    rules = engine()
    answer = rules.decide("loan.may_borrow", FACTS, as_of=DAY)
    asked = Asked("loan.may_borrow", {"income": object()}, DAY)
    with pytest.raises(
        LogUnavailable, match="the facts are not JSON, so they cannot be recorded; give facts that are valid"
    ):
        RECORDER.answered(asked, rules.ruleset("loan", DAY), [answer], "crm", MOMENT)


def refused(facts: Any) -> Record:
    """The record of facts that are invalid."""
    rules = engine()
    with pytest.raises(FactsError) as raised:
        rules.decide("loan.may_borrow", facts, as_of=DAY)
    asked = Asked("loan.may_borrow", facts, DAY)
    return RECORDER.refused(asked, rules.ruleset("loan", DAY), raised.value, "crm", MOMENT)


def test_of_invalid_facts_it_is_recorded_where_they_are_and_no_value() -> None:
    record = refused({"account_id": "A-1", "age": "4711", "income": -1, "orders": [{"n": 12}]})
    entry = read_entry(record.entry)
    assert (entry.kind, entry.violations, entry.answers, record.account) == ("refusal", 3, (), "A-1")
    assert entry_bytes(entry) == record.entry
    told = [{"keyword": "type", "pointer": "/age"}, {"keyword": "minimum", "pointer": "/income"}]
    assert payload(record) == {
        "account": "A-1",
        "violations": [*told, {"keyword": "maximum", "pointer": "/orders/0/n"}],
    }
    assert entry.payload == payload_digest(record.salt, record.payload)


@pytest.mark.parametrize(
    "facts",
    [None, [], {"account_id": 1.5, "age": -1}, {"account_id": "A" * 257, "age": -1}, {"account_id": None, "age": -1}],
)
def test_invalid_facts_may_name_no_account(facts: Any) -> None:
    assert refused(facts).account == ""


KEYED = keyed_digests(b"k" * 32)
MASKED: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], list[str]]] = [
    ("nothing", {}, {"name": "x"}, {"name": "x"}, []),
    ("kept as it says", {"name": {"x-log": "keep"}}, {"name": "x"}, {"name": "x"}, []),
    ("dropped", {"name": {"x-log": "drop"}}, {"name": "x", "age": 1}, {"age": 1}, ["name"]),
    ("absent", {"name": {"x-log": "drop"}}, {"age": 1}, {"age": 1}, []),
    ("null", {"name": {"x-log": "digest"}}, {"name": None}, {"name": None}, []),
    ("digested", {"name": {"x-log": "digest"}}, {"name": "x"}, {"name": KEYED("name", "x")}, ["name"]),
    ("a list", {"words": {"x-log": "digest"}}, {"words": ["a"]}, {"words": KEYED("words", ["a"])}, ["words"]),
    (
        "elements digested",
        {"words": {"items": {"type": "string", "x-log": "digest"}}},
        {"words": ["a", "b"]},
        {"words": [KEYED("words", "a"), KEYED("words", "b")]},
        ["words"],
    ),
    (
        "elements dropped",
        {"words": {"items": {"type": "string", "x-log": "drop"}}},
        {"words": ["a", "b"]},
        {"words": []},
        ["words"],
    ),
    ("no elements", {"words": {"items": {"type": "string", "x-log": "drop"}}}, {"words": []}, {"words": []}, []),
    (
        "members of elements",
        {
            "orders": {
                "items": {
                    **PERSON["orders"]["items"],
                    "properties": {"note": {"type": "string", "x-log": "drop"}, "n": PERSON["age"]},
                }
            }
        },
        {"orders": [{"note": "x", "n": 1}, {"n": 2}]},
        {"orders": [{"n": 1}, {"n": 2}]},
        ["orders.note"],
    ),
    (
        "where a reference leads",
        {"name": {"$ref": "#/$defs/secret"}},
        {"name": "x"},
        {"name": KEYED("name", "x")},
        ["name"],
    ),
    ("beside a reference", {"name": {"$ref": "#/$defs/secret", "x-log": "keep"}}, {"name": "x"}, {"name": "x"}, []),
    (
        "elements of lists of lists",
        {"words": {"items": {"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/secret"}}}},
        {"words": [["a"]]},
        {"words": [KEYED("words", ["a"])]},
        ["words"],
    ),
]


def type_of(marks: Mapping[str, Mapping[str, Any]], **top: Any) -> RecordType:
    """The facts as a type, of whom some are marked."""
    written = schema({name: mark for name, mark in marks.items() if "$ref" not in mark}, **top)
    written["properties"].update({name: mark for name, mark in marks.items() if "$ref" in mark})
    written["$defs"] = {"secret": {"type": "string", "x-log": "digest"}}
    found, faults = schema_of(json.dumps(written), "facts.schema.json", "facts")
    assert found is not None, faults
    return found.type


@pytest.mark.parametrize(
    ("marks", "facts", "kept", "met"), [case[1:] for case in MASKED], ids=[case[0] for case in MASKED]
)
def test_facts_are_masked_as_the_schema_says(
    marks: dict[str, Any], facts: dict[str, Any], kept: dict[str, Any], met: list[str]
) -> None:
    masking, before = Masking(KEYED), json.dumps(facts)
    assert masking.members(facts, mask_of(type_of(marks)).members) == kept
    assert list(masking.met) == met
    assert json.dumps(facts) == before


def test_a_mark_at_the_top_is_for_every_fact() -> None:
    kind = type_of({"name": {"x-log": "keep"}}, **{"x-log": "drop"})
    assert Masking(KEYED).members({"name": "x", "words": ["a"]}, mask_of(kind).members) == {}
    assert masked_paths(kind) == ("account_id", "name", "age", "income", "orders", "orders.note", "orders.n", "words")


def test_no_digest_can_be_guessed_without_the_key() -> None:
    one, other = (keyed_digests(key * 32)("age", 40) for key in (b"a", b"b"))
    assert one != other
    assert one.startswith(DIGEST)
    assert len(one) == len(DIGEST) + 32


SAME_VALUES = [
    (Decimal("1.50"), Decimal("1.5")),
    (Decimal("100"), 100),
    (Decimal("1E+2"), 100),
    ({"a": 1, "b": None}, {"a": 1}),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
]
OTHER_VALUES = [
    ("1", 1),
    (True, 1),
    ([1], 1),
    (["a", "b"], ["b", "a"]),
    (Decimal("0.1"), "0.1"),
    (Decimal("0.1"), Decimal("0.10001")),
]


@pytest.mark.parametrize(("one", "other"), SAME_VALUES)
def test_equal_facts_have_equal_digests(one: Any, other: Any) -> None:
    assert KEYED("a", one) == KEYED("a", other)


@pytest.mark.parametrize(("one", "other"), OTHER_VALUES)
def test_other_facts_have_other_digests(one: Any, other: Any) -> None:
    assert KEYED("a", one) != KEYED("a", other)
    assert KEYED("a", one) != KEYED("b", one)


SHOWN = [
    ("name", "loan.may_borrow", {}, ["reason"]),
    ("income", "loan.may_borrow", {}, ["values.limit", "reason"]),
    ("age", "loan.may_borrow", {}, ["values.years"]),
    ("age", "loan.may_borrow", {"income": 1}, ["values.years"]),
    ("age", "loan.may_borrow", {"income": 1, "age": 70}, ["values.years", "reason"]),
    ("age", "loan.offers", {}, ["reason"]),
    ("age", "loan.offers", {"age": 2}, []),
    ("age", "loan.reach", {}, ["values.share"]),
    ("age", "loan.reach", {"age": 0}, ["values.share", "reason"]),
]


@pytest.mark.parametrize(("fact", "question", "more", "hidden"), SHOWN)
def test_a_reason_or_value_that_shows_a_masked_fact_is_masked(
    fact: str, question: str, more: dict[str, Any], hidden: list[str]
) -> None:
    rules = engine(**{fact: {"x-log": "digest"}})
    facts = {**FACTS, **more}
    record = recorded(rules, facts, question)
    [told] = payload(record)["answers"]
    answer = rules.decide(question, facts, as_of=DAY)
    assert told.get("masked", []) == hidden
    assert told["reason"] == (None if "reason" in hidden else answer.reason)
    values = {name: None if f"values.{name}" in hidden else value for name, value in answer.to_dict()["values"].items()}  # type: ignore[attr-defined]
    assert told["values"] == values
    assert payload(record)["masked"] == [fact]
    assert read_entry(record.entry).masked == (fact,)


def test_the_answer_itself_is_not_masked() -> None:
    rules, plain = engine(name={"x-log": "drop"}), engine()
    masked = rules.decide("loan.may_borrow", FACTS, as_of=DAY)
    assert masked.reason == plain.decide("loan.may_borrow", FACTS, as_of=DAY).reason == "Zo\u00eb earns 120.50."
    assert not [piece for piece in masked.said if piece.sensitive]


def test_nothing_of_a_masked_fact_is_in_the_record() -> None:
    secret = {"x-log": "drop"}
    record = recorded(engine(name=secret, income={"x-log": "digest"}), FACTS, "loan")
    assert not [word for word in ("Zo", "120", "241") if word in (record.entry + record.payload).decode()]


def test_a_sensitive_fact_is_kept_unless_the_schema_says_otherwise() -> None:
    assert payload(recorded(engine(name={"x-sensitive": True}), FACTS))["facts"] == FACTS


def test_frames_of_other_rulesets_are_not_mixed_up() -> None:
    recorder = replace(RECORDER)
    for fact in ("name", "age"):
        rules = engine(**{fact: {"x-log": "drop"}})
        answer = rules.decide("loan.may_borrow", FACTS, as_of=DAY)
        record = recorder.answered(
            Asked("loan.may_borrow", FACTS, DAY), rules.ruleset("loan", DAY), [answer], "", MOMENT
        )
        assert fact not in payload(record)["facts"]
