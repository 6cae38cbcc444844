"""The missing facts of decisions: those that its rules or its cell miss, or else its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from policy_engine.backends.columnar.answer_columns import DecisionColumns
from policy_engine.backends.columnar.expressions import Expressions
from policy_engine.backends.columnar.missing import Mask, Missing, joint, where
from policy_engine.language import expressions as tree
from policy_engine.language.rulesets import HitPolicy, Matrix, Rule, Rules, ValueDefinition

TRUE = pl.lit(True)


class Reached(NamedTuple):
    """A rule, or None for `otherwise`, its condition, and whether no rule that decides comes before it."""

    rule: Rule | None
    condition: pl.Expr
    reached: pl.Expr


@dataclass(slots=True)
class MissingDecisions:
    """Writes the masks of decisions, each once."""

    to: Expressions
    decided: Mapping[str, DecisionColumns]
    missing: Missing = field(init=False)
    masks: dict[str, Mask] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.missing = Missing(self.to, self.part)

    def part(self, name: str, part: str) -> Mask:
        """An undetermined decision misses what it misses; a decided one may still give a value that is unknown."""
        columns, whole = self.decided[name], self.decision(name)
        return where(columns.decided, self._value_of(columns, part), whole)

    def decision(self, name: str) -> Mask:
        """What is missing of a decision."""
        if name not in self.masks:
            self.masks[name] = self.missing.at_accounts_now(lambda: self._decision(self.decided[name]))
        return self.masks[name]

    def _decision(self, columns: DecisionColumns) -> Mask:
        """What is missing of the rules that are unknown before the first true one, else of the values."""
        match columns.logic.body:
            case Rules() as body:
                known, rules = self._rules(body)
            case Matrix() as body:
                known, rules = self._matrix(columns, body)
            case _:
                known, rules = TRUE, None
        return where(columns.undetermined, joint([rules, where(known, self._values(columns))]))

    def _reached(self, body: Rules) -> Iterator[Reached]:
        """Each rule, and `otherwise`, with whether it is reached."""
        reached = TRUE
        for rule in body.rules:
            condition = self.to.kept(self.to.condition(rule.when))
            yield Reached(rule, condition, reached)
            if body.hit is not HitPolicy.COLLECT:
                reached = self.to.kept(reached & condition.ne_missing(True))
        yield Reached(None, TRUE, reached)

    def _rules(self, body: Rules) -> tuple[pl.Expr, Mask]:
        """Whether no rule that was reached is unknown, and what those miss that are."""
        known, masks = TRUE, []
        for rule, condition, reached in self._reached(body):
            if rule is not None and tree.is_optional(rule.when):
                masks.append(where(reached & condition.is_null(), self.missing.condition(rule.when)))
                known = known & (condition.is_not_null() | ~reached)
        return known, joint(masks)

    def _matrix(self, columns: DecisionColumns, body: Matrix) -> tuple[pl.Expr, Mask]:
        masks = [self.missing.mask(body.rows.tree), self.missing.mask(body.columns.tree)]
        row, column = self.to.value(body.rows.tree), self.to.value(body.columns.tree)
        known = row.is_not_null() & column.is_not_null()
        for when, here in columns.asks.items():
            if tree.is_optional(when):
                asked = here & self.to.condition(when).is_null()
                masks.append(where(asked, self.missing.condition(when)))
                known = known & ~asked
        return known, joint(masks)

    def _values(self, columns: DecisionColumns) -> Mask:
        """What the values miss that must be known; those of a rule only where it applies."""
        given = [*((TRUE, value) for value in columns.logic.values), *self._own(columns)]
        return joint(self._value(applies, value) for applies, value in given if not value.nullable)

    def _value_of(self, columns: DecisionColumns, name: str) -> Mask:
        """What one value of a decided decision misses."""
        given = [*((TRUE, value) for value in columns.logic.values), *self._own(columns)]
        return joint(self._value(applies, value) for applies, value in given if value.name == name)

    def _value(self, applies: pl.Expr, value: ValueDefinition) -> Mask:
        mask = self.missing.mask(value.expression.tree)
        return mask if applies is TRUE else where(applies, mask)

    def _own(self, columns: DecisionColumns) -> Iterator[tuple[pl.Expr, ValueDefinition]]:
        """The values beside rules and cells, each with where it applies, whether or not the decision is decided."""
        body = columns.logic.body
        if isinstance(body, Rules):
            for rule, condition, reached in self._reached(body):
                conclusion, applies = (rule.then, reached & condition) if rule else (body.otherwise, reached)
                yield from ((applies, value) for value in (conclusion.values if conclusion else ()))
        elif isinstance(body, Matrix):
            row, column = self.to.value(body.rows.tree), self.to.value(body.columns.tree)
            for cell in body.cells:
                here = (row == cell.row) & (column == cell.column)
                holds = TRUE if cell.when is None else self.to.condition(cell.when)
                yield from ((here & holds, value) for value in cell.then.values)
                yield from ((here & ~holds, value) for value in (cell.otherwise.values if cell.otherwise else ()))
