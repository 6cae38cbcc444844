"""The sentences that columns do not tell: of decisions that are undetermined although no fact is missing, with the causes.

The engine is asked, once for all rows of a piece that have the same facts where the decision looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from policy_engine.backends.columnar import ColumnarProgram
from policy_engine.backends.columnar.sentences import SENTENCE
from policy_engine.engine import Engine
from policy_engine.language.mentions import Mention, facts_reached, graph_of, mentions_in, wording_of
from policy_engine.tables.json_types import plain_rows


@dataclass(slots=True)
class Causes:
    """Fills in the sentences of pieces that a program decided; `reads` has for each decision the facts that it looks at."""

    engine: Engine
    program: ColumnarProgram
    readings: Mapping[str, str]
    reads: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ruleset = self.program.ruleset
        graph = graph_of(ruleset)
        for logic in ruleset.decisions:
            start = [Mention("decision", logic.name), *mentions_in(wording_of(logic))]
            self.reads[logic.name] = facts_reached(ruleset, start, graph)

    def __call__(self, piece: pl.DataFrame) -> pl.DataFrame:
        """A piece of the table in which every decision of every row has its sentence."""
        for name, reads in self.reads.items():
            column = f"{name}.{SENTENCE}"
            if column in piece.columns and (rows := piece[column].is_null().arg_true()).len():
                facts = piece[rows].select(reads or piece.columns[0])
                piece = piece.with_columns(piece[column].scatter(rows, self._sentences(name, facts)))
        return piece

    def _sentences(self, name: str, facts: pl.DataFrame) -> pl.Series:
        """The sentences of a decision about valid facts."""
        distinct = facts.unique()
        told = distinct.with_columns(pl.Series(SENTENCE, self._reasons(name, distinct), dtype=pl.String))
        return facts.join(told, on=facts.columns, how="left", maintain_order="left", nulls_equal=True)[SENTENCE]

    def _reasons(self, name: str, facts: pl.DataFrame) -> Sequence[str]:
        ruleset, day = self.program.ruleset, self.program.as_of
        rows = plain_rows(facts, ruleset.facts.type)
        decide = partial(self.engine.decide, f"{ruleset.id}.{name}", as_of=day, readings=self.readings, trusted=True)
        return [decide(row).reason for row in rows]
