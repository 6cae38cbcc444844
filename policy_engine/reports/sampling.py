"""A repeatable sample: of each stratum the records whose row numbers, hashed with a seed, are the lowest.

Which records are drawn depends on the seed and on their row numbers alone, not on how the table was cut into pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.engine import Engine
from policy_engine.language.decisions import Status
from policy_engine.language.rulesets import Ruleset
from policy_engine.reports.jobs import Job
from policy_engine.reports.totals import Sample
from policy_engine.tables.json_types import plain_row
from policy_engine.tables.keys import key_text

GOLDEN, MIX = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9
"""The constants of SplitMix64 (Steele, Lea and Flood 2014)."""
MOST = 2**64 - 1


@dataclass(slots=True)
class Draw:
    """A watch that draws for each decision and stratum the `size` records with the lowest hashes, with their facts.

    `only` restricts it to records of one status.
    """

    ruleset: Ruleset
    seed: int
    size: int
    only: Status | None = None
    drawn: dict[tuple[str, str], list[tuple[int, int, dict[str, Any]]]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock, repr=False)

    def __call__(self, facts: pl.DataFrame, decisions: pl.DataFrame, margins: pl.DataFrame) -> None:
        """Draw from a piece of the table."""
        number = facts.select(number=hashed(pl.col(ROW).cast(pl.UInt64), self.seed))["number"]
        for logic in self.ruleset.decisions:
            wanted = None if self.only is None else decisions[f"{logic.name}.status"] == str(self.only)
            if wanted is not None and not wanted.any():
                continue
            strata, names = _strata(logic.name, decisions)
            low = number < self._limits(logic.name, names).gather(strata)
            low = low if wanted is None else low & wanted
            near = pl.DataFrame({"stratum": strata, "number": number}).with_row_index("at").filter(low)
            best = near.group_by("stratum").agg(pl.struct("number", "at").bottom_k(self.size))
            for stratum, found in best.iter_rows():
                self._keep(logic.name, names[stratum], found, facts)

    def _limits(self, decision: str, names: Sequence[str]) -> pl.Series:
        """The hash of each stratum below which a record is drawn, so that most are passed over at once."""
        with self.lock:
            kept = [self.drawn.get((decision, name), []) for name in names]
            limits = [records[-1][0] if len(records) == self.size else MOST for records in kept]
        return pl.Series(limits, dtype=pl.UInt64)

    def _keep(self, decision: str, stratum: str, found: list[dict[str, int]], facts: pl.DataFrame) -> None:
        with self.lock:
            kept = self.drawn.setdefault((decision, stratum), [])
            for one in found:
                if len(kept) < self.size or one["number"] < kept[-1][0]:
                    own = plain_row(facts, one["at"], self.ruleset.facts.type)
                    kept.append((one["number"], facts[ROW][one["at"]], own))
                    kept.sort(key=lambda entry: entry[:2])
                    del kept[self.size :]


def _strata(name: str, decisions: pl.DataFrame) -> tuple[pl.Series, list[str]]:
    """The stratum of each record as a number, and the names of the strata: an outcome, or the status where there is none."""
    status = decisions[f"{name}.status"]
    column = decisions.get_column(f"{name}.outcome", default=None)
    if column is None:
        return status.to_physical(), names_of(status)
    if isinstance(column.dtype, pl.List):
        texts = column.list.join(", ")
        column = texts.cast(pl.Enum(texts.drop_nulls().unique().sort()))
    outcomes, statuses = names_of(column), names_of(status)
    decided = pl.when(pl.lit(status) == str(Status.DECIDED)).then(pl.lit(column.to_physical()).cast(pl.UInt32))
    number = decided.otherwise(pl.lit(status.to_physical()).cast(pl.UInt32) + len(outcomes))
    return pl.select(number).to_series(), [*outcomes, *statuses]


def names_of(column: pl.Series) -> list[str]:
    """The names that a column may hold, in the order of their numbers."""
    assert isinstance(column.dtype, pl.Enum)
    return column.dtype.categories.to_list()


def hashed(number: pl.Expr, seed: int) -> pl.Expr:
    """A 64-bit hash of a number (SplitMix64)."""
    mixed = (number + pl.lit(seed * 2 + 1, dtype=pl.UInt64)) * pl.lit(GOLDEN, dtype=pl.UInt64)
    folded = mixed ^ (mixed // pl.lit(1 << 30, dtype=pl.UInt64))
    again = folded * pl.lit(MIX, dtype=pl.UInt64)
    return again ^ (again // pl.lit(1 << 27, dtype=pl.UInt64))


def samples_of(engine: Engine, job: Job, draw: Draw) -> Iterator[Sample]:
    """The records drawn, each with its explanation, by decision, stratum and row."""
    order = [logic.name for logic in job.ruleset.decisions]
    as_of = job.program.as_of
    for (decision, stratum), kept in sorted(
        draw.drawn.items(), key=lambda entry: (order.index(entry[0][0]), entry[0][1])
    ):
        for _, row, facts in sorted(kept, key=lambda entry: entry[1]):
            key = key_text(facts.get(job.key.name), job.key.type) if job.key is not None else None
            explanation = engine.explain(f"{job.ruleset.id}.{decision}", facts, as_of=as_of, readings=job.readings)
            yield Sample(row, key, decision, stratum, facts, explanation)
