"""The inputs of conditions as columns: for each condition of a ruleset the values of its leaves, where accounts come to it.

They are those of the conditions as they were written, so that none is folded away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from policy_engine.backends.columnar.expressions import Expressions, joined
from policy_engine.backends.columnar.plan import ACCOUNTS
from policy_engine.language import expressions as tree
from policy_engine.language.expressions import Condition, Expression, expressions_of
from policy_engine.language.formulas import Input, Junction, Negation, Part, formula_of, formulas_below
from policy_engine.language.formulas import is_condition as is_truth
from policy_engine.language.rulesets import Cell, Conclusion, DecisionLogic, HitPolicy, Matrix, Rules
from policy_engine.language.specialize import Specializer

ALL = pl.lit(True)


class ConditionInputs(NamedTuple):
    """A condition, or a part of one that is a formula of its own: its inputs, and `where` accounts come to it."""

    condition: Condition | tree.Node
    inputs: tuple[pl.Expr, ...]
    where: pl.Expr


@dataclass(slots=True)
class ConditionWriter:
    """Writes the inputs of all conditions of a ruleset in force, but of its checks, which are true of all valid accounts.

    `left_out` counts those about elements of lists.
    """

    to: Expressions
    written: Specializer
    found: list[ConditionInputs] = field(default_factory=list)
    left_out: int = 0

    def write(self) -> None:
        """Write the conditions of definitions and decisions."""
        ruleset = self.written.given
        for definition in ruleset.definitions:
            self._whole(definition.body, ALL)
        for logic in ruleset.decisions:
            self._decision(logic)

    def _decision(self, logic: DecisionLogic) -> None:
        for value in logic.values:
            self._whole(value.expression, ALL)
        if isinstance(logic.body, Rules):
            self._rules(logic.body)
        elif isinstance(logic.body, Matrix):
            self._matrix(logic.body)

    def _rules(self, body: Rules) -> None:
        """Accounts come to a rule where no rule before it is true, unless all true ones apply."""
        reached = ALL
        for rule in body.rules:
            holds = self._whole(rule.when, reached).fill_null(False)
            self._conclusion(rule.then, self._named(reached & holds))
            if body.hit is HitPolicy.FIRST:
                reached = self._named(reached & ~holds)
        if body.otherwise is not None:
            self._conclusion(body.otherwise, reached)

    def _matrix(self, body: Matrix) -> None:
        """Accounts come to a condition that stands in several cells where they lie in any of these."""
        rows, columns = self._value(body.rows.tree), self._value(body.columns.tree)
        for axis in (body.rows, body.columns):
            self._whole(axis, ALL)
        places = {cell.id: self._in_cell(rows, columns, cell) for cell in body.cells}
        holds: dict[int, pl.Expr] = {}
        for cells in _by_condition(body):
            where = self._named(joined("any", [places[cell.id] for cell in cells]))
            assert cells[0].when is not None
            holds |= dict.fromkeys(map(_identity, cells), self._whole(cells[0].when, where).fill_null(False))
        for cell in body.cells:
            truth = holds.get(_identity(cell), ALL)
            self._conclusion(cell.then, places[cell.id] & truth)
            if cell.otherwise is not None:
                self._conclusion(cell.otherwise, places[cell.id] & ~truth)

    def _in_cell(self, rows: pl.Expr, columns: pl.Expr, cell: Cell) -> pl.Expr:
        return ((rows == pl.lit(cell.row)) & (columns == pl.lit(cell.column))).fill_null(False)

    def _conclusion(self, conclusion: Conclusion, where: pl.Expr) -> None:
        for value in conclusion.values:
            self._whole(value.expression, where)

    def _whole(self, condition: Condition, where: pl.Expr) -> pl.Expr:
        """Write a condition and the formulas below it; gives its value."""
        value = ALL
        if not isinstance(condition, Expression) or is_truth(condition.tree):
            value = self._formula(condition, where)
        for expression in expressions_of(condition):
            for below in formulas_below(expression.tree):
                if below.is_of_elements:
                    self.left_out += 1
                else:
                    guards = [self._is(node, taken) for node, taken in below.guards]
                    self._formula(below.node, joined("all", [where, *guards]))
        return value

    def _formula(self, condition: Condition | tree.Node, where: pl.Expr) -> pl.Expr:
        formula = formula_of(condition)
        inputs = [self._value(node) for node in formula.inputs]
        asked = dict(_asked(formula.whole, ()))
        shown = [
            self._named(pl.when(joined("all", [_is(inputs[by], taken) for by, taken in asked[at]])).then(value))
            if asked[at]
            else value
            for at, value in enumerate(inputs)
        ]
        self.found.append(ConditionInputs(condition, tuple(shown), where))
        return self._named(_value(formula.whole, inputs))

    def _is(self, node: tree.Node, taken: bool) -> pl.Expr:
        return _is(self._value(node), taken)

    def _value(self, node: tree.Node) -> pl.Expr:
        """A column of a node as it was written."""
        return self._named(self.to.truth(self.written.node(node)))

    def _named(self, expression: pl.Expr) -> pl.Expr:
        return self.to.plan.named(ACCOUNTS, expression, "input")


def _identity(cell: Cell) -> int:
    """What tells the condition of a cell from all others; cells of one entry of a legend have the same."""
    when = cell.when
    return id(when.tree if isinstance(when, Expression) else when)


def _by_condition(body: Matrix) -> Iterator[list[Cell]]:
    """The cells that have a condition, together with those that have the same."""
    found: dict[int, list[Cell]] = {}
    for cell in body.cells:
        if cell.when is not None:
            found.setdefault(_identity(cell), []).append(cell)
    yield from found.values()


def _is(column: pl.Expr, taken: bool) -> pl.Expr:
    """Whether a condition is known and goes one way."""
    return (column if taken else ~column).fill_null(False)


def _asked(part: Part, guards: tuple[tuple[int, bool], ...]) -> Iterator[tuple[int, tuple[tuple[int, bool], ...]]]:
    """The inputs, each with the conditions of `if`s that lead to it, and the way that these must go."""
    match part:
        case Input(at=at):
            yield at, guards
        case Junction(parts=parts):
            for each in parts:
                yield from _asked(each, guards)
        case Negation(part=negated):
            yield from _asked(negated, guards)
        case _:
            yield part.condition.at, guards
            yield from _asked(part.then, (*guards, (part.condition.at, True)))
            yield from _asked(part.otherwise, (*guards, (part.condition.at, False)))


def _value(part: Part, inputs: Sequence[pl.Expr]) -> pl.Expr:
    """The value of a formula in columns, by three-valued logic."""
    match part:
        case Input(at=at):
            return inputs[at]
        case Junction(decisive=decisive, parts=parts):
            return joined("any" if decisive else "all", [_value(each, inputs) for each in parts])
        case Negation(part=negated):
            return ~_value(negated, inputs)
    chosen = inputs[part.condition.at]
    then, otherwise = _value(part.then, inputs), _value(part.otherwise, inputs)
    return pl.when(_is(chosen, True)).then(then).when(_is(chosen, False)).then(otherwise)
