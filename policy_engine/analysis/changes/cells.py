"""What changed of a matrix: its rows and columns, and what its cells give. Cells that changed alike are told together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from policy_engine.analysis.changes.conclusions import conclusion_words, given_otherwise
from policy_engine.analysis.changes.conditions import condition_changes, condition_words, same_condition
from policy_engine.analysis.changes.sides import Found, Patch, Sides, few, quoted, wording
from policy_engine.language.rule_changes import Effect, Kind
from policy_engine.language.rulesets import Cell, DecisionLogic, Matrix
from policy_engine.language.values import in_words

Axis = tuple[str, str, str]
AXES: Sequence[Axis] = (("rows", "row_values", "row"), ("columns", "column_values", "column"))
"""The expression of an axis, its values, and what one of them is called."""


class Words(NamedTuple):
    """What a cell gives on both sides."""

    old: str
    new: str


def matrix_changes(sides: Sides, decision: DecisionLogic, old: Matrix, new: Matrix) -> Iterator[Found]:
    """What changed of two decisions by matrices."""
    for axis in AXES:
        yield from _axis(sides, decision, old, new, axis)
    groups: dict[Words, list[tuple[Cell, Cell]]] = {}
    before = {(cell.row, cell.column): cell for cell in old.cells}
    for cell in new.cells:
        other = before.get((cell.row, cell.column))
        if other is not None and not _same(sides, other, cell):
            groups.setdefault(Words(_words(other), _words(cell)), []).append((other, cell))
    for words, cells in groups.items():
        yield _cells(sides, decision, old, words, cells)


def _axis(sides: Sides, decision: DecisionLogic, old: Matrix, new: Matrix, axis: Axis) -> Iterator[Found]:
    expression, values, name = axis
    before, after = getattr(old, expression), getattr(new, expression)
    if not same_condition(sides, before, after):
        message = f"In the {expression} of {quoted(decision.name)}, {condition_changes(sides, before, after)}."
        patch = Patch((("decisions", decision.name), ("body",), (expression,)), after)
        words = wording(before.text, decision), wording(after.text, decision)
        yield Found(sides.change(Kind.DECISION, decision.name, Effect.ANSWER, message, *words), patch)
    had, has = getattr(old, values), getattr(new, values)
    for value in (value for value in has if value not in had):
        yield _whole_line(sides, decision, new, (name, value), is_new=True)
    for value in (value for value in had if value not in has):
        yield _whole_line(sides, decision, old, (name, value), is_new=False)


def _whole_line(
    sides: Sides, decision: DecisionLogic, matrix: Matrix, line: tuple[str, str | bool], *, is_new: bool
) -> Found:
    """A row or a column that only one side has."""
    name, value = line[0], in_words(line[1])
    told = _line(matrix, *line)
    message = f"The {name} {quoted(value)} of {quoted(decision.name)} is {'new' if is_new else 'gone'}: {told}."
    words = wording(told, decision)
    sides_of = (None, words) if is_new else (words, None)
    return Found(sides.change(Kind.CELL, f"{decision.name}: {value}", Effect.ANSWER, message, *sides_of))


def _line(matrix: Matrix, name: str, value: str | bool) -> str:
    """The cells of a row or of a column."""
    across = "column" if name == "row" else "row"
    cells = [cell for cell in matrix.cells if getattr(cell, name) == value]
    return few((f"{in_words(getattr(cell, across))} {_words(cell)}" for cell in cells), "; ")


def _same(sides: Sides, old: Cell, new: Cell) -> bool:
    """Whether two cells give the same of all facts."""
    then, otherwise = (given_otherwise(sides, getattr(old, part), getattr(new, part)) for part in ("then", "otherwise"))
    return same_condition(sides, old.when, new.when) and then is otherwise is None


def _words(cell: Cell) -> str:
    if cell.when is None:
        return conclusion_words(cell.then)
    otherwise = "" if cell.otherwise is None else f", else {conclusion_words(cell.otherwise)}"
    return f"{conclusion_words(cell.then)} if {quoted(condition_words(cell.when))}{otherwise}"


def _cells(
    sides: Sides, decision: DecisionLogic, old: Matrix, words: Words, cells: Sequence[tuple[Cell, Cell]]
) -> Found:
    """Cells that changed alike."""
    changed = {before.id: after for before, after in cells}
    body = replace(old, cells=tuple(changed.get(cell.id, cell) for cell in old.cells))
    named = few(quoted(cell.id) for _, cell in cells)
    where = f"the cell {named}" if len(cells) == 1 else f"{len(cells)} cells, {named},"
    give, gave = ("gives", "it gave") if len(cells) == 1 else ("give", "they gave")
    told = "the same words, which stand for something else" if words.old == words.new else words.old
    message = f"In {quoted(decision.name)}, {where} {give} {words.new}; {gave} {told}."
    name = f"{decision.name}: {cells[0][1].id}" if len(cells) == 1 else decision.name
    places = wording(words.old, cells[0][0]), wording(words.new, cells[0][1])
    change = sides.change(Kind.CELL, name, Effect.ANSWER, message, *places)
    return Found(change, Patch((("decisions", decision.name), ("body",)), body))
