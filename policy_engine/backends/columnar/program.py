"""A ruleset made ready for tables: steps over columns, and the columns that tell each decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import polars as pl

from policy_engine.backends.columnar import arithmetic
from policy_engine.backends.columnar.decisions import DecisionColumns, DecisionWriter
from policy_engine.backends.columnar.dtypes import dtype_or_null
from policy_engine.backends.columnar.expressions import Expressions
from policy_engine.backends.columnar.margins import Margin, margins_of
from policy_engine.backends.columnar.missing import BITS, Missing
from policy_engine.backends.columnar.plan import ACCOUNTS, Plan
from policy_engine.backends.settled import Settled, stretch
from policy_engine.language.decisions import Status
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import ListOf, Number, Type

STATUS = pl.Enum([str(status) for status in Status])


@dataclass(slots=True)
class Columnar:
    """Expressions of a plan with the decisions they use, each written once."""

    settled: Settled
    plan: Plan = field(default_factory=Plan)
    decided: dict[str, DecisionColumns] = field(default_factory=dict)
    expressions: Expressions = field(init=False)

    def __post_init__(self) -> None:
        self.expressions = Expressions(self.settled, self.plan, self.part)

    def decision(self, name: str) -> DecisionColumns:
        """The columns of a decision."""
        if name not in self.decided:
            logic = next(logic for logic in self.settled.ruleset.decisions if logic.name == name)
            self.decided[name] = DecisionWriter(self.expressions, logic).write()
        return self.decided[name]

    def part(self, name: str, part: str) -> pl.Expr:
        """A decision's outcome or one of its values, as other decisions see them: unknown unless it is decided."""
        columns = self.decision(name)
        return _outcome_as_text(columns) if part == "outcome" else columns.values[part]


def _outcome_as_text(columns: DecisionColumns) -> pl.Expr:
    if columns.collected is not None:
        return pl.when(columns.decided).then(_collected(columns, outcomes=True))
    return _table([concluded.then.outcome for concluded in columns.conclusions], pl.String(), columns)


def _table(values: list[str | None], dtype: pl.DataType, columns: DecisionColumns) -> pl.Expr:
    """A look-up by the code; nothing for what is not decided."""
    return pl.lit(pl.Series([*values, None, None], dtype=dtype)).gather(columns.code)


MOST_TABLED = 12
"""For so many rules all combinations are laid out beforehand."""


def _collected(columns: DecisionColumns, *, outcomes: bool) -> pl.Expr:
    """The outcomes of a collect decision, or the ids of its rules, of all that apply, each once."""
    assert columns.collected is not None
    rules, applies = columns.collected
    names = [str(rule.then.outcome) if outcomes else rule.id for rule in rules]
    if len(names) <= MOST_TABLED:
        bits = [
            pl.when(flag).then(pl.lit(1 << place, dtype=pl.UInt32)).otherwise(0) for place, flag in enumerate(applies)
        ]
        none = columns.code.cast(pl.UInt32) * 0
        return pl.lit(_combinations(names)).gather(sum(bits, none))
    parts = [pl.when(flag).then(pl.lit(name)) for name, flag in zip(names, applies, strict=True)]
    return pl.concat_list(parts).list.drop_nulls().list.unique(maintain_order=True)


def _combinations(names: Sequence[str]) -> pl.Series:
    """What is collected, for each combination of rules."""
    rows = [
        list(dict.fromkeys(name for place, name in enumerate(names) if bits >> place & 1))
        for bits in range(1 << len(names))
    ]
    return pl.Series(rows, dtype=pl.List(pl.String))


class Told(NamedTuple):
    """What is told of a table: the decisions; for each check of the ruleset whether it is false; the margins asked for."""

    decisions: pl.DataFrame
    broken: pl.DataFrame
    margins: pl.DataFrame


@dataclass(slots=True)
class ColumnarProgram:
    """A ruleset under chosen readings on a day. `decide` takes a table of valid facts in the columns of `dtypes.schema_of`."""

    settled: Settled
    columns: Columnar
    outputs: tuple[pl.Expr, ...]
    checks: tuple[pl.Expr, ...] = ()
    margins: tuple[Margin, ...] = ()
    masks: dict[str, tuple[Plan, tuple[pl.Expr, ...] | None, tuple[str, ...]]] = field(default_factory=dict)

    def decide(self, facts: pl.DataFrame) -> pl.DataFrame:
        """Every decision about every row: its status, outcome, rule, reason code and values, and the facts that are missing.

        The columns are named `DECISION.status`, `DECISION.values.NAME` and so on.
        """
        return self.run(facts).decisions

    def run(self, facts: pl.DataFrame) -> Told:
        """Every decision, and with it which checks of the ruleset do not hold, and the margins that were asked for."""
        accounts = self.columns.plan.run(facts)[ACCOUNTS.name]
        told = accounts.select(self.outputs)
        broken = accounts.select((check == False).fill_null(False).alias(str(i)) for i, check in enumerate(self.checks))  # noqa: E712
        margins = accounts.select(margin.column.alias(str(i)) for i, margin in enumerate(self.margins))
        whole = told.with_columns(self._missing(facts, accounts)).select(self._order(told.columns))
        return Told(whole, broken, margins)

    def _order(self, columns: Sequence[str]) -> Iterator[str]:
        """The columns, decision by decision."""
        for logic in self.settled.ruleset.decisions:
            yield from (column for column in columns if column.startswith(f"{logic.name}."))
            yield f"{logic.name}.missing"

    def _missing(self, facts: pl.DataFrame, accounts: pl.DataFrame) -> Iterator[pl.Series]:
        for name, columns in self.columns.decided.items():
            open_ = accounts.select(columns.code == columns.undetermined).to_series()
            named = f"{name}.missing"
            if not open_.any():
                yield pl.Series(named, [None], dtype=pl.List(pl.String)).new_from_index(0, len(open_))
            else:
                rows = open_.arg_true()
                found = self._missing_of(name, facts.filter(open_))
                at = pl.DataFrame({"row": rows, named: found})
                every = pl.select(pl.int_range(len(open_), dtype=pl.UInt32).alias("row"))
                yield every.join(at, on="row", how="left", maintain_order="left")[named]

    def _missing_of(self, name: str, facts: pl.DataFrame) -> pl.Series:
        """The missing facts of a decision, for rows on which it is undetermined."""
        if name not in self.masks:
            self.masks[name] = self._mask_plan(name)
        plan, words, paths = self.masks[name]
        if words is None:
            return pl.Series([[]], dtype=pl.List(pl.String)).new_from_index(0, facts.height)
        masks = plan.run(facts)[ACCOUNTS.name].select(word.alias(str(i)) for i, word in enumerate(words))
        distinct = masks.unique(maintain_order=True)
        told = [_paths_of(row, paths) for row in distinct.iter_rows()]
        named = distinct.with_columns(pl.Series("missing", told, dtype=pl.List(pl.String)))
        return masks.join(named, on=masks.columns, how="left", maintain_order="left")["missing"]

    def _mask_plan(self, name: str) -> tuple[Plan, tuple[pl.Expr, ...] | None, tuple[str, ...]]:
        columns = Columnar(self.settled)
        for logic in self.settled.ruleset.decisions:
            columns.decision(logic.name)
        missing = Missing(columns.expressions, columns.decided)
        return columns.plan, missing.decision(name), missing.paths


def _paths_of(words: tuple[int, ...], paths: tuple[str, ...]) -> list[str]:
    """The paths whose bits are set."""
    return [path for index, path in enumerate(paths) if words[index // BITS] >> index % BITS & 1]


def prepare(ruleset: Ruleset, choices: Mapping[str, str], as_of: date, *, margins: bool = False) -> ColumnarProgram:
    """The program of a ruleset under readings on a day, with the margins of its rules if asked for.

    Raises `Refused` for what columns cannot do exactly.
    """
    _, parameters = stretch(ruleset, as_of)
    settled = Settled(ruleset, choices, parameters, as_of)
    columns = Columnar(settled)
    outputs = [output for logic in ruleset.decisions for output in _outputs(columns.decision(logic.name))]
    checks = tuple(
        columns.plan.named(ACCOUNTS, columns.expressions.condition(check.expect), "check") for check in ruleset.checks
    )
    asked = (
        [margin for logic in ruleset.decisions for margin in margins_of(columns.expressions, logic)] if margins else []
    )
    return ColumnarProgram(settled, columns, tuple(outputs), checks, tuple(asked))


def _outputs(columns: DecisionColumns) -> Iterator[pl.Expr]:
    """The columns that tell a decision."""
    name = columns.logic.name
    codes = [Status.DECIDED] * len(columns.conclusions) + [Status.UNDETERMINED, Status.GAP]
    status = pl.lit(pl.Series([str(status) for status in codes], dtype=STATUS)).gather(columns.code)
    yield status.alias(f"{name}.status")
    if columns.collected is not None:
        yield _collected(columns, outcomes=True).alias(f"{name}.outcome")
        yield _collected(columns, outcomes=False).alias(f"{name}.rule")
    elif columns.logic.body is not None:
        concluded = columns.conclusions
        outcomes = [one.then.outcome for one in concluded]
        if columns.logic.outcomes:
            yield _table(outcomes, pl.Enum(columns.logic.outcomes), columns).alias(f"{name}.outcome")
        yield _enumerated([one.rule for one in concluded], columns).alias(f"{name}.rule")
        yield _enumerated([one.reason for one in concluded], columns).alias(f"{name}.reason")
    for value, kind in columns.logic.value_types:
        yield presented(columns.values[value], kind).alias(f"{name}.values.{value}")


def _enumerated(words: list[str], columns: DecisionColumns) -> pl.Expr:
    return _table(list(words), pl.Enum(list(dict.fromkeys(words))), columns)


def presented(column: pl.Expr, kind: Type) -> pl.Expr:
    """A value as an answer has it: units as an exact decimal."""
    match kind:
        case Number(places=places):
            return arithmetic.presented(column.cast(pl.Int64), places)
        case ListOf(element=Number(places=places)) if places:
            return column.list.eval(arithmetic.presented(pl.element(), places))
    return column.cast(dtype_or_null(kind))
