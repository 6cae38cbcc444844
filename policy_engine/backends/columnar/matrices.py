"""Matrices as columns: the index of an account's cell, and tables by that index.

Cells that ask the same condition and have the same outcomes are of one kind. Kinds are few, so that the condition and the outcome
are chosen by the kind, not by the cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from policy_engine.backends.columnar.answer_columns import Branch, DecisionColumns, chosen, is_one_of
from policy_engine.backends.reason_codes import else_of
from policy_engine.language import expressions as tree
from policy_engine.language.rulesets import Cell, Conclusion, DecisionLogic, Matrix

if TYPE_CHECKING:
    from policy_engine.backends.columnar.expressions import Expressions

BYTE = 256
"""Up to so many kinds their numbers are bytes."""
FEW = 6
"""For up to so many words comparisons are faster than a look-up."""

Outcomes = tuple[str | None, str | None]
"""The outcome of a cell where its condition holds, and where it does not."""


class Choice(NamedTuple):
    """The number of the kind of each account's cell, whether its condition holds, and by kind the outcomes.

    `asked` has the kinds that ask for each condition.
    """

    kind: pl.Expr
    holds: pl.Expr
    outcomes: tuple[Outcomes, ...]
    asked: dict[tree.Condition, list[int]]


def matrix_columns(
    to: Expressions, logic: DecisionLogic, body: Matrix
) -> tuple[DecisionColumns, dict[str, Conclusion]]:
    """A look-up by row and column; then only the condition of the cell's kind is asked (sentence 16)."""
    at = {(cell.row, cell.column): cell for cell in body.cells}
    cells = [at[row, column] for row in body.row_values for column in body.column_values]
    own = {cell.id: cell.then for cell in cells}
    own |= {else_of(cell): cell.otherwise for cell in cells if cell.otherwise is not None}
    kept, words = to.kept, pl.Enum(list(own))
    place = _place(to, body)
    known, place = place.is_not_null(), kept(place.fill_null(0), "cell")
    choice = _choice(to, cells, place)
    holds = choice.holds
    undetermined = kept(~known | holds.is_null(), "undetermined")
    elses = [else_of(cell) if cell.otherwise else None if cell.when else cell.id for cell in cells]
    then, otherwise = _at([cell.id for cell in cells], words, place), _at(elses, words, place)
    reason = kept(pl.when(known & holds).then(then).when(known & ~holds).then(otherwise), "reason")
    ids = pl.Enum([cell.id for cell in cells])
    rule = pl.when(reason.is_not_null()).then(_at(list(ids.categories), ids, place))
    asks = {when: known & is_one_of(choice.kind, numbers) for when, numbers in choice.asked.items()}
    columns = DecisionColumns(logic, reason, undetermined, rule, has_gaps=None in elses, asks=asks)
    if logic.outcomes:
        columns.outcome = kept(_cell_outcome(choice, known, pl.Enum(logic.outcomes)), "outcome")
    return columns, own


def _place(to: Expressions, body: Matrix) -> pl.Expr:
    """The index of the cell, null where row or column is unknown."""
    rows = _index(to, body.rows, body.row_values)
    columns = _index(to, body.columns, body.column_values)
    return to.kept(rows * len(body.column_values) + columns, "place")


def _index(to: Expressions, axis: tree.Expression, values: Sequence[str | bool]) -> pl.Expr:
    """The place of an axis' value among those it may have."""
    column = to.named(axis.tree)
    if isinstance(values[0], bool):
        place = column if values[0] is False else ~column
        return place.cast(pl.UInt32)
    words = [str(value) for value in values]
    if len(words) <= FEW:
        return _index_of_few(to, axis.tree, column, words)
    return column.cast(pl.Enum(words), strict=False).to_physical().cast(pl.UInt32)


def _index_of_few(to: Expressions, node: tree.Node, column: pl.Expr, words: Sequence[str]) -> pl.Expr:
    """The same by comparisons with all words but one, which is what else is known."""
    rest = max(words, key=lambda word: sum(len(other) == len(word) for other in words))
    branches = [
        Branch(to.is_text(node, word), pl.lit(place, dtype=pl.UInt32))
        for place, word in enumerate(words)
        if word != rest
    ]
    branches.append(Branch(column.is_not_null(), pl.lit(words.index(rest), dtype=pl.UInt32)))
    return chosen(branches, pl.lit(None, dtype=pl.UInt32))


def _choice(to: Expressions, cells: Sequence[Cell], place: pl.Expr) -> Choice:
    """The kinds of the cells: what they ask, and what follows."""
    kinds: dict[tuple[tree.Condition | bool, Outcomes], int] = {}
    pairs = list(dict.fromkeys(_outcomes_of(cell) for cell in cells if cell.when is not None))
    table = [kinds.setdefault(_kind_of(cell, pairs), len(kinds)) for cell in cells]
    dtype = pl.UInt8() if len(kinds) < BYTE else pl.UInt16()
    kind = to.kept(pl.lit(pl.Series(table, dtype=dtype)).gather(place), "kind")
    asked: dict[tree.Condition | bool, list[int]] = {}
    for (when, _), number in kinds.items():
        asked.setdefault(when, []).append(number)
    branches = [
        Branch(is_one_of(kind, numbers), _truth(to, when)) for when, numbers in asked.items() if when is not True
    ]
    holds = to.kept(chosen(branches, pl.lit(True)), "holds")
    conditions = {when: numbers for when, numbers in asked.items() if not isinstance(when, bool)}
    return Choice(kind, holds, tuple(outcomes for _, outcomes in kinds), conditions)


def _truth(to: Expressions, when: tree.Condition | bool) -> pl.Expr:
    return pl.lit(when) if isinstance(when, bool) else to.kept(to.condition(when))


def _outcomes_of(cell: Cell) -> Outcomes:
    return cell.then.outcome, cell.otherwise.outcome if cell.otherwise is not None else None


def _kind_of(cell: Cell, pairs: Sequence[Outcomes]) -> tuple[tree.Condition | bool, Outcomes]:
    """The condition and the outcomes of a cell; one without a condition joins a kind with its outcome, by a constant truth."""
    if cell.when is not None:
        return cell.when, _outcomes_of(cell)
    outcome = cell.then.outcome
    for pair in pairs:
        if outcome in pair:
            return outcome == pair[0], pair
    return True, (outcome, None)


def _at(words: Sequence[str | None], kind: pl.Enum, place: pl.Expr) -> pl.Expr:
    """The word that stands at a place."""
    return pl.lit(pl.Series(words, dtype=kind)).gather(place)


def _cell_outcome(choice: Choice, known: pl.Expr, kind: pl.Enum) -> pl.Expr:
    """The outcome of a matrix: by the kinds of its cells, those with the same outcomes together."""
    pairs = list(dict.fromkeys(choice.outcomes))
    if all(otherwise is None for _, otherwise in pairs) and len(pairs) > FEW:
        found = _at([then for then, _ in choice.outcomes], kind, choice.kind)
        return pl.when(known & choice.holds).then(found)
    branches = []
    for pair in pairs:
        numbers = [number for number, one in enumerate(choice.outcomes) if one == pair]
        here = known & is_one_of(choice.kind, numbers) if len(pairs) > 1 else known
        then, otherwise = (pl.lit(outcome, dtype=kind) for outcome in pair)
        branches += [Branch(here & choice.holds, then), Branch(here & ~choice.holds, otherwise)]
    return chosen(branches, pl.lit(None, dtype=kind))
