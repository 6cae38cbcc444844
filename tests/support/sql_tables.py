"""Facts as an Arrow table in the column types that queries ask for, and results of queries as answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from policy_engine.backends.columnar.rows import answer_of
from policy_engine.backends.columnar.times import in_microseconds
from policy_engine.backends.contract import Answer
from policy_engine.language.date_texts import read_date, read_instant, read_time
from policy_engine.language.rounding import decimal_of
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.specialize import units
from policy_engine.language.types import (
    Boolean,
    Date,
    Instant,
    ListOf,
    Number,
    Record,
    Text,
    Time,
    Type,
)
from policy_engine.language.values import EPOCH, MICROSECOND

ROW = "(row)"


def arrow_type(kind: Type) -> Any:
    """The Arrow type of a fact."""
    match kind:
        case Number(places=places):
            return pa.decimal128(18, places) if places else pa.int64()
        case ListOf(element=element):
            return pa.list_(arrow_type(element))
        case Record(members=members):
            return pa.struct([(member.name, arrow_type(member.type)) for member in members])
    return PLAIN[type(kind)]


PLAIN: Mapping[type, Any] = {
    Boolean: pa.bool_(),
    Text: pa.string(),
    Date: pa.date32(),
    Instant: pa.timestamp("us", "UTC"),
    Time: pa.time64("us"),
}


def cell(value: Any, kind: Type) -> Any:
    """A fact in JSON types as Arrow takes it."""
    if value is None:
        return None
    match kind:
        case Number(places=places):
            return decimal_of(units(value, kind), places) if places else int(value)
        case Date():
            return read_date(value)
        case Instant(zone=zone):
            return (read_instant(value, zone) - EPOCH) // MICROSECOND
        case Time():
            return read_time(value)
        case ListOf(element=element):
            return [cell(item, element) for item in value]
        case Record(members=members):
            return {member.name: cell(value.get(member.name), member.type) for member in members}
    return value


def arrow_table(ruleset: Ruleset, facts: Sequence[Any]) -> Any:
    """Valid facts in JSON types as a table whose first column counts the rows."""
    columns = {ROW: pa.array(range(len(facts)), pa.int64())}
    for member in ruleset.facts.type.members:
        values = [cell(each.get(member.name), member.type) for each in facts]
        columns[member.name] = pa.array(values, arrow_type(member.type))
    return pa.table(columns)


def answers_of(ruleset: Ruleset, result: Any) -> list[Answer]:
    """The answers that an Arrow table holds, in the order of the rows."""
    frame = pl.DataFrame(pl.from_arrow(result)).sort(ROW)
    frame = frame.cast({name: in_microseconds(dtype) for name, dtype in frame.schema.items()})
    return [{logic.name: answer_of(logic, row) for logic in ruleset.decisions} for row in frame.iter_rows(named=True)]
