"""Near misses: accounts close to a threshold of the rules, counted while a table is decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.margins import Margin
from policy_engine.reports.jobs import Job
from policy_engine.reports.totals import MarginBucket, MarginExample, NearMiss

MOST_EXAMPLES = 10
MOST_BUCKETS = 30


@dataclass(slots=True)
class NearMisses:
    """A watch that counts, for each margin of a job, the accounts at each distance, and keeps the closest."""

    job: Job
    counts: list[Counter[int]] = field(init=False)
    closest: list[list[tuple[int, int, int, str | None]]] = field(init=False)
    lock: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        self.counts = [Counter() for _ in self.job.program.margins]
        self.closest = [[] for _ in self.job.program.margins]

    def __call__(self, facts: pl.DataFrame, decisions: pl.DataFrame, margins: pl.DataFrame) -> None:
        """Count a piece of the table."""
        if not facts.height:
            return
        for index, margin in enumerate(self.job.program.margins):
            distances = margins[str(index)]
            near = distances.filter((distances >= -margin.within) & (distances <= margin.within))
            found = dict(near.value_counts().rows())
            with self.lock:
                self.counts[index].update(found)
                limit = self._limit(index, facts[ROW][0])
            if limit is not None:
                self._keep(index, self._first(facts, distances, limit))

    def _limit(self, index: int, first: int) -> int | None:
        """The distance up to which accounts from a row on are among the closest; None where none can be."""
        closest = self.closest[index]
        if len(closest) < MOST_EXAMPLES:
            return self.job.program.margins[index].within
        far, row, _, _ = closest[-1]
        limit = far if first < row else far - 1
        return limit if limit >= 0 else None

    def _first(self, facts: pl.DataFrame, distances: pl.Series, limit: int) -> list[tuple[int, int, int, str | None]]:
        """The closest accounts of a piece within a distance, as (distance, row, margin, key)."""
        close = ((distances >= -limit) & (distances <= limit)).fill_null(False)
        near, margins = facts.filter(close), distances.filter(close)
        rows = pl.DataFrame({"far": margins.abs(), "row": near[ROW], "margin": margins, "key": self.job.keys(near)})
        return rows.sort("far", "row").head(MOST_EXAMPLES).rows()

    def _keep(self, index: int, found: list[tuple[int, int, int, str | None]]) -> None:
        with self.lock:
            both = self.closest[index] + found
            self.closest[index] = sorted(both, key=lambda entry: entry[:2])[:MOST_EXAMPLES]

    def found(self) -> Iterator[NearMiss]:
        """The near misses of each comparison that has any."""
        for margin, counts, closest in zip(self.job.program.margins, self.counts, self.closest, strict=True):
            if counts:
                yield _near_miss(margin, counts, closest)


def _near_miss(margin: Margin, counts: Counter[int], closest: list[tuple[int, int, int, str | None]]) -> NearMiss:
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
        examples=tuple(MarginExample(row, key, margin.value(units)) for _, row, units, key in closest),
    )


def _holds(margin: Margin, distance: int) -> bool:
    return distance > 0 or (distance == 0 and margin.inclusive)


def _buckets(margin: Margin, counts: Counter[int]) -> Iterator[MarginBucket]:
    """A bucket for each distance, or for equal ranges of them where there are many; none lies across the threshold."""
    width = -(-(2 * margin.within + 1) // MOST_BUCKETS)
    edge = 0 if margin.inclusive else 1
    grouped: Counter[int] = Counter()
    for distance, count in counts.items():
        grouped[(distance - edge) // width] += count
    first, last = (-margin.within - edge) // width, (margin.within - edge) // width
    for number in range(first, last + 1):
        start = max(number * width + edge, -margin.within)
        yield MarginBucket(margin.value(start), _holds(margin, start), grouped[number])
