"""The columnar back end over facts in JSON types: they become a table, and its answers become JSON types again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW, schema_of
from policy_engine.backends.columnar.program import ColumnarProgram, prepare
from policy_engine.backends.columnar.times import in_microseconds
from policy_engine.backends.contract import Answer, Answers
from policy_engine.language.date_texts import read_date, read_instant, read_time
from policy_engine.language.rounding import decimal_of
from policy_engine.language.rulesets import DecisionLogic, Ruleset
from policy_engine.language.specialize import units
from policy_engine.language.types import Date, Instant, ListOf, Number, Record, Time, Type
from policy_engine.language.values import instant_text_of, to_json


def back_end(ruleset: Ruleset, readings: Mapping[str, str], as_of: date) -> Answers:
    """See `backends.contract`."""
    program = prepare(ruleset, readings, as_of)
    return lambda facts: answers_of(program, program.decide(table_of(facts, ruleset)))


def table_of(facts: Sequence[Any], ruleset: Ruleset) -> pl.DataFrame:
    """Valid facts in JSON types as the columns that a program takes."""
    kind = ruleset.facts.type
    rows = [{ROW: number, **_members(each, kind)} for number, each in enumerate(facts, 1)]
    return pl.DataFrame(rows, schema=dict(schema_of(kind)), orient="row")


def _members(record: Any, kind: Record) -> dict[str, Any]:
    return {member.name: _cell(record.get(member.name), member.type) for member in kind.members}


def _cell(value: Any, kind: Type) -> Any:
    if value is None:
        return None
    match kind:
        case Number():
            return units(value, kind)
        case Date():
            return read_date(value)
        case Instant(zone=zone):
            return read_instant(value, zone)
        case Time():
            return read_time(value)
        case ListOf(element=element):
            return [_cell(item, element) for item in value]
        case Record():
            return _members(value, kind)
    return value


def answers_of(program: ColumnarProgram, decided: pl.DataFrame) -> list[Answer]:
    """The answers of each row of a table that a program has decided."""
    columns = decided.select(program.names())
    columns = columns.cast({name: in_microseconds(dtype) for name, dtype in columns.schema.items()})
    decisions = program.ruleset.decisions
    return [{logic.name: answer_of(logic, row) for logic in decisions} for row in columns.iter_rows(named=True)]


def answer_of(logic: DecisionLogic, row: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of a decision in JSON types, from its columns."""
    rule = row.get(f"{logic.name}.rule")
    values = {name: _shown(row[f"{logic.name}.values.{name}"], kind) for name, kind in logic.answer_types}
    return {
        "status": row[f"{logic.name}.status"],
        "outcome": row.get(f"{logic.name}.outcome"),
        "rules": rule if isinstance(rule, list) else [rule] if rule is not None else [],
        "values": values,
        "missing": row[f"{logic.name}.missing"] or [],
    }


def _shown(value: Any, kind: Type) -> object:
    match value, kind:
        case list(), ListOf(element=element):
            return [_shown(part, element) for part in value]
        case dict(), Record(members=members):
            shown = {member.name: _shown(value[member.name], member.type) for member in members}
            return {name: part for name, part in shown.items() if part is not None}
        case int(), Number(places=places) if places:
            return to_json(decimal_of(value, places))
        case int(), Instant():
            return instant_text_of(value)
    return to_json(value)
