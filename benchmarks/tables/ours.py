"""Our side, and nothing else that knows how the columnar back end and the report are called.

What is not there yet is None, and is left out of the measurements.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.tables.by_polars import Form
from benchmarks.tables.words import AS_OF
from policy_engine import Engine
from policy_engine.backends.columnar.dtypes import ROW, schema_of
from policy_engine.backends.columnar.program import prepare
from policy_engine.engine import chosen

ROOT = Path(__file__).resolve().parent.parent.parent
Decide = Callable[[pl.DataFrame, Form], pl.DataFrame]
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


def program(engine: Engine, ruleset: str) -> Decide:
    """What decides canonical accounts. It gives every column, whatever form is asked for."""
    rules = engine.ruleset(ruleset, AS_OF)
    prepared = prepare(rules, chosen(rules, {}), AS_OF)
    return lambda facts, form: prepared.decide(facts)


def validation(engine: Engine, ruleset: str) -> Validate | None:
    """What judges accounts as they come, in columns."""
    return None


REPORT: Any = None
"""The arguments of a process that makes a report without HTML: (ruleset, source, folder) -> list of arguments of Python."""
REPORT_WITH_HTML: Any = None
"""The same with report.html."""
