"""Judging in columns says what the rule of facts says: of which rows are valid, and of everything wrong with the others."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.backends.columnar.dtypes import ROW, schema_of
from policy_engine.backends.columnar.validation import fitted
from policy_engine.errors import FactsError
from policy_engine.frontend.facts_files import read_lines
from policy_engine.frontend.schemas import read_schema
from policy_engine.frontend.schemas import schema_of as schema_from
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Date, Instant, ListOf, Number, Record, Type
from policy_engine.reports.tables.invalid import SCHEMA
from policy_engine.reports.tables.judge import judged
from policy_engine.reports.tables.json_columns import in_json_types
from policy_engine.semantics.facts import valid_facts
from policy_engine.semantics.formats import read_date, read_instant
from policy_engine.semantics.plain import to_json_types
from tests.conftest import ROOT
from tests.support.generated_frames import frames_for, narrow_schemas

Json = Any
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def facts_schema(document: str) -> FactsSchema:
    """The schema of a JSON text that has no fault."""
    schema, faults = schema_from(document, "t.schema.json", "t")
    assert schema is not None, faults
    return schema


def one_fact(part: Json) -> FactsSchema:
    """The schema of a record whose only fact is `it`."""
    document = {"type": "object", "additionalProperties": False, "properties": {"it": part}, "required": []}
    return facts_schema(json.dumps(document))


def canonical(value: Json, kind: Type) -> Any:
    """A valid value as it lies in a canonical column."""
    match kind:
        case Number(places=places):
            return int(Decimal(str(value)).scaleb(places))
        case Date():
            return read_date(value)
        case Instant():
            return (read_instant(value) - EPOCH) // timedelta(microseconds=1)
        case ListOf(element=element):
            return [canonical(item, element) for item in value]
        case Record(members=members):
            return {m.name: canonical(value[m.name], m.type) if m.name in value else None for m in members}
    return value


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
    found = judged(frame, facts)
    assert dict(found.valid.schema) == dict(schema_of(facts.type))
    assert found.invalid.schema == SCHEMA
    assert [(row[ROW], row["violations"]) for row in found.invalid.to_dicts()] == invalid
    plain = {name: _in_microseconds(dtype) for name, dtype in found.valid.schema.items()}
    assert found.valid.cast(plain).to_dicts() == valid
    sure = fitted(frame, facts)
    assert set(frame[ROW].filter(sure.fits)) <= {row[ROW] for row in valid}


def _in_microseconds(dtype: Any) -> Any:
    """The type with integers for moments, of which Python cannot say all in UTC."""
    match dtype:
        case pl.Datetime():
            return pl.Int64()
        case pl.List():
            return pl.List(_in_microseconds(dtype.inner))
        case pl.Struct():
            return pl.Struct({field.name: _in_microseconds(field.dtype) for field in dtype.fields})
    return dtype


@st.composite
def cases(draw: st.DrawFn) -> tuple[pl.DataFrame, FactsSchema]:
    """A schema of every keyword and a frame for it."""
    document = draw(narrow_schemas())
    return draw(frames_for(document)), facts_schema(document)


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
