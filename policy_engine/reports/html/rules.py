"""Rules, and the sentences of a matrix, with their words, what they cite, and how many records they decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from policy_engine.language.expressions import Expression
from policy_engine.language.rulesets import (
    ALWAYS,
    OTHERWISE,
    Cell,
    Conclusion,
    Matrix,
    Period,
    Quoted,
    Reading,
    Rules,
    Ruleset,
    Source,
    Template,
)
from policy_engine.reports.counting import ELSE
from policy_engine.reports.rule_pages import hole_text
from policy_engine.reports.totals import Counts


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of a reason: as written, or the expression whose value stands there."""

    text: str
    is_hole: bool


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule, or what all cells of a matrix with one label say; `id` is the rule's id or the label."""

    id: str
    outcome: str
    words: tuple[Words, ...]
    sources: tuple[Source, ...]
    readings: tuple[Reading, ...]
    count: int
    in_force: bool


def rule_views(ruleset: Ruleset, body: Rules, counts: Counts, as_of: date) -> Iterator[RuleView]:
    """The rules in the order in which they are tried."""
    for rule in body.rules:
        yield _view(ruleset, rule.id, [rule.then], counts[rule.id], rule.period, as_of)
    if body.otherwise is not None:
        yield _view(ruleset, OTHERWISE, [body.otherwise], counts[OTHERWISE], ALWAYS, as_of)


def saying_views(ruleset: Ruleset, matrix: Matrix, reasons: Counts, as_of: date) -> Iterator[RuleView]:
    """What the cells of a matrix say, each sentence once, in the order in which it is first met."""
    said: dict[tuple[str, str | None, Template], list[tuple[str, Conclusion]]] = {}
    for cell in matrix.cells:
        for code, then in branches(cell):
            said.setdefault((cell.label, then.outcome, then.because), []).append((code, then))
    for (label, _, because), found in said.items():
        if because.parts:
            count = sum(reasons[code] for code, _ in found)
            yield _view(ruleset, label, [then for _, then in found], count, ALWAYS, as_of)


def branches(cell: Cell) -> Iterator[tuple[str, Conclusion]]:
    """The reason codes of a cell with what follows from them."""
    yield cell.id, cell.then
    if cell.otherwise is not None:
        yield f"{cell.id}{ELSE}", cell.otherwise


def _view(
    ruleset: Ruleset, id_: str, conclusions: list[Conclusion], count: int, period: Period, as_of: date
) -> RuleView:
    sources = {source for then in conclusions for source in then.sources}
    readings = {reading for then in conclusions for reading in then.readings}
    return RuleView(
        id=id_,
        outcome=conclusions[0].outcome or "",
        words=tuple(words_of(conclusions[0].because)),
        sources=tuple(source for source in ruleset.sources if source.id in sources),
        readings=tuple(reading for reading in ruleset.readings if reading.name in readings),
        count=count,
        in_force=as_of in period,
    )


def words_of(template: Template) -> Iterable[Words]:
    """A reason as written, hole by hole."""
    return (
        Words(hole_text(part), True)
        if isinstance(part, Expression)
        else Words(part.text if isinstance(part, Quoted) else part, False)
        for part in template.parts
    )


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
