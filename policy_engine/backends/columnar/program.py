"""A ruleset made ready for tables: steps over columns, and the columns that tell each decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import chain
from typing import NamedTuple

import polars as pl

from policy_engine.backends.columnar import plan
from policy_engine.backends.columnar.answer_columns import DecisionColumns, Output, outcome_as_text, outputs_of
from policy_engine.backends.columnar.decisions import DecisionWriter
from policy_engine.backends.columnar.dtypes import schema_of
from policy_engine.backends.columnar.expressions import Expressions, joined
from policy_engine.backends.columnar.margins import Margin, Margins, margins_of
from policy_engine.backends.columnar.missing import BITS
from policy_engine.backends.columnar.missing_decisions import MissingDecisions
from policy_engine.backends.columnar.plan import ACCOUNTS, Needed, Plan
from policy_engine.backends.specialize import specialize
from policy_engine.language import expressions as tree
from policy_engine.language.in_force import in_force
from policy_engine.language.mentions import depths_of, graph_of, logic_of
from policy_engine.language.readings import choices_of
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.units import written_units

MISSING = "missing"
PARTS = ("status", "outcome", "rule", "reason", "values", MISSING)
"""What is told of a decision."""
HOLDS = "(holds)"
"""Whether no check of the ruleset is false of an account."""
PATHS = pl.List(pl.String)


@dataclass(slots=True)
class Columnar:
    """Expressions of a plan with the decisions they use, each written once."""

    ruleset: Ruleset
    day: date
    plan: Plan = field(default_factory=Plan)
    decided: dict[str, DecisionColumns] = field(default_factory=dict)
    expressions: Expressions = field(init=False)

    def __post_init__(self) -> None:
        self.expressions = Expressions(self.ruleset, self.day, self.plan, self.part)

    def decision(self, name: str) -> DecisionColumns:
        """The columns of a decision."""
        if name not in self.decided:
            self.decided[name] = DecisionWriter(self.expressions, self.ruleset.decision(name)).write()
        return self.decided[name]

    def part(self, name: str, part: str) -> pl.Expr:
        """A decision's outcome or one of its values, as other decisions see them: unknown unless it is decided."""
        columns = self.decision(name)
        return outcome_as_text(columns) if part == "outcome" else columns.values[part]


def laid_out(ruleset: Ruleset, day: date) -> Columnar:
    """All definitions and decisions of a ruleset, those below first, so that none leads deep into others."""
    columns = Columnar(ruleset, day)
    for mention in depths_of(graph_of(ruleset)):
        if mention.kind == "decision":
            columns.decision(mention.name)
        elif mention.kind == "definition":
            columns.expressions.define(mention.name)
    return columns


class Masks(NamedTuple):
    """What tells the missing facts of decisions: for each the words of its mask and whether it is open, and the bits' paths."""

    words: Mapping[str, tuple[pl.Expr, ...]]
    open_: Sequence[pl.Expr]
    paths: tuple[str, ...]
    is_tabled: bool

    @property
    def columns(self) -> list[pl.Expr]:
        """The words of all decisions."""
        return [word.alias(f"{name} {at}") for name, words in self.words.items() for at, word in enumerate(words)]

    def looked_up(self) -> Iterator[pl.Expr]:
        """The missing facts of each decision, looked up in a table of all sets there can be."""
        table = pl.lit(pl.Series([_paths_of((bits,), self.paths) for bits in range(1 << len(self.paths))], dtype=PATHS))
        for (name, words), open_ in zip(self.words.items(), self.open_, strict=True):
            bits = words[0] if words else pl.lit(0, dtype=pl.UInt16)
            yield table.gather(pl.when(open_).then(bits)).alias(f"{name}.{MISSING}")

    def sets(self, name: str, worked: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        """The sets of facts that one decision misses, and for each row the number of its set."""
        masks = worked.select(f"{name} {index}" for index in range(len(self.words[name])))
        if masks.width == 1:
            distinct = masks.to_series().unique().sort()
            numbers, rows = distinct.search_sorted(masks.to_series()), distinct.to_frame()
        else:
            rows = masks.unique(maintain_order=True)
            numbers = masks.join(rows.with_row_index("number"), on=masks.columns, how="left", maintain_order="left")[
                "number"
            ]
        return pl.Series([_paths_of(row, self.paths) for row in rows.iter_rows()], dtype=PATHS), numbers


@dataclass(slots=True)
class ColumnarProgram:
    """A ruleset under chosen readings on a day, over tables of valid facts in the columns of `dtypes.schema_of`.

    `ruleset` is without the rules that are out of force on the day `as_of`.
    """

    ruleset: Ruleset
    choices: Mapping[str, str]
    as_of: date
    columns: Columnar
    outputs: Mapping[str, tuple[Output, ...]]
    checks: tuple[pl.Expr, ...] = ()
    margins: tuple[Margin, ...] = ()
    without_margin: int = 0
    masks: dict[tuple[str, ...], Masks] = field(default_factory=dict)

    @property
    def decisions(self) -> tuple[str, ...]:
        """The names of all decisions."""
        return tuple(logic.name for logic in self.ruleset.decisions)

    def decide(
        self, facts: pl.DataFrame, parts: Sequence[str] = PARTS, decisions: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Decisions about every row: status, outcome, rule, reason code and values, and the facts that are missing.

        The columns are named `DECISION.status`, `DECISION.values.NAME` and so on. `parts` and `decisions` are those that are
        wanted; without the latter they are all.
        """
        wanted = [name for name in self.decisions if decisions is None or name in decisions]
        worked = self.told(facts.lazy(), parts, wanted)
        return worked.select(self.names(parts, wanted)).collect(engine="streaming")

    def names(self, parts: Sequence[str] = PARTS, decisions: Iterable[str] | None = None) -> list[str]:
        """The names of the columns that tell decisions, one decision after the other."""
        found = []
        for name in self.decisions if decisions is None else decisions:
            found += [output.column.meta.output_name() for output in self.outputs[name] if output.part in parts]
            found += [f"{name}.{MISSING}"] if MISSING in parts else []
        return found

    def checked(self, facts: pl.LazyFrame) -> pl.LazyFrame:
        """A table with the column `HOLDS` beside its own, and with what leads to it; for a ruleset that has checks."""
        steps, _ = self.columns.plan.needed(self.checks)
        holds = joined("all", [check.fill_null(True) for check in self.checks])
        return plan.through(steps, facts).with_columns(holds.alias(HOLDS))

    def broken(self, checked: pl.DataFrame) -> pl.DataFrame:
        """Of a table that was checked: for each check whether it is false of a row."""
        return checked.select((~check).fill_null(False).alias(str(index)) for index, check in enumerate(self.checks))

    def told(
        self,
        facts: pl.LazyFrame,
        parts: Sequence[str] = PARTS,
        decisions: Sequence[str] | None = None,
        *,
        margins: bool = False,
    ) -> pl.LazyFrame:
        """A table of facts with the columns that tell decisions, and margins, if asked for, by their numbers.

        What was worked out when it was `checked` is not worked out again.
        """
        wanted = self.decisions if decisions is None else tuple(decisions)
        told = [output.column for name in wanted for output in self.outputs[name] if output.part in parts]
        told += [margin.column.alias(str(index)) for index, margin in enumerate(self.margins) if margins]
        masks = self._masks_of(wanted) if MISSING in parts else None
        schema = facts.collect_schema()
        own = [name for name in schema_of(self.ruleset.facts.type) if name in schema]
        leading = self.columns.plan.needed([*told, *(masks.open_ if masks else ())], schema)
        worked = plan.through(leading.steps, facts)
        if masks is None:
            return worked.select(*own, *told)
        there = worked.collect_schema()
        later = self.columns.plan.needed(masks.columns, there)
        if masks.is_tabled and plan.only_expressions(later.steps):
            return plan.through(later.steps, worked).select(*own, *told, *masks.looked_up())
        kept = {*later.reads, *(flag.meta.output_name() for flag in masks.open_)} - {*own}
        shown = worked.select(*own, *told, *sorted(kept))
        missing = {f"{name}.{MISSING}": PATHS for name in wanted}
        whole = pl.Schema({**shown.collect_schema(), **missing})
        return plan.pieced(shown, partial(_with_missing, masks, later), whole)

    def _masks_of(self, decisions: tuple[str, ...]) -> Masks:
        """What tells the missing facts of decisions, laid out when they are first asked for."""
        if decisions not in self.masks:
            missing = MissingDecisions(self.columns.expressions, self.columns.decided)
            words = {name: missing.decision(name) or () for name in decisions}
            open_ = [self.columns.decided[name].undetermined for name in decisions]
            self.masks[decisions] = Masks(words, open_, missing.missing.paths, missing.missing.is_tabled)
        return self.masks[decisions]


def _with_missing(masks: Masks, later: Needed, piece: pl.DataFrame) -> pl.DataFrame:
    """A piece with the facts that are missing, decision by decision: null where one is not undetermined."""
    open_ = piece.select(flag.alias(name) for name, flag in zip(masks.words, masks.open_, strict=True))
    rows = open_.select(pl.any_horizontal(pl.all())).to_series()
    if not rows.any():
        return piece.with_columns(pl.lit(None, dtype=PATHS).alias(f"{name}.{MISSING}") for name in masks.words)
    few = piece.select(sorted(later.reads) or piece.columns[0]).filter(rows)
    words = plan.small(later.steps, masks.columns, few)
    told = [_missing(masks, name, open_[name], words, rows).alias(f"{name}.{MISSING}") for name in masks.words]
    return piece.with_columns(told)


def _missing(masks: Masks, name: str, open_: pl.Series, words: pl.DataFrame, rows: pl.Series) -> pl.Series:
    """The missing facts of one decision, where it is open; `words` are worked out for some rows only."""
    if not open_.any():
        return pl.Series([None], dtype=PATHS).new_from_index(0, len(open_))
    places = pl.DataFrame({"open": open_}).select(pl.int_range(pl.len(), dtype=pl.UInt32).filter("open")).to_series()
    numbers = pl.Series([None], dtype=pl.UInt32).new_from_index(0, len(open_))
    if not masks.words[name]:
        return pl.Series([[]], dtype=PATHS).gather(numbers.scatter(places, 0))
    sets, own = masks.sets(name, words.filter(open_.filter(rows)))
    return sets.gather(numbers.scatter(places, own))


def _paths_of(words: tuple[int, ...], paths: tuple[str, ...]) -> list[str]:
    """The paths whose bits are set."""
    return [path for index, path in enumerate(paths) if words[index // BITS] >> index % BITS & 1]


def prepare(ruleset: Ruleset, readings: Mapping[str, str], as_of: date, *, margins: bool = False) -> ColumnarProgram:
    """The program of a ruleset under readings on a day, with the margins of its rules if asked for.

    Raises `UnknownReading`, and `RulesetError` with a diagnostic at what columns cannot do exactly.
    """
    choices = choices_of(ruleset, readings)
    ruleset = in_force(ruleset, as_of)
    small = specialize(ruleset, choices, as_of)
    columns = laid_out(small, as_of)
    to = columns.expressions
    outputs = {logic.name: tuple(outputs_of(columns.decision(logic.name))) for logic in small.decisions}
    checks = [columns.plan.named(ACCOUNTS, to.condition(check.expect), "check") for check in small.checks]
    asked = _margins(to, ruleset, small) if margins else []
    found = tuple(margin for margins_ in asked for margin in margins_.found)
    left_out = sum(margins_.left_out for margins_ in asked)
    return ColumnarProgram(ruleset, choices, as_of, columns, outputs, tuple(checks), found, left_out)


def _margins(to: Expressions, written: Ruleset, specialized: Ruleset) -> list[Margins]:
    """The margins of each decision; the author's words and units are those of the ruleset as it was written."""
    bodies = [definition.body for definition in written.definitions]
    conditions = chain(bodies, chain.from_iterable(map(logic_of, written.decisions)))
    nodes = {
        node.id: node for each in conditions for part in tree.expressions_of(each) for node in tree.walk(part.tree)
    }
    units = written_units(written)
    return [margins_of(to, logic, nodes, units) for logic in specialized.decisions]
