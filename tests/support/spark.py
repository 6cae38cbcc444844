"""The SQL back end on Spark in local mode: one session for all tests of a process."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from policy_engine.backends.contract import Answers
from policy_engine.backends.sql.dialects.spark import Spark
from policy_engine.backends.sql.program import Query, prepare
from policy_engine.language.rulesets import Ruleset
from tests.support.sql_tables import ROW, answers_of, arrow_table

TABLE = "the facts"
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
"""What makes many small queries quick. None of it may change an answer."""


@cache
def session() -> Any:
    """The session; Java starts with it, and Python's workers are this Python."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[1]").appName("tests")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    started = builder.getOrCreate()
    started.sparkContext.setLogLevel("OFF")
    return started


def on_spark(ruleset: Ruleset, readings: Mapping[str, str], as_of: date) -> Answers:
    """See `backends.contract`."""
    query = prepare(ruleset, readings, as_of, Spark())
    text = query.text((TABLE,), keep=[ROW])

    def answers(facts: Any) -> Any:
        table = _with_texts_for_times(arrow_table(ruleset, facts))
        session().createDataFrame(table).createOrReplaceTempView(f"`{TABLE}`")
        return answers_of(query.ruleset, session().sql(text).toArrow())

    return answers


def violations_on_spark(query: Query, facts: Sequence[Any]) -> dict[int, list[str]]:
    """The violations of rows, by the number of the row."""
    text = query.written(query.invalid_tree((TABLE,), [ROW]))
    table = _with_texts_for_times(arrow_table(query.ruleset, facts))
    session().createDataFrame(table).createOrReplaceTempView(f"`{TABLE}`")
    return {row[ROW]: sorted(row["violations"]) for row in session().sql(text).toArrow().to_pylist()}


def _with_texts_for_times(table: Any) -> Any:
    """The table with its times of day as texts, at every depth."""
    columns = [
        pa.array([_text(cell) for cell in column.to_pylist()], _kind(column.type)) if _has_time(column.type) else column
        for column in table.columns
    ]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))


def _has_time(kind: Any) -> bool:
    return "time64" in str(kind)


def _kind(kind: Any) -> Any:
    if pa.types.is_time(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(_kind(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _kind(field.type)) for field in kind])
    return kind


def _text(cell: Any) -> Any:
    match cell:
        case list():
            return [_text(part) for part in cell]
        case dict():
            return {name: _text(part) for name, part in cell.items()}
    return cell.isoformat() if hasattr(cell, "hour") and not hasattr(cell, "year") else cell
