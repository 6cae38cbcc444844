"""Deciding again what a log remembers: under the same text nothing differs; under another, both reasons are told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from policy_engine import Engine, FactsError
from policy_engine.analysis.replaying import (
    NotReplayed,
    Replayed,
    replay,
    under_in_force,
    under_recorded,
    under_version,
)
from policy_engine.decision_log.reading import PayloadState, ReadRecord
from policy_engine.decision_log.records import read_entry
from tests.test_log_library import Memory
from tests.test_log_recording import DAY, FACTS, RULES, schema

SCHEMA = json.dumps(schema({"account_id": {"x-account": True}}))
OTHER = RULES.replace('version: "1"', 'version: "2"').replace("income >= 100, then: yes", "income >= 121, then: yes")


def engine(*texts: str, facts: str = SCHEMA, log: Any = None) -> Engine:
    """The rules of some files."""
    return Engine.from_text({f"r{number}": text for number, text in enumerate(texts)}, {"person": facts}, log=log)


def read(memory: Memory) -> list[ReadRecord]:
    """The records of a log as its reader gives them."""
    return [
        ReadRecord(position, read_entry(one.entry), one.entry, PayloadState.THERE, one.payload)
        for position, one in enumerate(one for each in memory.written for one in each)
    ]


def asked(
    *questions: str, facts: Sequence[Any] = (FACTS,), rules: str = RULES, schema: str = SCHEMA, **more: Any
) -> list[ReadRecord]:
    """The records of questions about each of the facts."""
    memory = Memory()
    rulebook = engine(rules, facts=schema, log=memory)
    for question in questions:
        for each in facts:
            try:
                _ask(rulebook, question, each, **more)
            except FactsError:
                continue
    return read(memory)


def _ask(rules: Engine, question: str, facts: Any, **more: Any) -> None:
    ask = rules.decide if "." in question else rules.decide_all
    ask(question, facts, as_of=DAY, **more)


PEOPLE = [
    FACTS,
    {"account_id": "B-2", "age": 70, "income": 130},
    {"account_id": "C-3", "age": 0, "income": 3.5},
    {"account_id": "D-4"},
    {"age": 30, "name": "half \u00e9", "words": ["a"], "orders": [{"n": 1}]},
]


def test_under_the_same_text_nothing_differs() -> None:
    rules = engine(RULES)
    records = asked("loan", "loan.may_borrow", "loan.reach", facts=PEOPLE)
    told = list(replay(records, under_recorded(rules.rulebook), rules.rulebook))
    assert told == [Replayed(())] * len(PEOPLE) * 3


def test_switched_readings_are_switched_again() -> None:
    rules = engine(RULES)
    records = asked("loan.offers", facts=[{"age": 20, "income": 1}], readings={"bound": "no"})
    assert records[0].entry.answers[0].outcome == ("card", "loan")
    assert list(replay(records, under_recorded(rules.rulebook), rules.rulebook)) == [Replayed(())]


TAMPERED = [
    ("status", b'"status":"decided"', b'"status":"gap"', b"", b""),
    ("outcome", b'"outcome":"yes"', b'"outcome":"no"', b"", b""),
    ("rules", b'"rules":["rich"]', b'"rules":["old"]', b"", b""),
    ("reason", b"", b"", b"earns 120.50", b"earns 120.51"),
    ("values", b"", b"", b'"limit":"241.00"', b'"limit":"241.01"'),
    ("missing", b"", b"", b'"missing":[]', b'"missing":["age"]'),
    ("facts", b"", b"", b'"age":40,', b'"age":41,'),
]


@pytest.mark.parametrize(("what", "entry", "other", "payload", "changed"), TAMPERED, ids=[one[0] for one in TAMPERED])
def test_a_record_that_says_otherwise_is_found(
    what: str, entry: bytes, other: bytes, payload: bytes, changed: bytes
) -> None:
    [record] = asked("loan.may_borrow")
    told = replace(
        record,
        entry=read_entry(record.entry_bytes.replace(entry, other)),
        payload=(record.payload or b"").replace(payload, changed),
    )
    assert told != record, what
    rules = engine(RULES)
    [found] = replay([told], under_recorded(rules.rulebook), rules.rulebook)
    assert isinstance(found, Replayed)
    assert [one.decision for one in found.differences] == ["loan.may_borrow"]


def test_under_another_version_each_difference_has_both_reasons() -> None:
    rules = engine(OTHER)
    records = asked("loan", facts=PEOPLE)
    found = list(replay(records, under_version(rules.rulesets[0]), rules.rulebook))
    [difference] = [one for each in found if isinstance(each, Replayed) for one in each.differences]
    assert difference.to_dict() == {
        "id": records[0].entry.id,
        "account": "A-1",
        "decision": "loan.may_borrow",
        "as_of": "2025-06-01",
        "recorded": {
            "status": "decided",
            "outcome": "yes",
            "rules": ["rich"],
            "missing": [],
            "reason": "Zo\u00eb earns 120.50.",
            "values": {"limit": "241.00", "years": 40},
        },
        "replayed": {
            "decision": "loan.may_borrow",
            "status": "decided",
            "outcome": "no",
            "rules": ["otherwise"],
            "missing": [],
            "reason": "Too little.",
            "values": {"limit": "241.00", "years": 40},
        },
    }


def test_reasons_alone_make_no_difference_under_another_text() -> None:
    rules = engine(RULES.replace("earns", "gets"))
    found = list(replay(asked("loan.may_borrow"), under_version(rules.rulesets[0]), rules.rulebook))
    assert found == [Replayed(())]


def test_decisions_and_values_of_one_side_alone_are_named_and_are_no_difference() -> None:
    fewer = RULES.replace("values: {limit: doubled, years: age}", "values: {limit: doubled}")
    rules = engine(fewer[: fewer.index("  reach:")])
    found = list(replay(asked("loan"), under_version(rules.rulesets[0]), rules.rulebook))
    assert found == [Replayed((), ("loan.reach", "loan.may_borrow.years"))]


def test_facts_that_another_text_finds_invalid_are_a_difference() -> None:
    rules = engine(RULES, facts=SCHEMA.replace('"maximum": 150', '"maximum": 30'))
    [found] = replay(asked("loan.may_borrow"), under_version(rules.rulesets[0]), rules.rulebook)
    assert isinstance(found, Replayed)
    [difference] = found.differences
    assert difference.replayed["status"] == "invalid"
    assert "/age" in difference.replayed["reason"]


def reasons(records: Sequence[ReadRecord], rules: Engine, under: Any) -> list[str]:
    """Why records cannot be replayed."""
    return [one.why for one in replay(records, under, rules.rulebook) if isinstance(one, NotReplayed)]


def test_what_cannot_be_replayed_is_named() -> None:
    rules, records = engine(RULES), asked("loan.may_borrow", facts=[FACTS, {"age": -1}])
    gone = [
        replace(records[0], state=state, payload=None)
        for state in (PayloadState.GONE, PayloadState.SEALED, PayloadState.FAULTY)
    ]
    assert reasons([*records, *gone], rules, under_recorded(rules.rulebook)) == [
        "the facts were invalid, and of those no value is kept",
        "the payload is erased or pruned",
        "the payload is sealed, and its key is not at hand",
        "the payload is not what its entry says",
    ]
    strange = replace(records[0], payload=b'{"subjects":[]}')
    assert reasons([strange], rules, under_recorded(rules.rulebook)) == ["the payload holds no facts"]


def test_a_text_that_is_not_at_hand_is_named() -> None:
    rules, [record] = engine(OTHER), asked("loan.may_borrow")
    digest = record.entry.ruleset.digest
    assert reasons([record], rules, under_recorded(rules.rulebook)) == [
        f"the text that decided is not among the rules: `loan` version 1, {digest}"
    ]
    later = engine(RULES.replace("from: 2025-01-01", "from: 2025-07-01"))
    assert reasons([record], later, under_in_force(later.rulebook)) == [
        "no version of `loan` is in force on the day of the question"
    ]
    another = engine(RULES.replace("ruleset: loan", "ruleset: credit"))
    for under in (under_version(another.rulesets[0]), under_in_force(another.rulebook)):
        assert len(reasons([record], another, under)) == 1
    fewer = engine(RULES.replace("may_borrow:", "may_lend:"))
    assert reasons([record], fewer, under_version(fewer.rulesets[0])) == [
        "there is no decision `may_borrow` in version 1 of `loan`"
    ]


def test_a_parameter_without_a_value_on_the_recorded_day_is_named() -> None:
    later = RULES.replace("definitions:", "parameters:\n  most: {values: {2025-07-01: 60}}\ndefinitions:")
    rules = engine(later.replace("age > 60", "age > most").replace("from: 2025-01-01", "from: 2025-07-01"))
    told = ["the parameter `most` has no value on the day of the question"]
    assert reasons(asked("loan.may_borrow"), rules, under_version(rules.rulesets[0])) == told


def test_a_reading_that_another_text_does_not_have_is_named() -> None:
    rules = engine(RULES.replace("bound", "limit_counts"))
    [why] = reasons(asked("loan.offers", readings={"bound": "no"}), rules, under_version(rules.rulesets[0]))
    assert why.startswith("a reading was switched that this ruleset does not have: ")


MASKED = [
    ("name", "loan.may_borrow", "facts were masked on which the answer rests"),
    ("income", "loan.may_borrow", "facts were masked on which the answer rests"),
    ("income", "loan.offers", "facts were masked on which the answer rests"),
    ("income", "loan", "facts were masked on which the answer rests"),
    ("name", "loan.offers", None),
    ("account_id", "loan", None),
]


@pytest.mark.parametrize("log", ["digest", "drop"])
@pytest.mark.parametrize(("fact", "question", "why"), MASKED)
def test_masked_facts_are_replayed_where_no_answer_rests_on_them(
    fact: str, question: str, why: str | None, log: str
) -> None:
    marked = json.dumps(schema({fact: {"x-log": log}}))
    rules, records = engine(RULES, facts=marked), asked(question, schema=marked)
    found = list(replay(records, under_recorded(rules.rulebook), rules.rulebook))
    assert found == ([Replayed(())] if why is None else [NotReplayed(records[0].entry.id, why)])
    other = engine(OTHER, facts=marked)
    told = "facts were masked, and cannot be validated by another ruleset"
    assert reasons(records, other, under_version(other.rulesets[0])) == [told]


def test_the_version_in_force_on_the_recorded_day_decides() -> None:
    later = RULES.replace("from: 2025-01-01", "from: 2026-01-01").replace('version: "1"', 'version: "2"')
    both = engine(RULES.replace("{from: 2025-01-01}", "{from: 2025-01-01, until: 2026-01-01}"), later)
    assert list(replay(asked("loan"), under_in_force(both.rulebook), both.rulebook)) == [Replayed(())]


def test_a_search_is_not_decided_again() -> None:
    [record] = asked("loan.offers")
    search = replace(record, entry=replace(record.entry, kind="search", answers=()), payload=b'{"results":[]}')
    rules = engine(RULES)
    assert reasons([search], rules, under_recorded(rules.rulebook)) == [
        "it was a search, of which only what was found is kept"
    ]


def test_records_about_the_log_itself_are_passed_over() -> None:
    [record] = asked("loan.offers")
    erasure = replace(record, entry=replace(record.entry, kind="erasure", question=""))
    rules = engine(RULES)
    assert list(replay([erasure], under_recorded(rules.rulebook), rules.rulebook)) == []
