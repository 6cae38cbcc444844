"""Validation in columns says what the rule of facts says: of which rows are valid, and of everything wrong with the others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from math import inf, nextafter
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.backends.columnar import openings
from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.dtypes import schema_of as dtypes_of
from policy_engine.backends.columnar.validation import fitted
from policy_engine.documents.facts_files import read_lines
from policy_engine.errors import FactsError
from policy_engine.facts.plain import to_json_types
from policy_engine.facts.validation import valid_facts
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import decimal_places
from policy_engine.tables.json_types import in_json_types
from policy_engine.tables.row_validation import INVALID, validated_frame
from tests.conftest import ROOT
from tests.support.generated_frames import frames_for, narrow_schemas
from tests.support.json_schema_suite import suite_cases
from tests.support.tables import account, canonical, facts_of, messages, rows_of, schema_from, shipped_schema

Json = Any


def expected(frame: pl.DataFrame, facts: FactsSchema) -> tuple[list[Any], list[Any]]:
    """What the rule of facts says of each row: the valid ones, and the violations of the others."""
    valid, invalid = [], []
    for row in in_json_types(frame).to_dicts():
        number = row.pop(ROW)
        try:
            valid_facts(row, facts)
        except FactsError as error:
            told = [{**one.to_dict(), "value": json.dumps(one.value, ensure_ascii=False)} for one in error.violations]
            invalid.append((number, told))
        else:
            valid.append({ROW: number, **canonical(to_json_types(row)[0], facts.type)})
    return valid, invalid


def agree(frame: pl.DataFrame, facts: FactsSchema) -> None:
    """Columns never say yes to what is invalid, and both ways find the same."""
    valid, invalid = expected(frame, facts)
    found = validated_frame(frame, facts)
    assert dict(found.valid.schema) == dict(dtypes_of(facts.type))
    assert found.invalid.schema == INVALID
    assert [(row[ROW], row["violations"]) for row in found.invalid.to_dicts()] == invalid
    assert rows_of(found.valid) == valid
    sure = fitted(frame, facts)
    assert set(frame[ROW].filter(sure.fits)) <= {row[ROW] for row in valid}


@st.composite
def cases(draw: st.DrawFn, name: str = "account") -> tuple[pl.DataFrame, FactsSchema]:
    """A schema of every keyword and a frame for it."""
    document = draw(narrow_schemas())
    return draw(frames_for(document)), schema_from(document, name).in_zone("America/New_York")


@given(cases())
@settings(
    max_examples=600,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_columns_and_the_rule_of_facts_agree(case: tuple[pl.DataFrame, FactsSchema]) -> None:
    agree(*case)


@pytest.fixture
def every_record_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of any size are taken apart as large ones are, by plans for schemas of a name of their own."""
    monkeypatch.setattr(openings, "MANY", 0)


@given(cases("large"))
@settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
def test_c15_records_taken_apart_are_validated_alike(
    every_record_is_large: None, case: tuple[pl.DataFrame, FactsSchema]
) -> None:
    agree(*case)


def record_of(members: Mapping[str, Any]) -> dict[str, Any]:
    """An object with these members."""
    return {"type": "object", "additionalProperties": False, "required": [*members], "properties": dict(members)}


# By hand: what a column of some type says of one fact.

DAY, MOMENT = {"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}
CENTS = {"type": "number", "multipleOf": 0.01, "minimum": -100, "maximum": 100}
WHOLE = {"type": "integer", "minimum": 0, "maximum": 10**17}
NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)
COLUMNS: list[tuple[Json, list[Any], pl.DataType, list[Any]]] = [
    (WHOLE, [1, 2.5, -0.0, 1e17, 1e18, float("nan"), float("inf")], pl.Float64(), [1, "no", 0, 10**17, "no", "no", "no"]),
    (WHOLE, [1, 2**64 - 1], pl.UInt64(), [1, "no"]),
    (WHOLE, [1, 10**30], pl.Int128(), [1, "no"]),
    (WHOLE, [Decimal("7.00"), Decimal("7.01")], pl.Decimal(10, 2), [7, "no"]),
    (WHOLE, ["7"], pl.String(), ["no"]),
    (WHOLE, [True], pl.Boolean(), ["no"]),
    (CENTS, [0.07, 0.1 + 0.2, 12.34, 12.345, 100.01], pl.Float64(), [7, "no", 1234, "no", "no"]),
    (CENTS, [0.07, 12.34, 0.125], pl.Float32(), [7, 1234, "no"]),
    (CENTS, [Decimal("0.0700"), Decimal("0.0701")], pl.Decimal(38, 4), [7, "no"]),
    (CENTS, [Decimal("1.5"), Decimal("100.1")], pl.Decimal(38, 1), [150, "no"]),
    (CENTS, [5, -101], pl.Int8(), [500, "no"]),
    (CENTS, ["0.07"], pl.String(), ["no"]),
    (DAY, ["2025-02-28", "2025-02-30", "2025-2-28", "0000-01-01", ""], pl.String(), [date(2025, 2, 28), "no", "no", "no", "no"]),
    (DAY, ["2025-02-28"], pl.Categorical(), [date(2025, 2, 28)]),
    (DAY, [NOON], pl.Datetime("us", "UTC"), ["no"]),
    (MOMENT, [NOON], pl.Datetime("ms", "America/New_York"), [NOON]),
    (MOMENT, [NOON.replace(tzinfo=None)], pl.Datetime("us"), ["no"]),
    (MOMENT, [date(2025, 1, 1)], pl.Date(), ["no"]),
    (MOMENT, ["2025-06-30t08:00:00.0-04:00", "2025-06-30T12:00:60Z", "2025-06-30T12:00:00"], pl.String(), [NOON, "no", "no"]),
    ({"type": "boolean"}, [True], pl.Boolean(), [True]),
    ({"type": "boolean"}, ["true"], pl.String(), ["no"]),
    ({"type": "string"}, ["", "é"], pl.Enum(["", "é"]), ["", "é"]),
    ({"type": "string", "maxLength": 1}, ["é", "e\u0301", "ab"], pl.String(), ["é", "no", "no"]),
    ({"type": "string", "pattern": "a$"}, ["a", "a\n"], pl.String(), ["a", "no"]),
    ({"type": "array", "items": WHOLE}, [[1], [], [None]], pl.List(pl.Int8()), [[1], [], "no"]),
    ({"type": "array", "items": WHOLE}, [[1, 2]], pl.Array(pl.Int64(), 2), [[1, 2]]),
    ({"type": "array", "items": WHOLE}, [[]], pl.List(pl.Null()), [[]]),
    ({"type": "array", "items": CENTS, "uniqueItems": True}, [[1.0, 1.5], [1.5, 1.5]], pl.List(pl.Float64()), [[100, 150], "no"]),
    (DAY, [None], pl.Null(), [None]),
]  # fmt: skip


@pytest.mark.parametrize(("part", "values", "dtype", "found"), COLUMNS)
def test_what_a_column_says_of_a_fact(part: Json, values: list[Any], dtype: pl.DataType, found: list[Any]) -> None:
    facts = facts_of({"it": part})
    frame = pl.DataFrame({"it": pl.Series(values, dtype=dtype, strict=False)}).with_row_index(ROW, offset=1)
    agree(frame, facts)
    valid = dict(validated_frame(frame, facts).valid.rows())
    assert [valid.get(row, "no") for row in range(1, len(values) + 1)] == found


def test_a_list_with_more_values_than_facts_may_have() -> None:
    facts = facts_of({"it": {"type": "array", "items": WHOLE}})
    frame = pl.DataFrame({ROW: pl.Series([1, 2], dtype=pl.UInt32), "it": [[1] * 100_001, [1] * 40_000]})
    agree(frame, facts)
    assert messages(validated_frame(frame, facts)) == ["1 None / type: there are more than 100000 values"]


@pytest.mark.parametrize("places", range(7))
def test_floats_are_read_by_their_shortest_form(places: int) -> None:
    """Of a float beside the one that a decimal stands for the columns never say yes; of that one they always do."""
    chance = Random(places)
    units = [*range(-300, 300), *(chance.randrange(10**14) for _ in range(3_000))]
    exact = [float(Decimal(unit).scaleb(-places)) for unit in units]
    beside = [nextafter(value, side) for value in exact for side in (-inf, inf)]
    limit = 10 ** (17 - places)
    part = {"type": "number", "multipleOf": float(f"1e-{places}"), "minimum": -limit, "maximum": limit}
    facts = facts_of({"it": part if places else {**WHOLE, "minimum": -limit}})
    found = fitted(pl.DataFrame({"it": exact}).with_row_index(ROW, offset=1), facts)
    assert found.frame["it"].to_list() == units
    assert found.fits.all()
    sure = fitted(pl.DataFrame({"it": beside}).with_row_index(ROW, offset=1), facts).fits
    shortest = [decimal_places(Decimal(repr(value)).normalize()) <= places for value in beside]
    assert not any(yes and not right for yes, right in zip(sure, shortest, strict=True))


def test_records_that_lack_lists_of_instants() -> None:
    """Polars must not be asked to choose between records with such lists."""
    entry = {"type": "object", "additionalProperties": False, "properties": {"at": MOMENT}, "required": []}
    members = {"day": DAY, "at": MOMENT, "entries": {"type": "array", "items": entry}}
    record = {"type": "object", "additionalProperties": False, "properties": members, "required": []}
    naive = NOON.replace(tzinfo=None)
    frame = pl.DataFrame({"it": [None, {"at": naive}, {"at": naive}]}).with_row_index(ROW, offset=1)
    agree(frame, facts_of({"it": record}))


def test_nanoseconds_are_too_fine() -> None:
    moments = pl.Series([1_000, 1_001]).cast(pl.Datetime("ns", "UTC"))
    frame = pl.DataFrame({"it": moments}).with_row_index(ROW, offset=1)
    assert messages(validated_frame(frame, facts_of({"it": MOMENT}))) == [
        '2 None /it format: "1970-01-01T00:00:00.000001001Z" is not an instant with its offset such as '
        "2025-02-28T09:30:00-05:00"
    ]


def test_every_violation_in_the_order_of_the_rule() -> None:
    rows = [
        {"account_id": "much too long", "plan": "gold", "seats": -1, "amount": 0.005, "tags": ["a"] * 4, "since": "soon",
         "other": 1},
        {"account_id": "B", "plan": None, "seats": 1001, "amount": float("nan"), "tags": [None], "since": "2025-02-29",
         "other": None},
        {"account_id": "C", "plan": None, "seats": 1001, "amount": 1.0, "tags": [], "since": "2025-02-29",
         "other": None},
        {"account_id": None, "plan": "pro", "seats": None, "amount": 1e3, "tags": None, "since": None, "other": None},
    ]  # fmt: skip
    frame = pl.DataFrame(rows).with_row_index(ROW, offset=1)
    agree(frame, account())
    assert messages(validated_frame(frame, account())) == [
        "1 much too long / additionalProperties: there is no fact `other`",
        '1 much too long /account_id maxLength: "much too long" is not a text of at most 8 characters',
        "1 much too long /amount multipleOf: 0.005 is not a multiple of 0.01",
        '1 much too long /plan enum: "gold" is none of basic, pro',
        "1 much too long /seats minimum: -1 is not 0 or more",
        '1 much too long /since format: "soon" is not a date such as 2025-02-28',
        '1 much too long /tags maxItems: ["a", "a", "a", "a"] is not a list of at most 3 items',
        "2 B /amount type: NaN and infinities are not numbers",
        "3 C / required: `plan` is missing",
        "3 C /seats maximum: 1001 is not 1000 or less",
        '3 C /since format: "2025-02-29" is not a date such as 2025-02-28',
    ]


@pytest.mark.parametrize(("facts", "value", "_valid", "_told"), suite_cases())
def test_the_official_suite(facts: FactsSchema, value: Any, _valid: bool, _told: str) -> None:
    """Each value of the suite that a column can hold, beside one that is absent."""
    try:
        column = pl.Series("it", [value, None])
        held = column.to_list() == [value, None]
    except (TypeError, OverflowError, RuntimeError, pl.exceptions.PolarsError):
        held = False
    if held:
        agree(pl.DataFrame([column]).with_row_index(ROW, offset=1), facts)


FIXTURES = sorted((ROOT / "fixtures").glob("*.jsonl"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_fixtures(path: Path) -> None:
    """Records of the same columns and types are validated together."""
    facts = shipped_schema(schema_for(path))
    groups: dict[str, list[pl.DataFrame]] = {}
    for line in read_lines(path):
        if isinstance(line.facts, dict):
            frame = pl.DataFrame([line.facts], infer_schema_length=None)
            groups.setdefault(str(frame.schema), []).append(frame)
    for frames in groups.values():
        agree(pl.concat(frames).with_row_index(ROW, offset=1), facts)


def schema_for(path: Path) -> str:
    """The schema most of whose facts the records of a fixture have."""
    lines = [line.facts for line in read_lines(path) if isinstance(line.facts, dict)]
    names = {name for facts in lines for name in facts}
    schemas = [found.name.removesuffix(".schema.json") for found in sorted((ROOT / "schemas").glob("*.json"))]
    others = ("authzen", "decision", "ruleset", "ruleset_library", "ruleset_test")
    return max((name for name in schemas if name not in others), key=lambda name: _likeness(names, name))


def _likeness(names: set[str], schema: str) -> float:
    known = {member.name for member in shipped_schema(schema).type.members}
    return len(names & known) / len(names | known)
