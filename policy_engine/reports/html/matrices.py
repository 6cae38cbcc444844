"""A matrix as a table of counts."""

from __future__ import annotations

from dataclasses import dataclass

from policy_engine.language.rulesets import Matrix
from policy_engine.reports.html.rules import branches
from policy_engine.reports.totals import Counts


@dataclass(frozen=True, slots=True)
class Branch:
    """What a cell gives, and how often it did."""

    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a matrix: for each column the branches of its cell."""

    name: str
    cells: tuple[tuple[Branch, ...], ...]


@dataclass(frozen=True, slots=True)
class MatrixView:
    """The table, and what its rows and columns are about."""

    rows_by: str
    columns_by: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def matrix_view(matrix: Matrix, reasons: Counts) -> MatrixView:
    """A matrix with the counts of its reason codes."""
    return MatrixView(
        rows_by=matrix.rows.text,
        columns_by=matrix.columns.text,
        columns=tuple(map(_text, matrix.column_values)),
        rows=tuple(_row(matrix, value, reasons) for value in matrix.row_values),
    )


def _row(matrix: Matrix, value: str | bool, reasons: Counts) -> Row:
    cells = {cell.column: cell for cell in matrix.cells if cell.row == value}
    return Row(
        _text(value),
        tuple(
            tuple(Branch(then.outcome or "", reasons[code]) for code, then in branches(cells[column]))
            for column in matrix.column_values
        ),
    )


def _text(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value
