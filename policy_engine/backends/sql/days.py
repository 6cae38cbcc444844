"""The arithmetic of civil dates (sentence 12): closed forms over ordinals, 1 for 1 January 0001.

Engines know years before 1 and after 9999, so each sum is asked first whether it lies in the calendar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from policy_engine.backends.sql.build import Operand, Sql, choose, literal, null, where
from policy_engine.backends.sql.dialects.base import Dialect
from policy_engine.language.dates import MARCH_1

LAST = date.max.toordinal()
MOST_MONTHS, MOST_YEARS = 119_999, 9_999


def bounded(count: Sql, most: int) -> Sql:
    """A count, unknown where it is so large that the result is no date, so that no sum with it overflows."""
    if count.number is not None:
        return literal(count.number) if abs(count.number) <= most else null("BIGINT")
    return where(count.between(-most, most), count)


@dataclass(frozen=True, slots=True)
class Days:
    """Writes the functions of dates; `kept` makes a column of what is read several times, `bound` also a variable."""

    to: Dialect
    kept: Callable[[Sql], Sql]
    bound: Callable[[Sql, Callable[[Sql], Sql]], Sql]

    def day_of(self, count: Sql) -> Sql:
        """The date of an ordinal."""
        return self.bound(count, lambda at: where(at.between(1, LAST), self.to.day_at(at)))

    def part(self, name: str) -> Callable[[Sql], Sql]:
        """What gives the year, month or day of a date."""
        return lambda day: self.kept(self.to.part(name, day))

    def year(self, day: Sql) -> Sql:
        """The year."""
        return self.part("year")(day)

    def month(self, day: Sql) -> Sql:
        """The month."""
        return self.part("month")(day)

    def day(self, day: Sql) -> Sql:
        """The day of the month."""
        return self.part("day")(day)

    def add_days(self, day: Sql, count: Sql) -> Sql:
        """The date so many days later."""
        return self.day_of(self.to.ordinal(day) + bounded(count, LAST))

    def add_months(self, day: Sql, count: Sql) -> Sql:
        """The date so many months later, clamped to the month's last day."""
        return self._later(day, bounded(count, MOST_MONTHS))

    def add_years(self, day: Sql, count: Sql) -> Sql:
        """The date so many years later; 29 February becomes the 28th in a common year."""
        return self._later(day, bounded(count, MOST_YEARS) * 12)

    def _later(self, day: Sql, months: Sql) -> Sql:
        """Months are counted from year 0; those of the years 1 to 9999 are 12 to 119999."""
        index = self.kept(self.year(day) * 12 + self.month(day) - 1 + months)
        year, month = self.kept(self.to.quotient(index, 12)), self.kept(index.remainder(12) + 1)
        last, own = self.kept(self.month_length(year, month)), self.day(day)
        clamped = choose([(own > last, last)], own)
        return where(index.between(12, MOST_MONTHS), self.to.day_at(self.before_month(year, month) + clamped))

    def is_leap(self, year: Sql) -> Sql:
        """Whether a year has a 29 February."""
        by_century = year.remainder(100).compared("!=", 0) | year.remainder(400).equals(0)
        return year.remainder(4).equals(0) & by_century

    def month_length(self, year: Sql, month: Sql) -> Sql:
        """How many days a month has."""
        february = choose([(self.is_leap(year), 29)], 28)
        return choose([(month.equals(2), february), (month.among([4, 6, 9, 11]), 30)], 31)

    def before_month(self, year: Sql, month: Operand) -> Sql:
        """The ordinal of the last day before a month."""
        full, number = self.kept(year - 1), literal(month)
        quotient = self.to.quotient
        before = full * 365 + quotient(full, 4) - quotient(full, 100) + quotient(full, 400)
        leap = choose([(number <= 2, 0), (self.is_leap(year), 1)], 2)
        return before + quotient((number * 367 - 362), 12) - leap

    def first_of_month(self, day: Sql) -> Sql:
        """The first day of the date's month."""
        return self.day_of(self.to.ordinal(day) - self.day(day) + 1)

    def last_of_month(self, day: Sql) -> Sql:
        """The last day of the date's month."""
        length = self.month_length(self.year(day), self.month(day))
        return self.day_of(self.to.ordinal(day) - self.day(day) + length)

    def first_of_year(self, day: Sql) -> Sql:
        """The first day of the date's year."""
        return self.day_of(self.before_month(self.year(day), 1) + 1)

    def last_of_year(self, day: Sql) -> Sql:
        """The last day of the date's year."""
        return self.day_of(self.before_month(self.kept(self.year(day) + 1), 1))

    def first_of_quarter(self, day: Sql) -> Sql:
        """The first day of the date's quarter."""
        month = self.month(day)
        start = self.kept(month - (month - 1).remainder(3))
        return self.day_of(self.before_month(self.year(day), start) + 1)

    def last_of_quarter(self, day: Sql) -> Sql:
        """The last day of the date's quarter."""
        year, month = self.year(day), self.month(day)
        end = self.kept(self.to.quotient((month + 2), 3) * 3)
        return self.day_of(self.before_month(year, end) + self.month_length(year, end))

    def first_of_week(self, day: Sql) -> Sql:
        """The Monday of the date's week."""
        return self.day_of(self.to.ordinal(day) - self.weekday(day) + 1)

    def last_of_week(self, day: Sql) -> Sql:
        """The Sunday of the date's week."""
        return self.day_of(self.to.ordinal(day) - self.weekday(day) + 7)

    def weekday(self, day: Sql) -> Sql:
        """1 for Monday to 7 for Sunday."""
        return (self.to.ordinal(day) - 1).remainder(7) + 1

    def quarter(self, day: Sql) -> Sql:
        """The quarter of the year."""
        return self.to.quotient((self.month(day) + 2), 3)

    def day_of_year(self, day: Sql) -> Sql:
        """The day of the year."""
        return self.to.ordinal(day) - self.before_month(self.year(day), 1)

    def iso_week(self, day: Sql) -> Sql:
        """The week by ISO 8601: that of the Thursday in the date's week, counted from the first Thursday of its year.

        That Thursday may lie outside the calendar, so its year is worked out of the date's.
        """
        thursday = self.kept(self.to.ordinal(day) - self.weekday(day) + 4)
        year = self.year(day)
        start, end = self.kept(self.before_month(year, 1)), self.kept(self.before_month(self.kept(year + 1), 1))
        before = self.kept(self.before_month(self.kept(year - 1), 1))
        base = choose([(thursday <= start, before), (thursday > end, end)], start)
        return self.to.quotient((thursday - base - 1), 7) + 1

    def months_between(self, start: Sql, end: Sql) -> Sql:
        """Completed months from the start to the end; minus the other way round."""
        return self._mirrored(self._months, start, end)

    def years_between(self, start: Sql, end: Sql, leap_day: Sql | None = None) -> Sql:
        """Completed years from the start to the end; minus the other way round."""

        def years(start: Sql, end: Sql) -> Sql:
            months = self._months(start, end)
            if leap_day is not None:
                waits = self.month(start).equals(2) & self.day(start).equals(29)
                waits = waits & self.month(end).equals(2) & self.day(end).equals(28) & leap_day.equals(MARCH_1)
                months = months - choose([(waits, 1)], 0)
            return self.to.quotient((months), 12)

        found = self._mirrored(years, start, end)
        return found if leap_day is None else where(leap_day.is_known(), found)

    def _mirrored(self, between: Callable[[Sql, Sql], Sql], start: Sql, end: Sql) -> Sql:
        forward, backward = between(start, end), between(end, start)
        return choose([(start <= end, forward), (start > end, -backward)])

    def _months(self, start: Sql, end: Sql) -> Sql:
        """Completed months up to an end that is not before the start."""
        months = (self.year(end) - self.year(start)) * 12 + self.month(end) - self.month(start)
        clamped = self.day(end) < self.month_length(self.year(end), self.month(end))
        return months - choose([((self.day(start) > self.day(end)) & clamped, 1)], 0)
