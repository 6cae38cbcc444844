"""The arithmetic of civil dates over columns: what `language.dates` does (sentence 12), without loops.

Days are counted as ordinals, 1 for 1 January 0001, in 64 bits. Dates outside the years 1 to 9999 are null.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from policy_engine.language.dates import MARCH_1

EPOCH = date(1970, 1, 1).toordinal()
LAST = date.max.toordinal()
WHOLE = pl.Int64()


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
