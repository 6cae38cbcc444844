"""Rules, matrices and values as columns: first a code that says what was concluded, then what follows from the code.

The code is the index of a conclusion among all that a decision may come to; two more codes stand for undetermined and gap.
Outcome, rule and reason are then look-ups by the code, so their cost does not grow with the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from policy_engine.backends.columnar.expressions import Expressions, in_units, nothing
from policy_engine.backends.columnar.plan import ACCOUNTS
from policy_engine.backends.runs import SHORTEST_RUN, equality, runs
from policy_engine.backends.settled import OPEN, units
from policy_engine.language import expressions as tree
from policy_engine.language.rulesets import (
    OTHERWISE,
    Conclusion,
    DecisionLogic,
    Matrix,
    Rule,
    Rules,
    ValueDefinition,
)
from policy_engine.language.types import Number, Type

CODE = pl.UInt16()


class Concluded(NamedTuple):
    """A conclusion that a decision may come to: the rule's id, the code of its reason, and what follows."""

    rule: str
    reason: str
    then: Conclusion


class Collected(NamedTuple):
    """The rules of a collect decision, each with the column that says whether it applies."""

    rules: tuple[Rule, ...]
    applies: tuple[pl.Expr, ...]


@dataclass(slots=True)
class DecisionColumns:
    """A decision in columns of the accounts.

    `code` indexes `conclusions`; `undetermined` and `gap` are the two codes after them. `collected` are the rules of a collect
    decision. `values` are null unless decided, numbers in units.
    """

    logic: DecisionLogic
    conclusions: tuple[Concluded, ...]
    code: pl.Expr
    collected: Collected | None = None
    values: dict[str, pl.Expr] = field(default_factory=dict)

    @property
    def undetermined(self) -> int:
        """The code of what cannot be decided."""
        return len(self.conclusions)

    @property
    def gap(self) -> int:
        """The code of what no rule covers."""
        return len(self.conclusions) + 1

    @property
    def decided(self) -> pl.Expr:
        """Whether it is decided."""
        return self.code < self.undetermined


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
                columns = DecisionColumns(
                    self.logic, (CALCULATED,), self.to.plan.named(ACCOUNTS, pl.lit(0, dtype=CODE))
                )
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
        columns = DecisionColumns(self.logic, tuple(concluded), pl.lit(0))
        last = len(rules) if body.otherwise is not None else columns.gap
        branches = list(self._branches(rules, columns.undetermined))
        columns.code = self.to.plan.named(ACCOUNTS, chosen(branches, pl.lit(last, dtype=CODE)), "code")
        return columns

    def _branches(self, rules: Sequence[Rule], undetermined: int) -> Iterator[Branch]:
        """Each rule's condition with its index; runs of rules that test one text for equality are one look-up."""
        index = 0
        for run in runs(list(rules)):
            if len(run) >= SHORTEST_RUN:
                yield from self._look_up(run, index, undetermined)
            else:
                yield from self._rule(run[0], index, undetermined)
            index += len(run)

    def _rule(self, rule: Rule, index: int, undetermined: int) -> Iterator[Branch]:
        condition = self.to.plan.named(ACCOUNTS, self.to.condition(rule.when), rule.id)
        yield Branch(condition, pl.lit(index, dtype=CODE))
        if optional(rule.when):
            yield Branch(condition.is_null(), pl.lit(undetermined, dtype=CODE))

    def _look_up(self, run: Sequence[Rule], index: int, undetermined: int) -> Iterator[Branch]:
        table: dict[str, int] = {}
        for place, rule in enumerate(run):
            tested = equality(rule)
            assert tested is not None
            subject, texts = tested
            for text in texts:
                table.setdefault(text, index + place)
        column = self.to.named(subject)
        found = column.replace_strict(list(table), list(table.values()), default=None, return_dtype=CODE)
        found = self.to.plan.named(ACCOUNTS, found, "found")
        if subject.optional:
            yield Branch(column.is_null(), pl.lit(undetermined, dtype=CODE))
        yield Branch(found.is_not_null(), found)

    def _collect(self, body: Rules) -> DecisionColumns:
        """All true rules, as bits; undetermined where a rule or a value that must be known is unknown (sentence 15)."""
        rules = self.in_force(body)
        conditions = [self.to.plan.named(ACCOUNTS, self.to.condition(rule.when), rule.id) for rule in rules]
        unknown = pl.lit(False)
        for rule, condition in zip(rules, conditions, strict=True):
            unknown = unknown | condition.is_null() if optional(rule.when) else unknown
        given = [Given(value, None) for value in self.logic.values]
        given += [
            Given(v, condition) for rule, condition in zip(rules, conditions, strict=True) for v in rule.then.values
        ]
        columns = DecisionColumns(self.logic, (COLLECTED,), pl.lit(0), Collected(tuple(rules), tuple(conditions)))
        code = pl.when(unknown).then(pl.lit(columns.undetermined, dtype=CODE)).otherwise(pl.lit(0, dtype=CODE))
        columns.code = self.to.plan.named(ACCOUNTS, code, "code")
        return self._finish(columns, given)

    # Matrices.

    def _matrix(self, body: Matrix) -> DecisionColumns:
        """A look-up by row and column; then only the condition of the cell's kind is asked (sentence 16)."""
        concluded = [Concluded(cell.id, cell.id, cell.then) for cell in body.cells]
        otherwise = {}
        for cell in body.cells:
            if cell.otherwise is not None:
                otherwise[cell.id] = len(concluded)
                concluded.append(Concluded(cell.id, f"{cell.id}:else", cell.otherwise))
        columns = DecisionColumns(self.logic, tuple(concluded), pl.lit(0))
        place = self._place(body)
        holds = self._holds(body, place)
        code: pl.Expr = place.cast(CODE)
        if holds is not None:
            elses = pl.Series([otherwise.get(cell.id, columns.gap) for cell in body.cells], dtype=CODE)
            code = pl.when(holds).then(code).when(~holds).then(pl.lit(elses).gather(place))
        columns.code = self.to.plan.named(ACCOUNTS, code.fill_null(pl.lit(columns.undetermined, dtype=CODE)), "code")
        return columns

    def _place(self, body: Matrix) -> pl.Expr:
        """The index of the cell, null where row or column is unknown."""
        rows = self._index(body.rows, body.row_values)
        columns = self._index(body.columns, body.column_values)
        order = {(row, column): i for i, (row, column) in enumerate((cell.row, cell.column) for cell in body.cells)}
        place = rows * len(body.column_values) + columns
        at = [order[row, column] for row in body.row_values for column in body.column_values]
        if at != list(range(len(at))):
            place = pl.lit(pl.Series(at, dtype=pl.UInt32)).gather(place)
        return self.to.plan.named(ACCOUNTS, place, "cell")

    def _index(self, axis: tree.Expression, values: Sequence[str | bool]) -> pl.Expr:
        """The place of an axis' value among those it may have."""
        column = self.to.value(axis.tree)
        if isinstance(values[0], bool):
            place = column if values[0] is False else ~column
            return place.cast(pl.UInt32)
        return column.cast(pl.Enum([str(value) for value in values]), strict=False).to_physical().cast(pl.UInt32)

    def _holds(self, body: Matrix, place: pl.Expr) -> pl.Expr | None:
        """Whether the cell's condition holds; None where no cell has one."""
        kinds: dict[tree.Condition, int] = {}
        for cell in body.cells:
            if cell.when is not None:
                kinds.setdefault(cell.when, len(kinds) + 1)
        if not kinds:
            return None
        table = pl.Series([kinds[cell.when] if cell.when is not None else 0 for cell in body.cells], dtype=CODE)
        kind = self.to.plan.named(ACCOUNTS, pl.lit(table).gather(place), "kind")
        branches = [
            Branch(kind == number, self.to.plan.named(ACCOUNTS, self.to.condition(when)))
            for when, number in kinds.items()
        ]
        return self.to.plan.named(ACCOUNTS, chosen(branches, pl.lit(True)), "holds")

    # Values.

    def _with_values(self, columns: DecisionColumns) -> DecisionColumns:
        """The values of every outcome and those of single conclusions; where a needed one is unknown, nothing is decided."""
        given = [Given(value, None) for value in self.logic.values]
        for value, codes in self._own(columns.conclusions):
            applies = columns.code.is_in(codes) if len(codes) > 1 else columns.code == codes[0]
            given.append(Given(value, applies))
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
        unknown = pl.lit(False)
        decided = columns.decided
        for one in given:
            value = to.plan.named(ACCOUNTS, self._value(one.value, types[one.value.name]), one.value.name)
            applies = decided if one.applies is None else to.plan.named(ACCOUNTS, decided & one.applies)
            worked.append((Given(one.value, applies), value))
            if one.value.expression.tree.optional and not one.value.nullable:
                unknown = unknown | (applies & value.is_null())
        if unknown.meta.root_names():
            code = pl.when(unknown).then(pl.lit(columns.undetermined, dtype=CODE)).otherwise(columns.code)
            columns.code = to.plan.named(ACCOUNTS, code, "code")
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


def optional(condition: tree.Condition) -> bool:
    """Whether a condition may be unknown."""
    return any(expression.tree.optional for expression in tree.expressions_of(condition))


NOTHING: Any = None
CALCULATED = Concluded("", "", NOTHING)
COLLECTED = Concluded("", "", NOTHING)
