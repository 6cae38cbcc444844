"""The names that services, reports and tests rely on are those of the rulebook, letter for letter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from policy_engine.language.rulesets import DecisionLogic, Rules, Ruleset, conclusions_of, conditions_of
from policy_engine.language.types import ListOf, Member, Number, Record, Text, Type, name_of
from tests.conftest import ROOT, read_data
from tests.support.rulebook import shipped

NAMES: dict[str, dict[str, Any]] = read_data(ROOT / "tests/data/rulebook_names.yaml")
VERSIONS = [pytest.param(ruleset, id=f"{ruleset.id} {ruleset.version}") for ruleset in shipped().rulebook.rulesets]


def test_the_rulebook_has_these_rulesets() -> None:
    assert {ruleset.id for ruleset in shipped().rulebook.rulesets} == set(NAMES)


@pytest.mark.parametrize("ruleset", VERSIONS)
def test_schema_and_facts(ruleset: Ruleset) -> None:
    assert ruleset.facts.name == NAMES[ruleset.id]["schema"]
    named = {name: _facts_type(text) for name, text in NAMES[ruleset.id]["facts"].items()}
    found = dict(_facts(ruleset.facts.type, keys=set(named)))
    assert found == named


@pytest.mark.parametrize("ruleset", VERSIONS)
def test_what_absence_is_read_as(ruleset: Ruleset) -> None:
    expected = {name: text.split(" = ")[1] for name, text in NAMES[ruleset.id]["facts"].items() if " = " in text}
    assert {name: _default(ruleset, name) for name in expected} == expected


@pytest.mark.parametrize("ruleset", VERSIONS)
def test_decisions(ruleset: Ruleset) -> None:
    assert {decision.name: _decision(decision) for decision in ruleset.decisions} == NAMES[ruleset.id]["decisions"]


@pytest.mark.parametrize("ruleset", VERSIONS)
def test_readings_that_can_be_switched(ruleset: Ruleset) -> None:
    """An earlier version may lack a reading, where what the reading is about came later."""
    named = NAMES[ruleset.id]["readings"]
    found = {
        r.name: [r.choice, *_alternatives(r.choice, [c.name for c in r.choices])]
        for r in ruleset.readings
        if not r.fixed
    }
    newest = shipped().rulebook.versions(ruleset.id)[-1] is ruleset
    assert found == (named if newest else {name: named.get(name) for name in found})


def test_one_name_means_one_question() -> None:
    """Where two rulesets have a reading of the same name, its question, its choices and its default are the same."""
    asked: dict[str, dict[tuple[object, ...], list[str]]] = {}
    for ruleset in shipped().rulebook.rulesets:
        for reading in ruleset.readings:
            choices = (reading.question, reading.choice, frozenset(choice.name for choice in reading.choices))
            asked.setdefault(reading.name, {}).setdefault(choices, []).append(ruleset.path)
    assert {name: found for name, found in asked.items() if len(found) > 1} == {}


def _facts(record: Record, keys: set[str], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every fact with its type; keys, which only name a record, may be more than the rulebook has."""
    for member in record.members:
        name = prefix + member.name
        if member.key and name not in keys:
            continue
        yield name, _type(member.type) + ("" if member.required else "?")
        if isinstance(member.type, ListOf) and isinstance(member.type.element, Record):
            yield from _facts(member.type.element, keys, f"{name}.")


def _type(kind: Type) -> str:
    match kind:
        case Text(values=values) if values is not None:
            return "|".join(values)
        case Number(places=places) if places:
            return f"decimal {places}"
        case ListOf(element=element):
            return f"[{_type(element)}]"
        case _:
            return name_of(kind)


def _facts_type(text: str) -> str:
    return str(text).split(" = ")[0]


def _default(ruleset: Ruleset, name: str) -> str | None:
    """What `default(name, ...)` puts in the fact's place, anywhere in the ruleset."""
    texts = [repr(definition.body) for definition in ruleset.definitions]
    texts += [repr(condition) for decision in ruleset.decisions for condition in conditions_of(decision.body)]
    found = {match for text in texts for match in re.findall(rf"default\({name}, ([^()]+)\)", text)}
    return found.pop() if len(found) == 1 else None


def _decision(decision: DecisionLogic) -> dict[str, Any]:
    described: dict[str, Any] = {}
    if isinstance(decision.body, Rules) and decision.body.hit == "collect":
        described["collect"] = True
    if decision.outcomes:
        described["outcomes"] = list(decision.outcomes)
    if values := {name: _value_type(decision, name, kind) for name, kind in decision.value_types}:
        described["values"] = values
    return described


def _value_type(decision: DecisionLogic, name: str, kind: Type) -> str:
    closed = "text" if isinstance(kind, Text) else "[text]" if _is_list_of_text(kind) else _type(kind)
    return closed + ("?" if _nullable(decision, name) else "")


def _is_list_of_text(kind: Type) -> bool:
    return isinstance(kind, ListOf) and isinstance(kind.element, Text)


def _nullable(decision: DecisionLogic, name: str) -> bool:
    """Written `if_known(...)`, or left out by some rule."""
    for value in decision.values:
        if value.name == name:
            return value.nullable
    given = [{value.name for value in conclusion.values} for _, conclusion in conclusions_of(decision.body)]
    return not all(name in names for names in given)


def _alternatives(default: str, choices: list[str]) -> list[str]:
    return [choice for choice in choices if choice != default]


def test_members_are_described() -> None:
    """Whoever fills in a fact is told what it means."""
    silent = [
        f"{ruleset.facts.name}.{member.name}"
        for ruleset in shipped().rulebook.rulesets
        for member in _members(ruleset.facts.type)
        if not member.description
    ]
    assert silent == []


def _members(record: Record) -> Iterator[Member]:
    for member in record.members:
        yield member
        if isinstance(member.type, ListOf) and isinstance(member.type.element, Record):
            yield from _members(member.type.element)
