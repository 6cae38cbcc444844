"""A ruleset made ready for tables: steps over columns, and the columns that tell each decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from policy_engine.backends.columnar import numbers
from policy_engine.backends.columnar.decisions import DecisionColumns, DecisionWriter
from policy_engine.backends.columnar.dtypes import dtype_or_null
from policy_engine.backends.columnar.expressions import Expressions
from policy_engine.backends.columnar.missing import BITS, Missing
from policy_engine.backends.columnar.plan import ACCOUNTS, Plan
from policy_engine.backends.python.constants import Settled, stretch
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
    if columns.bits is not None:
        return pl.when(columns.decided).then(_collected(columns, outcomes=True))
    return _table([concluded.then.outcome for concluded in columns.conclusions], pl.String(), columns)


def _table(values: list[str | None], dtype: pl.DataType, columns: DecisionColumns) -> pl.Expr:
    """A look-up by the code; nothing for what is not decided."""
    return pl.lit(pl.Series([*values, None, None], dtype=dtype)).gather(columns.code)


def _collected(columns: DecisionColumns, *, outcomes: bool) -> pl.Expr:
    """The outcomes of a collect decision, or the ids of its rules, of all that apply, each once."""
    assert columns.bits is not None
    parts = []
    for place, rule in enumerate(columns.rules):
        text = rule.then.outcome if outcomes else rule.id
        parts.append(pl.when(columns.bits & (1 << place) != 0).then(pl.lit(text, dtype=pl.String)))
    if not parts:
        return pl.lit(pl.Series([[]], dtype=pl.List(pl.String)))
    return pl.concat_list(parts).list.drop_nulls().list.unique(maintain_order=True)


@dataclass(slots=True)
class ColumnarProgram:
    """A ruleset under chosen readings on a day. `decide` takes a table of valid facts in the columns of `dtypes.schema_of`."""

    settled: Settled
    columns: Columnar
    outputs: tuple[pl.Expr, ...]
    masks: dict[str, tuple[Plan, tuple[pl.Expr, ...] | None, tuple[str, ...]]] = field(default_factory=dict)

    def decide(self, facts: pl.DataFrame) -> pl.DataFrame:
        """Every decision about every row: its status, outcome, rule, reason code and values, and the facts that are missing.

        The columns are named `DECISION.status`, `DECISION.values.NAME` and so on.
        """
        accounts = self.columns.plan.run(facts)[ACCOUNTS.name]
        told = accounts.select(self.outputs)
        return told.with_columns(self._missing(facts, accounts))

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
                every = pl.select(pl.int_range(len(open_), dtype=rows.dtype).alias("row"))
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


def prepare(ruleset: Ruleset, choices: Mapping[str, str], as_of: date) -> ColumnarProgram:
    """The program of a ruleset under readings on a day; raises `Refused` for what columns cannot do exactly."""
    _, parameters = stretch(ruleset, as_of)
    settled = Settled(ruleset, choices, parameters, as_of)
    columns = Columnar(settled)
    outputs = [output for logic in ruleset.decisions for output in _outputs(columns.decision(logic.name))]
    return ColumnarProgram(settled, columns, tuple(outputs))


def _outputs(columns: DecisionColumns) -> Iterator[pl.Expr]:
    """The columns that tell a decision."""
    name = columns.logic.name
    codes = [Status.DECIDED] * len(columns.conclusions) + [Status.UNDETERMINED, Status.GAP]
    status = pl.lit(pl.Series([str(status) for status in codes], dtype=STATUS)).gather(columns.code)
    yield status.alias(f"{name}.status")
    if columns.bits is not None:
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
            return numbers.presented(column.cast(pl.Int64), places)
        case ListOf(element=Number(places=places)) if places:
            return column.list.eval(numbers.presented(pl.element(), places))
    return column.cast(dtype_or_null(kind))

