"""Excel workbooks for tests, written cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter

FORMATS = {datetime: "dd.mm.yyyy hh:mm:ss", date: "dd.mm.yyyy", time: "hh:mm"}


class Formula(NamedTuple):
    """A formula and the value, or the error, that Excel has worked out for it."""

    text: str
    value: Any


class Merged(NamedTuple):
    """A text in some cells that are merged."""

    text: str
    columns: int


Rows = Sequence[Sequence[Any]]
"""The cells from A1 on; None where there is nothing."""


def workbook(path: Path, sheets: Mapping[str, Rows] | Rows, hidden: Sequence[str] = (), **options: Any) -> Path:
    """A workbook with these sheets, or with the one sheet `Data`."""
    book = xlsxwriter.Workbook(path, options)
    forms = {kind: book.add_format({"num_format": form}) for kind, form in FORMATS.items()}
    for name, rows in (sheets if isinstance(sheets, Mapping) else {"Data": sheets}).items():
        sheet = book.add_worksheet(name)
        if name in hidden:
            sheet.hide()
        else:
            sheet.activate()
        for at, row in enumerate(rows):
            for place, cell in enumerate(row):
                match cell:
                    case None:
                        pass
                    case Formula():
                        sheet.write_formula(at, place, cell.text, None, cell.value)
                    case Merged():
                        sheet.merge_range(at, place, at, place + cell.columns - 1, cell.text)
                    case date() | time():
                        sheet.write_datetime(at, place, cell, forms[type(cell)])
                    case str():
                        sheet.write_string(at, place, cell)
                    case _:
                        sheet.write(at, place, cell)
    book.close()
    return path
