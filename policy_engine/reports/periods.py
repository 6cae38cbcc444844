"""Dates put into days, months, years or centuries, so that a chart of them can be read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from policy_engine.reports.totals import Bucket, OverTime, ranked

MONTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1_200, "millennium": 12_000}
"""Units that are whole months, and how many."""
UNITS = ("day", *MONTHS)
"""What dates are put into; the finest that is coarse enough is taken. All dates there are fit into the last."""
MOST_BUCKETS = 60
MOST_DAYS = 31
FAR_OFF = 0.01
"""At most this share of the dated records may lie outside the buckets; a single slip such as 1900 must not squeeze the rest."""


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
    """Which unit of its kind a day lies in, so that neighbours have neighbouring numbers."""
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
    """The stretch of at most so many units that holds most: its first and last that occur, and what it holds."""
    best, numbers, begin, inside = (0, -1, 0), list(totals), 0, 0
    for end, number in enumerate(numbers):
        inside += totals[number]
        while number - numbers[begin] >= most:
            inside -= totals[numbers[begin]]
            begin += 1
        if inside > best[2]:
            best = numbers[begin], numbers[end], inside
    return best
