"""A matrix as a table of counts, and what its cells say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from policy_engine.language.rulesets import Cell, Conclusion, Matrix
from policy_engine.reports.counting import ELSE
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
class Saying:
    """What cells with one label say, in words, and how often they did."""

    label: str
    outcome: str
    words: str
    count: int


@dataclass(frozen=True, slots=True)
class MatrixView:
    """The table, and what the labels in its cells stand for."""

    rows_by: str
    columns_by: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    sayings: tuple[Saying, ...]


def matrix_view(matrix: Matrix, reasons: Counts) -> MatrixView:
    """A matrix with the counts of its reason codes."""
    return MatrixView(
        rows_by=matrix.rows.text,
        columns_by=matrix.columns.text,
        columns=tuple(map(_text, matrix.column_values)),
        rows=tuple(_row(matrix, value, reasons) for value in matrix.row_values),
        sayings=tuple(_sayings(matrix, reasons)),
    )


def _row(matrix: Matrix, value: str | bool, reasons: Counts) -> Row:
    cells = {cell.column: cell for cell in matrix.cells if cell.row == value}
    return Row(
        _text(value),
        tuple(
            tuple(Branch(then.outcome or "", reasons.get(code, 0)) for code, then in _branches(cells[column]))
            for column in matrix.column_values
        ),
    )


def _branches(cell: Cell) -> Iterator[tuple[str, Conclusion]]:
    """The reason codes of a cell with what follows from them."""
    yield cell.id, cell.then
    if cell.otherwise is not None:
        yield f"{cell.id}{ELSE}", cell.otherwise


def _sayings(matrix: Matrix, reasons: Counts) -> Iterator[Saying]:
    """What is said, each once, in the order in which it is first met."""
    counts: dict[tuple[str, str, str], int] = {}
    for cell in matrix.cells:
        for code, then in _branches(cell):
            words = "".join(part if isinstance(part, str) else f"{{{part.text}}}" for part in then.because.parts)
            said = (cell.label, then.outcome or "", words)
            counts[said] = counts.get(said, 0) + reasons.get(code, 0)
    yield from (Saying(*said, count) for said, count in counts.items() if said[2])


def _text(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value
