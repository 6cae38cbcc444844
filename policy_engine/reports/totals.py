"""The totals of a report as plain data: of its rulesets, their decisions, invalid records and missing facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from policy_engine.language.traces import Explanation
from policy_engine.language.values import Value, to_json

Counts: TypeAlias = Mapping[str, int]
"""The number of records by name, the most frequent first, then in the order of names. What does not occur has 0."""

Margin: TypeAlias = int | Decimal


@dataclass(frozen=True, slots=True)
class ViolationExample:
    """A record as an example: its row in the input (from 1), its key where it has one, a message, and the place in the record."""

    row: int
    key: str | None
    message: str
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class ViolationTotals:
    """A kind of violation: a pointer without positions in lists, the keyword violated, and the number of records."""

    pointer: str
    keyword: str
    rows: int
    examples: tuple[ViolationExample, ...]


@dataclass(frozen=True, slots=True)
class MissingFact:
    """A schema path that undetermined records lack: the number of those that lack it, and of those that lack nothing else.

    `settles` is the number of the tried records that it decided by itself, with every value that was tried.
    """

    path: str
    rows: int
    alone: int
    settles: int = 0


@dataclass(frozen=True, slots=True)
class Trials:
    """The number of undetermined records of a decision that were tried, and of those that each fact decided by itself.

    A fact decides a record where every value that was tried, and that leaves the record valid, gives a decided answer.
    `alternatives` counts records by all the facts that do, any one of which is enough.
    """

    tried: int
    decided: Mapping[str, int]
    alternatives: Mapping[tuple[str, ...], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MissingTogether:
    """Schema paths, and the number of undetermined records that lack exactly these."""

    paths: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How the values of some records lie, exactly: their number, their sum and mean (None of days and instants), and quantiles.

    A quantile is a value that occurs: where it would lie between two, the lower. `low` is that of 5 per cent, `high` that of 95.
    The mean is rounded half up to the places of the value, at least two.
    """

    known: int
    sum: int | Decimal | None
    mean: Decimal | None
    lowest: Value
    low: Value
    quarter: Value
    median: Value
    three_quarters: Value
    high: Value
    highest: Value


@dataclass(frozen=True, slots=True)
class ValueTotals:
    """A value of a decision: the number of records that have it, its spread, or the count of each member of its closed set.

    `unit` is "" where none is certain. `by_outcome` has the spread for each outcome with which the value came. What does not
    apply is None or empty.
    """

    name: str
    unit: str
    known: int
    spread: Spread | None
    by_outcome: Mapping[str, Spread]
    counts: Counts


@dataclass(frozen=True, slots=True)
class Bucket:
    """The records whose date lies in the unit of time that begins on a day, by outcome, or else by status."""

    start: date
    counts: Counts


@dataclass(frozen=True, slots=True)
class OverTime:
    """Outcomes by a date fact. `unit` is one of `periods.UNITS`; buckets follow one another, empty ones included.

    Records so far off that the buckets would have to be coarser are counted as `before` the first bucket or `after` the last.
    """

    fact: str
    unit: str
    buckets: tuple[Bucket, ...]
    before: int
    after: int
    undated: int


@dataclass(frozen=True, slots=True)
class MarginBucket:
    """The records that lie at one margin (or from it to the next bucket's), and whether the comparison holds there."""

    margin: Margin
    holds: bool
    rows: int


@dataclass(frozen=True, slots=True)
class MarginExample:
    """A record close to a threshold: its row (from 1), its key, and its margin."""

    row: int
    key: str | None
    margin: Margin


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Records close to the threshold of a comparison, on either side of it.

    `unit` is that of both sides of the comparison, "" where none is certain. A margin is the distance to the threshold:
    positive towards where the comparison holds, negative towards where it fails; at most `within` either way.
    """

    decision: str
    rule: str
    comparison: str
    unit: str
    within: Margin
    holds: int
    fails: int
    buckets: tuple[MarginBucket, ...]
    examples: tuple[MarginExample, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A record drawn from the records of one stratum (an outcome, or what is missing), with its facts and its explanation."""

    row: int
    key: str | None
    decision: str
    stratum: str
    facts: Mapping[str, object]
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class DecisionTotals:
    """The counts of one decision over the valid records.

    A `collect` decision counts each outcome and rule that applies; `nothing_applies` are its records to which none does.
    `reasons` are rules, but for a matrix's cell, whose else branch is counted by itself. `no_fact_missing` are
    undetermined records that miss no fact, such as after a division by zero. `missing_together` has the most frequent.
    `tried` is the number of undetermined records that were asked again with one fact filled in; `settles_most` is the missing
    fact that decided most of them, None where none decided any; `settled_by` has the facts any one of which decided so many.
    """

    decision: str
    statuses: Counts
    outcomes: Counts
    rules: Counts
    reasons: Counts
    nothing_applies: int
    missing: tuple[MissingFact, ...]
    missing_together: tuple[MissingTogether, ...]
    tried: int
    settles_most: MissingFact | None
    settled_by: tuple[MissingTogether, ...]
    no_fact_missing: int
    values: tuple[ValueTotals, ...]
    over_time: OverTime | None

    @property
    def rows(self) -> int:
        """The number of records that were decided on."""
        return sum(self.statuses.values())


@dataclass(frozen=True, slots=True)
class RulesetTotals:
    """The counts of one ruleset over its input; `undetermined` and `gaps` are records with at least one such decision.

    `near_misses_left_out` counts the comparisons of the rules for which no distance to a threshold is measured.
    """

    ruleset: str
    title: str
    version: str
    digest: str
    readings: Mapping[str, str]
    inputs: tuple[str, ...]
    rows: int
    valid: int
    invalid: int
    undetermined: int
    gaps: int
    violations: tuple[ViolationTotals, ...]
    decisions: tuple[DecisionTotals, ...]
    near_misses: tuple[NearMiss, ...]
    near_misses_left_out: int


@dataclass(frozen=True, slots=True)
class ReportTotals:
    """The counts of a whole report; `as_of` is a civil date."""

    as_of: date
    rulesets: tuple[RulesetTotals, ...]

    def to_dict(self) -> dict[str, object]:
        """The totals in JSON types, keys and lists always in the same order."""
        return {part.name: _plain(getattr(self, part.name)) for part in fields(self)}


def ranked(counts: Counts) -> Counts:
    """The counts, the most frequent first, and then by name."""
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def _plain(item: Any) -> object:
    """Data in JSON types."""
    if is_dataclass(item):
        return {part.name: _plain(getattr(item, part.name)) for part in fields(item)}
    if isinstance(item, Mapping):
        return {name: _plain(part) for name, part in item.items()}
    return [_plain(part) for part in item] if isinstance(item, tuple) else to_json(item)
