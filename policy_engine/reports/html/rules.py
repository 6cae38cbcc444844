"""Rules and matrices as a report shows them: reasons as written, what they cite, and how many records they decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from policy_engine.language.rulesets import (
    ALWAYS,
    OTHERWISE,
    Conclusion,
    Matrix,
    Period,
    Reading,
    Rules,
    Ruleset,
    Source,
    Template,
)
from policy_engine.language.templates import words_of
from policy_engine.reports.counting import branches
from policy_engine.reports.rule_pages import shown_value
from policy_engine.reports.totals import Counts


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule, or the cells of a matrix that share a label and a reason; `id` is the rule's id or the label.

    `words` are the parts of the reason, each with whether it is a placeholder.
    """

    id: str
    outcome: str
    words: tuple[tuple[str, bool], ...]
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
    """The reasons of the cells of a matrix, each once, in the order in which it is first met."""
    found: dict[tuple[str, str | None, Template], list[tuple[str, Conclusion]]] = {}
    for cell in matrix.cells:
        for code, then in branches(cell):
            found.setdefault((cell.label, then.outcome, then.because), []).append((code, then))
    for (label, _, because), cells in found.items():
        if because.parts:
            count = sum(reasons[code] for code, _ in cells)
            yield _view(ruleset, label, [then for _, then in cells], count, ALWAYS, as_of)


def _view(
    ruleset: Ruleset, id_: str, conclusions: list[Conclusion], count: int, period: Period, as_of: date
) -> RuleView:
    sources = {source for then in conclusions for source in then.sources}
    readings = {reading for then in conclusions for reading in then.readings}
    return RuleView(
        id=id_,
        outcome=conclusions[0].outcome or "",
        words=tuple(map(words_of, conclusions[0].because.parts)),
        sources=tuple(source for source in ruleset.sources if source.id in sources),
        readings=tuple(reading for reading in ruleset.readings if reading.name in readings),
        count=count,
        in_force=as_of in period,
    )


OutcomeCounts = tuple[tuple[str, int], ...]
"""The outcomes that a cell can give, each with how often it did."""


@dataclass(frozen=True, slots=True)
class MatrixView:
    """A table of counts: for each value of the rows, and in it for each column, the outcomes of the cell."""

    rows_by: str
    columns_by: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[OutcomeCounts, ...]], ...]


def matrix_view(matrix: Matrix, reasons: Counts) -> MatrixView:
    """A matrix with the counts of its reason codes."""
    cells = {(cell.row, cell.column): cell for cell in matrix.cells}

    def counted(row: str | bool, column: str | bool) -> OutcomeCounts:
        return tuple((then.outcome or "", reasons[code]) for code, then in branches(cells[row, column]))

    rows = ((shown_value(row), tuple(counted(row, c) for c in matrix.column_values)) for row in matrix.row_values)
    columns = tuple(map(shown_value, matrix.column_values))
    return MatrixView(matrix.rows.text, matrix.columns.text, columns, tuple(rows))
