"""No plan of columns asks Polars to hold a whole table: every expression goes with the streaming engine."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from policy_engine.backends.columnar import prepare
from policy_engine.backends.columnar.dtypes import schema_of
from policy_engine.backends.columnar.validation import column_validation
from policy_engine.language.rulesets import Ruleset
from policy_engine.tables import csv_tables
from policy_engine.tables.cells import CellStyle
from policy_engine.tables.csv_tables import CellReader
from policy_engine.tables.mapping import TableMapping
from policy_engine.tables.number_forms import NumberForm
from tests.support.rulebook import shipped

DAY = date(2025, 6, 30)
FALLBACK = 'fillcolor="0.0 0.3 1.0"'
"""How Polars paints a node of a query that is left to the engine that holds a whole table."""


RULESETS = shipped().rulebook.rulesets
each_ruleset = pytest.mark.parametrize("ruleset", RULESETS, ids=lambda ruleset: f"{ruleset.id} {ruleset.version}")


def held(table: pl.LazyFrame) -> list[str]:
    """The nodes of a query for which the streaming engine would hold a whole table."""
    drawn = table.show_graph(engine="streaming", plan_stage="physical", raw_output=True)
    assert drawn is not None
    return [line for line in drawn.splitlines() if FALLBACK in line and "label=<" not in line]


def test_what_is_held_is_seen() -> None:
    column = pl.LazyFrame(schema={"a": pl.String}).select(pl.col("a").replace({"x": "y"}))
    assert len(held(column)) == 1


@each_ruleset
def test_a_ruleset_streams(ruleset: Ruleset) -> None:
    schema = schema_of(ruleset.facts.type)
    facts = pl.LazyFrame(schema=schema)
    program = prepare(ruleset, {}, DAY, margins=True)
    checked = program.checked(facts) if program.checks else facts
    assert held(program.answered(checked, margins=True)) == []
    assert held(column_validation(ruleset.facts, schema).validated(facts)) == []


@each_ruleset
def test_cells_are_validated_as_they_stream(ruleset: Ruleset) -> None:
    names = [member.name for member in ruleset.facts.type.members]
    style = CellStyle(values={"ja": "yes", "nein": "no"}, numbers=NumberForm(",", "."), shift=-2)
    mapping = TableMapping(styles=dict.fromkeys(names, style))
    reader = CellReader(ruleset.facts, mapping, {name: name for name in names})
    cells = pl.LazyFrame(schema={**csv_tables.OWN, **dict.fromkeys(names, pl.String())})
    assert held(reader.validation().validated(cells)) == []
