"""Excel workbooks: a sheet with its header, cut into records whose cells are texts, as in a CSV file."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import polars as pl
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.errors import CannotRun
from policy_engine.tables.csv_records import FAULT, LINE
from policy_engine.tables.file_options import FileOptions
from policy_engine.tables.sheet_cells import Write, plain_text
from policy_engine.tables.sheet_errors import Errors, error_cells, letters_of
from policy_engine.tables.source import Progress, opened

AT_ONCE = 20_000
"""Rows that are read together."""
NEAR_THE_TOP = 20
"""Rows in which a header is looked for, to be told."""
OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0"
"""With this begin the files of Excel before 2007, and all that have a password."""
Cells = Sequence[Any]
"""The cells of a row as Excel holds them: texts, floats, booleans, dates and times; "" where there is nothing."""


@dataclass(frozen=True, eq=False, slots=True)
class Sheet:
    """A sheet whose header was read.

    `cells` begin at the column `left`, and `header` names some of them by their columns; both are counted from 0. The row of the
    header is counted from 1. `warnings` are sentences for who runs it.
    """

    name: str
    cells: CalamineSheet
    left: int
    header_row: int
    header: Mapping[str, int]
    errors: Errors
    warnings: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows there are below the header."""
        return _last_row(self.cells) - self.header_row

    def records(self, writes: Mapping[str, Write], progress: Progress) -> Iterator[pl.DataFrame]:
        """The rows below the header that are not empty, some at a time: `ROW`, `LINE`, `FAULT`, and the texts of each column."""
        rows, first = islice(self.cells.iter_rows(), self.header_row, None), self.header_row + 1
        while batch := list(islice(rows, AT_ONCE)):
            columns = list(zip(*batch, strict=True))
            texts = {
                name: self._texts(columns[place - self.left], writes[name], place, first)
                for name, place in self.header.items()
            }
            numbers = pl.int_range(first, first + len(batch), dtype=pl.UInt32, eager=True)
            frame = pl.DataFrame({ROW: numbers, LINE: numbers, **texts})
            there = frame.filter(pl.any_horizontal(pl.col(*self.header).is_not_null()))
            yield there.with_columns(pl.lit(None, pl.String).alias(FAULT))
            progress.add(len(batch))
            first += len(batch)

    def _texts(self, cells: Cells, write: Write, column: int, first: int) -> pl.Series:
        texts = list(map(write, cells))
        for row, error in self.errors.get(column, {}).items():
            if first <= row < first + len(texts):
                texts[row - first] = error
        return pl.Series(texts, dtype=pl.String)


def open_sheet(path: Path, options: FileOptions) -> Sheet:
    """A sheet with its header, the first that is not hidden unless another is named; raises `CannotRun`."""
    with opened(path) as raw:
        start = raw.read(len(OLD_OR_LOCKED))
    if start == OLD_OR_LOCKED:
        raise CannotRun(f"`{path}` is of Excel before 2007, or has a password; save it as .xlsx without one")
    try:
        with ZipFile(path) as parts:
            damaged = parts.testzip()
        if damaged is not None:
            raise CannotRun(f"`{path}` is damaged within, in `{damaged}`; save it again")
        return _sheet(path, CalamineWorkbook.from_path(path), options)
    except (BadZipFile, zlib.error, CalamineError) as error:
        raise CannotRun(f"`{path}` is not a whole Excel workbook; save it again ({error})") from None


def _sheet(path: Path, book: CalamineWorkbook, options: FileOptions) -> Sheet:
    name, others = _named(path, book, options.sheet)
    where = f"`{path}`, sheet `{shown_text(name)}`"
    cells = book.get_sheet_by_name(name)
    if cells.start is None:
        raise CannotRun(f"{where} is empty; its first row must name the columns")
    first, left = cells.start
    row = options.header_row or first + 1
    header = next(islice(cells.iter_rows(), row - 1, None), None)
    if header is None:
        raise CannotRun(f"{where} ends with row {_last_row(cells)}; the header cannot be in row {row} (--header-row)")
    if options.header_row is None and _is_title(cells, header, row):
        raise CannotRun(f"{where}: row {row} names {_count(header)}: is it a title? {_likely_header(cells, row)}")
    told = f"{where} is read, the first of {others + 1}; --sheet names another" if others else None
    names = _columns(where, cells, header, row, left)
    return Sheet(name, cells, left, row, names, error_cells(path, name), () if told is None else (told,))


def _named(path: Path, book: CalamineWorkbook, said: str | None) -> tuple[str, int]:
    """The name of the sheet that is read, and how many others could be meant."""
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    names = [sheet.name for sheet in sheets]
    shown = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible] or names
    if said is None and shown:
        return shown[0], len(shown) - 1
    if said not in names or said is None:
        hint = did_you_mean(said or "", names) or f"it has {', '.join(map(shown_text, names)) or 'none'}"
        raise CannotRun(f"`{path}` has no sheet `{shown_text(said or '')}`; {hint}")
    return said, 0


def _last_row(cells: CalamineSheet) -> int:
    return 0 if cells.end is None else cells.end[0] + 1


def _is_title(cells: CalamineSheet, header: Cells, row: int) -> bool:
    """Whether a row is none that names columns: cells are merged in it, or it has a name for fewer than half of them."""
    across = any(
        top <= row - 1 <= bottom and left < right for (top, left), (bottom, right) in cells.merged_cell_ranges or ()
    )
    return across or 2 * len(_filled(header)) < len(header)


def _filled(row: Cells) -> list[int]:
    """The places of the cells that are not empty."""
    return [place for place, cell in enumerate(row) if not (isinstance(cell, str) and not cell.strip())]


def _count(header: Cells) -> str:
    filled, width = len(_filled(header)), len(header)
    return f"{filled} of {width} columns"


def _likely_header(cells: CalamineSheet, row: int) -> str:
    """What to write for the row that has the most names of the first ones."""
    top = list(islice(cells.iter_rows(), NEAR_THE_TOP))
    texts = [sum(isinstance(cell, str) and bool(cell.strip()) for cell in each) for each in top]
    best = texts.index(max(texts)) + 1
    advice = "say which row names the columns: --header-row"
    return f"{advice} {best}, it seems" if best > row else f"{advice} N"


def _columns(where: str, cells: CalamineSheet, header: Cells, row: int, left: int) -> dict[str, int]:
    """The column of each name; raises `CannotRun` where a column with values has none, or two have the same."""
    found: dict[str, int] = {}
    filled = _filled(header)
    for place in filled:
        name, column = (plain_text(header[place]) or "").strip(), left + place
        if name in found:
            both = f"{letters_of(found[name])}{row} and {letters_of(column)}{row}"
            raise CannotRun(f"{where}: the column `{shown_text(name)}` stands twice in row {row} ({both}); keep one")
        found[name] = column
    for place in sorted(set(range(len(header))) - set(filled)):
        below = enumerate(islice(cells.iter_rows(), row, None), row + 1)
        value = next((number for number, each in below if each[place] != ""), None)
        if value is not None:
            column_letters = letters_of(left + place)
            told = f"column {column_letters} has no name in row {row}, and a value in {column_letters}{value}"
            raise CannotRun(f"{where}: {told}; name it, or say which row names the columns: --header-row N")
    return found
