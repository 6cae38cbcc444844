"""Our side, and nothing else that knows how the columnar back end and the report are called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from benchmarks.tables.by_polars import Form
from benchmarks.tables.words import AS_OF
from policy_engine import Engine
from policy_engine.backends.columnar import prepare
from policy_engine.backends.columnar import program as program_module
from policy_engine.backends.columnar.dtypes import ROW, schema_of
from policy_engine.backends.columnar.validation import fitted

ROOT = Path(__file__).resolve().parent.parent.parent
Decide = Callable[[pl.DataFrame, Form], pl.DataFrame]
"""Decides canonical accounts."""
Validate = Callable[[pl.DataFrame], object]


def load_engine() -> Engine:
    """The rulebook."""
    return Engine.load(ROOT / "rules", ROOT / "schemas")


def canonical(engine: Engine, ruleset: str, accounts: pl.DataFrame) -> pl.DataFrame:
    """Valid accounts in the columns that our programs take."""
    schema = schema_of(engine.ruleset(ruleset, AS_OF).facts.type)
    numbered = accounts.with_row_index(ROW, offset=1)
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in numbered.columns]
    return numbered.with_columns(absent).select(*schema).cast(pl.Schema(schema))


PARTS = {
    "outcomes": ("status", "outcome"),
    "reasons": ("status", "outcome", "rule", "reason"),
    "complete": program_module.PARTS,
}
"""What each form asks for."""


def program(engine: Engine, ruleset: str, decisions: Sequence[str] | None = None) -> Decide:
    """What decides canonical accounts: all of a ruleset, or some decisions."""
    rules = engine.ruleset(ruleset, AS_OF)
    prepared = prepare(rules, {}, AS_OF)
    return lambda facts, form: prepared.decide(facts, PARTS[form], decisions)


def validation(engine: Engine, ruleset: str) -> Validate:
    """What judges accounts as they come, in columns."""
    facts = engine.ruleset(ruleset, AS_OF).facts
    return lambda accounts: fitted(accounts.with_row_index(ROW, offset=1), facts).fits.sum()


def decisions_alone(ruleset: str, source: Path, folder: Path) -> list[str]:
    """The arguments of a process that judges and decides a table and writes its two files."""
    return ["benchmarks.tables.reporting", "decisions", ruleset, str(source), str(folder)]


def whole_report(ruleset: str, source: Path, folder: Path) -> list[str]:
    """The same for a whole report with its page, near misses, samples and manifest."""
    return ["benchmarks.tables.reporting", "report", ruleset, str(source), str(folder)]
