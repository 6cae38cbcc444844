"""Weekdays and business days (sentence 13) in closed forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from policy_engine.backends.sql.arithmetic import floored, modulo
from policy_engine.backends.sql.build import Sql, all_of, choose, literal, where
from policy_engine.backends.sql.days import LAST, Days, bounded
from policy_engine.backends.sql.ranks import rank
from policy_engine.language import weekdays
from policy_engine.language.values import Holidays
from policy_engine.language.weekdays import Week

Counter = Callable[[Sql], Sql]
"""How many of some sorted numbers there are up to a key."""


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Writes the functions of weekdays of a week."""

    days: Days
    week: Week

    def is_weekday(self, day: Sql) -> Sql:
        """Whether the date lies outside the weekend."""
        rest = (self.days.to.ordinal(day) - 1).remainder(7)
        return self.days.kept(rest).among(self.week.weekdays)

    def before(self, day: Sql) -> Sql:
        """Weekdays from 1 January 0001, a Monday, up to, and without, the date."""
        return self._up_to_day(self.days.to.ordinal(day) - 1)

    def up_to(self, day: Sql) -> Sql:
        """The same, up to and with the date."""
        return self._up_to_day(self.days.to.ordinal(day))

    def _up_to_day(self, passed: Sql) -> Sql:
        """Weekdays among so many days from a Monday on."""
        count = len(self.week.weekdays)
        return self.days.bound(passed, lambda at: self.days.to.quotient(at, 7) * count + self._before(at.remainder(7)))

    def _before(self, rest: Sql) -> Sql:
        """Weekdays among so many days from a Monday on, less than a week; plainly where the weekend ends the week."""
        count, rest = len(self.week.weekdays), self.days.kept(rest)
        return choose([(rest > count, count)], rest) if self._is_plain else self._of_table(self.week.before[:7], rest)

    @property
    def _is_plain(self) -> bool:
        return self.week.weekdays == tuple(range(len(self.week.weekdays)))

    def _of_table(self, table: Sequence[int], place: Sql) -> Sql:
        place = self.days.kept(place)
        return choose([(place.equals(at), number) for at, number in enumerate(table)])

    def nth(self, index: Sql) -> Sql:
        """The weekday that has so many before it."""
        count = literal(len(self.week.weekdays))
        return self.days.bound(index, lambda at: self._nth(at, count))

    def _nth(self, index: Sql, count: Sql) -> Sql:
        weeks, rest = floored(self.days.to, index, count), modulo(index, count)
        place = rest if self._is_plain else self._of_table(self.week.weekdays, rest)
        return self.days.day_of(weeks * 7 + place + 1)

    def between(self, start: Sql, end: Sql) -> Sql:
        """How many weekdays lie after the start, up to and with the end; minus the other way round."""
        return self.up_to(end) - self.up_to(start)

    def add(self, day: Sql, count: Sql) -> Sql:
        """The nth weekday strictly after the date, before it where n is negative; the date itself for 0."""
        near = self.days.kept(bounded(count, LAST))
        index = choose([(near > 0, self.up_to(day) + near - 1), (near < 0, self.before(day) + near)])
        return choose([(count.equals(0), day)], self.nth(index))


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """The weekdays of a week without holidays.

    `holidays_before` counts the holidays that have less than a number of weekdays before them. The j-th holiday, counted from 0,
    that is the w-th weekday has w - j business days before it. So the business day with t before it is the weekday t + j, where
    j is the number of holidays that have at most t before them (`holidays_passed`).
    """

    weekdays: Weekdays
    holidays_before: Counter
    holidays_passed: Counter
    known: Sql | None = None
    """Whether the holidays are known; None where they surely are."""

    def add(self, day: Sql, count: Sql) -> Sql:
        """The nth business day strictly after the date, before it where n is negative; the date itself for 0."""
        near = self._kept(bounded(count, LAST))
        target = self._kept(choose([(near > 0, self.up_to(day) + near - 1), (near <= 0, self.before(day) + near)]))
        result = self.weekdays.nth(target + where(target.is_known(), self.holidays_passed(target)))
        return self._if_known(choose([(count.equals(0), day)], result))

    def between(self, start: Sql, end: Sql) -> Sql:
        """How many business days lie after the start, up to and with the end; minus the other way round."""
        return self._if_known(self.up_to(end) - self.up_to(start))

    def has(self, day: Sql) -> Sql:
        """Whether a date is a business day."""
        return self._if_known(self.up_to(day) > self.before(day))

    def up_to(self, day: Sql) -> Sql:
        """Business days up to and with the date."""
        return self._without_holidays(self.weekdays.up_to(day))

    def before(self, day: Sql) -> Sql:
        """Business days before the date."""
        return self._without_holidays(self.weekdays.before(day))

    def _without_holidays(self, passed: Sql) -> Sql:
        passed = self._kept(passed)
        return passed - where(passed.is_known(), self.holidays_before(passed))

    def _kept(self, value: Sql) -> Sql:
        return self.weekdays.days.kept(value)

    def _if_known(self, result: Sql) -> Sql:
        return result if self.known is None else where(self.known, result)


def business_days(among: Weekdays, holidays: Sequence[date]) -> BusinessDays:
    """The weekdays that are not among constant holidays."""
    on_weekdays = [holiday for holiday in holidays if weekdays.is_weekday(holiday, among.week)]
    indices = sorted({weekdays.weekdays_before(holiday, among.week) for holiday in on_weekdays})
    passed = [index - at for at, index in enumerate(indices)]
    return BusinessDays(among, lambda key: rank(key, [index + 1 for index in indices]), lambda key: rank(key, passed))


def within_years(days: Days, result: Sql, holidays: Holidays, *asked: Sql) -> Sql:
    """A result of a named calendar, unknown where one of the days lies outside its years."""
    inside = [days.year(day).between(holidays.first, holidays.last) for day in asked]
    return where(all_of(inside), result)
