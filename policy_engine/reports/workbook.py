"""A report as an Excel workbook: a sheet with the counts, and two for each ruleset, its decisions and its invalid rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from policy_engine.errors import CannotRun
from policy_engine.reports.exports import flattened
from policy_engine.reports.jobs import Job
from policy_engine.reports.totals import ReportTotals

MOST_ROWS, MOST_COLUMNS = 1_048_575, 16_384
"""Rows of an Excel sheet below its header, and its columns."""
LONGEST_CELL = 32_767
"""Characters of a cell of Excel, those beyond the first 65,536 of Unicode counted twice."""
CUT = " [cut]"
"""Ends the text of a cell that was cut."""
LONGEST_NAME = 31
FORBIDDEN = re.compile(r"[\[\]:*?/\\]|^'|'$")
"""What the name of a sheet must not hold."""
WORKBOOK = "report.xlsx"
SUMMARY = "summary"
RESERVED = ("history",)
"""Names that Excel keeps for itself."""


@dataclass(slots=True)
class Workbook:
    """A workbook that is being written: the format of headers, the names of its sheets, and the number of cells cut in each."""

    book: Any
    bold: Any
    names: list[str] = field(default_factory=list)
    cut: Counter[str] = field(default_factory=Counter)

    def sheet(self, name: str, header: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Add a sheet; raises `CannotRun` where it has too many columns."""
        if len(header) > MOST_COLUMNS:
            raise CannotRun(
                f"an Excel sheet has {MOST_COLUMNS:,} columns, and `{name}` {len(header):,}; ask for --format csv"
            )
        self.names.append(name)
        sheet = self.book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(header) - 1, 22)
        for column, title in enumerate(header):
            sheet.write_string(0, column, title, self.bold)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                if isinstance(value, int):
                    sheet.write_number(number, column, value)
                elif value is not None:
                    sheet.write_string(number, column, self._fitting(name, value))

    def _fitting(self, name: str, text: str) -> str:
        """A text that a cell can hold; one that is cut ends in `CUT`, and is counted."""
        if 2 * len(text) <= LONGEST_CELL or len(units := text.encode("utf-16-le")) // 2 <= LONGEST_CELL:
            return text
        self.cut[name] += 1
        return units[: 2 * (LONGEST_CELL - len(CUT))].decode("utf-16-le", "ignore") + CUT

    def notes(self) -> tuple[str, ...]:
        """The notes about the workbook."""
        return tuple(
            f"{WORKBOOK}: {count:,} cell{'s' * (count != 1)} of the sheet `{name}` "
            f"{'have' if count != 1 else 'has'} more than {LONGEST_CELL:,} characters, and {'are' if count != 1 else 'is'} cut; "
            "the Parquet files hold all"
            for name, count in self.cut.items()
        )


def sheet_name(ruleset: str, what: str, taken: Sequence[str]) -> str:
    """A name of a sheet that Excel allows, and that no other has in any case of letters."""
    others = {name.lower() for name in (*taken, *RESERVED)}
    clean = FORBIDDEN.sub("_", ruleset)
    endings = ["", *(f"~{number}" for number in range(2, len(taken) + 3))]
    names = (f"{clean[: LONGEST_NAME - len(ending) - len(what) - 1]}{ending} {what}" for ending in endings)
    return next(name for name in names if name.lower() not in others)


def write_workbook(folder: Path, jobs: Sequence[Job], totals: ReportTotals) -> tuple[str, ...]:
    """Write the workbook, and give notes about it; raises `CannotRun` where a table has too many rows."""
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
        made = Workbook(book, book.add_format({"bold": True}))
        made.sheet(SUMMARY, ("ruleset", "decision", "what", "which", "rows"), _counts(totals))
        for job in jobs:
            place = folder / job.ruleset.id if len(jobs) > 1 else folder
            for what in ("decisions", "invalid"):
                title = what if len(jobs) == 1 else sheet_name(job.ruleset.id, what, made.names)
                made.sheet(title, *_table(place / f"{what}.parquet"))
    return made.notes()


def _table(path: Path) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """The header and the rows of a table: texts, but for the number of the row."""
    flat = flattened(pl.scan_parquet(path, glob=False)).select(pl.all().cast(pl.String))
    numbered = flat.with_columns(pl.col("row").cast(pl.Int64))
    rows = (row for piece in numbered.collect_batches(maintain_order=True) for row in piece.iter_rows())
    return flat.collect_schema().names(), rows


def _counts(totals: ReportTotals) -> Iterator[tuple[Any, ...]]:
    for one in totals.rulesets:
        for what in ("rows", "valid", "invalid", "undetermined"):
            yield one.ruleset, "", what, "", getattr(one, what)
        for decision in one.decisions:
            for what in ("statuses", "outcomes", "reasons"):
                for name, count in getattr(decision, what).items():
                    yield one.ruleset, decision.decision, what, name, count
