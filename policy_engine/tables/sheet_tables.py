"""Sheets of Excel workbooks as sources: cells are read as those of CSV files are, and told by their place in the sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.validation import ColumnValidation
from policy_engine.errors import Violation
from policy_engine.facts.plain import Json
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Date, Text, member_of
from policy_engine.tables.cells import NUMBER, OF_ABSENT
from policy_engine.tables.column_faults import warnings_of
from policy_engine.tables.csv_tables import CellReader, columns_of_facts, source_of_cells
from policy_engine.tables.file_options import FileOptions
from policy_engine.tables.mapping import NOTHING, TableMapping
from policy_engine.tables.row_validation import Row
from policy_engine.tables.sheet_cells import writer
from policy_engine.tables.sheet_errors import NO_VALUE, letters_of
from policy_engine.tables.sheets import open_sheet
from policy_engine.tables.source import Progress, Source

ERRORS = (
    *("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!", "#CALC!"),
    *("#BLOCKED!", "#BUSY!", "#CONNECT!", "#EXTERNAL!", "#FIELD!", "#PYTHON!", "#UNKNOWN!", NO_VALUE),
)
"""What Excel shows where it has no value."""
UNSAVED = "the formula has no value; open the workbook in Excel, which works it out, and save it"
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+")


def sheet_source(
    path: Path, facts: FactsSchema, mapping: TableMapping = NOTHING, options: FileOptions | None = None
) -> Source:
    """A sheet of a workbook; raises `CannotRun`."""
    sheet = open_sheet(path, options or FileOptions())
    where = f"`{path}`"
    columns = columns_of_facts(where, list(sheet.header), mapping)
    reader = SheetReader(facts, mapping, columns, places=sheet.header)
    writes = {column: writer(member_of(facts.type, name), reader.style(name)) for name, column in columns.items()}
    progress = Progress(sheet.rows, "rows")

    def frames() -> Iterator[pl.DataFrame]:
        yield from sheet.records(writes, progress)

    warnings = (*sheet.warnings, *warnings_of(where, columns, facts))
    return source_of_cells(reader, frames, progress, path, warnings)


@dataclass(frozen=True, eq=False)
class SheetReader(CellReader):
    """Cells of a sheet; `places` gives for the name of a column its place, counted from 0."""

    places: Mapping[str, int] = field(default_factory=dict)

    def validation(self) -> ColumnValidation:
        """As for other cells; a text that is an error of Excel is never accepted."""
        found = super().validation()
        texts = [m.name for m in self.facts.type.members if isinstance(m.type, Text) and m.name in self.columns]
        sound = {name: ~pl.col(name).is_in(ERRORS).fill_null(value=False) for name in texts}
        fits = {name: condition & found.fits.get(name, pl.lit(value=True)) for name, condition in sound.items()}
        return replace(found, fits={**found.fits, **fits})

    def value(self, row: Row, name: str) -> tuple[Json, list[Violation]]:
        """As for other cells; what Excel alone has is told as that."""
        cell, member = row.get(name), member_of(self.facts.type, name)
        if cell in ERRORS and member is not None:
            told = f"`{cell}` is an error of Excel; mend the cell{OF_ABSENT.replace('; if it', ', or if it')}"
            told = UNSAVED if cell == NO_VALUE else told
            return cell, [Violation(f"/{name}", cell, "type", "a value", told, member.description)]
        read, unread = super().value(row, name)
        if unread and cell is not None and member is not None and isinstance(member.type, Date):
            unread = [replace(unread[0], message=_no_date(cell) or unread[0].message)]
        return read, unread

    def place(self, row: Row, name: str | None = None) -> str:
        """The cell of a fact, or the row."""
        return f"row {row[ROW]}" if name is None else f"cell {letters_of(self.places[self.columns[name]])}{row[ROW]}"


def _no_date(cell: str) -> str | None:
    """Why a cell that Excel holds as a number, or as a moment, is no date; None for any other."""
    if NUMBER.fullmatch(cell):
        return f"`{cell}` is a number in Excel, and no date; format the cell as a date"
    return f"`{cell}` has a time of day, and a date has none" if MOMENT.fullmatch(cell) else None
