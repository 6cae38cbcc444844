"""A side of a comparison compiled for columns of accounts: what is compared of its answers, and what tells why they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from policy_engine.backends.columnar import ColumnarProgram, prepare
from policy_engine.backends.columnar.dtypes import schema_of
from policy_engine.backends.columnar.program import HOLDS
from policy_engine.backends.columnar.sentences import SENTENCE, Sentences
from policy_engine.language import expressions as tree
from policy_engine.language.specialize import Specializer, parameters_on
from policy_engine.reports.causes import Causes as Sayer
from policy_engine.reports.comparison.attributions import Attributions, part_name
from policy_engine.reports.comparison.decision_attributions import reached_rule
from policy_engine.reports.comparison.pairing import Trees, Written
from policy_engine.reports.comparison.side import Side

COMPARED = ("status", "outcome", "rule", "values", "missing")
"""The parts of answers that are compared."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A side that is compiled: its program, its trees, and the decisions that are compared."""

    side: Side
    program: ColumnarProgram
    trees: Trees
    decisions: tuple[str, ...]

    @classmethod
    def of(cls, side: Side, decisions: Sequence[str]) -> Prepared:
        """Compile a side; raises `RulesetError` for what columns cannot do."""
        program = prepare(side.ruleset, side.readings, side.as_of)
        names = {**parameters_on(program.ruleset, side.as_of), **program.choices}
        specializer = Specializer(program.ruleset, names, day=side.as_of)
        small = specializer.ruleset()
        return cls(side, program, Trees(program.ruleset, specializer, small), tuple(decisions))

    def compared(self, facts: pl.LazyFrame, attributions: Attributions, carried: Sequence[str] = ()) -> pl.LazyFrame:
        """A table of valid facts with what is compared, `HOLDS`, what sentences are made of, and columns that are `carried`."""
        checked = self.program.checked(facts) if self.program.checks else facts.with_columns(pl.lit(True).alias(HOLDS))
        also = [
            pl.col(HOLDS),
            *self.program.checks,
            *map(pl.col, carried),
            *self._reached(attributions),
            *self._parts(attributions),
            *map(pl.col, self._of_sentences()),
        ]
        return self.program.answered(checked, COMPARED, self.decisions, also=also)

    def columns(self, table: pl.Schema, carried: Sequence[str] = ()) -> list[str]:
        """The columns of a table that come from this side."""
        facts = schema_of(self.side.ruleset.facts.type)
        return [name for name in table if name not in facts and name not in carried]

    def sentences(self, decision: str) -> Sentences:
        """How the reasons of a decision are put together."""
        return self.program.sentences_of(decision)

    def said(self, decision: str, frame: pl.DataFrame, facts: pl.DataFrame) -> pl.Series:
        """The reasons of answers in a frame of compared columns; where columns do not tell them, the engine is asked."""
        column = f"{decision}.{SENTENCE}"
        if column in frame.columns:
            return frame[column]
        sentences = self.sentences(decision)
        of_facts = facts.select(sorted(sentences.reads - set(frame.columns)))
        told = sentences.of(frame.hstack(of_facts)).alias(column)
        if not told.has_nulls():
            return told
        sayer = Sayer(self.side.engine(), self.program, self.side.readings)
        return sayer(facts.with_columns(told))[column]

    def _of_sentences(self) -> list[str]:
        """The columns that reasons are made of, without those that are there anyway."""
        reads = frozenset[str]().union(*(self.sentences(name).reads for name in self.decisions))
        there = {*schema_of(self.program.ruleset.facts.type), *self.program.names(COMPARED, self.decisions)}
        return sorted(reads - there)

    def _reached(self, attributions: Attributions) -> Iterator[pl.Expr]:
        for name in filter(attributions.pairing.may_differ, self.decisions):
            columns = self.program.columns.decision(name)
            if columns.logic.body is not None and not columns.logic.collects:
                yield columns.reached.alias(reached_rule(name))

    def _parts(self, attributions: Attributions) -> Iterator[pl.Expr]:
        """The values of the parts of conditions that are asked for."""
        for part in attributions.pairing.parts:
            written = part.old if self.trees is attributions.pairing.old else part.new
            if part.number in attributions.asked and written is not None:
                yield self._value(written).alias(part_name(part))

    def _value(self, written: Written) -> pl.Expr:
        small, to = self.trees.made_small(written), self.program.columns.expressions
        return to.kept(to.condition(small) if isinstance(small, tree.Group) else to.whole(small.tree), "part")
