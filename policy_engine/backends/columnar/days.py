"""The arithmetic of civil dates over columns: what `language.dates` does (sentence 12), without loops.

Days are counted as ordinals, 1 for 1 January 0001, in 64 bits. Dates outside the years 1 to 9999 are null.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache, partial

import polars as pl

from policy_engine.backends.columnar.dtypes import by_series
from policy_engine.language.dates import MARCH_1
from policy_engine.language.timezones import CYCLE, REPEATS, Transition, transitions

EPOCH = date(1970, 1, 1).toordinal()
LAST = date.max.toordinal()
WHOLE = pl.Int64()
SECOND = 1_000_000


def ordinal(day: pl.Expr) -> pl.Expr:
    """The ordinal of a date."""
    return day.cast(pl.Int32).cast(WHOLE) + EPOCH


def day_of(count: pl.Expr) -> pl.Expr:
    """The date of an ordinal."""
    inside = pl.when((count >= 1) & (count <= LAST)).then(count - EPOCH)
    return inside.cast(pl.Int32).cast(pl.Date)


def days_between(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Civil days from the start to the end."""
    return (end.cast(pl.Int32) - start.cast(pl.Int32)).cast(WHOLE)


def add_days(day: pl.Expr, count: pl.Expr) -> pl.Expr:
    """The date so many days later."""
    return day_of(ordinal(day) + bounded(count, LAST))


def shifted(day: pl.Expr, count: int) -> pl.Expr:
    """The same, where the count is a constant."""
    low, high = max(1 - count, 1), min(LAST - count, LAST)
    if low > high:
        return pl.lit(None, dtype=pl.Date)
    inside = day <= date.fromordinal(high) if count >= 0 else day >= date.fromordinal(low)
    return pl.when(inside).then((day.cast(pl.Int32) + pl.lit(count, dtype=pl.Int32)).cast(pl.Date))


def bounded(count: pl.Expr, most: int) -> pl.Expr:
    """A count, null where it is so large that the result is no date, and that sums with it might overflow."""
    return pl.when(count.is_between(-most, most)).then(count)


def add_months(day: pl.Expr, count: pl.Expr) -> pl.Expr:
    """The date so many months later, clamped to the month's last day."""
    months = year_of(day) * 12 + _month(day) - 1 + bounded(count, 119_999)
    year, month = months // 12, months % 12 + 1
    inside = (year >= 1) & (year <= 9999)
    last = _month_length(year, month)
    clamped = pl.min_horizontal(_day(day), last)
    return pl.when(inside).then(day_of(_before_month(year, month) + clamped))


def add_years(day: pl.Expr, count: pl.Expr) -> pl.Expr:
    """The date so many years later; 29 February becomes the 28th in a common year."""
    return add_months(day, bounded(count, 9_999) * 12)


def first_of_month(day: pl.Expr) -> pl.Expr:
    """The first day of the date's month."""
    return day_of(ordinal(day) - _day(day) + 1)


def last_of_month(day: pl.Expr) -> pl.Expr:
    """The last day of the date's month."""
    length = _month_length(year_of(day), _month(day))
    return day_of(ordinal(day) - _day(day) + length)


def part(name: str) -> Callable[[pl.Expr], pl.Expr]:
    """What gives a part of a date, such as its `month`, as a whole number."""
    return lambda day: getattr(day.dt, name)().cast(WHOLE)


year_of, _month, _day = part("year"), part("month"), part("day")


def _is_leap(year: pl.Expr) -> pl.Expr:
    return ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)


def _month_length(year: pl.Expr, month: pl.Expr) -> pl.Expr:
    short = (month == 4) | (month == 6) | (month == 9) | (month == 11)
    february = pl.when(_is_leap(year)).then(29).otherwise(28)
    return pl.when(month == 2).then(february).when(short).then(30).otherwise(31).cast(WHOLE)


def _before_month(year: pl.Expr, month: pl.Expr) -> pl.Expr:
    """The ordinal of the last day before a month."""
    full = year - 1
    before = full * 365 + full // 4 - full // 100 + full // 400
    days = ((month * 367 - 362) // 12).cast(WHOLE)
    leap = pl.when(month <= 2).then(0).when(_is_leap(year)).then(1).otherwise(2)
    return before + days - leap


def _start_of(year: pl.Expr, month: pl.Expr) -> pl.Expr:
    """The first day of a month."""
    return day_of(_before_month(year, month) + 1)


def first_of_year(day: pl.Expr) -> pl.Expr:
    """The first day of the date's year."""
    return _start_of(year_of(day), pl.lit(1, dtype=WHOLE))


def last_of_year(day: pl.Expr) -> pl.Expr:
    """The last day of the date's year."""
    return day_of(_before_month(year_of(day) + 1, pl.lit(1, dtype=WHOLE)))


def first_of_quarter(day: pl.Expr) -> pl.Expr:
    """The first day of the date's quarter."""
    return _start_of(year_of(day), _month(day) - (_month(day) - 1) % 3)


def last_of_quarter(day: pl.Expr) -> pl.Expr:
    """The last day of the date's quarter."""
    year, month = year_of(day), _month(day) + (-_month(day)) % 3
    return day_of(_before_month(year, month) + _month_length(year, month))


def first_of_week(day: pl.Expr) -> pl.Expr:
    """The Monday of the date's week."""
    return day_of(ordinal(day) - weekday(day) + 1)


def last_of_week(day: pl.Expr) -> pl.Expr:
    """The Sunday of the date's week."""
    return day_of(ordinal(day) - weekday(day) + 7)


def months_between(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Completed months from the start to the end; minus the other way round."""
    return _mirrored(_months, start, end)


def years_between(start: pl.Expr, end: pl.Expr, leap_day: pl.Expr | None = None) -> pl.Expr:
    """Completed years from the start to the end; minus the other way round."""

    def years(start: pl.Expr, end: pl.Expr) -> pl.Expr:
        months = _months(start, end)
        if leap_day is None:
            return months // 12
        waits = (_month(start) == 2) & (_day(start) == 29) & (_month(end) == 2) & (_day(end) == 28)
        return (months - (waits & (leap_day == MARCH_1)).cast(WHOLE)) // 12

    return _mirrored(years, start, end)


def _mirrored(between: Callable[[pl.Expr, pl.Expr], pl.Expr], start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """What lies between two days; minus where the end is earlier."""
    return pl.when(start <= end).then(between(start, end)).otherwise(-between(end, start))


def _months(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Completed months up to an end that is not before the start."""
    months = (year_of(end) - year_of(start)) * 12 + _month(end) - _month(start)
    short = (_day(start) > _day(end)) & (_day(end) < _month_length(year_of(end), _month(end)))
    return months - short.cast(WHOLE)


def weekday(day: pl.Expr) -> pl.Expr:
    """1 for Monday to 7 for Sunday."""
    return (ordinal(day) - 1) % 7 + 1


def date_of(moment: pl.Expr, timezone: str) -> pl.Expr:
    """The civil date of an instant in a time zone of the pinned database."""
    return by_series(moment, partial(dates_of, timezone=timezone), pl.Date())


def dates_of(moments: pl.Series, timezone: str) -> pl.Series:
    """The civil dates of a column of instants. Often most of them are null, so only the others are converted."""
    at = moments.to_physical()
    if at.null_count() == len(at):
        return _no_dates(len(at))
    if not at.null_count():
        return _civil(at, timezone)
    is_known = at.is_not_null()
    places = pl.int_range(len(at), dtype=pl.UInt32, eager=True).filter(is_known)
    return _no_dates(len(at)).scatter(places, _civil(at.filter(is_known), timezone))


def _no_dates(count: int) -> pl.Series:
    return pl.Series([None], dtype=pl.Date).new_from_index(0, count)


DAY = 86_400 * SECOND
"""A day in microseconds, as are all times that follow."""
EDGE = 2 * DAY
EARLIEST, LATEST = (1 - EPOCH) * DAY, (LAST + 1 - EPOCH) * DAY
"""The first microsecond of the calendar, and the first after it."""


def _civil(moments: pl.Series, timezone: str) -> pl.Series:
    """The civil dates of moments without nulls; null outside the calendar."""
    first, last = _bounds(moments)
    if len(moments) >= MANY and (table := _table_of(first // DECADE, last // DECADE, timezone)) is not None:
        return table[(moments - first // DECADE * DECADE) // QUARTER]
    return _sought(moments, first, last, timezone)


MANY = 4_096
"""From so many moments on, dates are looked up in a table; for fewer, a binary search finds the offset of each."""
QUARTER = 900 * SECOND
DECADE = 10 * 365 * DAY
DECADES = 4


@lru_cache(maxsize=4)
def _table_of(first: int, last: int, timezone: str) -> pl.Series | None:
    """The civil date of each quarter of an hour from one decade to another; None if a date changes within one, or for too many.

    Since the 1970s nearly all offsets are whole quarters of an hour.
    """
    if last - first >= DECADES:
        return None
    begins = pl.int_range(first * DECADE, (last + 1) * DECADE, QUARTER, dtype=WHOLE, eager=True)
    dates = _sought(begins, begins[0], begins[-1], timezone)
    ends = begins + (QUARTER - 1)
    return dates if dates.equals(_sought(ends, ends[0], ends[-1], timezone)) else None


def _sought(moments: pl.Series, first: int, last: int, timezone: str) -> pl.Series:
    """The civil dates of moments from the first to the last, by the offsets of the zone."""
    dates = (_local(first, last, timezone) // DAY).cast(pl.Int32).cast(pl.Date)
    if first < EARLIEST + EDGE or last >= LATEST - EDGE:
        dates = pl.when(dates.is_between(date.min, date.max)).then(dates)
    return pl.DataFrame({"at": moments}).select(dates).to_series()


def local_times(moments: pl.Series, timezone: str) -> pl.Series:
    """The local time of each moment of a column of microseconds, as far from 1970 as a clock there shows; null for a null."""
    if moments.null_count() == len(moments):
        return moments
    return pl.DataFrame({"at": moments}).select(_local(*_bounds(moments), timezone)).to_series()


def _local(first: int, last: int, timezone: str) -> pl.Expr:
    """The local time of each moment `at`, all of which lie from the first to the last."""
    at = pl.col("at")
    return at + _offset(_folded(at) if last >= AGAIN else at, _changes(first, last, timezone))


def _bounds(moments: pl.Series) -> tuple[int, int]:
    first, last = moments.min(), moments.max()
    assert isinstance(first, int)
    assert isinstance(last, int)
    return first, last


def _offset(moment: pl.Expr, changes: Sequence[Transition]) -> pl.Expr:
    """How far local time is ahead."""
    offsets = pl.Series([change.offset * SECOND for change in changes], dtype=WHOLE)
    if len(changes) == 1:
        return pl.lit(offsets[0], dtype=WHOLE)
    starts = pl.Series([change.start * SECOND for change in changes[1:]], dtype=WHOLE)
    return pl.lit(offsets).gather(pl.lit(starts).search_sorted(moment, side="right"))


AGAIN = REPEATS * SECOND


def _folded(moment: pl.Expr) -> pl.Expr:
    """Moments moved back, by whole cycles of the calendar, into the years for which transitions are listed."""
    return pl.when(moment < AGAIN).then(moment).otherwise((moment - AGAIN) % (CYCLE * SECOND) + AGAIN)


def _changes(first: int, last: int, timezone: str) -> Sequence[Transition]:
    """The transitions of a zone that concern moments from the first to the last."""
    changes = transitions(timezone)
    if last >= AGAIN:
        return changes
    starts = [change.start * SECOND for change in changes]
    return changes[bisect_right(starts, first) - 1 : bisect_right(starts, last)]
