"""Tables for the columnar back end from facts as callers give them, and its answers in the form of all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from policy_engine.backends.columnar import ColumnarProgram
from policy_engine.backends.columnar.dtypes import ROW, schema_of
from policy_engine.backends.columnar.program import HOLDS
from policy_engine.facts.plain import to_json_types
from policy_engine.language.date_texts import read_date, read_instant
from policy_engine.language.rulesets import DecisionLogic, Ruleset
from policy_engine.language.types import Date, Instant, ListOf, Number, Record, Type
from policy_engine.language.values import instant_text_of, to_json
from policy_engine.tables.json_types import in_microseconds

Answer = Mapping[str, Mapping[str, Any]]
"""For each decision its status, outcome, rules, values and missing facts, in JSON types."""


def table_of(facts: Sequence[Any], ruleset: Ruleset) -> pl.DataFrame:
    """Valid facts as the columns that a program takes."""
    rows = [
        {ROW: number, **_members(to_json_types(item)[0], ruleset.facts.type)} for number, item in enumerate(facts, 1)
    ]
    return pl.DataFrame(rows, schema=dict(schema_of(ruleset.facts.type)), orient="row")


def _members(record: Any, kind: Record) -> dict[str, Any]:
    return {member.name: _cell(record.get(member.name), member.type) for member in kind.members}


def _cell(value: Any, kind: Type) -> Any:
    if value is None:
        return None
    match kind:
        case Number(places=places):
            return int(Fraction(value) * 10**places)
        case Date():
            return read_date(value)
        case Instant():
            return read_instant(value)
        case ListOf(element=element):
            return [_cell(item, element) for item in value]
        case Record():
            return _members(value, kind)
    return value


def answers_of(program: ColumnarProgram, table: pl.DataFrame) -> list[Answer]:
    """What the program says of each row."""
    return _answers(program, program.decide(table))


def reported(program: ColumnarProgram, table: pl.DataFrame) -> Mapping[int, Answer]:
    """What a report says of each row of which no check is false, by the row's number; margins are worked out beside it."""
    facts = table.lazy()
    if program.checks:
        facts = program.checked(facts).collect(engine="streaming").filter(HOLDS).lazy()
    told = program.told(facts, margins=True).collect(engine="streaming")
    return dict(zip(told[ROW].to_list(), _answers(program, told), strict=True))


def _answers(program: ColumnarProgram, told: pl.DataFrame) -> list[Answer]:
    decisions = program.ruleset.decisions
    told = told.select(program.names())
    told = told.cast({name: in_microseconds(kind) for name, kind in told.schema.items()})  # Python has no year 10000
    return [{logic.name: _answer(logic, row) for logic in decisions} for row in told.iter_rows(named=True)]


def _answer(logic: DecisionLogic, row: Mapping[str, Any]) -> dict[str, Any]:
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
            return to_json(Decimal(value).scaleb(-places))
        case int(), Instant():
            return instant_text_of(value)
    return to_json(value)
