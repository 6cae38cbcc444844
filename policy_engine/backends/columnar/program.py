"""A ruleset compiled for tables: the plan of its columns, and which of them are the answers of each decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import NamedTuple

import polars as pl

from policy_engine.backends.columnar import plan
from policy_engine.backends.columnar.answer_columns import DecisionColumns, Output, outcome_as_text, outputs_of
from policy_engine.backends.columnar.condition_inputs import ConditionWriter
from policy_engine.backends.columnar.decisions import DecisionWriter
from policy_engine.backends.columnar.dtypes import schema_of
from policy_engine.backends.columnar.expressions import Expressions, joined
from policy_engine.backends.columnar.margins import Margin, Margins, margins_of
from policy_engine.backends.columnar.missing import Missing, is_tabled
from policy_engine.backends.columnar.plan import ACCOUNTS, Needed, Plan
from policy_engine.backends.columnar.sentences import SENTENCE, Sentences, SentenceWriter
from policy_engine.backends.missing_decisions import MissingDecisions
from policy_engine.backends.missing_facts import BITS
from policy_engine.language.in_force import in_force
from policy_engine.language.mentions import depths_of, graph_of, sensitivity_of_wording
from policy_engine.language.readings import choices_of
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.specialize import Specializer, parameters_on, specialize

MISSING = "missing"
PARTS = ("status", "outcome", "rule", "reason", "values", MISSING)
"""The parts of an answer; each is one column, but for the values, which are one each. Only where it is asked for: `SENTENCE`."""
HOLDS = "(holds)"
"""Whether no check of the ruleset is false of an account."""
PATHS = pl.List(pl.String)


@dataclass(slots=True)
class Columnar:
    """The plan of a ruleset with its expressions and decisions, each written once."""

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


def compiled(ruleset: Ruleset, day: date) -> Columnar:
    """All definitions and decisions of a ruleset, those that others use first, which keeps recursion shallow."""
    columns = Columnar(ruleset, day)
    for mention in depths_of(graph_of(ruleset)):
        if mention.kind == "decision":
            columns.decision(mention.name)
        elif mention.kind == "definition":
            columns.expressions.define(mention.name)
    return columns


class Masks(NamedTuple):
    """Missing facts as bit masks (`missing`): for each decision the words of its mask, and where it is undetermined.

    A bit stands for the path in the same place of `paths`. `is_tabled` where these are few enough for a table of all sets.
    """

    words: Mapping[str, tuple[pl.Expr, ...]]
    undetermined: Sequence[pl.Expr]
    paths: tuple[str, ...]
    is_tabled: bool

    @property
    def columns(self) -> list[pl.Expr]:
        """The words of all decisions."""
        return [word.alias(f"{name} {at}") for name, words in self.words.items() for at, word in enumerate(words)]

    def looked_up(self) -> Iterator[pl.Expr]:
        """The missing facts of each decision, looked up in a table of all sets of paths."""
        table = pl.lit(pl.Series([_paths_of((bits,), self.paths) for bits in range(1 << len(self.paths))], dtype=PATHS))
        for (name, words), open_ in zip(self.words.items(), self.undetermined, strict=True):
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
    sentences: dict[str, Sentences] = field(default_factory=dict)

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
        worked = self.answered(facts.lazy(), parts, wanted)
        return worked.select(self.names(parts, wanted)).collect(engine="streaming")

    def names(self, parts: Sequence[str] = PARTS, decisions: Iterable[str] | None = None) -> list[str]:
        """The names of the columns of answers, one decision after the other."""
        found = []
        for name in self.decisions if decisions is None else decisions:
            found += [output.column.meta.output_name() for output in self.outputs[name] if output.part in parts]
            found += [f"{name}.{part}" for part in (MISSING, SENTENCE) if part in parts]
        return found

    def condition_inputs(self) -> ConditionWriter:
        """The inputs of the conditions of the ruleset, written into its plan."""
        names = {**parameters_on(self.ruleset, self.as_of), **self.choices}
        writer = ConditionWriter(self.columns.expressions, Specializer(self.ruleset, names, day=self.as_of))
        writer.write()
        return writer

    def checked(self, facts: pl.LazyFrame) -> pl.LazyFrame:
        """A table with the columns that its checks need, and `HOLDS`; for a ruleset that has checks."""
        steps, _ = self.columns.plan.needed(self.checks)
        holds = joined("all", [check.fill_null(True) for check in self.checks])
        return self.columns.plan.through(steps, facts).with_columns(holds.alias(HOLDS))

    def broken(self, checked: pl.DataFrame) -> pl.DataFrame:
        """Of a table that was `checked`: for each check whether it is false of a row."""
        return checked.select((~check).fill_null(False).alias(str(index)) for index, check in enumerate(self.checks))

    def answered(
        self,
        facts: pl.LazyFrame,
        parts: Sequence[str] = PARTS,
        decisions: Sequence[str] | None = None,
        *,
        margins: bool = False,
        also: Sequence[pl.Expr] = (),
    ) -> pl.LazyFrame:
        """A table of facts with the columns of answers, and if asked for the margins, each named by its number.

        `also` are further columns, of the table or of the plan. Columns that are there because the table was `checked` are not
        computed again.
        """
        wanted = self.decisions if decisions is None else tuple(decisions)
        schema = facts.collect_schema()
        columns = [pl.col(name) for name in schema_of(self.ruleset.facts.type) if name in schema]
        columns += [output.column for name in wanted for output in self.outputs[name] if output.part in parts]
        columns += [margin.column.alias(str(index)) for index, margin in enumerate(self.margins) if margins]
        columns += also
        told = [self.sentences_of(name) for name in wanted] if SENTENCE in parts else []
        made = {*_names(columns), *(f"{name}.{MISSING}" for name in wanted)}
        columns += [pl.col(name) for name in sorted(frozenset().union(*(each.reads for each in told)) - made)]
        worked = self._worked(facts, columns, wanted if MISSING in parts or told else ())
        if not told:
            return worked
        whole = pl.Schema({**worked.collect_schema(), **{each.column: pl.String() for each in told}})
        return plan.pieced(worked, lambda piece: piece.with_columns([each.of(piece) for each in told]), whole)

    def sentences_of(self, name: str) -> Sentences:
        """How the sentences of a decision are put together, written when they are first asked for."""
        if name not in self.sentences:
            is_sensitive = sensitivity_of_wording(self.ruleset)
            to, decided = self.columns.expressions, self.columns.decided[name]
            self.sentences[name] = SentenceWriter(to, decided, f"{name}.{MISSING}", is_sensitive).write()
        return self.sentences[name]

    def _worked(self, facts: pl.LazyFrame, columns: Sequence[pl.Expr], missing: tuple[str, ...]) -> pl.LazyFrame:
        """A table of these columns and of the missing facts of some decisions."""
        masks = self._masks_of(missing) if missing else None
        leading = self.columns.plan.needed([*columns, *(masks.undetermined if masks else ())], facts.collect_schema())
        worked = self.columns.plan.through(leading.steps, facts)
        if masks is None:
            return worked.select(columns)
        later = self.columns.plan.needed(masks.columns, worked.collect_schema())
        if masks.is_tabled and plan.only_expressions(later.steps):
            return self.columns.plan.through(later.steps, worked).select(*columns, *masks.looked_up())
        kept = {*later.reads, *_names(masks.undetermined)} - {*_names(columns)}
        shown = worked.select(*columns, *sorted(kept))
        whole = pl.Schema({**shown.collect_schema(), **{f"{name}.{MISSING}": PATHS for name in missing}})
        return plan.pieced(shown, partial(_with_missing, masks, later), whole)

    def _masks_of(self, decisions: tuple[str, ...]) -> Masks:
        """The masks of decisions, written when they are first asked for."""
        if decisions not in self.masks:
            decided = self.columns.decided
            missing = MissingDecisions(partial(Missing, self.columns.expressions), decided.__getitem__)
            words = {name: missing.decision(name) or () for name in decisions}
            undetermined = [decided[name].undetermined for name in decisions]
            paths = missing.missing.paths
            self.masks[decisions] = Masks(words, undetermined, paths, is_tabled(paths))
        return self.masks[decisions]


def _names(columns: Iterable[pl.Expr]) -> list[str]:
    return [column.meta.output_name() for column in columns]


def _with_missing(masks: Masks, later: Needed, piece: pl.DataFrame) -> pl.DataFrame:
    """A piece of the table with the missing facts of each decision: null where it is not undetermined."""
    open_ = piece.select(flag.alias(name) for name, flag in zip(masks.words, masks.undetermined, strict=True))
    rows = open_.select(pl.any_horizontal(pl.all())).to_series()
    if not rows.any():
        return piece.with_columns(pl.lit(None, dtype=PATHS).alias(f"{name}.{MISSING}") for name in masks.words)
    asked = piece.select(sorted(later.reads) or piece.columns[0]).filter(rows)
    words = plan.small(later.steps, masks.columns, asked)
    answers = [_missing(masks, name, open_[name], words, rows).alias(f"{name}.{MISSING}") for name in masks.words]
    return piece.with_columns(answers)


def _missing(masks: Masks, name: str, open_: pl.Series, words: pl.DataFrame, rows: pl.Series) -> pl.Series:
    """The missing facts of one decision where it is undetermined (`open_`); `words` has only the `rows` where any is."""
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
    columns = compiled(small, as_of)
    to = columns.expressions
    outputs = {logic.name: tuple(outputs_of(columns.decision(logic.name))) for logic in small.decisions}
    checks = [columns.plan.named(ACCOUNTS, to.condition(check.expect), "check") for check in small.checks]
    found = margins_of(to, ruleset, small) if margins else Margins()
    return ColumnarProgram(ruleset, choices, as_of, columns, outputs, tuple(checks), found.found, found.left_out)
