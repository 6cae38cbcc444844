"""Decisions as columns: the number of the conclusion that holds, and from it outcome, rule, reason and values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from policy_engine.backends.reason_codes import else_of
from policy_engine.backends.sql.build import (
    FALSE,
    TRUE,
    Operand,
    Sql,
    all_of,
    any_of,
    call,
    choose,
    literal,
    null,
    where,
)
from policy_engine.backends.sql.expressions import Expressions
from policy_engine.language import expressions as tree
from policy_engine.language.combining import Combination
from policy_engine.language.decisions import Status
from policy_engine.language.rulesets import (
    OTHERWISE,
    Cell,
    Conclusion,
    DecisionLogic,
    HitPolicy,
    Matrix,
    Rule,
    Rules,
    ValueDefinition,
)
from policy_engine.language.specialize import constant
from policy_engine.language.types import TEXT, Type, innermost

UNDETERMINED, GAP = 0, -1
"""The numbers where nothing is concluded; conclusions are counted from 1."""


class Concluded(NamedTuple):
    """A conclusion with its rule and the code of its reason; its number is its place, counted from 1."""

    rule: str
    reason: str
    conclusion: Conclusion


class Given(NamedTuple):
    """A value, and where it is given; None where the decision gives it whatever applies."""

    value: ValueDefinition
    applies: Sql | None


@dataclass(slots=True)
class Decided:
    """A decision as columns: `number` is that of its conclusion. Of a collect decision `applies` has the condition of each rule.

    `asks` says which accounts lie in a cell that asks for a condition of the matrix. `values` are null unless decided.
    """

    logic: DecisionLogic
    number: Sql
    conclusions: Sequence[Concluded] = ()
    applies: Sequence[tuple[Rule, Sql]] = ()
    asks: dict[tree.Condition, Sql] = field(default_factory=dict)
    values: dict[str, Sql] = field(default_factory=dict)

    @property
    def decided(self) -> Sql:
        """Whether it is decided."""
        sure = self.number.number
        return self.number > 0 if sure is None else literal(sure > 0)

    @property
    def undetermined(self) -> Sql:
        """Whether it is undetermined."""
        return self._is(UNDETERMINED)

    @property
    def gap(self) -> Sql:
        """Whether no rule applies and nothing holds otherwise."""
        return self._is(GAP)

    def _is(self, number: int) -> Sql:
        sure = self.number.number
        return self.number.equals(number) if sure is None else literal(sure == number)

    def by_conclusion(self, to: Expressions, words: Sequence[str | None]) -> Sql:
        """The word of the conclusion; conclusions with the same word together."""
        numbers: dict[str, list[Operand]] = {}
        for number, word in enumerate(words, 1):
            if word is not None:
                numbers.setdefault(word, []).append(number)
        if self.number.number is not None:
            numbers = {word: those for word, those in numbers.items() if self.number.number in those}
            return to.dialect.text(next(iter(numbers))) if numbers else null("TEXT")
        return choose([(_among(self.number, those), to.dialect.text(word)) for word, those in numbers.items()])


@dataclass(slots=True)
class DecisionWriter:
    """Writes the columns of one decision."""

    to: Expressions
    logic: DecisionLogic

    def write(self) -> Decided:
        """The decision's columns."""
        match self.logic.body:
            case Rules(hit=HitPolicy.COLLECT):
                return self._collect(self.logic.body)
            case Rules():
                decided = self._first(self.logic.body)
            case Matrix():
                decided = self._matrix(self.logic.body)
            case _:
                decided = Decided(self.logic, literal(1))
        own = [Given(value, _among(decided.number, those)) for value, those in _own_values(decided.conclusions).items()]
        return self._with_values(decided, own)

    def _named(self, number: Sql) -> Sql:
        return self.to.kept(number, f"{self.logic.name}_number", self.logic.question)

    def _first(self, body: Rules) -> Decided:
        """The first true rule, unless an unknown one comes before it (sentence 14)."""
        concluded = [Concluded(rule.id, rule.id, rule.then) for rule in body.rules]
        branches: list[tuple[Sql, Operand]] = []
        for number, rule in enumerate(body.rules, 1):
            if constant(rule.when) is not False:
                branches += self._branches(rule, number)
        last = GAP
        if body.otherwise is not None:
            concluded.append(Concluded(OTHERWISE, OTHERWISE, body.otherwise))
            last = len(concluded)
        return Decided(self.logic, self._named(choose(branches, last)), concluded)

    def _branches(self, rule: Rule, number: int) -> Iterator[tuple[Sql, Operand]]:
        condition = self.condition(rule)
        yield condition, number
        if tree.is_optional(rule.when):
            yield condition.is_unknown(), UNDETERMINED

    def condition(self, rule: Rule) -> Sql:
        """The condition of a rule, as a column with its id."""
        return self.to.kept(self.to.condition(rule.when), rule.id)

    def _matrix(self, body: Matrix) -> Decided:
        """A join by row and column; then only the condition of the cell is asked (sentence 16)."""
        concluded: list[Concluded] = []
        asked: dict[tree.Condition, int] = {}
        rows = [self._cell(cell, concluded, asked) for cell in body.cells]
        row, column = (self.to.named(axis.tree, "axis") for axis in (body.rows, body.columns))
        cell = self.to.plan.joined(
            f"{self.logic.name}_cells",
            ("row", "column", "asks", "then", "else"),
            rows,
            lambda columns: row.equals(columns["row"]) & column.equals(columns["column"]),
        )
        conditions = {when: self.to.kept(self.to.condition(when), "asked") for when in asked}
        here = {when: cell["asks"].equals(number) for when, number in asked.items()}
        holds = choose([(here[when], conditions[when]) for when in asked], TRUE) if asked else TRUE
        holds = self.to.kept(holds, f"{self.logic.name}_holds")
        branches = [(holds & cell["then"].is_known(), cell["then"]), (~holds & cell["then"].is_known(), cell["else"])]
        number = self._named(choose(branches, UNDETERMINED))
        return Decided(self.logic, number, concluded, asks=here)

    def _cell(
        self, cell: Cell, concluded: list[Concluded], asked: dict[tree.Condition, int]
    ) -> tuple[Sql, Sql, Sql, Sql, Sql]:
        """The constants of a cell: its row and column, what it asks for, and the numbers of what follows."""
        concluded.append(Concluded(cell.id, cell.id, cell.then))
        then, otherwise, asks = len(concluded), GAP, 0
        if cell.when is not None:
            asks = asked.setdefault(cell.when, len(asked) + 1)
        if cell.otherwise is not None:
            concluded.append(Concluded(cell.id, else_of(cell), cell.otherwise))
            otherwise = len(concluded)
        return self._axis(cell.row), self._axis(cell.column), literal(asks), literal(then), literal(otherwise)

    def _axis(self, value: str | bool) -> Sql:
        return literal(value) if isinstance(value, bool) else self.to.dialect.text(value)

    def _collect(self, body: Rules) -> Decided:
        """All true rules; undetermined where a rule or a value that must be known is unknown (sentence 15)."""
        applies = [(rule, self.condition(rule)) for rule in body.rules]
        unknown = [condition.is_unknown() for rule, condition in applies if tree.is_optional(rule.when)]
        number = self._named(choose([(any_of(unknown), UNDETERMINED)], 1)) if unknown else literal(1)
        decided = Decided(self.logic, number, applies=applies)
        own = [Given(value, condition) for rule, condition in applies for value in rule.then.values]
        return self._with_values(decided, own)

    def _with_values(self, decided: Decided, own: Sequence[Given]) -> Decided:
        """The decision with its values; where one that must be known is not, nothing is decided."""
        given = [*(Given(value, None) for value in self.logic.values), *own]
        written = [self.to.kept(self._value(each.value), each.value.name) for each in given]
        lacking = [
            _here(each) & value.is_unknown()
            for each, value in zip(given, written, strict=True)
            if each.value.expression.tree.optional and not each.value.nullable
        ]
        if lacking:
            lacks = decided.decided & any_of(lacking)
            decided.number = self._named(choose([(lacks, UNDETERMINED)], decided.number))
        for name, kind in self.logic.value_types:
            shown = [(each, value) for each, value in zip(given, written, strict=True) if each.value.name == name]
            decided.values[name] = self._combined(name, kind, decided, shown)
        return decided

    def _combined(self, name: str, kind: Type, decided: Decided, given: Sequence[tuple[Given, Sql]]) -> Sql:
        branches = [(decided.decided & _here(each), value) for each, value in given]
        found = combined(self.to, branches, kind, self.logic.combination(name), decided.decided)
        return self.to.kept(found, f"{self.logic.name}_{name}")

    def _value(self, definition: ValueDefinition) -> Sql:
        """A value as a whole, in the units of the answer's type."""
        kind = dict(self.logic.value_types)[definition.name]
        if self.logic.combination(definition.name) is Combination.LIST:
            kind = innermost(kind)
        node = definition.expression.tree
        return self.to.in_units(self.to.whole(node), node.type, kind)


def combined(
    to: Expressions, branches: Sequence[tuple[Sql, Sql]], kind: Type, combination: Combination | None, decided: Sql
) -> Sql:
    """A value where the decision is decided, of all rules that apply; where nothing says how, it is the one given last."""
    given = [where(condition, value) for condition, value in branches]
    match combination:
        case Combination.SUM:
            total = literal(0).cast("BIGINT")
            for condition, value in branches:
                total = total + choose([(condition, value)], 0)
            return where(decided, total)
        case Combination.LIST:
            return where(decided, to.dialect.compacted(to.dialect.array(given, innermost(kind))))
        case Combination.MIN | Combination.MAX if len(given) > 1:
            return call("least" if combination is Combination.MIN else "greatest", *given)
        case Combination.FIRST:
            return choose(branches) if branches else to.dialect.nothing(kind)
    return choose([*reversed(branches)]) if branches else to.dialect.nothing(kind)


def _here(given: Given) -> Sql:
    return TRUE if given.applies is None else given.applies


def _among(number: Sql, those: Sequence[Operand]) -> Sql:
    return number.among(those) if len(those) > 1 else number.equals(those[0])


def _own_values(conclusions: Sequence[Concluded]) -> dict[ValueDefinition, list[Operand]]:
    """The values of single conclusions, each once, with the numbers of those that give it."""
    found: dict[ValueDefinition, list[Operand]] = {}
    for number, concluded in enumerate(conclusions, 1):
        for value in concluded.conclusion.values:
            found.setdefault(value, []).append(number)
    return found


def status_of(decided: Decided) -> Sql:
    """The status."""
    undetermined, gap, last = (literal(str(each)) for each in (Status.UNDETERMINED, Status.GAP, Status.DECIDED))
    return choose([(decided.undetermined, undetermined), (decided.gap, gap)], last)


def outcome_of(to: Expressions, decided: Decided) -> Sql | None:
    """The outcome, or those of all rules that apply; None of a calculation and of what has no outcomes."""
    if decided.logic.collects:
        return to.dialect.compacted(to.dialect.array(_collected(to, decided), TEXT))
    if not decided.logic.outcomes:
        return None
    return decided.by_conclusion(to, [each.conclusion.outcome for each in decided.conclusions])


def _collected(to: Expressions, decided: Decided) -> list[Sql]:
    """The outcome of each rule that applies where no rule before it has given the same."""
    found: list[Sql] = []
    for at, (rule, condition) in enumerate(decided.applies):
        earlier = [other for before, other in decided.applies[:at] if before.then.outcome == rule.then.outcome]
        new = [condition, *(choose([(other, FALSE)], TRUE) for other in earlier)]
        found.append(where(all_of(new), to.dialect.text(str(rule.then.outcome))))
    return found


def rule_of(to: Expressions, decided: Decided) -> Sql | None:
    """The rule that decides, or all that apply; None of a calculation."""
    if decided.logic.collects:
        ids = [where(condition, to.dialect.text(rule.id)) for rule, condition in decided.applies]
        return to.dialect.compacted(to.dialect.array(ids, TEXT))
    if decided.logic.body is None:
        return None
    return decided.by_conclusion(to, [each.rule for each in decided.conclusions])


def reason_of(to: Expressions, decided: Decided) -> Sql | None:
    """The code of the reason; None of a calculation and of what is collected."""
    if decided.logic.collects or decided.logic.body is None:
        return None
    return decided.by_conclusion(to, [each.reason for each in decided.conclusions])
