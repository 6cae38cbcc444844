"""Rules, matrices and values as columns: what each row comes to, as an enumeration whose words are the codes of reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
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

ALONE = "(decided)"
"""What stands for the conclusion where there is but one."""
FALSE = pl.lit(False)


class Collected(NamedTuple):
    """The rules of a collect decision, each with the column that says whether it applies."""

    rules: tuple[Rule, ...]
    applies: tuple[pl.Expr, ...]


@dataclass(slots=True)
class DecisionColumns:
    """A decision in columns of the accounts.

    `reason` is an enumeration of the conclusions' codes, null where the decision is not decided; `undetermined` is never null.
    `rule` is the same, or the rule of a matrix, whose cells may have two reasons. `outcome` is null unless decided; there is none
    of calculations, nor of collect decisions, which have `collected` rules. `values` are null unless decided, numbers in units.
    """

    logic: DecisionLogic
    reason: pl.Expr
    undetermined: pl.Expr
    rule: pl.Expr
    outcome: pl.Expr | None = None
    collected: Collected | None = None
    values: dict[str, pl.Expr] = field(default_factory=dict)

    @property
    def decided(self) -> pl.Expr:
        """Whether it is decided."""
        return self.reason.is_not_null()


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
                columns, own = self._first(self.logic.body)
            case Matrix():
                columns, own = self._matrix(self.logic.body)
            case _:
                columns, own = self._alone(FALSE), {}
        return self._with_values(columns, own)

    def _alone(self, undetermined: pl.Expr) -> DecisionColumns:
        """A decision that has but one conclusion."""
        open_ = self.to.plan.named(ACCOUNTS, undetermined, "undetermined")
        alone = pl.when(~open_).then(pl.lit(ALONE, dtype=pl.Enum([ALONE])))
        reason = self.to.plan.named(ACCOUNTS, alone, "reason")
        return DecisionColumns(self.logic, reason, open_, reason)

    # Rules.

    def in_force(self, body: Rules) -> list[Rule]:
        """The rules that hold on the day."""
        return [rule for rule in body.rules if self.to.settled.in_force(rule.period)]

    def _first(self, body: Rules) -> tuple[DecisionColumns, dict[str, Conclusion]]:
        """The first true rule, unless an unknown one comes before it (sentence 14)."""
        rules = self.in_force(body)
        own = {rule.id: rule.then for rule in rules}
        if body.otherwise is not None:
            own[OTHERWISE] = body.otherwise
        words = pl.Enum(list(own))
        branches = list(self._branches(rules, words))
        undetermined = self.to.plan.named(ACCOUNTS, _unknown_before_true(branches), "undetermined")
        last = pl.lit(OTHERWISE if body.otherwise is not None else None, dtype=words)
        settled = [Branch(undetermined, pl.lit(None, dtype=words)), *branches]
        reason = self.to.plan.named(ACCOUNTS, chosen(settled, last), "reason")
        columns = DecisionColumns(self.logic, reason, undetermined, reason)
        columns.outcome = self._outcome(columns, branches, own) if self.logic.outcomes else None
        return columns, own

    def _branches(self, rules: Sequence[Rule], words: pl.Enum) -> Iterator[Branch]:
        """Each rule's condition with its id; runs of rules that test one text for equality are one look-up."""
        for run in runs(list(rules)):
            if len(run) >= SHORTEST_RUN:
                yield self._look_up(run, words)
            elif self.to.settled.condition(run[0].when) is not False:
                yield self._rule(run[0], words)

    def _rule(self, rule: Rule, words: pl.Enum) -> Branch:
        condition = self.to.plan.named(ACCOUNTS, self.to.condition(rule.when), rule.id)
        unknown = condition.is_null() if optional(rule.when) else None
        return Branch(condition, pl.lit(rule.id, dtype=words), unknown, rule.id)

    def _look_up(self, run: Sequence[Rule], words: pl.Enum) -> Branch:
        table: dict[str, str] = {}
        for rule in run:
            tested = equality(rule)
            assert tested is not None
            subject, texts = tested
            for text in texts:
                table.setdefault(text, rule.id)
        column = self.to.named(subject)
        found = column.replace_strict(list(table), list(table.values()), default=None, return_dtype=words)
        found = self.to.plan.named(ACCOUNTS, found, "found")
        return Branch(found.is_not_null(), found, column.is_null() if subject.optional else None)

    def _outcome(self, columns: DecisionColumns, branches: Sequence[Branch], own: Mapping[str, Conclusion]) -> pl.Expr:
        """The outcome: rules in a row that come to the same need not be told apart."""
        kind = pl.Enum(self.logic.outcomes)
        if not all(branch.rule for branch in branches):
            outcomes = [str(conclusion.outcome) for conclusion in own.values()]
            return self.to.plan.named(ACCOUNTS, columns.reason.replace_strict(list(own), outcomes, return_dtype=kind))
        last = own[OTHERWISE].outcome if OTHERWISE in own else None
        told = [Branch(columns.undetermined, pl.lit(None, dtype=kind))]
        for outcome, group in groupby(branches, lambda branch: own[branch.rule].outcome):
            told.append(Branch(joined("any", [branch.when for branch in group]), pl.lit(outcome, dtype=kind)))
        return self.to.plan.named(ACCOUNTS, chosen(told, pl.lit(last, dtype=kind)), "outcome")

    def _collect(self, body: Rules) -> DecisionColumns:
        """All true rules; undetermined where a rule or a value that must be known is unknown (sentence 15)."""
        rules = self.in_force(body)
        conditions = [self.to.plan.named(ACCOUNTS, self.to.condition(rule.when), rule.id) for rule in rules]
        asked = [condition for rule, condition in zip(rules, conditions, strict=True) if optional(rule.when)]
        unknown = joined("any", [condition.is_null() for condition in asked]) if asked else FALSE
        columns = self._alone(unknown)
        columns.collected = Collected(tuple(rules), tuple(conditions))
        given = [Given(value, None) for value in self.logic.values]
        given += [
            Given(v, condition) for rule, condition in zip(rules, conditions, strict=True) for v in rule.then.values
        ]
        return self._finish(columns, given)

    # Matrices.

    def _matrix(self, body: Matrix) -> tuple[DecisionColumns, dict[str, Conclusion]]:
        """A look-up by row and column; then only the condition of the cell's kind is asked (sentence 16)."""
        at = {(cell.row, cell.column): cell for cell in body.cells}
        cells = [at[row, column] for row in body.row_values for column in body.column_values]
        own = {cell.id: cell.then for cell in cells}
        own |= {else_of(cell): cell.otherwise for cell in cells if cell.otherwise is not None}
        named, words = self.to.plan.named, pl.Enum(list(own))
        place = self._place(body)
        known, place = place.is_not_null(), named(ACCOUNTS, place.fill_null(0), "cell")
        choice = self._choice(cells, place)
        holds = choice.holds
        undetermined = named(ACCOUNTS, ~known | holds.is_null(), "undetermined")
        elses = [else_of(cell) if cell.otherwise else None if cell.when else cell.id for cell in cells]
        then, otherwise = _at([cell.id for cell in cells], words, place), _at(elses, words, place)
        reason = named(ACCOUNTS, _holding(known, holds, then, otherwise), "reason")
        ids = pl.Enum([cell.id for cell in cells])
        rule = pl.when(reason.is_not_null()).then(_at(list(ids.categories), ids, place))
        columns = DecisionColumns(self.logic, reason, undetermined, rule)
        if self.logic.outcomes:
            columns.outcome = named(ACCOUNTS, _cell_outcome(choice, known, pl.Enum(self.logic.outcomes)), "outcome")
        return columns, own

    def _place(self, body: Matrix) -> pl.Expr:
        """The index of the cell, null where row or column is unknown."""
        rows = self._index(body.rows, body.row_values)
        columns = self._index(body.columns, body.column_values)
        return self.to.plan.named(ACCOUNTS, rows * len(body.column_values) + columns, "place")

    def _index(self, axis: tree.Expression, values: Sequence[str | bool]) -> pl.Expr:
        """The place of an axis' value among those it may have."""
        column = self.to.named(axis.tree)
        if isinstance(values[0], bool):
            place = column if values[0] is False else ~column
            return place.cast(pl.UInt32)
        words = [str(value) for value in values]
        if len(words) <= FEW:
            return self._index_of_few(axis.tree, column, words)
        return column.cast(pl.Enum(words), strict=False).to_physical().cast(pl.UInt32)

    def _index_of_few(self, node: tree.Node, column: pl.Expr, words: Sequence[str]) -> pl.Expr:
        """The same by comparisons, one word left out: what is there and none of the others is that one."""
        rest = max(words, key=lambda word: sum(len(other) == len(word) for other in words))
        branches = [
            Branch(self.to.is_text(node, word), pl.lit(place, dtype=pl.UInt32))
            for place, word in enumerate(words)
            if word != rest
        ]
        branches.append(Branch(column.is_not_null(), pl.lit(words.index(rest), dtype=pl.UInt32)))
        return chosen(branches, pl.lit(None, dtype=pl.UInt32))

    def _choice(self, cells: Sequence[Cell], place: pl.Expr) -> Choice:
        """The kinds of cells, which are few: what they ask, and what follows."""
        kinds: dict[tuple[tree.Condition | bool, Outcomes], int] = {}
        pairs = list(dict.fromkeys(_outcomes_of(cell) for cell in cells if cell.when is not None))
        table = [kinds.setdefault(_kind_of(cell, pairs), len(kinds)) for cell in cells]
        dtype = pl.UInt8() if len(kinds) < BYTE else pl.UInt16()
        kind = self.to.plan.named(ACCOUNTS, pl.lit(pl.Series(table, dtype=dtype)).gather(place), "kind")
        asked: dict[tree.Condition | bool, list[int]] = {}
        for (when, _), number in kinds.items():
            asked.setdefault(when, []).append(number)
        branches = [
            Branch(is_one_of(kind, numbers), self._truth(when)) for when, numbers in asked.items() if when is not True
        ]
        holds = self.to.plan.named(ACCOUNTS, chosen(branches, pl.lit(True)), "holds")
        return Choice(kind, holds, tuple(outcomes for _, outcomes in kinds))

    def _truth(self, when: tree.Condition | bool) -> pl.Expr:
        return pl.lit(when) if isinstance(when, bool) else self.to.plan.named(ACCOUNTS, self.to.condition(when))

    # Values.

    def _with_values(self, columns: DecisionColumns, own: Mapping[str, Conclusion]) -> DecisionColumns:
        """The values of every outcome and those of single conclusions; where a needed one is unknown, nothing is decided."""
        given = [Given(value, None) for value in self.logic.values]
        for value, codes in _own_values(own).items():
            given.append(Given(value, is_one_of(columns.reason.to_physical(), codes)))
        return self._finish(columns, given)

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
                lacking.append(applies & value.is_null())
        if lacking:
            self._open(columns, to.plan.named(ACCOUNTS, joined("any", lacking), "lacking"))
        for name, kind in types.items():
            branches = [Branch(one.applies, value) for one, value in worked if one.value.name == name]
            columns.values[name] = self._settled_value(columns, branches, kind)
        return columns

    def _open(self, columns: DecisionColumns, lacking: pl.Expr) -> None:
        """Leave undetermined what lacks a value."""
        named = self.to.plan.named
        columns.undetermined = named(ACCOUNTS, columns.undetermined | lacking, "undetermined")
        reason = named(ACCOUNTS, pl.when(~lacking).then(columns.reason), "reason")
        columns.rule = reason if columns.rule is columns.reason else pl.when(~lacking).then(columns.rule)
        columns.reason = reason
        if columns.outcome is not None:
            columns.outcome = named(ACCOUNTS, pl.when(~lacking).then(columns.outcome), "outcome")

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
    """A condition, and what is chosen where it is the first that holds.

    Of a rule also its id, and where the condition is unknown, if it may be.
    """

    when: Any
    then: pl.Expr
    unknown: pl.Expr | None = None
    rule: str = ""


Outcomes = tuple[str | None, str | None]
"""What a cell comes to where its condition holds, and where it does not."""


class Choice(NamedTuple):
    """Of a matrix: the kind of each row's cell, whether its condition holds, and by kind what it then comes to, and what else."""

    kind: pl.Expr
    holds: pl.Expr
    outcomes: tuple[Outcomes, ...]


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


def _unknown_before_true(branches: Sequence[Branch]) -> pl.Expr:
    """Whether an unknown condition comes before any true one; truths are bits, so this costs next to nothing."""
    found: list[pl.Expr] = []
    earlier: list[pl.Expr] = []
    for branch in branches:
        if branch.unknown is not None:
            found.append(joined("all", [*earlier, branch.unknown]))
        earlier.append(~branch.when if branch.unknown is None else ~branch.when.fill_null(False))
    return joined("any", found) if found else FALSE


def is_one_of(number: pl.Expr, numbers: Sequence[int]) -> pl.Expr:
    """Whether a number is among a few."""
    return number.is_in(numbers) if len(numbers) > 1 else number == numbers[0]


BYTE = 256
"""Fewer numbers lie in bytes."""
FEW = 6
"""Among so many words it is quicker to compare than to look up."""


def else_of(cell: Cell) -> str:
    """The reason code of what follows where a cell's condition does not hold."""
    return f"{cell.id}:else"


def _outcomes_of(cell: Cell) -> Outcomes:
    return cell.then.outcome, cell.otherwise.outcome if cell.otherwise is not None else None


def _kind_of(cell: Cell, pairs: Sequence[Outcomes]) -> tuple[tree.Condition | bool, Outcomes]:
    """What a cell asks, and what it comes to; one that asks nothing is seen as one of the others, of which it is settled."""
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


def _holding(known: pl.Expr, holds: pl.Expr, then: pl.Expr, otherwise: pl.Expr) -> pl.Expr:
    """What follows where a condition holds, and where it does not; null where that is not known."""
    return pl.when(known & holds).then(then).when(known & ~holds).then(otherwise)


def _cell_outcome(choice: Choice, known: pl.Expr, kind: pl.Enum) -> pl.Expr:
    """The outcome of a matrix: by the kinds of its cells, those together that come to the same."""
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


def _own_values(own: Mapping[str, Conclusion]) -> dict[ValueDefinition, list[int]]:
    """The values of single conclusions, each once, with the codes of those that give it."""
    found: dict[ValueDefinition, list[int]] = {}
    for code, conclusion in enumerate(own.values()):
        for value in conclusion.values:
            found.setdefault(value, []).append(code)
    return found


def optional(condition: tree.Condition) -> bool:
    """Whether a condition may be unknown."""
    return any(expression.tree.optional for expression in tree.expressions_of(condition))
