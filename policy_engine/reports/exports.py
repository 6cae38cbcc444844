"""Decisions in other forms, on request: CSV, JSON Lines, and an Excel workbook."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from policy_engine.errors import CannotRun
from policy_engine.reports.jobs import Job
from policy_engine.reports.totals import ReportTotals

MOST_ROWS = 1_048_575
"""Rows of an Excel sheet below its header."""
WORKBOOK = "report.xlsx"


def write(form: str, folder: Path, jobs: Sequence[Job], totals: ReportTotals) -> None:
    """Write one form of every table; raises `CannotRun`."""
    if form == "xlsx":
        _workbook(folder, jobs, totals)
        return
    for path in sorted(folder.rglob("*.parquet")):
        FORMS[form](pl.scan_parquet(path, glob=False), path.with_suffix(f".{form}"))


def _csv(table: pl.LazyFrame, path: Path) -> None:
    """One line a row; a list's parts are joined by semicolons, violations are their messages."""
    table.with_columns(_flat(table.collect_schema())).sink_csv(path)


def _flat(schema: pl.Schema) -> Iterator[pl.Expr]:
    for name, dtype in schema.items():
        column = pl.col(name)
        if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
            message = (
                pl.element().struct.field("message") if name == "violations" else pl.element().struct.json_encode()
            )
            yield column.list.eval(message).list.join("; ")
        elif isinstance(dtype, pl.List):
            yield column.list.eval(pl.element().cast(pl.String)).list.join("; ")
        elif isinstance(dtype, pl.Struct):
            yield column.struct.json_encode()


def _lines(table: pl.LazyFrame, path: Path) -> None:
    """One JSON object a line; decimals as text, so that every reader gets them exactly."""
    schema = table.collect_schema()
    exact = [pl.col(name).cast(pl.String) for name, dtype in schema.items() if isinstance(dtype, pl.Decimal)]
    table.with_columns(exact).sink_ndjson(path)


FORMS: Mapping[str, Callable[[pl.LazyFrame, Path], None]] = MappingProxyType({"csv": _csv, "jsonl": _lines})


def _workbook(folder: Path, jobs: Sequence[Job], totals: ReportTotals) -> None:
    """A sheet with the counts, and two for each ruleset: its decisions and its invalid rows."""
    import xlsxwriter  # noqa: PLC0415 - imported on use

    most = max((one.rows for one in totals.rulesets), default=0)
    if most > MOST_ROWS:
        raise CannotRun(f"an Excel sheet holds {MOST_ROWS:,} rows, and this table has {most:,}; ask for --format csv")
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(folder / WORKBOOK), options) as book:
        day = totals.as_of
        book.set_properties({"title": "Rule report", "created": datetime(day.year, day.month, day.day)})  # noqa: DTZ001
        bold = book.add_format({"bold": True})
        _sheet(book, "summary", ("ruleset", "decision", "what", "which", "rows"), _counts(totals), bold)
        for job in jobs:
            place = folder / job.ruleset.id if len(jobs) > 1 else folder
            for name in ("decisions", "invalid"):
                table = pl.scan_parquet(place / f"{name}.parquet", glob=False)
                flat = table.with_columns(_flat(table.collect_schema())).select(pl.all().cast(pl.String))
                numbered = flat.with_columns(pl.col("row").cast(pl.Int64))
                rows = (row for piece in numbered.collect_batches(maintain_order=True) for row in piece.iter_rows())
                title = name if len(jobs) == 1 else f"{job.ruleset.id[:18]} {name}"
                _sheet(book, title, flat.collect_schema().names(), rows, bold)


def _sheet(book: Any, name: str, header: Sequence[str], rows: Iterator[tuple[Any, ...]], bold: Any) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(header) - 1, 22)
    for column, title in enumerate(header):
        sheet.write_string(0, column, title, bold)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(number, column, value)
            elif value is not None:
                sheet.write_string(number, column, value[:32_767])


def _counts(totals: ReportTotals) -> Iterator[tuple[Any, ...]]:
    for one in totals.rulesets:
        for what in ("rows", "valid", "invalid", "undetermined"):
            yield one.ruleset, "", what, "", getattr(one, what)
        for decision in one.decisions:
            for what in ("statuses", "outcomes", "reasons"):
                for name, count in getattr(decision, what).items():
                    yield one.ruleset, decision.decision, what, name, count
