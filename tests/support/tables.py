"""What the tests of tables share: small schemas, and running a source to its end as a report does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.dtypes import schema_of as columns_of
from policy_engine.backends.columnar.times import in_microseconds
from policy_engine.frontend.schemas import read_schema, schema_of
from policy_engine.language.date_texts import read_date, read_instant, read_time
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Date, Instant, ListOf, Number, Record, Time, Type
from policy_engine.tables import Source, Validated, reading
from policy_engine.tables.row_validation import INVALID
from tests.conftest import ROOT

Json = Any
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ACCOUNT = {
    "account_id": {"type": "string", "minLength": 1, "maxLength": 8, "x-key": True},
    "plan": {"type": "string", "enum": ["basic", "pro"], "description": "What is paid for."},
    "seats": {"type": "integer", "minimum": 0, "maximum": 1000},
    "amount": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1000},
    "since": {"type": "string", "format": "date"},
    "seen_at": {"type": "string", "format": "date-time"},
    "active": {"type": "boolean"},
    "tags": {"type": "array", "maxItems": 3, "items": {"type": "string"}},
}


@cache
def schema_from(document: str, name: str = "t") -> FactsSchema:
    """The schema of a JSON text that has no fault."""
    schema, faults = schema_of(document, f"{name}.schema.json", name)
    assert schema is not None, faults
    return schema


def facts_of(properties: Json, required: tuple[str, ...] = (), name: str = "account") -> FactsSchema:
    """The schema of a record with these properties."""
    document = {"type": "object", "additionalProperties": False, "properties": properties, "required": required}
    return schema_from(json.dumps(document), name)


def account() -> FactsSchema:
    """A schema with a fact of every kind; the plan is required."""
    return facts_of(ACCOUNT, ("plan",))


@cache
def shipped_schema(name: str) -> FactsSchema:
    """A schema of this project."""
    schema, faults = read_schema(ROOT / "schemas" / f"{name}.schema.json", name)
    assert schema is not None, faults
    return schema


def run(source: Source) -> Validated:
    """All rows of a source, validated piece by piece on Polars' streaming engine."""
    invalid = []

    def step(piece: pl.DataFrame) -> pl.DataFrame:
        found = source.validate(piece)
        invalid.append(found.invalid)
        return found.valid

    schema = columns_of(source.facts.type)
    with reading(source):
        valid = source.frame.map_batches(step, streamable=True, schema=dict(schema)).collect(engine="streaming")
    return Validated(valid.sort(ROW), pl.concat([INVALID.to_frame(), *invalid]).sort(ROW))


def messages(found: Validated) -> list[str]:
    """What is wrong with the invalid rows, one violation a line."""
    return [
        f"{row[ROW]} {row['key']} {told['pointer'] or '/'} {told['keyword']}: {told['message']}"
        for row in found.invalid.to_dicts()
        for told in row["violations"]
    ]


def canonical(value: Json, kind: Type) -> Any:
    """A valid value as it lies in a canonical column."""
    match kind:
        case Number(places=places):
            return int(Decimal(str(value)).scaleb(places))
        case Date():
            return read_date(value)
        case Instant():
            return (read_instant(value, kind.zone) - EPOCH) // timedelta(microseconds=1)
        case Time():
            return read_time(value)
        case ListOf(element=element):
            return [canonical(item, element) for item in value]
        case Record(members=members):
            return {m.name: canonical(value[m.name], m.type) if m.name in value else None for m in members}
    return value


def rows_of(valid: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows of a canonical frame, with integers for moments."""
    plain = [pl.col(name).cast(in_microseconds(dtype)) for name, dtype in valid.schema.items()]
    return valid.select(plain).to_dicts()
