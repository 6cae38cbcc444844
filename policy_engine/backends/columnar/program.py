"""A ruleset made ready for tables: steps over columns, and the columns that tell each decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import polars as pl

from policy_engine.backends.columnar import arithmetic, plan
from policy_engine.backends.columnar.decisions import DecisionColumns, DecisionWriter
from policy_engine.backends.columnar.dtypes import dtype_or_null
from policy_engine.backends.columnar.expressions import Expressions
from policy_engine.backends.columnar.margins import Margin, margins_of
from policy_engine.backends.columnar.missing import BITS, Missing
from policy_engine.backends.columnar.plan import ACCOUNTS, Plan, Step
from policy_engine.backends.settled import Settled, stretch
from policy_engine.language.decisions import Status
from policy_engine.language.mentions import depths_of, graph_of
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import ListOf, Number, Type

MISSING = "missing"
PARTS = ("status", "outcome", "rule", "reason", "values", MISSING)
"""What is told of a decision."""
PIECE = 250_000
"""Rows that are decided together: many enough for columns, and few enough to stay near the processor."""
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


def laid_out(settled: Settled) -> Columnar:
    """All definitions and decisions of a ruleset, those below first, so that none leads deep into others."""
    columns = Columnar(settled)
    for mention in depths_of(graph_of(settled.ruleset)):
        if mention.kind == "decision":
            columns.decision(mention.name)
        elif mention.kind == "definition":
            columns.expressions.define(mention.name)
    return columns


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


class Output(NamedTuple):
    """A column that tells a decision, and the part of an answer that it is."""

    part: str
    column: pl.Expr


class Masks(NamedTuple):
    """What tells the missing facts of a decision: steps, the words they lead to, and the paths that bits stand for."""

    steps: list[Step]
    words: tuple[pl.Expr, ...]
    paths: tuple[str, ...]


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
    outputs: tuple[Output, ...]
    checks: tuple[pl.Expr, ...] = ()
    margins: tuple[Margin, ...] = ()
    steps: dict[tuple[str, ...], list[Step]] = field(default_factory=dict)
    masks: dict[str, Masks] = field(default_factory=dict)

    def decide(self, facts: pl.DataFrame, parts: Sequence[str] = PARTS) -> pl.DataFrame:
        """Every decision about every row: its status, outcome, rule, reason code and values, and the facts that are missing.

        The columns are named `DECISION.status`, `DECISION.values.NAME` and so on. `parts` are those that are wanted.
        """
        if facts.height < 2 * PIECE:
            return self._decided(facts, parts)
        pieces = [facts.slice(start, PIECE) for start in range(0, facts.height, PIECE)]
        self._decided(pieces[0].head(0), parts)  # what is made when it is first needed is made by one thread
        with ThreadPoolExecutor(pl.thread_pool_size()) as threads:
            return pl.concat(threads.map(lambda piece: self._decided(piece, parts), pieces))

    def _decided(self, facts: pl.DataFrame, parts: Sequence[str]) -> pl.DataFrame:
        """The decisions about one piece of a table."""
        wanted = [output for output in self.outputs if output.part in parts]
        columns = [output.column for output in wanted]
        codes = [one.code for one in self.columns.decided.values()] if MISSING in parts else []
        accounts = plan.run(self._steps(tuple(parts), [*columns, *codes]), facts)
        return self._with_missing(facts, accounts, accounts.select(columns)) if codes else accounts.select(columns)

    def run(self, facts: pl.DataFrame) -> Told:
        """Every decision, and with it which checks of the ruleset do not hold, and the margins that were asked for."""
        outputs = [output.column for output in self.outputs]
        codes = [one.code for one in self.columns.decided.values()]
        margins = [margin.column.alias(str(index)) for index, margin in enumerate(self.margins)]
        accounts = plan.run(self._steps((), [*outputs, *codes, *self.checks, *margins]), facts)
        broken = [(~check).fill_null(False).alias(str(index)) for index, check in enumerate(self.checks)]
        whole = self._with_missing(facts, accounts, accounts.select(outputs))
        return Told(whole, accounts.select(broken), accounts.select(margins))

    def _steps(self, key: tuple[str, ...], columns: Sequence[pl.Expr]) -> list[Step]:
        """The steps that lead to columns."""
        if key not in self.steps:
            self.steps[key] = self.columns.plan.needed(columns)
        return self.steps[key]

    def _with_missing(self, facts: pl.DataFrame, accounts: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
        """What was told, with the facts that are missing, decision by decision."""
        found = {logic.name: self._missing(logic.name, facts, accounts) for logic in self.settled.ruleset.decisions}
        columns = []
        for name, missing in found.items():
            columns += [column for column in told.iter_columns() if column.name.startswith(f"{name}.")]
            columns.append(missing.alias(f"{name}.{MISSING}"))
        return pl.DataFrame(columns)

    def _missing(self, name: str, facts: pl.DataFrame, accounts: pl.DataFrame) -> pl.Series:
        """The missing facts of a decision, null where it is not undetermined."""
        columns = self.columns.decision(name)
        open_ = accounts.select(columns.code == columns.undetermined).to_series()
        if not open_.any():
            return pl.Series([None], dtype=pl.List(pl.String)).new_from_index(0, len(open_))
        every = pl.DataFrame({"row": pl.int_range(len(open_), dtype=pl.UInt32, eager=True)})
        at = every.filter(open_).with_columns(self._missing_of(name, facts.filter(open_)).alias(MISSING))
        return every.join(at, on="row", how="left", maintain_order="left")[MISSING]

    def _missing_of(self, name: str, facts: pl.DataFrame) -> pl.Series:
        """The missing facts of a decision, for rows on which it is undetermined."""
        if name not in self.masks:
            self.masks[name] = self._masks(name)
        steps, words, paths = self.masks[name]
        if not words:
            return pl.Series([[]], dtype=pl.List(pl.String)).new_from_index(0, facts.height)
        masks = plan.run(steps, facts).select(word.alias(str(index)) for index, word in enumerate(words))
        distinct = masks.unique(maintain_order=True)
        told = [_paths_of(row, paths) for row in distinct.iter_rows()]
        named = distinct.with_columns(pl.Series(MISSING, told, dtype=pl.List(pl.String)))
        return masks.join(named, on=masks.columns, how="left", maintain_order="left")[MISSING]

    def _masks(self, name: str) -> Masks:
        columns = laid_out(self.settled)
        missing = Missing(columns.expressions, columns.decided)
        words = missing.decision(name) or ()
        return Masks(columns.plan.needed(words), words, missing.paths)


def _paths_of(words: tuple[int, ...], paths: tuple[str, ...]) -> list[str]:
    """The paths whose bits are set."""
    return [path for index, path in enumerate(paths) if words[index // BITS] >> index % BITS & 1]


def prepare(ruleset: Ruleset, choices: Mapping[str, str], as_of: date, *, margins: bool = False) -> ColumnarProgram:
    """The program of a ruleset under readings on a day, with the margins of its rules if asked for.

    Raises `Refused` for what columns cannot do exactly.
    """
    _, parameters = stretch(ruleset, as_of)
    columns = laid_out(Settled(ruleset, choices, parameters, as_of))
    to = columns.expressions
    outputs = [output for logic in ruleset.decisions for output in _outputs(columns.decision(logic.name))]
    checks = [columns.plan.named(ACCOUNTS, to.condition(check.expect), "check") for check in ruleset.checks]
    asked = [margin for logic in ruleset.decisions for margin in margins_of(to, logic)] if margins else []
    return ColumnarProgram(columns.settled, columns, tuple(outputs), tuple(checks), tuple(asked))


def _outputs(columns: DecisionColumns) -> Iterator[Output]:
    """The columns that tell a decision."""
    name = columns.logic.name
    for part, column in (("status", _status(columns)), *_concluded(columns)):
        yield Output(part, column.alias(f"{name}.{part}"))
    for value, kind in columns.logic.value_types:
        yield Output("values", presented(columns.values[value], kind).alias(f"{name}.values.{value}"))


def _status(columns: DecisionColumns) -> pl.Expr:
    codes = [Status.DECIDED] * len(columns.conclusions) + [Status.UNDETERMINED, Status.GAP]
    return pl.lit(pl.Series([str(status) for status in codes], dtype=STATUS)).gather(columns.code)


def _concluded(columns: DecisionColumns) -> Iterator[tuple[str, pl.Expr]]:
    """Outcome, rule and reason, of which a calculation has none."""
    concluded = columns.conclusions
    if columns.collected is not None:
        yield "outcome", _collected(columns, outcomes=True)
        yield "rule", _collected(columns, outcomes=False)
    elif columns.logic.body is not None:
        if columns.logic.outcomes:
            yield "outcome", _table([one.then.outcome for one in concluded], pl.Enum(columns.logic.outcomes), columns)
        yield "rule", _enumerated([one.rule for one in concluded], columns)
        yield "reason", _enumerated([one.reason for one in concluded], columns)


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
