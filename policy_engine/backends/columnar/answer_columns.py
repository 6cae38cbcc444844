"""A decision in columns of the accounts, and the columns of answers made of them: status, outcome, rule, reason and values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from policy_engine.backends.columnar import arithmetic
from policy_engine.backends.columnar.dtypes import dtype_or_null
from policy_engine.backends.columnar.plan import literal
from policy_engine.language import expressions as tree
from policy_engine.language.decisions import Status
from policy_engine.language.rulesets import Conclusion, DecisionLogic, Rule
from policy_engine.language.types import ListOf, Number, Type

FALSE = pl.lit(False)
STATUS = pl.Enum([str(status) for status in Status])
MOST_TABLED = 12
"""Up to so many rules, what is collected is looked up in a table of all combinations."""


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
    for a condition of the matrix. `conclusions` are those of the reason codes, in their order. `values` are null unless decided,
    numbers in units. `has_gaps` says whether an account may be one to which nothing applies. `branches` are those of its rules,
    where the first true one decides, and `last` is the code where none is.
    """

    logic: DecisionLogic
    reason: pl.Expr
    undetermined: pl.Expr
    rule: pl.Expr
    has_gaps: bool = False
    outcome: pl.Expr | None = None
    collected: Collected | None = None
    asks: dict[tree.Condition, pl.Expr] = field(default_factory=dict)
    conclusions: Sequence[Conclusion] = ()
    values: dict[str, pl.Expr] = field(default_factory=dict)
    branches: Sequence[Branch] = ()
    last: pl.Expr | None = None

    @property
    def reached(self) -> pl.Expr:
        """The rule that decides, or that is unknown before any is true, as an enumeration; null where there is none."""
        if self.last is None:
            return self.rule
        chain: list[Branch] = []
        for branch in self.branches:
            if branch.unknown is not None:
                chain.append(Branch(branch.unknown, branch.then if branch.first is None else branch.first))
            chain.append(branch)
        return chosen(chain, self.last)

    @property
    def decided(self) -> pl.Expr:
        """Whether it is decided."""
        return self.reason.is_not_null() if self.has_gaps else ~self.undetermined


class Branch(NamedTuple):
    """A condition, and what is chosen where it is the first that holds.

    Of a rule also its id, and where the condition is unknown, if it may be. `first` is the first of several rules.
    """

    when: Any
    then: pl.Expr
    unknown: pl.Expr | None = None
    rule: str = ""
    first: pl.Expr | None = None


def chosen(branches: Sequence[Branch], last: pl.Expr) -> pl.Expr:
    """The first branch whose condition holds, else the last; a condition that is unknown does not hold."""
    chain: Any = pl
    for branch in branches:
        chain = chain.when(branch.when).then(branch.then)
    result: pl.Expr = chain.otherwise(last) if branches else last
    return result


def is_one_of(number: pl.Expr, numbers: Sequence[int]) -> pl.Expr:
    """Whether a number is one of several."""
    return number.is_in(numbers) if len(numbers) > 1 else number == numbers[0]


class Output(NamedTuple):
    """A column of answers, and the part of an answer that it is."""

    part: str
    column: pl.Expr


def outputs_of(columns: DecisionColumns) -> Iterator[Output]:
    """The columns of a decision's answers, named `DECISION.status`, `DECISION.values.NAME` and so on."""
    name = columns.logic.name
    for part, column in (("status", _status(columns)), *_concluded(columns)):
        yield Output(part, column.alias(f"{name}.{part}"))
    types = dict(columns.logic.value_types)
    for value, kind in columns.logic.answer_types:
        yield Output("values", _shown(columns.values[value], types[value], kind).alias(f"{name}.values.{value}"))


def outcome_as_text(columns: DecisionColumns) -> pl.Expr:
    """The outcome as other decisions see it, unknown unless it is decided."""
    if columns.collected is not None:
        return pl.when(columns.decided).then(_collected(columns.collected, outcomes=True))
    return columns.outcome.cast(pl.String) if columns.outcome is not None else pl.lit(None, dtype=pl.String)


def _status(columns: DecisionColumns) -> pl.Expr:
    decided, undetermined, gap = (pl.lit(str(status), dtype=STATUS) for status in Status)
    rest = pl.when(columns.decided).then(decided).otherwise(gap) if columns.has_gaps else decided
    return pl.when(columns.undetermined).then(undetermined).otherwise(rest)


def _concluded(columns: DecisionColumns) -> Iterator[tuple[str, pl.Expr]]:
    """Outcome, rule and reason, of which a calculation has none."""
    if columns.collected is not None:
        yield "outcome", _collected(columns.collected, outcomes=True)
        yield "rule", _collected(columns.collected, outcomes=False)
    elif columns.logic.body is not None:
        if columns.outcome is not None:
            yield "outcome", columns.outcome
        yield "rule", columns.rule
        yield "reason", columns.reason


def _collected(collected: Collected, *, outcomes: bool) -> pl.Expr:
    """The outcomes of a collect decision, or the ids of its rules, of all that apply, each once."""
    rules, applies = collected
    names = [str(rule.then.outcome) if outcomes else rule.id for rule in rules]
    if not names:
        return literal(pl.Series([[]], dtype=pl.List(pl.String)))
    if len(names) <= MOST_TABLED:
        bits = [pl.when(flag).then(pl.lit(1 << at, dtype=pl.UInt16)).otherwise(0) for at, flag in enumerate(applies)]
        return pl.lit(_combinations(names)).gather(sum(bits[1:], bits[0]))
    parts = [pl.when(flag).then(pl.lit(name)) for name, flag in zip(names, applies, strict=True)]
    return pl.concat_list(parts).list.drop_nulls().list.unique(maintain_order=True)


def _combinations(names: Sequence[str]) -> pl.Series:
    """What is collected, for each combination of rules."""
    rows = [
        list(dict.fromkeys(name for place, name in enumerate(names) if bits >> place & 1))
        for bits in range(1 << len(names))
    ]
    return pl.Series(rows, dtype=pl.List(pl.String))


def _shown(column: pl.Expr, kind: Type, shown: Type) -> pl.Expr:
    """A value in the form of answers, in the type that the answer declares: the same, or one with fewer places."""
    match kind, shown:
        case Number(places=places), Number(places=fewer) if places > fewer:
            return presented(column // 10 ** (places - fewer), shown)
        case ListOf(element=Number(places=places)), ListOf(element=Number(places=fewer)) if places > fewer:
            return presented(column.list.eval(pl.element() // 10 ** (places - fewer)), shown)
    return presented(column, shown)


def presented(column: pl.Expr, kind: Type) -> pl.Expr:
    """A value in the form of answers: units as an exact decimal."""
    match kind:
        case Number(places=places):
            return arithmetic.presented(column.cast(pl.Int64), places)
        case ListOf(element=Number(places=places)) if places:
            return column.list.eval(arithmetic.presented(pl.element(), places))
    return column.cast(dtype_or_null(kind))
