"""Facts: every violation with its pointer, value, words and the schema's own; nulls removed; lists put in order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from policy_engine.errors import FactsError, Violation
from policy_engine.facts.plain import to_json_types
from policy_engine.facts.validation import valid_facts
from policy_engine.frontend.schemas import schema_of
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.values import RecordValue
from tests.support.time_limit import within_two_seconds

DAY = "a date such as 2025-02-28"
INSTANT = "an instant with its offset such as 2025-02-28T09:30:00-05:00"


def closed(properties: Mapping[str, Any], required: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """An object that takes nothing else."""
    shape = {
        "type": "object",
        "additionalProperties": False,
        "properties": dict(properties),
        "required": list(required),
    }
    return shape | more


ENTRY = closed({"since": {"type": "string", "format": "date"}, "note": {"type": "string"}}, ("since",))
SCHEMA = closed(
    {
        "id": {"type": "string", "minLength": 2, "maxLength": 4, "description": "The name of the account."},
        "n": {"type": "integer", "minimum": 1, "maximum": 9, "description": "A count."},
        "strict": {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 9},
        "even": {"type": "integer", "minimum": 0, "maximum": 100, "multipleOf": 2},
        "price": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1000},
        "flag": {"type": "boolean"},
        "place": {"type": "string", "enum": ["here", "there"]},
        "always": {"type": "string", "const": "so"},
        "agreed": {"type": "boolean", "const": True},
        "paused": {"type": "boolean", "const": False},
        "code": {"type": "string", "pattern": "^[A-Z]{2}$"},
        "day": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2, "uniqueItems": True},
        "history": {"type": "array", "items": ENTRY, "x-ordered-by": "since"},
        "below": closed({"deep": closed({"flag": {"type": "boolean"}}, ("flag",))}),
    }
)


def schema(document: Mapping[str, Any] = SCHEMA) -> FactsSchema:
    """The schema as the engine reads it."""
    facts, faults = schema_of(json.dumps(document), "facts.schema.json", "facts")
    assert facts is not None, faults
    return facts


FACTS_SCHEMA = schema()


def violations(facts: Any) -> tuple[Violation, ...]:
    """Every way in which the facts are invalid."""
    with pytest.raises(FactsError) as caught:
        valid_facts(facts, FACTS_SCHEMA)
    return caught.value.violations


def valid(facts: Mapping[str, Any]) -> RecordValue:
    """The facts as values."""
    return valid_facts(facts, FACTS_SCHEMA)


def wrong(pointer: str, value: object, keyword: str, expected: str, shown: str, description: str = "") -> Violation:
    """A violation whose message says that the value is not what was expected."""
    return Violation(pointer, value, keyword, expected, f"{shown} is not {expected}", description)


def absent(pointer: str, name: str) -> Violation:
    """A violation that a required member is not there."""
    return Violation(pointer, None, "required", f"a value for `{name}`", f"`{name}` is missing")


COUNT, NAME = "A count.", "The name of the account."
ABC = ["a", "b", "c"]
ONE_VIOLATION: tuple[tuple[dict[str, Any], Violation], ...] = (
    ({"n": "5"}, wrong("/n", "5", "type", "a whole number", '"5"', COUNT)),
    ({"n": 5.5}, wrong("/n", 5.5, "type", "a whole number", "5.5", COUNT)),
    ({"n": True}, wrong("/n", True, "type", "a whole number", "true", COUNT)),
    ({"n": 0}, wrong("/n", 0, "minimum", "1 or more", "0", COUNT)),
    ({"n": 10}, wrong("/n", 10, "maximum", "9 or less", "10", COUNT)),
    ({"strict": 1}, wrong("/strict", 1, "exclusiveMinimum", "more than 1", "1")),
    ({"strict": 9}, wrong("/strict", 9, "exclusiveMaximum", "less than 9", "9")),
    ({"even": 3}, wrong("/even", 3, "multipleOf", "a multiple of 2", "3")),
    ({"price": 1.005}, wrong("/price", 1.005, "multipleOf", "a multiple of 0.01", "1.005")),
    ({"flag": 1}, wrong("/flag", 1, "type", "true or false", "1")),
    ({"place": "H"}, Violation("/place", "H", "enum", "one of here, there", '"H" is none of here, there')),
    ({"always": "not"}, wrong("/always", "not", "const", "so", '"not"')),
    ({"agreed": False}, wrong("/agreed", False, "const", "true", "false")),
    ({"paused": True}, wrong("/paused", True, "const", "false", "true")),
    ({"id": "a"}, wrong("/id", "a", "minLength", "a text of at least 2 characters", '"a"', NAME)),
    ({"id": "abcde"}, wrong("/id", "abcde", "maxLength", "a text of at most 4 characters", '"abcde"', NAME)),
    ({"code": "ab"}, wrong("/code", "ab", "pattern", "a text that matches ^[A-Z]{2}$", '"ab"')),
    ({"day": "2025-2-1"}, wrong("/day", "2025-2-1", "format", DAY, '"2025-2-1"')),
    ({"at": "2025-02-01"}, wrong("/at", "2025-02-01", "format", INSTANT, '"2025-02-01"')),
    ({"tags": []}, wrong("/tags", [], "minItems", "a list of at least 1 items", "[]")),
    ({"tags": ABC}, wrong("/tags", ABC, "maxItems", "a list of at most 2 items", '["a", "b", "c"]')),
    ({"tags": ["a", "a"]}, wrong("/tags", ["a", "a"], "uniqueItems", "a list without repetition", '["a", "a"]')),
    ({"tags": "a"}, wrong("/tags", "a", "type", "a list", '"a"')),
    ({"tags": ["a", None]}, wrong("/tags/1", None, "type", "a text", "null")),
    ({"history": [{}]}, absent("/history/0", "since")),
    ({"below": {"deep": {}}}, absent("/below/deep", "flag")),
    ({"below": {"deep": {"flag": None}}}, absent("/below/deep", "flag")),
    ({"below": []}, wrong("/below", [], "type", "an object", "[]")),
)


def cases() -> list[Any]:
    """The violations."""
    return [pytest.param(facts, expected, id=json.dumps(facts)) for facts, expected in ONE_VIOLATION]


@pytest.mark.parametrize(("facts", "expected"), cases())
def test_a_violation_says_all(facts: dict[str, Any], expected: Violation) -> None:
    assert violations(facts) == (expected,)


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    (found,) = violations({"m": 1})
    assert (found.pointer, found.keyword, found.message) == ("", "additionalProperties", "there is no fact `m`")
    assert found.expected.startswith("one of id, n, strict")


def test_all_violations_at_once_in_order_of_place() -> None:
    entries = [{"since": "2025-01-01"}] * 11
    entries[2] = entries[10] = {"since": "x"}
    found = violations({"n": 0, "m/n~": 1, "history": entries, "day": "x"})
    assert [v.pointer for v in found] == ["", "/day", "/history/2/since", "/history/10/since", "/n"]


def test_pointers_are_escaped() -> None:
    (found,) = violations({"a/b~c": float("nan")})
    assert found.pointer == "/a~1b~0c"


def test_a_violation_is_json() -> None:
    for facts, _ in ONE_VIOLATION:
        for violation in violations(facts):
            assert json.loads(json.dumps(violation.to_dict())) == violation.to_dict()


GOOD_DAYS = ["0001-01-01", "9999-12-31", "2024-02-29", "2000-02-29"]
BAD_DAYS = [
    "2025-02-29", "1900-02-29", "2025-02-30", "2025-13-01", "2025-00-01", "2025-01-00", "0000-01-01", "10000-01-01",
    "2025-1-1", "20250101", "2025-W01-1", "2025-001", " 2025-01-01", "2025-01-01 ", "2025-01-01\n", "2025/01/01",
    "\uff12\uff10\uff12\uff15-01-01", "\u0662\u0660\u0662\u0665-01-01", "2025-01-01T00:00:00Z",
    "today", "now", "", "-2025-01-01", "+2025-01-01",
]  # fmt: skip
GOOD_INSTANTS = [
    "2025-01-01T00:00:00Z", "2025-01-01t00:00:00z", "2025-01-01T23:59:59.999999Z", "2025-01-01T00:00:00.1+05:30",
    "2025-01-01T00:00:00-23:59", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2025-01-01T00:00:00-00:00",
]  # fmt: skip
BAD_INSTANTS = [
    "2025-01-01T00:00:00", "2025-01-01 00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01T23:59:60Z", "2025-01-01T00:60:00Z",
    "2025-01-01T00:00:00.1234567Z", "2025-01-01T00:00:00.Z", "2025-01-01T00:00Z", "2025-01-01T00:00:00+24:00",
    "2025-01-01T00:00:00+05:60", "2025-01-01T00:00:00+0530", "2025-01-01T00:00:00+05", "2025-02-30T00:00:00Z",
    "2025-01-01T00:00:00Z\n", "2025-01-01T\u06600:00:00Z", "now", "",
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD_DAYS)
def test_days_that_are(text: str) -> None:
    assert valid({"day": text}).members["day"] == date.fromisoformat(text)


@pytest.mark.parametrize("text", GOOD_INSTANTS)
def test_instants_that_are(text: str) -> None:
    moment = valid({"at": text}).members["at"]
    assert isinstance(moment, datetime)
    assert moment.tzinfo is not None


@pytest.mark.parametrize(("name", "text"), [*(("day", t) for t in BAD_DAYS), *(("at", t) for t in BAD_INSTANTS)])
def test_dates_and_instants_that_are_none(name: str, text: str) -> None:
    assert [(v.pointer, v.keyword) for v in violations({name: text})] == [(f"/{name}", "format")]


@pytest.mark.parametrize("text", ["AB\n", "AB\r", "ab", "ABC", "\nAB", "ÄB"])
def test_a_pattern_means_the_same_everywhere(text: str) -> None:
    assert [v.keyword for v in violations({"code": text})] == ["pattern"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity")])
def test_numbers_that_are_none(value: Any) -> None:
    (found,) = violations({"price": value})
    assert (found.pointer, found.keyword) == ("/price", "type")


def test_a_signalling_nan_is_none() -> None:
    assert violations({"price": Decimal("sNaN")})


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", 1j, range(3)])
def test_what_no_json_could_say(value: Any) -> None:
    (found,) = violations({"n": value})
    assert (found.pointer, found.keyword) == ("/n", "type")
    assert "is not a JSON value; give " in found.message


def test_half_a_character_is_no_text() -> None:
    (found,) = violations({"id": "a\ud800"})
    assert found.pointer == "/id"
    found.message.encode()
    json.dumps(found.to_dict()).encode()


def test_names_are_texts() -> None:
    (found,) = violations({1: 2})
    assert (found.pointer, found.expected) == ("", "names that are texts")


@pytest.mark.parametrize("facts", [None, [], "x", 5, [("n", 1)]])
def test_facts_are_an_object(facts: Any) -> None:
    (found,) = violations(facts)
    assert (found.pointer, found.expected) == ("", "an object")


def test_nulls_are_removed_at_every_depth() -> None:
    given = {
        "n": None,
        "below": {"deep": {"flag": True, "x": None}, "y": None},
        "history": [{"since": "2025-01-01", "note": None}],
    }
    plain, unfit = to_json_types(given)
    assert unfit == []
    assert plain == {"below": {"deep": {"flag": True}}, "history": [{"since": "2025-01-01"}]}
    record = valid(given)
    assert set(record.members) == {"below", "history"}


def test_a_null_in_a_list_is_an_element() -> None:
    assert to_json_types({"tags": [None]}) == ({"tags": [None]}, [])


def test_an_absent_member_is_not_there() -> None:
    assert valid({"below": {}}).members == {"below": RecordValue("below", {})}


def test_a_list_is_put_in_order_stably() -> None:
    days = ["2025-03-01", "2025-01-01", "2025-03-01", "2025-01-01", "2025-02-01"]
    history = [{"since": day, "note": str(i)} for i, day in enumerate(days)]
    entries = valid({"history": history}).members["history"]
    assert isinstance(entries, tuple)
    assert [entry.members["note"] for entry in entries if isinstance(entry, RecordValue)] == ["1", "3", "4", "0", "2"]
    assert [entry["since"] for entry in history] == days


def test_numbers_are_settled_to_their_places() -> None:
    members = valid({"price": 5, "n": 5.0}).members
    assert (str(members["price"]), repr(members["n"])) == ("5.00", "5")
    assert str(valid({"price": 0.1}).members["price"]) == "0.10"
    assert valid({"price": Decimal("1E+2")}).members["price"] == Decimal("100.00")


def test_python_dates_become_their_texts() -> None:
    plain, _ = to_json_types({"day": date(2025, 1, 2), "at": datetime(2025, 1, 2, 3, tzinfo=UTC), "tags": ("a",)})
    assert plain == {"day": "2025-01-02", "at": "2025-01-02T03:00:00+00:00", "tags": ["a"]}


def test_an_instant_without_an_offset_is_none() -> None:
    naive = datetime(2025, 1, 2, 3, tzinfo=UTC).replace(tzinfo=None)
    assert [v.keyword for v in violations({"at": naive})] == ["format"]


def test_a_deep_value_is_a_violation_and_no_exception() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert violations({"n": deep})


@pytest.mark.parametrize("value", [10**4000, Decimal("1E+9999"), Decimal("1E-9999"), 1e308])
def test_a_huge_number_is_a_violation_and_no_exception(value: Any) -> None:
    assert violations({"n": value})
    assert violations({"price": value})


def test_an_integer_of_five_thousand_digits_is_a_violation_and_no_exception() -> None:
    assert violations({"n": 10**5000})


@pytest.mark.parametrize("value", [Decimal("1E+999999"), Decimal("1E-999999")])
def test_a_number_of_a_million_digits_is_refused_at_once(value: Decimal) -> None:
    with within_two_seconds():
        assert violations({"n": value})
        assert violations({"price": value})
