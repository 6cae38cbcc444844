"""Which facts a decision misses: what its rules or its cell miss, or else its values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from policy_engine.backends.columnar.conclusions import DecisionColumns, optional
from policy_engine.backends.columnar.masks import Mask, joint, where
from policy_engine.backends.columnar.plan import ACCOUNTS
from policy_engine.language.rulesets import HitPolicy, Matrix, Rules, ValueDefinition

if TYPE_CHECKING:
    from policy_engine.backends.columnar.missing import Missing


def of(missing: Missing, columns: DecisionColumns) -> Mask:
    """What is missing of a decision: of the rules that are unknown before the first true one, else of its values."""
    match columns.logic.body:
        case Rules() as body:
            known, rules = _rules(missing, columns, body)
        case Matrix() as body:
            known, rules = _matrix(missing, columns, body)
        case _:
            known, rules = pl.lit(True), None
    return where(columns.undetermined, joint([rules, where(known, _values(missing, columns))]))


def _rules(missing: Missing, columns: DecisionColumns, body: Rules) -> tuple[pl.Expr, Mask]:
    """Whether no rule that was reached is unknown, and what those miss that are."""
    reached, known = pl.lit(True), pl.lit(True)
    masks: list[Mask] = []
    for rule in body.rules:
        condition = missing.to.plan.named(ACCOUNTS, missing.to.condition(rule.when))
        if optional(rule.when):
            masks.append(where(reached & condition.is_null(), missing.condition(rule.when)))
            known = known & (condition.is_not_null() | ~reached)
        if body.hit is not HitPolicy.COLLECT:
            reached = missing.to.plan.named(ACCOUNTS, reached & condition.ne_missing(True))
    return known, joint(masks)


def _matrix(missing: Missing, columns: DecisionColumns, body: Matrix) -> tuple[pl.Expr, Mask]:
    axes = joint([missing.mask(body.rows.tree), missing.mask(body.columns.tree)])
    row, column = missing.to.value(body.rows.tree), missing.to.value(body.columns.tree)
    known = row.is_not_null() & column.is_not_null()
    masks = [axes]
    for when, here in columns.asks.items():
        if optional(when):
            asked = here & missing.to.condition(when).is_null()
            masks.append(where(asked, missing.condition(when)))
            known = known & ~asked
    return known, joint(masks)


def _values(missing: Missing, columns: DecisionColumns) -> Mask:
    """What the values miss that must be known; those of a rule only where it applies."""
    masks = [_value(missing, value) for value in columns.logic.values if not value.nullable]
    for applies, value in _own(missing, columns):
        if not value.nullable:
            masks.append(where(applies, _value(missing, value)))
    return joint(masks)


def _own(missing: Missing, columns: DecisionColumns) -> Iterable[tuple[pl.Expr, ValueDefinition]]:
    """The values beside rules and cells, each with where it applies, whether or not the decision is decided."""
    body = columns.logic.body
    if isinstance(body, Rules):
        reached = pl.lit(True)
        for rule in body.rules:
            condition = missing.to.plan.named(ACCOUNTS, missing.to.condition(rule.when))
            yield from ((reached & condition, value) for value in rule.then.values)
            if body.hit is not HitPolicy.COLLECT:
                reached = missing.to.plan.named(ACCOUNTS, reached & condition.ne_missing(True))
        if body.otherwise is not None:
            yield from ((reached, value) for value in body.otherwise.values)
    elif isinstance(body, Matrix):
        row, column = missing.to.value(body.rows.tree), missing.to.value(body.columns.tree)
        for cell in body.cells:
            here = (row == cell.row) & (column == cell.column)
            holds = pl.lit(True) if cell.when is None else missing.to.condition(cell.when)
            yield from ((here & holds, value) for value in cell.then.values)
            yield from ((here & ~holds, value) for value in (cell.otherwise.values if cell.otherwise else ()))


def _value(missing: Missing, value: ValueDefinition) -> Mask:
    return missing.mask(value.expression.tree)


def of_value(missing: Missing, columns: DecisionColumns, part: str) -> Mask:
    """What one value of a decided decision misses."""
    masks = [_value(missing, value) for value in columns.logic.values if value.name == part]
    masks += [where(applies, _value(missing, value)) for applies, value in _own(missing, columns) if value.name == part]
    return joint(masks)
