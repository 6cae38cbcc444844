"""Rules, matrices and values as columns: first a code that says what was concluded, then what follows from the code.

The code is the index of a conclusion among all that a decision may come to, and null where the decision is undetermined; one more
code stands for a gap. Outcome, rule and reason follow from it (`told.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from policy_engine.backends.columnar.expressions import Expressions, in_units, joined, nothing
from policy_engine.backends.columnar.plan import ACCOUNTS
from policy_engine.backends.runs import SHORTEST_RUN, equality, runs
from policy_engine.backends.settled import OPEN, units
from policy_engine.language import expressions as tree
from policy_engine.language.rulesets import (
    OTHERWISE,
    Cell,
    Conclusion,
    DecisionLogic,
    Matrix,
    Rule,
    Rules,
    ValueDefinition,
)
from policy_engine.language.types import Number, Type

MOST_CODES = 255
"""So many codes fit into a byte, beside that of a gap."""


class Concluded(NamedTuple):
    """A conclusion that a decision may come to: the rule's id, the code of its reason, and what follows."""

    rule: str
    reason: str
    then: Conclusion


class Collected(NamedTuple):
    """The rules of a collect decision, each with the column that says whether it applies."""

    rules: tuple[Rule, ...]
    applies: tuple[pl.Expr, ...]


class Choice(NamedTuple):
    """Of a matrix: the kind of each row's cell, and for each kind what follows where its condition holds and where it does not."""

    kind: pl.Expr
    holds: pl.Expr | None
    outcomes: tuple[tuple[str | None, str | None], ...]


@dataclass(slots=True)
class DecisionColumns:
    """A decision in columns of the accounts.

    `code` indexes `conclusions`, `gap` is the code after them, and null is undetermined. `collected` are the rules of a collect
    decision, `choice` tells the outcome of a matrix without the code. `values` are null unless decided, numbers in units.
    """

    logic: DecisionLogic
    conclusions: tuple[Concluded, ...]
    code: pl.Expr = field(default_factory=lambda: pl.lit(0))
    has_gap: bool = False
    collected: Collected | None = None
    choice: Choice | None = None
    values: dict[str, pl.Expr] = field(default_factory=dict)

    @property
    def dtype(self) -> pl.DataType:
        """The type of the code."""
        return pl.UInt8() if len(self.conclusions) < MOST_CODES else pl.UInt16()

    @property
    def gap(self) -> int:
        """The code of what no rule covers."""
        return len(self.conclusions)

    @property
    def undetermined(self) -> pl.Expr:
        """Whether it cannot be decided."""
        return self.code.is_null()

    @property
    def decided(self) -> pl.Expr:
        """Whether it is decided."""
        known = self.code.is_not_null()
        return known & (self.code != self.gap) if self.has_gap else known

    def at(self, code: int | None) -> pl.Expr:
        """A code, the same in every row; None is undetermined."""
        return pl.lit(code, dtype=self.dtype)


@dataclass(slots=True)
class DecisionWriter:
    """Writes the columns of one decision."""

    to: Expressions
    logic: DecisionLogic

    def write(self) -> DecisionColumns:
        """The decision's columns."""
        match self.logic.body:
            case Rules(hit="collect"):
                return self._collect(self.logic.body)
            case Rules():
                columns = self._first(self.logic.body)
            case Matrix():
                columns = self._matrix(self.logic.body)
            case _:
                columns = DecisionColumns(self.logic, (CALCULATED,))
                columns.code = self.to.plan.named(ACCOUNTS, columns.at(0), "code")
        return self._with_values(columns)

    # Rules.

    def in_force(self, body: Rules) -> list[Rule]:
        """The rules that hold on the day."""
        return [rule for rule in body.rules if self.to.settled.in_force(rule.period)]

    def _first(self, body: Rules) -> DecisionColumns:
        """The first true rule, unless an unknown one comes before it (sentence 14)."""
        rules = self.in_force(body)
        concluded = [Concluded(rule.id, rule.id, rule.then) for rule in rules]
        if body.otherwise is not None:
            concluded.append(Concluded(OTHERWISE, OTHERWISE, body.otherwise))
        columns = DecisionColumns(self.logic, tuple(concluded), has_gap=body.otherwise is None)
        branches = list(self._branches(rules, columns))
        columns.code = self.to.plan.named(ACCOUNTS, chosen(branches, columns.at(len(rules))), "code")
        return columns

    def _branches(self, rules: Sequence[Rule], columns: DecisionColumns) -> Iterator[Branch]:
        """Each rule's condition with its index; runs of rules that test one text for equality are one look-up."""
        index = 0
        for run in runs(list(rules)):
            if len(run) >= SHORTEST_RUN:
                yield from self._look_up(run, index, columns)
            else:
                yield from self._rule(run[0], index, columns)
            index += len(run)

    def _rule(self, rule: Rule, index: int, columns: DecisionColumns) -> Iterator[Branch]:
        if self.to.settled.condition(rule.when) is False:
            return
        condition = self.to.plan.named(ACCOUNTS, self.to.condition(rule.when), rule.id)
        yield Branch(condition, columns.at(index))
        if optional(rule.when):
            yield Branch(condition.is_null(), columns.at(None))

    def _look_up(self, run: Sequence[Rule], index: int, columns: DecisionColumns) -> Iterator[Branch]:
        table: dict[str, int] = {}
        for place, rule in enumerate(run):
            tested = equality(rule)
            assert tested is not None
            subject, texts = tested
            for text in texts:
                table.setdefault(text, index + place)
        column = self.to.named(subject)
        found = column.replace_strict(list(table), list(table.values()), default=None, return_dtype=columns.dtype)
        found = self.to.plan.named(ACCOUNTS, found, "found")
        if subject.optional:
            yield Branch(column.is_null(), columns.at(None))
        yield Branch(found.is_not_null(), found)

    def _collect(self, body: Rules) -> DecisionColumns:
        """All true rules, as bits; undetermined where a rule or a value that must be known is unknown (sentence 15)."""
        rules = self.in_force(body)
        conditions = [self.to.plan.named(ACCOUNTS, self.to.condition(rule.when), rule.id) for rule in rules]
        asked = [condition for rule, condition in zip(rules, conditions, strict=True) if optional(rule.when)]
        given = [Given(value, None) for value in self.logic.values]
        given += [
            Given(v, condition) for rule, condition in zip(rules, conditions, strict=True) for v in rule.then.values
        ]
        columns = DecisionColumns(self.logic, (COLLECTED,), collected=Collected(tuple(rules), tuple(conditions)))
        code = columns.at(0)
        if asked:
            code = pl.when(joined("all", [condition.is_not_null() for condition in asked])).then(code)
        columns.code = self.to.plan.named(ACCOUNTS, code, "code")
        return self._finish(columns, given)

    # Matrices.

    def _matrix(self, body: Matrix) -> DecisionColumns:
        """A look-up by row and column; then only the condition of the cell's kind is asked (sentence 16)."""
        at = {(cell.row, cell.column): cell for cell in body.cells}
        cells = [at[row, column] for row in body.row_values for column in body.column_values]
        concluded = [Concluded(cell.id, cell.id, cell.then) for cell in cells]
        elses = []
        for cell in cells:
            elses.append(len(concluded) if cell.otherwise is not None else None)
            if cell.otherwise is not None:
                concluded.append(Concluded(cell.id, f"{cell.id}:else", cell.otherwise))
        has_gap = any(cell.when is not None and cell.otherwise is None for cell in cells)
        columns = DecisionColumns(self.logic, tuple(concluded), has_gap=has_gap)
        place = self._place(body)
        columns.choice = choice = self._choice(cells, place)
        code = place.cast(columns.dtype)
        if choice.holds is not None:
            otherwise = pl.Series([columns.gap if at is None else at for at in elses], dtype=columns.dtype)
            code = pl.when(choice.holds).then(code).when(~choice.holds).then(pl.lit(otherwise).gather(place))
        columns.code = self.to.plan.named(ACCOUNTS, code, "code")
        return columns

    def _place(self, body: Matrix) -> pl.Expr:
        """The index of the cell, null where row or column is unknown."""
        rows = self._index(body.rows, body.row_values)
        columns = self._index(body.columns, body.column_values)
        return self.to.plan.named(ACCOUNTS, rows * len(body.column_values) + columns, "cell")

    def _index(self, axis: tree.Expression, values: Sequence[str | bool]) -> pl.Expr:
        """The place of an axis' value among those it may have."""
        column = self.to.value(axis.tree)
        if isinstance(values[0], bool):
            place = column if values[0] is False else ~column
            return place.cast(pl.UInt32)
        return column.cast(pl.Enum([str(value) for value in values]), strict=False).to_physical().cast(pl.UInt32)

    def _choice(self, cells: Sequence[Cell], place: pl.Expr) -> Choice:
        """The kinds of cells, which are few: what they ask, and what follows."""
        kinds: dict[tuple[tree.Condition | None, str | None, str | None], int] = {}
        table = [kinds.setdefault(_kind_of(cell), len(kinds)) for cell in cells]
        kind = self.to.plan.named(ACCOUNTS, pl.lit(pl.Series(table, dtype=pl.UInt16)).gather(place), "kind")
        outcomes = tuple((then, otherwise) for _, then, otherwise in kinds)
        asked: dict[tree.Condition, list[int]] = {}
        for (when, _, _), number in kinds.items():
            if when is not None:
                asked.setdefault(when, []).append(number)
        if not asked:
            return Choice(kind, None, outcomes)
        branches = [
            Branch(is_one_of(kind, numbers), self.to.plan.named(ACCOUNTS, self.to.condition(when)))
            for when, numbers in asked.items()
        ]
        holds = self.to.plan.named(ACCOUNTS, chosen(branches, pl.lit(True)), "holds")
        return Choice(kind, holds, outcomes)

    # Values.

    def _with_values(self, columns: DecisionColumns) -> DecisionColumns:
        """The values of every outcome and those of single conclusions; where a needed one is unknown, nothing is decided."""
        given = [Given(value, None) for value in self.logic.values]
        for value, codes in self._own(columns.conclusions):
            given.append(Given(value, is_one_of(columns.code, codes)))
        return self._finish(columns, given)

    def _own(self, conclusions: Sequence[Concluded]) -> list[tuple[ValueDefinition, list[int]]]:
        """The values of single conclusions, each once, with the codes of those that give it."""
        found: dict[ValueDefinition, list[int]] = {}
        for code, concluded in enumerate(conclusions):
            for value in concluded.then.values if concluded.then is not NOTHING else ():
                found.setdefault(value, []).append(code)
        return list(found.items())

    def _finish(self, columns: DecisionColumns, given: Sequence[Given]) -> DecisionColumns:
        to = self.to
        types = dict(self.logic.value_types)
        worked: list[tuple[Given, pl.Expr]] = []
        lacking: list[pl.Expr] = []
        decided = columns.decided
        for one in given:
            value = to.plan.named(ACCOUNTS, self._value(one.value, types[one.value.name]), one.value.name)
            applies = decided if one.applies is None else to.plan.named(ACCOUNTS, decided & one.applies)
            worked.append((Given(one.value, applies), value))
            if one.value.expression.tree.optional and not one.value.nullable:
                lacking.append(value.is_null() if one.applies is None else applies & value.is_null())
        if lacking:
            known = joined("none", lacking)
            columns.code = to.plan.named(ACCOUNTS, pl.when(known).then(columns.code), "code")
            columns.choice = None
        for name, kind in types.items():
            branches = [Branch(one.applies, value) for one, value in worked if one.value.name == name]
            columns.values[name] = self._settled_value(columns, branches, kind)
        return columns

    def _settled_value(self, columns: DecisionColumns, branches: list[Branch], kind: Type) -> pl.Expr:
        """A value where it applies and the decision is decided; of several that apply the one given last."""
        shown = [Branch(columns.decided & branch.when, branch.then) for branch in reversed(branches)]
        return self.to.plan.named(ACCOUNTS, chosen(shown, nothing(kind)), "value")

    def _value(self, definition: ValueDefinition, kind: Type) -> pl.Expr:
        """A value as a whole, in the units of the answer's type."""
        node = definition.expression.tree
        constant = self.to.settled.constant(node)
        if constant is not OPEN and isinstance(kind, Number):
            return pl.lit(units(constant, kind), dtype=pl.Int64)
        return in_units(self.to.whole(node), node.type, kind)


class Branch(NamedTuple):
    """A condition, and what is chosen where it is the first that holds."""

    when: Any
    then: pl.Expr


class Given(NamedTuple):
    """A value, and where it is given (None: wherever the decision is decided)."""

    value: ValueDefinition
    applies: Any


def chosen(branches: Sequence[Branch], last: pl.Expr) -> pl.Expr:
    """The first branch whose condition holds, else the last; a condition that is unknown does not hold."""
    chain: Any = pl
    for branch in branches:
        chain = chain.when(branch.when).then(branch.then)
    result: pl.Expr = chain.otherwise(last) if branches else last
    return result


def is_one_of(number: pl.Expr, numbers: Sequence[int]) -> pl.Expr:
    """Whether a number is among a few."""
    return number.is_in(numbers) if len(numbers) > 1 else number == numbers[0]


def _kind_of(cell: Cell) -> tuple[tree.Condition | None, str | None, str | None]:
    return cell.when, cell.then.outcome, cell.otherwise.outcome if cell.otherwise is not None else None


def optional(condition: tree.Condition) -> bool:
    """Whether a condition may be unknown."""
    return any(expression.tree.optional for expression in tree.expressions_of(condition))


NOTHING: Any = None
CALCULATED = Concluded("", "", NOTHING)
COLLECTED = Concluded("", "", NOTHING)
