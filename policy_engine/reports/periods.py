"""Dates grouped by day, month, year or century, so that a chart of them has few columns."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from policy_engine.reports.totals import Bucket, OverTime, ranked

MONTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1_200, "millennium": 12_000}
"""Units that are whole months, and how many."""
UNITS = ("day", *MONTHS)
"""The units of time, of which the finest that is coarse enough is taken. The last is coarse enough for all dates."""
MOST_BUCKETS = 60
MOST_DAYS = 31
FAR_OFF = 0.01
"""The share of dated records that may lie outside the buckets, so that one wrong date such as 1900 makes no bucket coarser."""


def over_time(fact: str, found: Iterable[tuple[date | None, str, int]]) -> OverTime:
    """Counts of (day or None, name, records), in at most `MOST_BUCKETS` buckets."""
    days: defaultdict[date, Counter[str]] = defaultdict(Counter)
    undated = 0
    for day, name, count in found:
        if day is not None:
            days[day][name] += count
        else:
            undated += count
    unit, first, last, totals = _fitted({day: sum(counts.values()) for day, counts in days.items()})
    inside: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for day, counts in days.items():
        inside[_number(day, unit)].update(counts)
    buckets = tuple(Bucket(_start(number, unit), ranked(inside[number])) for number in range(first, last + 1))
    before = sum(count for number, count in totals.items() if number < first)
    after = sum(count for number, count in totals.items() if number > last)
    return OverTime(fact, unit, buckets, before, after, undated)


def _number(day: date, unit: str) -> int:
    """The number of the unit that a day lies in; consecutive units have consecutive numbers."""
    return day.toordinal() if unit == "day" else (day.year * 12 + day.month - 1) // MONTHS[unit]


def _start(number: int, unit: str) -> date:
    """The first day of a unit."""
    if unit == "day":
        return date.fromordinal(number)
    year, month = divmod(number * MONTHS[unit], 12)
    return date(max(year, date.min.year), month + 1, 1)  # there is no year 0, in which the first decade would begin


def _fitted(days: Mapping[date, int]) -> tuple[str, int, int, Mapping[int, int]]:
    """The unit, its first and last number, and the counts by number of unit; no numbers where nothing is dated."""
    enough = (1 - FAR_OFF) * sum(days.values())
    for unit in UNITS if days else ("month",):
        totals = _regrouped(days, unit)
        first, last, inside = _densest(totals, MOST_DAYS if unit == "day" else MOST_BUCKETS)
        if inside >= enough:
            return unit, first, last, totals
    raise AssertionError("the coarsest unit is always coarse enough")


def _regrouped(days: Mapping[date, int], unit: str) -> dict[int, int]:
    totals: Counter[int] = Counter()
    for day, count in days.items():
        totals[_number(day, unit)] += count
    return dict(sorted(totals.items()))


def _densest(totals: Mapping[int, int], most: int) -> tuple[int, int, int]:
    """The range of at most `most` units that holds most records: its first and last unit with any, and the records in it."""
    best, numbers, begin, inside = (0, -1, 0), list(totals), 0, 0
    for end, number in enumerate(numbers):
        inside += totals[number]
        while number - numbers[begin] >= most:
            inside -= totals[numbers[begin]]
            begin += 1
        if inside > best[2]:
            best = numbers[begin], numbers[end], inside
    return best
