"""(C14) A reference means in the types what it means to each validator, or it is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from policy_engine import Engine, FactsError
from policy_engine.facts.fast_validator import validator_of, validator_of_member
from policy_engine.facts.violations import violations_of
from policy_engine.frontend.schemas import schema_of
from policy_engine.language.types import ListOf, Record, Type
from policy_engine.tables.row_validation import validated_frame
from tests.conftest import lay_out

DAY = date(2025, 6, 1)
DIGIT = {"type": "integer", "minimum": 0, "maximum": 9}
INNER = {"type": "object", "additionalProperties": False, "properties": {"b": DIGIT, "items": DIGIT}}


class Case(NamedTuple):
    """A reference of the fact `x`, which always leads to a digit, and the schema around it."""

    reference: str
    definitions: Mapping[str, Any] = {}
    top: Mapping[str, Any] = {}

    def document(self, beside: Mapping[str, Any] | None = None) -> str:
        """The schema."""
        return json.dumps(
            {
                **self.top,
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "x": {"$ref": self.reference, **(beside or {})},
                    "y": DIGIT,
                    "list": {"type": "array", "maxItems": 3, "items": DIGIT},
                    "z": {"type": "integer", "minimum": 0, "maximum": 1},
                },
                "$defs": {"other": {"type": "boolean"}, **self.definitions},
            },
        )


LEADS: Mapping[str, Case] = {
    "a definition": Case("#/$defs/a", {"a": DIGIT}),
    "a blank, encoded": Case("#/$defs/a%20b", {"a b": DIGIT}),
    "a letter, encoded": Case("#/$defs/%41", {"A": DIGIT}),
    "the dollar, encoded": Case("#/%24defs/a", {"a": DIGIT}),
    "letters of another language": Case("#/$defs/gr%C3%B6%C3%9Fe", {"größe": DIGIT}),
    "a percent sign": Case("#/$defs/a%25zz", {"a%zz": DIGIT}),
    "a slash": Case("#/$defs/a~1b", {"a/b": DIGIT}),
    "a tilde": Case("#/$defs/a~0b", {"a~b": DIGIT}),
    "a tilde before 1": Case("#/$defs/a~01b", {"a~1b": DIGIT}),
    "a tilde, encoded": Case("#/$defs/a%7E1b", {"a/b": DIGIT}),
    "a slash, encoded, is a step": Case("#/$defs/a/properties%2Fb", {"a": INNER}),
    "a number": Case("#/$defs/0", {"0": DIGIT}),
    "no name": Case("#/$defs/", {"": DIGIT}),
    "signs of an address": Case("#/$defs/a?b+c=d", {"a?b+c=d": DIGIT}),
    "a member of a definition": Case("#/$defs/a/properties/b", {"a": INNER}),
    "a member called items": Case("#/$defs/a/properties/items", {"a": INNER}),
    "the elements of a definition": Case("#/$defs/a/items", {"a": {"type": "array", "items": DIGIT}}),
    "a property": Case("#/properties/y"),
    "the elements of a property": Case("#/properties/list/items"),
    "a reference to a reference": Case("#/$defs/a", {"a": {"$ref": "#/$defs/b%20c"}, "b c": DIGIT}),
    "an address that libraries join": Case("#/$defs/a", {"a": DIGIT}, {"$id": "https://example.com/a/b.json"}),
    "an address of another kind": Case("#/$defs/a", {"a": DIGIT}, {"$id": "urn:example:order"}),
    "an address that is none to some": Case("#/$defs/a", {"a": DIGIT}, {"$id": "%"}),
    "an address with a fragment": Case("#/$defs/a", {"a": DIGIT}, {"$id": "https://example.com/b#c"}),
    "our draft": Case("#/$defs/a", {"a": DIGIT}, {"$schema": "https://json-schema.org/draft/2020-12/schema"}),
}
REFUSED: Mapping[str, Case] = {
    "a blank": Case("#/$defs/a b", {"a b": DIGIT}),
    "a letter that addresses do not have": Case("#/$defs/größe", {"größe": DIGIT}),
    "no character": Case("#/$defs/a%ffb", {"a\ufffdb": DIGIT}),
    "no encoding": Case("#/$defs/a%zz", {"a%zz": DIGIT}),
    "a tilde that escapes nothing": Case("#/$defs/a~2b", {"a~2b": DIGIT}),
    "a name that is encoded there": Case("#/$defs/a%20b", {"a%20b": DIGIT}),
    "a slash within a name": Case("#/$defs/a%2Fb", {"a/b": DIGIT}),
    "an anchor": Case("#a", {"a": DIGIT}),
    "what is no schema": Case("#/$defs"),
    "a value of an enum": Case("#/$defs/a/enum/0", {"a": {"type": "string", "enum": ["b"]}}),
    "a keyword": Case("#/properties/y/minimum"),
    "an element that there is not": Case("#/properties/list/items/0"),
    "another file": Case("other.json#/$defs/a", {"a": DIGIT}),
    "nothing": Case(""),
    "all of it": Case("#"),
    "itself": Case("#/properties/x"),
    "another draft": Case("#/$defs/a", {"a": DIGIT}, {"$schema": "http://json-schema.org/draft-07/schema#"}),
}


@pytest.mark.parametrize("name", LEADS)
def test_c14_a_reference_means_the_same_to_types_and_validators(name: str, tmp_path: Path) -> None:
    document = LEADS[name].document()
    facts, faults = schema_of(document, "facts.schema.json", "facts")
    assert facts is not None, faults
    assert facts.type.members[0].type == facts.type.members[1].type
    for value, is_valid in ((9, True), (10, False), ("a", False)):
        assert validator_of(document)({"x": value}) == is_valid
        assert validator_of_member(document, "x")(value) == is_valid
        assert (not violations_of({"x": value}, facts)) == is_valid
        assert (validated_frame(pl.DataFrame({"(row)": [1], "x": [value]}), facts).valid.height == 1) == is_valid
    _decides(document, tmp_path)


def _decides(document: str, folder: Path) -> None:
    rules = 'ruleset: r\ntitle: R\nversion: "1"\neffective: {from: 2025-01-01}\ntimezone: UTC\nfacts: facts\n'
    decisions = "decisions: {d: {question: Q, values: {v: x + 1}}}\n"
    lay_out({"rules/r.yaml": rules + decisions, "schemas/facts.schema.json": document}, folder)
    engine = Engine.load(folder / "rules", folder / "schemas")
    assert engine.decide("r.d", {"x": 8}, as_of=DAY).values == {"v": 9}
    with pytest.raises(FactsError):
        engine.decide("r.d", {"x": 10}, as_of=DAY)


@pytest.mark.parametrize("name", REFUSED)
def test_c14_any_other_reference_is_refused(name: str) -> None:
    facts, faults = schema_of(REFUSED[name].document(), "facts.schema.json", "facts")
    assert facts is None
    assert {fault.code for fault in faults} <= {"schema-reference", "schema-recursive", "schema-invalid"}


def test_c14_a_fact_that_may_be_null_lends_that_to_no_other() -> None:
    """A null is taken out of the facts, so `x` and the element refer to a number and to no null."""
    properties = {
        "x": {"$ref": "#/properties/y"},
        "y": DIGIT,
        "list": {"type": "array", "maxItems": 3, "items": {"$ref": "#/properties/y"}},
    }
    document = json.dumps({**_object(properties), "required": ["x"]})
    assert schema_of(document, "facts.schema.json", "facts")[1] == []
    passes = validator_of(document)
    assert passes({"x": 1, "y": None, "list": [1]})
    assert not passes({"x": None, "y": 1})
    assert not passes({"x": 1, "list": [None]})


BESIDE: Mapping[str, tuple[Mapping[str, Any], bool]] = {
    "an annotation": ({"title": "T", "description": "D", "x-sensitive": True, "x-key": True}, True),
    "the same type": ({"type": "integer"}, True),
    "another type": ({"type": "string"}, False),
    "a keyword of the type": ({"maximum": 3}, False),
    "a list of values": ({"enum": [1]}, False),
}


@pytest.mark.parametrize("name", BESIDE)
def test_c14_beside_a_reference_stands_nothing_that_changes_it(name: str) -> None:
    beside, is_fine = BESIDE[name]
    document = LEADS["a definition"].document(beside)
    facts, _ = schema_of(document, "facts.schema.json", "facts")
    assert (facts is not None) == is_fine
    assert not is_fine or (validator_of(document)({"x": 9}) and not validator_of(document)({"x": 10}))


def test_c14_what_is_said_where_a_reference_leads_holds() -> None:
    definitions = {
        "days": {
            "type": "array",
            "description": "All days",
            "x-ordered-by": "on",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["on"],
                "properties": {"on": {"type": "string", "format": "date"}},
            },
        }
    }
    facts, faults = schema_of(Case("#/$defs/days", definitions).document(), "facts.schema.json", "facts")
    assert facts is not None, faults
    assert (facts.type.members[0].ordered_by, facts.type.members[0].description) == ("on", "All days")


def test_c14_a_list_behind_a_reference_is_read_in_its_order(tmp_path: Path) -> None:
    on = {"type": "object", "additionalProperties": False, "required": ["n"], "properties": {"n": DIGIT}}
    ordered = {"type": "array", "maxItems": 3, "x-ordered-by": "n", "items": on}
    rules = 'ruleset: r\ntitle: R\nversion: "1"\neffective: {from: 2025-01-01}\ntimezone: UTC\nfacts: facts\n'
    decisions = "decisions: {d: {question: Q, values: {v: first(e.n for e in x)}}}\n"
    document = Case("#/$defs/ordered", {"ordered": ordered}).document()
    lay_out({"rules/r.yaml": rules + decisions, "schemas/facts.schema.json": document}, tmp_path)
    engine = Engine.load(tmp_path / "rules", tmp_path / "schemas")
    assert engine.decide("r.d", {"x": [{"n": 3}, {"n": 1}]}, as_of=DAY).values == {"v": 1}


def test_c14_records_know_their_place_wherever_they_are_referred_to_from() -> None:
    inner = {"type": "object", "additionalProperties": False, "properties": {"n": DIGIT}}
    outer = {"type": "object", "additionalProperties": False, "properties": {"in": {"$ref": "#/$defs/inner"}}}
    outer["properties"] = {"inside": {"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/inner"}}}
    definitions = {"inner": inner, "outer": outer}
    facts, faults = schema_of(Case("#/$defs/outer", definitions).document(), "facts.schema.json", "facts")
    assert facts is not None, faults
    assert _record(facts.type.members[0].type).path == "x"
    assert _record(_record(facts.type.members[0].type).members[0].type).path == "x.inside"


def _record(kind: Type) -> Record:
    found = kind.element if isinstance(kind, ListOf) else kind
    assert isinstance(found, Record)
    return found


def _object(members: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": dict(members)}


def _directly(count: int) -> Mapping[str, Any]:
    return _object({f"m{number}": {"type": "boolean"} for number in range(count)})


def _by_references(count: int) -> Mapping[str, Any]:
    """As many members, in objects of 99 that stand behind one reference each."""
    hundreds = {f"h{number}": {"$ref": "#/$defs/hundred"} for number in range(count // 100)}
    return {**_object(hundreds), "$defs": {"hundred": _directly(99)}}


@pytest.mark.parametrize("write", [_directly, _by_references])
@pytest.mark.parametrize(("count", "is_fine"), [(10_000, True), (10_100, False), (12_000, False)])
def test_c15_members_are_counted_however_they_are_written(write: Any, count: int, is_fine: bool) -> None:
    facts, faults = schema_of(json.dumps(write(count)), "facts.schema.json", "facts")
    assert (facts is not None) == is_fine
    assert [fault.code for fault in faults] == ([] if is_fine else ["schema-too-big"])


def test_c14_a_character_in_two_halves_is_read() -> None:
    document = json.dumps({**_object({"x": {"type": "boolean", "description": "\U0001f600 \\ud83d"}})})
    facts, faults = schema_of(document, "facts.schema.json", "facts")
    assert facts is not None, faults
    assert facts.type.members[0].description == "\U0001f600 \\ud83d"


@pytest.mark.parametrize("count", [9, 100, 2_000])
@pytest.mark.parametrize("is_nested", [False, True])
def test_c14_references_one_behind_another_have_an_end(count: int, is_nested: bool) -> None:
    definitions: dict[str, Any] = {f"d{count}": DIGIT}
    for number in range(count):
        link = {"$ref": f"#/$defs/d{number + 1}"}
        definitions[f"d{number}"] = _object({"a": link}) if is_nested else link
    facts, faults = schema_of(Case("#/$defs/d0", definitions).document(), "facts.schema.json", "facts")
    assert facts is None
    assert {fault.code for fault in faults} == {"yaml-too-deep"}
