"""Reports over tables of Spark, and frames of Spark decided where they are: one session, in local mode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import Ruleset
from tests.support.database_tables import Facts, parquet_file
from tests.support.rulebook import shipped
from tests.support.spark import session
from tests.test_report_databases import DAY, facts_of, fetched, parts, refused, report

pytestmark = pytest.mark.filterwarnings(
    "ignore:PySpark does not yet fully support pandas:FutureWarning"
)  # which we use not
NAME = "email_suppression"
WRONG = {"account_id": "CL-00000", "actor": "somebody", "suppression_is_off": True}
"""A row of which one fact is none of its set."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Parquet file of a fixture with lists of records, and a row that is invalid."""
    path = tmp_path_factory.mktemp("spark") / "accounts.parquet"
    parquet_file(ruleset(), rows(), path)
    return path


def ruleset() -> Ruleset:
    """The ruleset that is asked."""
    return shipped().ruleset(NAME, DAY)


def rows() -> Facts:
    """Facts in the order of their keys."""
    return [WRONG, *facts_of(NAME)]


def test_a_report_over_a_table_of_spark_is_that_over_its_rows(file: Path, tmp_path: Path) -> None:
    assert report(NAME, str(file), tmp_path / "file", "--reasons").code == 0
    session().read.parquet(str(file)).orderBy("actor").repartition(3).createOrReplaceTempView("accounts")
    made = report(NAME, "spark:accounts", tmp_path / "spark", "--reasons")
    assert made.code == 0
    assert "decided here" not in made.err
    assert parts(tmp_path / "spark", "spark:accounts") == parts(tmp_path / "file", str(file))
    assert fetched(tmp_path / "spark")[0]["rows"] == len(rows())


QUERIES = {
    "spark:nothing": "[TABLE_OR_VIEW_NOT_FOUND] The table or view `nothing` cannot be found.",
    "spark:/nowhere/accounts.parquet": "[PATH_NOT_FOUND] Path does not exist: file:/nowhere/accounts.parquet.",
    "spark:?query=SELECT 1; SELECT 2": "[PARSE_SYNTAX_ERROR] Syntax error at or near ';'",
    "spark:?query=DROP VIEW victim": "[PARSE_SYNTAX_ERROR] Syntax error at or near",
    "spark:?query=SELECT 1 AS account_id": (
        "the column `account_id` is int, and the fact wants STRING; cast it in a query (`query=`), or in a view"
    ),
    "spark:?query=SELECT CAST(raise_error('no') AS STRING) AS account_id": "[USER_RAISED_EXCEPTION] no",
}


@pytest.mark.parametrize("table", QUERIES)
def test_what_spark_says_no_to_is_a_sentence(table: str, tmp_path: Path) -> None:
    session().range(1).createOrReplaceTempView("victim")
    assert refused(table, tmp_path, NAME).startswith(f"`{table}`: {QUERIES[table]}")
    assert session().catalog.tableExists("victim")


def test_a_frame_is_decided_where_it_is_as_one_of_polars(file: Path) -> None:
    frame = session().read.parquet(str(file)).repartition(3)
    found = shipped().decide_table(frame, NAME, as_of=DAY, reasons=True)
    here = shipped().decide_table(pl.read_parquet(file), NAME, as_of=DAY, reasons=True)
    for part in ("decisions", "invalid"):
        expected = getattr(here, part).drop("row").with_columns(pl.col(pl.Enum).cast(pl.String))
        assert collected(getattr(found, part), expected) == expected.to_dicts()
    assert found.decisions.columns[: len(frame.columns)] == frame.columns
    assert [row["account_id"] for row in found.invalid.collect()] == ["CL-00000"]


def collected(frame: Any, expected: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame of Spark, with the columns of another, by key."""
    key = "account_id" if "account_id" in expected.columns else "key"
    return pl.DataFrame(pl.from_arrow(frame.toArrow())).select(expected.columns).sort(key).to_dicts()


def test_a_frame_is_read_when_a_result_is(file: Path) -> None:
    from pyspark.errors import PySparkException  # noqa: PLC0415

    broken = session().sql("SELECT CAST(raise_error('read') AS STRING) AS account_id")
    found = shipped().decide_table(broken, NAME, as_of=DAY)
    with pytest.raises(PySparkException, match="read"):
        found.decisions.collect()


def test_a_frame_whose_columns_cannot_be_facts_is_refused_at_once() -> None:
    with pytest.raises(CannotRun, match="the column `account_id` is Int32, and the schema `sender` wants texts"):
        shipped().decide_table(session().sql("SELECT 1 AS account_id"), NAME, as_of=DAY)
