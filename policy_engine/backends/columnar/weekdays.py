"""Weekdays and business days over columns: what `language.weekdays` does (sentence 13), without loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from policy_engine.backends.columnar.days import LAST, WHOLE, bounded, day_of, ordinal, year_of
from policy_engine.language import weekdays
from policy_engine.language.values import Holidays
from policy_engine.language.weekdays import MONDAY_TO_FRIDAY, Week


def is_weekday(day: pl.Expr, week: Week = MONDAY_TO_FRIDAY) -> pl.Expr:
    """Whether the date lies outside the weekend."""
    rest = (ordinal(day) - 1) % 7
    if _is_at_the_end(week):
        return rest < len(week.weekdays)
    return _of_table([weekday in week.weekdays for weekday in range(7)], rest, pl.Boolean())


def weekdays_before(day: pl.Expr, week: Week = MONDAY_TO_FRIDAY) -> pl.Expr:
    """Weekdays since 1 January 0001, a Monday, before the date."""
    whole, count = ordinal(day) - 1, len(week.weekdays)
    rest = whole % 7
    at_most = pl.when(rest < count).then(rest).otherwise(count)
    return (whole // 7) * count + (at_most if _is_at_the_end(week) else _of_table(week.before, rest, WHOLE))


def _is_at_the_end(week: Week) -> bool:
    """Whether the weekend ends the week, so that arithmetic does what else takes a table."""
    return week.weekdays == tuple(range(len(week.weekdays)))


def _of_table(table: Sequence[int], place: pl.Expr, kind: pl.DataType) -> pl.Expr:
    return pl.lit(pl.Series(table, dtype=kind)).gather(place)


def up_to(day: pl.Expr, week: Week = MONDAY_TO_FRIDAY) -> pl.Expr:
    """Weekdays since 1 January 0001 up to and with the date."""
    return weekdays_before(day, week) + is_weekday(day, week).cast(WHOLE)


def nth_weekday(index: pl.Expr, week: Week = MONDAY_TO_FRIDAY) -> pl.Expr:
    """The weekday that has so many before it."""
    count = len(week.weekdays)
    rest = index % count
    return day_of((index // count) * 7 + (rest if _is_at_the_end(week) else _of_table(week.weekdays, rest, WHOLE)) + 1)


def weekdays_between(start: pl.Expr, end: pl.Expr, week: Week = MONDAY_TO_FRIDAY) -> pl.Expr:
    """How many weekdays lie after the start, up to and with the end; minus the other way round."""
    return up_to(end, week) - up_to(start, week)


def add_weekdays(day: pl.Expr, count: pl.Expr, week: Week = MONDAY_TO_FRIDAY) -> pl.Expr:
    """The nth weekday strictly after the date, before it where n is negative; the date itself for 0."""
    near = bounded(count, LAST)
    ahead, back = up_to(day, week) + near - 1, weekdays_before(day, week) + near
    forward, backward = nth_weekday(ahead, week), nth_weekday(back, week)
    return pl.when(count == 0).then(day).when(count > 0).then(forward).when(count < 0).then(backward)


Counter = Callable[[pl.Expr], pl.Expr]
"""How many of some sorted numbers there are up to a key."""


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """The weekdays of a week without holidays.

    `holidays_before` counts the holidays that have less than a number of weekdays before them. The j-th holiday, counted from 0,
    that is the w-th weekday has w - j business days before it. So the business day with t before it is the weekday t + j, where
    j is the number of holidays that have at most t before them (`holidays_passed`).
    """

    week: Week
    holidays_before: Counter
    holidays_passed: Counter
    known: pl.Expr | None = None
    """Whether the holidays are known; None where they surely are."""

    def add(self, day: pl.Expr, count: pl.Expr) -> pl.Expr:
        """The nth business day strictly after the date, before it where n is negative; the date itself for 0."""
        target = pl.when(count > 0).then(self.up_to(day) + count - 1).otherwise(self.before(day) + count)
        near = pl.when(count.is_between(-LAST, LAST)).then(target)
        result = nth_weekday(near + self.holidays_passed(near), self.week)
        return self._if_known(pl.when(count == 0).then(day).otherwise(result))

    def between(self, start: pl.Expr, end: pl.Expr) -> pl.Expr:
        """How many business days lie after the start, up to and with the end; minus the other way round."""
        return self._if_known(self.up_to(end) - self.up_to(start))

    def has(self, day: pl.Expr) -> pl.Expr:
        """Whether a date is a business day."""
        return self._if_known(self.up_to(day) > self.before(day))

    def _if_known(self, result: pl.Expr) -> pl.Expr:
        return result if self.known is None else pl.when(self.known).then(result)

    def up_to(self, day: pl.Expr) -> pl.Expr:
        """Business days up to and with the date."""
        passed = up_to(day, self.week)
        return passed - self.holidays_before(passed)

    def before(self, day: pl.Expr) -> pl.Expr:
        """Business days before the date."""
        passed = weekdays_before(day, self.week)
        return passed - self.holidays_before(passed)


def business_days(holidays: Sequence[date], week: Week = MONDAY_TO_FRIDAY) -> BusinessDays:
    """The weekdays that are not among constant holidays."""
    on_weekdays = [holiday for holiday in holidays if weekdays.is_weekday(holiday, week)]
    indices = sorted({weekdays.weekdays_before(holiday, week) for holiday in on_weekdays})
    places = pl.Series(indices, dtype=WHOLE)
    passed = pl.Series([index - rank for rank, index in enumerate(indices)], dtype=WHOLE)
    return BusinessDays(week, lambda key: _counted(places, key, "left"), lambda key: _counted(passed, key, "right"))


def _counted(values: pl.Series, key: pl.Expr, side: str) -> pl.Expr:
    """How many of the sorted values are less than the key ("left"), or not more than it ("right"); null for a null."""
    if values.is_empty():
        return key * 0
    places = pl.lit(values).search_sorted(key, side=side)  # type: ignore[arg-type]  # "left" or "right"
    return pl.when(key.is_not_null()).then(places.cast(WHOLE))


def within_years(result: pl.Expr, holidays: Holidays, *days: pl.Expr) -> pl.Expr:
    """A result of a named calendar, null where one of the days lies outside its years."""
    inside = pl.all_horizontal(year_of(day).is_between(holidays.first, holidays.last) for day in days)
    return pl.when(inside).then(result)
