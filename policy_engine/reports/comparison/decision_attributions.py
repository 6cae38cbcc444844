"""Why the answers to a decision differ: which of its rules made the difference, and why that.

Where the first true rule decides, two answers differ only if the rules that decided them do, or what the same rule gives. So
the rules that decided on either side are looked at, first the one that comes first in the newer order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from policy_engine.language import expressions as tree
from policy_engine.language.rulesets import (
    OTHERWISE,
    Conclusion,
    DecisionLogic,
    Matrix,
    Rules,
    ValueDefinition,
)
from policy_engine.reports.comparison.attributions import NEW, NO_ATTRIBUTION, OLD, Attributions, Why
from policy_engine.reports.comparison.pairing import Part

NUMBERS = 1 << 24
"""An attribution with its rule is one number: that of the attribution, and so many times that of the rule."""
LAST = 1 << 30
"""The place behind all rules of the newer side."""


@dataclass(frozen=True, slots=True)
class Case:
    """A rule, or a cell of a matrix, on the sides that have it.

    `condition` is where its conditions may differ, or the whole of it where only one side has it. `alone` says then which.
    `outcomes` are what both give, where that differs. `values` are its own values that may differ, by name. `place` is its place
    in the order of the newer side, negative where only the older one has it. `old_id` is its name on the older side.
    """

    id: str
    old_id: str
    number: int
    place: int
    alone: Why | None = None
    condition: Part | None = None
    outcomes: tuple[str | None, str | None] | None = None
    values: Mapping[str, Part] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DecisionAttributions:
    """Why the answers to a decision differ: columns of attributions with their rules, one for the answer and one for each value.

    `cases` are the rules that they name.
    """

    name: str
    cases: tuple[Case, ...]
    answer: pl.Expr
    values: Mapping[str, pl.Expr]


def reached_rule(decision: str) -> str:
    """The name of the column with the first rule that is not false, without its side."""
    return f"(reached {decision})"


def decoded(number: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The numbers of an attribution and of its rule, null where it has none."""
    rule = number // NUMBERS
    return number % NUMBERS, pl.when(rule > 0).then(rule - 1)


def decision_attributions(attributions: Attributions, old: DecisionLogic, new: DecisionLogic) -> DecisionAttributions:
    """The attributions of the differences between the answers of two sides to one decision."""
    if not attributions.pairing.may_differ(new.name):
        return DecisionAttributions(new.name, (), NO_ATTRIBUTION, {})
    writer = _Writer(attributions, old, new, tuple(_cases(attributions, old, new)))
    return writer.written()


def _cases(attributions: Attributions, old: DecisionLogic, new: DecisionLogic) -> Iterator[Case]:
    """The rules of both sides in the order of the newer one, behind them those that only the older one has."""
    if _way(old) != _way(new):
        return
    before, after = _rules(old), _rules(new)
    renamed = _renamed(attributions, before, after)
    gone = [name for name in before if name not in after and name not in renamed.values()]
    for number, name in enumerate([*after, *gone]):
        was = renamed.get(name, name)
        if name in after and was in before:
            yield _shared(attributions, (was, name), number, before[was], after[name])
            continue
        why, rule = (Why.NEW_RULE, after[name]) if name in after else (Why.OLD_RULE, before[name])
        own = attributions.pairing.alone(rule.when, is_old=why is Why.OLD_RULE) if rule.when is not None else None
        yield Case(name, name, number, number if name in after else -1, why, own)


def _renamed(attributions: Attributions, before: Mapping[str, _Rule], after: Mapping[str, _Rule]) -> dict[str, str]:
    """The older names of rules that only have another name: their conditions and outcomes are those of one that is gone."""
    gone = {name: rule for name, rule in before.items() if name not in after}
    found: dict[str, str] = {}
    for name, rule in after.items():
        if name not in before:
            was = next((old for old, other in gone.items() if _is_same(attributions, other, rule)), None)
            if was is not None:
                found[name] = was
                del gone[was]
    return found


def _is_same(attributions: Attributions, old: _Rule, new: _Rule) -> bool:
    if old.when is None or new.when is None or old.outcome != new.outcome:
        return False
    return attributions.pairing.means_same(old.when, new.when)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What rules and cells have in common."""

    when: tree.Condition | None
    conclusions: tuple[Conclusion, ...]

    @property
    def outcome(self) -> str | None:
        return " or ".join(each.outcome for each in self.conclusions if each.outcome is not None) or None


def _way(logic: DecisionLogic) -> tuple[object, ...]:
    return type(logic.body), logic.body.hit if isinstance(logic.body, Rules) else None


def _rules(logic: DecisionLogic) -> dict[str, _Rule]:
    match logic.body:
        case Rules(rules=rules, otherwise=otherwise):
            found = {rule.id: _Rule(rule.when, (rule.then,)) for rule in rules}
            return found | ({OTHERWISE: _Rule(None, (otherwise,))} if otherwise is not None else {})
        case Matrix(cells=cells):
            return {
                cell.id: _Rule(cell.when, (cell.then, *([cell.otherwise] if cell.otherwise else []))) for cell in cells
            }
    return {}


def _shared(attributions: Attributions, names: tuple[str, str], number: int, old: _Rule, new: _Rule) -> Case:
    both = None
    if old.when is not None and new.when is not None:
        both = attributions.pairing.of(old.when, new.when)
    elif old.when is not None or new.when is not None:
        whole = old.when or new.when
        assert whole is not None
        both = attributions.pairing.alone(whole, is_old=new.when is None)
    values = dict(_values(attributions, _own_values(old), _own_values(new)))
    outcomes = (old.outcome, new.outcome) if old.outcome != new.outcome else None
    return Case(names[1], names[0], number, number, None, both, outcomes, values)


def _own_values(rule: _Rule) -> list[ValueDefinition]:
    """The values of a rule's own; those that both conclusions of a cell have, since no column says which of them gave one."""
    first, *others = rule.conclusions
    return [value for value in first.values if all(value in other.values for other in others)]


def _values(
    attributions: Attributions, old: Sequence[ValueDefinition], new: Sequence[ValueDefinition]
) -> Iterator[tuple[str, Part]]:
    """The values of both sides whose expressions may differ, by name."""
    before = {value.name: value for value in old}
    for value in new:
        part = (
            attributions.pairing.of(before[value.name].expression, value.expression) if value.name in before else None
        )
        if part is not None:
            yield value.name, part


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the columns of one decision."""

    attributions: Attributions
    old: DecisionLogic
    new: DecisionLogic
    cases: tuple[Case, ...]

    def written(self) -> DecisionAttributions:
        self.attributions.prepare(self._numbers_reached())
        rules = self._rules()
        general = dict(_values(self.attributions, self.old.values, self.new.values))
        lacking = [self._lacking(part) for part in general.values()]
        answer = _first_of([rules, *lacking, self._own_lacking(), self._outcomes(), self._names(), self._order()])
        values = {}
        for name, _ in self.new.value_types:
            own = {
                case.number: _coded(self._found(case.values[name]), case) for case in self.cases if name in case.values
            }
            first = _coded(self._found(general[name])) if name in general else NO_ATTRIBUTION
            values[name] = _first_of([first, self._where_same(own), rules, self._order()])
        return DecisionAttributions(self.new.name, self.cases, answer, values)

    def _rules(self) -> pl.Expr:
        """The first rule that differs, of those that decided."""
        if _way(self.old) != _way(self.new):
            return _coded(self._number(Why.WAY))
        if self.new.collects:
            return _first_of([self._where_not_false(case) for case in self.cases])
        own = {case.number: _coded(self._case(case), case) for case in self.cases if case.condition or case.alone}
        if not own:
            return _first_of(self._of_matrix())
        by_old, by_new = (_by_case(self._reached(side), own) for side in (OLD, NEW))
        first = pl.when(self._place(NEW) < self._place(OLD)).then(pl.coalesce(by_new, by_old))
        return _first_of([*self._of_matrix(), first.otherwise(pl.coalesce(by_old, by_new))])

    def _of_matrix(self) -> Iterator[pl.Expr]:
        if isinstance(self.old.body, Matrix) and isinstance(self.new.body, Matrix):
            for name in ("rows", "columns"):
                part = self.attributions.pairing.of(getattr(self.old.body, name), getattr(self.new.body, name))
                if part is not None:
                    yield _coded(self._found(part))

    def _case(self, case: Case) -> pl.Expr:
        """Why a rule decided on one side, and not on the other."""
        if case.alone is not None:
            return self._number(case.alone, case.condition)
        assert case.condition is not None
        return self._found(case.condition)

    def _found(self, part: Part) -> pl.Expr:
        return self.attributions.found(part) if part.is_shared else self.attributions.own(part)

    def _where_not_false(self, case: Case) -> pl.Expr:
        """Why a rule of those that are collected differs; one that only one side has counts unless it is false."""
        if case.condition is None:
            return NO_ATTRIBUTION
        found = _coded(self._case(case), case)
        if case.condition.is_shared:
            return found
        column = self.attributions.column(NEW if case.condition.old is None else OLD, case.condition)
        return pl.when(column.fill_null(True)).then(found)

    def _lacking(self, part: Part, case: Case | None = None) -> pl.Expr:
        """The attribution where a value is known to one side only, so that only one is decided."""
        if not part.measured:
            return NO_ATTRIBUTION
        old, new = self.attributions.column(OLD, part), self.attributions.column(NEW, part)
        return pl.when(old.is_null() != new.is_null()).then(_coded(self._found(part), case))

    def _own_lacking(self) -> pl.Expr:
        own = {
            case.number: pl.coalesce([self._lacking(part, case) for part in case.values.values()])
            for case in self.cases
            if case.values
        }
        return self._where_same(own)

    def _outcomes(self) -> pl.Expr:
        """The attribution where the same rule gives another outcome."""
        numbers = {
            case.number: _coded(self._number(Why.OUTCOME, outcomes=case.outcomes), case)
            for case in self.cases
            if case.outcomes is not None
        }
        return self._where_same(numbers)

    def _names(self) -> pl.Expr:
        """The attribution where the same rule has another name."""
        renamed = [case for case in self.cases if case.id != case.old_id]
        return self._where_same({case.number: _coded(self._number(Why.NAME), case) for case in renamed})

    def _where_same(self, attributions: Mapping[int, pl.Expr]) -> pl.Expr:
        """The attributions that rules have where they decide on both sides."""
        if not attributions:
            return NO_ATTRIBUTION
        if self.new.collects:
            return _first_of(
                [pl.when(self._applies(number)).then(attribution) for number, attribution in attributions.items()]
            )
        same = self._reached(OLD) == self._reached(NEW)
        return pl.when(same).then(_by_case(self._reached(NEW), attributions))

    def _applies(self, number: int) -> pl.Expr:
        """Whether a rule of those that are collected applies on both sides."""
        rule, case = f"{self.new.name}.rule", self.cases[number]
        return pl.col(f"{OLD}{rule}").list.contains(case.old_id) & pl.col(f"{NEW}{rule}").list.contains(case.id)

    def _order(self) -> pl.Expr:
        """The attribution where two rules that are the same on both sides stand in another order."""
        if not isinstance(self.new.body, Rules) or self.new.collects or not self.cases:
            return NO_ATTRIBUTION
        number = self._number(Why.ORDER) + (self._reached(NEW) + 1) * NUMBERS
        return pl.when(self._reached(OLD) != self._reached(NEW)).then(number)

    def _reached(self, side: str) -> pl.Expr:
        """The number of the first rule that is not false on a side; null where there is none."""
        return pl.col(f"{side}(case {self.new.name})")

    def _numbers_reached(self) -> Iterator[pl.Expr]:
        if self.cases and not self.new.collects:
            for side in (OLD, NEW):
                numbers = {case.id if side == NEW else case.old_id: case.number for case in self.cases}
                reached = pl.col(f"{side}{reached_rule(self.new.name)}").cast(pl.String)
                number = reached.replace_strict(numbers, default=None, return_dtype=pl.Int64)
                yield number.alias(f"{side}(case {self.new.name})")

    def _place(self, side: str) -> pl.Expr:
        """The place of that rule in the order of the newer side."""
        reached = self._reached(side)
        gone = [case.number for case in self.cases if case.place < 0]
        place = pl.when(reached.is_in(gone)).then(LAST).otherwise(reached) if gone else reached
        return place.fill_null(LAST)

    def _number(
        self, why: Why, part: Part | None = None, outcomes: tuple[str | None, str | None] | None = None
    ) -> pl.Expr:
        return pl.lit(self.attributions.attribution(why, part, outcomes), dtype=pl.Int64)


def _coded(attribution: pl.Expr, case: Case | None = None) -> pl.Expr:
    """The number of an attribution with that of its rule; 0 stands for none."""
    return attribution + (0 if case is None else case.number + 1) * NUMBERS


def _first_of(attributions: Iterable[pl.Expr]) -> pl.Expr:
    return pl.coalesce(*attributions, NO_ATTRIBUTION)


def _by_case(number: pl.Expr, attributions: Mapping[int, pl.Expr]) -> pl.Expr:
    """The attribution of the rule that a column has the number of."""
    found = NO_ATTRIBUTION
    for case, attribution in attributions.items():
        found = pl.when(number == case).then(attribution).otherwise(found)
    return found
