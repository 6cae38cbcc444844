"""Accounts close to the thresholds of the rules, counted as a table streams by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.margins import Margin
from policy_engine.reports.jobs import Job
from policy_engine.reports.tables.invalid import key_text
from policy_engine.reports.totals import MarginBucket, MarginExample, NearMiss

MOST_EXAMPLES = 10
MOST_BUCKETS = 30


@dataclass(slots=True)
class Nearness:
    """For each margin of a job how many accounts lie at each distance, and those that lie closest."""

    job: Job
    counts: list[Counter[int]] = field(init=False)
    closest: list[list[tuple[int, int, int, object]]] = field(init=False)
    lock: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        self.counts = [Counter() for _ in self.job.program.margins]
        self.closest = [[] for _ in self.job.program.margins]

    def __call__(self, facts: pl.DataFrame, decisions: pl.DataFrame, margins: pl.DataFrame) -> None:
        """Look at a piece of the table."""
        key = facts[self.job.key] if self.job.key is not None else pl.Series([None]).new_from_index(0, facts.height)
        rows = pl.DataFrame({"row": facts[ROW], "key": key})
        for index, margin in enumerate(self.job.program.margins):
            near = rows.with_columns(margin=margins[str(index)]).filter(pl.col("margin").abs() <= margin.within)
            found = near.group_by("margin").len().rows()
            first = near.with_columns(far=pl.col("margin").abs()).bottom_k(MOST_EXAMPLES, by=["far", "row"])
            with self.lock:
                self.counts[index].update(dict(found))
                both = self.closest[index] + first.select("far", "row", "margin", "key").rows()
                self.closest[index] = sorted(both, key=lambda entry: entry[:2])[:MOST_EXAMPLES]

    def near_misses(self) -> Iterator[NearMiss]:
        """What was found, for each comparison that anybody is near to."""
        for margin, counts, closest in zip(self.job.program.margins, self.counts, self.closest, strict=True):
            if counts:
                yield _near_miss(margin, counts, closest)


def _near_miss(margin: Margin, counts: Counter[int], closest: list[tuple[int, int, int, object]]) -> NearMiss:
    held = sum(count for distance, count in counts.items() if _holds(margin, distance))
    return NearMiss(
        decision=margin.decision,
        rule=margin.rule,
        comparison=margin.comparison,
        unit=margin.unit,
        within=margin.value(margin.within),
        holds=held,
        fails=counts.total() - held,
        buckets=tuple(_buckets(margin, counts)),
        examples=tuple(MarginExample(row, key_text(key), margin.value(units)) for _, row, units, key in closest),
    )


def _holds(margin: Margin, distance: int) -> bool:
    return distance > 0 or (distance == 0 and margin.inclusive)


def _buckets(margin: Margin, counts: Counter[int]) -> Iterator[MarginBucket]:
    """Every distance, or stretches of distances where there are many; none lies across the threshold."""
    width = -(-(2 * margin.within + 1) // MOST_BUCKETS)
    edge = 0 if margin.inclusive else 1
    grouped: Counter[int] = Counter()
    for distance, count in counts.items():
        grouped[(distance - edge) // width] += count
    first, last = (-margin.within - edge) // width, (margin.within - edge) // width
    for number in range(first, last + 1):
        start = max(number * width + edge, -margin.within)
        yield MarginBucket(margin.value(start), _holds(margin, start), grouped[number])
