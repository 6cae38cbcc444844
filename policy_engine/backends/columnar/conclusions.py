"""A decision in columns of the accounts, and how columns choose between branches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from policy_engine.language import expressions as tree
from policy_engine.language.rulesets import DecisionLogic, Rule

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
    of calculations, nor of collect decisions, which have `collected` rules. `asks` says which accounts lie in a cell that asks
    for a condition of the matrix. `values` are null unless decided, numbers in units. `has_gaps` says whether an account may be
    one to which nothing applies.
    """

    logic: DecisionLogic
    reason: pl.Expr
    undetermined: pl.Expr
    rule: pl.Expr
    has_gaps: bool = False
    outcome: pl.Expr | None = None
    collected: Collected | None = None
    asks: dict[tree.Condition, pl.Expr] = field(default_factory=dict)
    values: dict[str, pl.Expr] = field(default_factory=dict)

    @property
    def decided(self) -> pl.Expr:
        """Whether it is decided."""
        return self.reason.is_not_null() if self.has_gaps else ~self.undetermined


class Branch(NamedTuple):
    """A condition, and what is chosen where it is the first that holds.

    Of a rule also its id, and where the condition is unknown, if it may be.
    """

    when: Any
    then: pl.Expr
    unknown: pl.Expr | None = None
    rule: str = ""


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
