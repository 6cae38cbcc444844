"""Decisions as columns: for each account the reason code, as a value of an enumeration, and from it outcome, rule and values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import polars as pl

from policy_engine.backends.columnar.answer_columns import (
    FALSE,
    Branch,
    Collected,
    DecisionColumns,
    chosen,
    is_one_of,
)
from policy_engine.backends.columnar.dtypes import dtype_or_null
from policy_engine.backends.columnar.expressions import Expressions, in_units, joined, nothing
from policy_engine.backends.columnar.functions import looked_up
from policy_engine.backends.columnar.matrices import matrix_columns
from policy_engine.backends.equality_switches import Switch, switches
from policy_engine.language import expressions as tree
from policy_engine.language.combining import Combination
from policy_engine.language.rulesets import (
    OTHERWISE,
    Conclusion,
    DecisionLogic,
    HitPolicy,
    Matrix,
    Rule,
    Rules,
    ValueDefinition,
)
from policy_engine.language.specialize import constant, exact, units
from policy_engine.language.types import Number, Type, innermost

ALONE = "(decided)"
"""The reason code where there is only one conclusion."""


@dataclass(slots=True)
class DecisionWriter:
    """Writes the columns of one decision."""

    to: Expressions
    logic: DecisionLogic

    def write(self) -> DecisionColumns:
        """The decision's columns."""
        match self.logic.body:
            case Rules(hit=HitPolicy.COLLECT):
                return self._collect(self.logic.body)
            case Rules():
                columns, own = self._first(self.logic.body)
            case Matrix():
                columns, own = matrix_columns(self.to, self.logic, self.logic.body)
            case _:
                columns, own = self._alone(FALSE), {}
        return self._with_values(columns, own)

    def _alone(self, undetermined: pl.Expr) -> DecisionColumns:
        """A decision that has only one conclusion."""
        open_ = self.to.kept(undetermined, "undetermined")
        alone = pl.when(~open_).then(pl.lit(ALONE, dtype=pl.Enum([ALONE])))
        reason = self.to.kept(alone, "reason")
        return DecisionColumns(self.logic, reason, open_, reason)

    def _first(self, body: Rules) -> tuple[DecisionColumns, dict[str, Conclusion]]:
        """The first true rule, unless an unknown one comes before it (sentence 14)."""
        rules = body.rules
        own = {rule.id: rule.then for rule in rules}
        if body.otherwise is not None:
            own[OTHERWISE] = body.otherwise
        words = pl.Enum(list(own))
        branches = list(self._branches(rules, words))
        undetermined = self.to.kept(_unknown_before_true(branches), "undetermined")
        last = pl.lit(OTHERWISE if body.otherwise is not None else None, dtype=words)
        branches_ = [Branch(undetermined, pl.lit(None, dtype=words)), *branches]
        reason = self.to.kept(chosen(branches_, last), "reason")
        columns = DecisionColumns(self.logic, reason, undetermined, reason, has_gaps=body.otherwise is None)
        columns.branches, columns.last = branches, last
        columns.outcome = self._outcome(columns, branches, own) if self.logic.outcomes else None
        return columns, own

    def _branches(self, rules: Sequence[Rule], words: pl.Enum) -> Iterator[Branch]:
        """The branch of each rule; rules in a row that test one text for equality are one branch, a look-up."""
        for each in switches(rules):
            if isinstance(each, Switch):
                yield self._look_up(each, words)
            elif constant(each.when) is not False:
                yield self._rule(each, words)

    def _rule(self, rule: Rule, words: pl.Enum) -> Branch:
        condition = self.to.kept(self.to.condition(rule.when), rule.id)
        unknown = condition.is_null() if tree.is_optional(rule.when) else None
        return Branch(condition, pl.lit(rule.id, dtype=words), unknown, rule.id)

    def _look_up(self, switch: Switch, words: pl.Enum) -> Branch:
        column = self.to.named(switch.subject)
        ids = {text: rule.id for text, rule in switch.cases.items()}
        found = self.to.kept(looked_up(column, ids, words), "found")
        unknown = column.is_null() if switch.subject.optional else None
        return Branch(found.is_not_null(), found, unknown, first=pl.lit(next(iter(ids.values())), dtype=words))

    def _outcome(self, columns: DecisionColumns, branches: Sequence[Branch], own: Mapping[str, Conclusion]) -> pl.Expr:
        """The outcome: rules in a row that have the same outcome are one branch."""
        kind = pl.Enum(self.logic.outcomes)
        if not all(branch.rule for branch in branches):
            outcomes = {code: conclusion.outcome for code, conclusion in own.items()}
            return self.to.kept(looked_up(columns.reason, outcomes, kind), "outcome")
        last = own[OTHERWISE].outcome if OTHERWISE in own else None
        outcomes_ = [Branch(columns.undetermined, pl.lit(None, dtype=kind))]
        groups = [(outcome, [*group]) for outcome, group in groupby(branches, lambda branch: own[branch.rule].outcome)]
        for outcome, group in groups[:-1] if groups and groups[-1][0] == last else groups:
            outcomes_.append(Branch(joined("any", [branch.when for branch in group]), pl.lit(outcome, dtype=kind)))
        return self.to.kept(chosen(outcomes_, pl.lit(last, dtype=kind)), "outcome")

    def _collect(self, body: Rules) -> DecisionColumns:
        """All true rules; undetermined where a rule or a value that must be known is unknown (sentence 15)."""
        rules = body.rules
        conditions = [self.to.kept(self.to.condition(rule.when), rule.id) for rule in rules]
        asked = [condition for rule, condition in zip(rules, conditions, strict=True) if tree.is_optional(rule.when)]
        unknown = joined("any", [condition.is_null() for condition in asked]) if asked else FALSE
        columns = self._alone(unknown)
        columns.collected = Collected(rules, tuple(conditions))
        own = [(value, applies) for rule, applies in zip(rules, conditions, strict=True) for value in rule.then.values]
        return self._finish(columns, own)

    def _with_values(self, columns: DecisionColumns, own: Mapping[str, Conclusion]) -> DecisionColumns:
        """The values of every outcome and those of single conclusions; where a needed one is unknown, nothing is decided."""
        columns.conclusions = tuple(own.values())
        codes = columns.reason.to_physical()
        given = [(value, is_one_of(codes, those)) for value, those in _own_values(own).items()]
        return self._finish(columns, given)

    def _finish(self, columns: DecisionColumns, own: Sequence[tuple[ValueDefinition, Any]]) -> DecisionColumns:
        """The decision with its values; the `own` values of rules and cells come with where these apply."""
        types, kept = dict(self.logic.value_types), self.to.kept
        branches: dict[str, list[Branch]] = {name: [] for name in types}
        decided, lacking = columns.decided, []
        for definition, applies in [*((value, None) for value in self.logic.values), *own]:
            value = kept(self._value(definition, self._type_of(definition.name)), definition.name)
            here = decided if applies is None else kept(decided & applies)
            branches[definition.name].append(Branch(here, value))
            if definition.expression.tree.optional and not definition.nullable:
                lacking.append(here & value.is_null())
        if lacking:
            self._open(columns, kept(joined("any", lacking), "lacking"))
        for name, kind in types.items():
            shown = [Branch(columns.decided & branch.when, branch.then) for branch in branches[name]]
            combined = _combined(shown, kind, self.logic.combination(name), columns.decided)
            columns.values[name] = kept(combined, "value")
        return columns

    def _open(self, columns: DecisionColumns, lacking: pl.Expr) -> None:
        """Make undetermined what lacks a value that must be known."""
        kept = self.to.kept
        columns.undetermined = kept(columns.undetermined | lacking, "undetermined")
        reason = kept(pl.when(~lacking).then(columns.reason), "reason")
        columns.rule = reason if columns.rule is columns.reason else pl.when(~lacking).then(columns.rule)
        columns.reason = reason
        if columns.outcome is not None:
            columns.outcome = kept(pl.when(~lacking).then(columns.outcome), "outcome")

    def _type_of(self, name: str) -> Type:
        """The type that single rules give a value in."""
        kind = dict(self.logic.value_types)[name]
        return innermost(kind) if self.logic.combination(name) is Combination.LIST else kind

    def _value(self, definition: ValueDefinition, kind: Type) -> pl.Expr:
        """A value as a whole, in the units of the answer's type."""
        node = definition.expression.tree
        if isinstance(node, tree.Literal) and isinstance(kind, Number):
            return pl.lit(units(exact(node), kind), dtype=pl.Int64)
        return in_units(self.to.whole(node), node.type, kind)


def _combined(branches: Sequence[Branch], kind: Type, combination: Combination | None, decided: pl.Expr) -> pl.Expr:
    """A value where the decision is decided, of all rules that apply; where nothing says how, it is the one given last."""
    given = [pl.when(branch.when).then(branch.then) for branch in branches]
    match combination:
        case Combination.SUM:
            parts = [value.otherwise(0) for value in given]
            return pl.when(decided).then(sum(parts[1:], parts[0]) if parts else pl.lit(0, dtype=pl.Int64))
        case Combination.LIST:
            empty = pl.lit(pl.Series([[]], dtype=dtype_or_null(kind)))
            return pl.when(decided).then(pl.concat_list(given).list.drop_nulls() if given else empty)
        case Combination.MIN if given:
            return pl.min_horizontal(given)
        case Combination.MAX if given:
            return pl.max_horizontal(given)
        case Combination.FIRST:
            return chosen(branches, nothing(kind))
    return chosen([*reversed(branches)], nothing(kind))


def _unknown_before_true(branches: Sequence[Branch]) -> pl.Expr:
    """Whether an unknown condition comes before any true one."""
    found = FALSE
    for branch in reversed(branches):
        later = ~branch.when & found
        found = later if branch.unknown is None else branch.unknown | later
    return found


def _own_values(own: Mapping[str, Conclusion]) -> dict[ValueDefinition, list[int]]:
    """The values of single conclusions, each once, with the codes of those that give it."""
    found: dict[ValueDefinition, list[int]] = {}
    for code, conclusion in enumerate(own.values()):
        for value in conclusion.values:
            found.setdefault(value, []).append(code)
    return found
