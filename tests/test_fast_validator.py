"""A yes of the fast validator is a yes of `valid_facts`: over the official suite, and over generated and broken facts."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from policy_engine.backends.python import NotPlain, prepare
from policy_engine.errors import FactsError
from policy_engine.facts.fast_validator import validator_of
from policy_engine.facts.validation import valid_facts
from policy_engine.frontend.schemas import schema_of
from policy_engine.language.rulesets import FactsSchema, Ruleset
from policy_engine.reference.deciding import Evaluation, check_facts
from tests.support.choosing import Choices
from tests.support.generated import HEAD, Written, as_json
from tests.support.generated_facts import facts_for, without_references
from tests.support.json_schema_suite import NEEDED, suite_cases
from tests.support.rulebook import shipped

DAY = date(2025, 6, 30)
OURS = {
    "a valid date-time with a leap second, UTC",
    "a valid date-time with a leap second, with minus offset",
}
"""Where our rule is narrower than the suite's: our minutes have sixty seconds."""


class Validator:
    """The fast validator as the engine uses it: a ruleset's schema by form, then its dates and its checks."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self.is_valid = validator_of(ruleset.facts.document)
        self.checks = prepare(ruleset, {}, DAY).checks()

    def says_yes(self, facts: Any) -> bool:
        """Whether the facts pass without being looked at further."""
        try:
            return self.is_valid(facts) and self.checks(facts, DAY)
        except NotPlain:
            return False

    def is_right_to(self, facts: Any) -> bool:
        """Whether the facts are valid by the slow rule, and no check is false."""
        try:
            record = valid_facts(facts, self.ruleset.facts)
            check_facts(Evaluation(self.ruleset, record, DAY, {}))
        except FactsError:
            return False
        return True


def validator_over(schema: FactsSchema) -> Validator:
    """The validator of a ruleset that asks for next to nothing."""
    question = {"question": "?", "source": "one", "values": {"v": "as_of"}}
    ruleset, faults = Written(as_json({**HEAD, "decisions": {"d": question}}), schema.document).check()
    assert ruleset is not None, faults
    return Validator(ruleset)


# The official suite.


@cache
def _suite_validator(document: str) -> Validator:
    schema, faults = schema_of(document, "suite.schema.json", "suite")
    assert schema is not None, faults
    return validator_over(schema)


@pytest.mark.parametrize(("schema", "value", "is_valid", "told"), suite_cases())
def test_the_validator_over_the_official_suite(schema: FactsSchema, value: Any, is_valid: bool, told: str) -> None:
    validator = _suite_validator(schema.document)
    facts = {"it": _with_floats(value)}
    if validator.says_yes(facts):
        assert validator.is_right_to(facts)
    if told not in OURS and value is not None and _concerns(schema, value):
        assert validator.is_right_to(facts) == is_valid


def _concerns(schema: FactsSchema, value: Any) -> bool:
    """Whether the value has the type that we added, and lies within the bounds that we added."""
    part = json.loads(schema.document)["properties"]["it"]
    added = {"type": part["type"], **NEEDED.get(part["type"], {})}
    return bool(Draft202012Validator(json.loads(as_json(added))).is_valid(_with_floats(value)))


def _with_floats(value: Any) -> Any:
    """As `json.loads` reads it."""
    match value:
        case Decimal():
            return float(value)
        case dict():
            return {name: _with_floats(part) for name, part in value.items()}
        case list():
            return [_with_floats(part) for part in value]
    return value


def test_the_suite_is_there() -> None:
    assert len(suite_cases()) > 250


# Generated facts for the shipped schemas, whole and broken.


class Word(StrEnum):
    """A text that is more than a text."""

    A = "a"
    DAY = "2025-01-01"


class Whole(IntEnum):
    """An integer that is more than an integer."""

    ONE = 1


class Letters(str):
    """A text of a caller's own type."""


ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.5, 5.0, 0.1 + 0.2, -0.0, 1e-7, 1e308, 2**53 + 1, 2**64, 10**30, -(10**400),
    float("nan"), float("inf"), float("-inf"), Decimal("1.5"), Decimal(2), Decimal("NaN"), Decimal("1E+30"), Decimal("0.1"),
    "", "x", "a\ud800", "\udfff", "yes", "true", "1", b"x", "a\n", "\u00e9", "e\u0301", "2025-02-30", "2025-2-3", "2025-02-28\n",
    "0000-01-01", "9999-12-31", "0001-01-01", "20250228", "2025-W01-1", " 2025-01-01", "\u0662\u0660\u0662\u0665-01-01",
    "2025-01-01T00:00:00", "2025-01-01T00:00:00Z", "2025-01-01t00:00:00z", "2025-01-01 00:00:00Z", "2025-01-01T24:00:00Z",
    "2025-01-01T23:59:60Z", "2025-02-30T00:00:00Z", "2025-01-01T00:00:00+24:00", "0001-01-01T00:00:00+23:59",
    "2025-01-01T00:00:00.1234567Z", "2025-01-01T00:00Z", "9999-12-31T23:59:59-23:59", date(2025, 1, 1),
    datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC).replace(tzinfo=None), (), (1, 2), ("a",), [], ["a"],
    ["a", "a"], [None], [[]], {}, {"a": None}, {"a": 1}, {1: 2}, {None: 1}, set(), ..., Word.A, Word.DAY, Whole.ONE,
    Letters("x"), Letters("2025-01-01"), OrderedDict(a=1), MappingProxyType({"a": 1}), range(3), 1j,
)  # fmt: skip
"""What callers may put where something else belongs."""


@st.composite
def broken(draw: st.DrawFn, facts: Any) -> Any:
    """Facts with one to three parts replaced, added or taken away."""
    choices = Choices(draw)
    for _ in range(choices.between(1, 3)):
        facts = _broken(choices, facts)
    return facts


def _broken(choices: Choices, value: Any) -> Any:
    """A value broken somewhere within."""
    if isinstance(value, dict) and value and choices.chance(75):
        return _broken_member(choices, value)
    if isinstance(value, list) and value and choices.chance(75):
        at = choices.between(0, len(value) - 1)
        return [*value[:at], _broken(choices, value[at]), *value[at + 1 :]]
    if isinstance(value, list) and choices.chance(30):
        return tuple(value) if choices.chance(50) else [*value, *value]
    return choices.one_of(ODD)


def _broken_member(choices: Choices, value: dict[Any, Any]) -> Any:
    name = choices.one_of(list(value))
    how = choices.between(0, 9)
    if how == 9:
        return {key: part for key, part in value.items() if key != name}
    if how == 8:
        return {**value, choices.one_of(("other", "", 1, None, "\ud800", Letters(str(name)))): choices.one_of(ODD)}
    return {**value, name: _broken(choices, value[name])}


@cache
def _shipped() -> list[Validator]:
    engine = shipped()
    return [Validator(ruleset) for ruleset in engine.rulebook.rulesets]


@st.composite
def shipped_facts(draw: st.DrawFn) -> tuple[Validator, Any]:
    """Facts for a shipped ruleset, three of four times broken."""
    choices = Choices(draw)
    validator = choices.one_of(_shipped())
    schema = without_references(json.loads(validator.ruleset.facts.document, parse_float=Decimal))
    facts = draw(facts_for(schema))
    return validator, draw(broken(facts)) if choices.chance(75) else facts


@given(shipped_facts())
@settings(
    max_examples=3_000,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_the_validator_over_facts_whole_and_broken(asked: tuple[Validator, Any]) -> None:
    validator, facts = asked
    if validator.says_yes(facts):
        assert validator.is_right_to(facts)


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize(
    "validator", _shipped(), ids=lambda validator: f"{validator.ruleset.id} {validator.ruleset.version}"
)
def test_the_validator_over_what_are_no_facts(validator: Validator, value: Any) -> None:
    if validator.says_yes(value):
        assert validator.is_right_to(value)


DATE_TEXT = {"type": "string", "format": "date"}
TENTHS = {"type": "number", "multipleOf": Decimal("0.1"), "minimum": 0, "maximum": 9}
MUCH = Decimal("9999999999999999.99")
EVERY_KIND = {
    "flag": {"type": "boolean"},
    "whole": {"type": "integer", "minimum": -(10**17), "maximum": 10**17},
    "few": {"type": "integer", "enum": [1, 2, 30]},
    "amount": {"type": "number", "multipleOf": Decimal("0.01"), "minimum": -1000, "maximum": MUCH},
    "fine": {"type": "number", "multipleOf": Decimal("0.00001"), "minimum": 0, "exclusiveMaximum": 10},
    "word": {"type": "string", "minLength": 1, "maxLength": 3},
    "form": {"type": "string", "pattern": "^a.[bé]$"},
    "kind": {"type": "string", "enum": ["a", "é", ""]},
    "day": DATE_TEXT,
    "moment": {"type": "string", "format": "date-time"},
    "days": {"type": "array", "items": DATE_TEXT, "maxItems": 4},
    "deep": {"type": "array", "maxItems": 3, "items": {"type": "array", "items": DATE_TEXT, "maxItems": 3}},
    "record": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"at": {"type": "string", "format": "date-time"}},
    },
}
SINGLE = {"once": {"type": "array", "uniqueItems": True, "items": TENTHS}}


@cache
def _gate_of_every_kind() -> Validator:
    document = {"type": "object", "additionalProperties": False, "properties": {**EVERY_KIND, **SINGLE}, "required": []}
    return _suite_validator(as_json(document))


@cache
def _gate_of_kinds_with_nulls() -> Validator:
    document = {"type": "object", "additionalProperties": False, "properties": EVERY_KIND, "required": ["flag"]}
    return _suite_validator(as_json(document))


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("name", [*EVERY_KIND, *SINGLE])
def test_the_validator_over_every_kind_of_fact(name: str, value: Any) -> None:
    for validator in (_gate_of_every_kind(), _gate_of_kinds_with_nulls()):
        for part in (value, [value], [[value], []], {"at": value}, [value, value]):
            facts = {"flag": True, name: part}
            if validator.says_yes(facts):
                assert validator.is_right_to(facts)
