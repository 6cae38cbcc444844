"""Dates put into months, quarters or years, so that a chart of them can be read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from policy_engine.reports.totals import Bucket, OverTime, ranked

UNITS = {"month": 1, "quarter": 3, "year": 12}
"""What dates are put into, in months; the finest that is coarse enough is taken."""

COARSEST = "year"
MOST_BUCKETS = 60
FAR_OFF = 0.01
"""At most this share of the dated records may lie outside the buckets; a single slip such as 1900 must not squeeze the rest."""


def over_time(fact: str, found: Iterable[tuple[date | None, str, int]]) -> OverTime:
    """Counts of (day or None, name, records), in at most `MOST_BUCKETS` buckets."""
    months: defaultdict[int, Counter[str]] = defaultdict(Counter)
    undated = 0
    for day, name, count in found:
        if day is not None:
            months[day.year * 12 + day.month - 1][name] += count
        else:
            undated += count
    unit, first, last, totals = _fitted({month: sum(counts.values()) for month, counts in months.items()})
    buckets = tuple(_bucket(months, number, UNITS[unit]) for number in range(first, last + 1))
    before = sum(count for number, count in totals.items() if number < first)
    after = sum(count for number, count in totals.items() if number > last)
    return OverTime(fact, unit, buckets, before, after, undated)


def _fitted(months: Mapping[int, int]) -> tuple[str, int, int, Mapping[int, int]]:
    """The unit, its first and last number, and the counts by number of unit; no numbers where nothing is dated."""
    for unit, length in UNITS.items():
        totals = _regrouped(months, length)
        first, last, inside = _densest(totals)
        if unit == COARSEST or inside >= (1 - FAR_OFF) * sum(totals.values()):
            return unit, first, last, totals
    raise AssertionError("the coarsest unit is always taken")


def _regrouped(months: Mapping[int, int], length: int) -> dict[int, int]:
    totals: Counter[int] = Counter()
    for month, count in months.items():
        totals[month // length] += count
    return dict(sorted(totals.items()))


def _densest(totals: Mapping[int, int]) -> tuple[int, int, int]:
    """The stretch of at most `MOST_BUCKETS` units that holds most: its first and last that occur, and what it holds."""
    best, numbers, begin, inside = (0, -1, 0), list(totals), 0, 0
    for end, number in enumerate(numbers):
        inside += totals[number]
        while number - numbers[begin] >= MOST_BUCKETS:
            inside -= totals[numbers[begin]]
            begin += 1
        if inside > best[2]:
            best = numbers[begin], numbers[end], inside
    return best


def _bucket(months: Mapping[int, Counter[str]], number: int, length: int) -> Bucket:
    counts: Counter[str] = Counter()
    for month in range(number * length, (number + 1) * length):
        counts.update(months.get(month, {}))
    year, month = divmod(number * length, 12)
    return Bucket(date(year, month + 1, 1), ranked(counts))
