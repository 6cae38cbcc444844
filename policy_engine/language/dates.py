"""The arithmetic of civil dates: days, months, years and their parts. Every function is total or raises `Undefined`."""

from __future__ import annotations

from datetime import MINYEAR, date, datetime, timedelta, tzinfo

import pendulum

from policy_engine.language.causes import OUTSIDE
from policy_engine.language.values import Undefined


def days_between(start: date, end: date) -> int:
    """Civil days from `start` to `end`; negative where `end` is earlier."""
    return (end - start).days


def add_days(day: date, count: int) -> date:
    """The date `count` days later."""
    later = days_later(day, count)
    if later is None:
        raise Undefined(OUTSIDE)
    return later


def days_later(day: date, count: int) -> date | None:
    """The date `count` days later, None where the calendar has none."""
    try:
        return day + timedelta(count)
    except OverflowError:
        return None


def add_months(day: date, count: int) -> date:
    """The date `count` months later, clamped to the month's last day."""
    if not -120_000 < count < 120_000:
        raise Undefined(OUTSIDE)
    try:
        later = pendulum.date(day.year, day.month, day.day).add(months=count)
    except (ValueError, OverflowError):
        raise Undefined(OUTSIDE) from None
    return date(later.year, later.month, later.day)


def add_years(day: date, count: int) -> date:
    """The date `count` years later; 29 February becomes the 28th in a common year."""
    if not -10_000 < count < 10_000:
        raise Undefined(OUTSIDE)
    return add_months(day, 12 * count)


def first_of_month(day: date) -> date:
    """The first day of the date's month."""
    return day.replace(day=1)


def last_of_month(day: date) -> date:
    """The last day of the date's month."""
    if day.month == 12:
        return day.replace(day=31)
    return day.replace(month=day.month + 1, day=1) - timedelta(days=1)


def quarter(day: date) -> int:
    """The quarter of the year, 1 to 4."""
    return (day.month + 2) // 3


def iso_week(day: date) -> int:
    """The number of the week by ISO 8601, 1 to 53: week 1 has the year's first Thursday."""
    return day.isocalendar().week


def day_of_year(day: date) -> int:
    """1 for the first of January, up to 366."""
    return day.toordinal() - day.replace(month=1, day=1).toordinal() + 1


def months_between(start: date, end: date) -> int:
    """The greatest n for which n months after the start are not after the end; minus the other way round."""
    if end < start:
        return -months_between(end, start)
    months = 12 * (end.year - start.year) + end.month - start.month
    return months if start.day <= end.day or end == last_of_month(end) else months - 1


FEBRUARY_28, MARCH_1 = "february_28", "march_1"
"""The day on which, in a common year, a year since a 29 February is complete."""


def years_between(start: date, end: date, leap_day: str = FEBRUARY_28) -> int:
    """The greatest n for which n years after the start are not after the end; minus the other way round."""
    if end < start:
        return -years_between(end, start, leap_day)
    months = months_between(start, end)
    if leap_day == MARCH_1 and (start.month, start.day, end.month, end.day) == (2, 29, 2, 28):
        months -= 1
    return months // 12


def first_of_year(day: date) -> date:
    """The first day of the date's year."""
    return day.replace(month=1, day=1)


def last_of_year(day: date) -> date:
    """The last day of the date's year."""
    return day.replace(month=12, day=31)


def first_of_quarter(day: date) -> date:
    """The first day of the date's quarter."""
    return day.replace(month=3 * quarter(day) - 2, day=1)


def last_of_quarter(day: date) -> date:
    """The last day of the date's quarter."""
    return last_of_month(day.replace(month=3 * quarter(day), day=1))


def first_of_week(day: date) -> date:
    """The Monday of the date's week; the first day of the calendar is one."""
    return day - timedelta(day.weekday())


def last_of_week(day: date) -> date:
    """The Sunday of the date's week."""
    return add_days(day, 6 - day.weekday())


def date_of(moment: datetime, zone: tzinfo) -> date:
    """The civil date of an instant in a time zone; undefined where the calendar does not have that date."""
    try:
        return moment.astimezone(zone).date()
    except OverflowError:
        return date_near_the_end(moment, zone)[0]


CYCLE = timedelta(days=146_097)
"""400 years: after so many days the calendar repeats, with its weekdays, and so do the changes of time zones."""


def date_near_the_end(moment: datetime, zone: tzinfo) -> tuple[date, datetime]:
    """The same for an instant that the calendar may not have in UTC, though it has it in the zone: looked up a cycle away.

    Beside the date stands the local time a cycle away.
    """
    inwards = CYCLE if moment.year == MINYEAR else -CYCLE
    try:
        away = (moment + inwards).astimezone(zone)
        return away.date() - inwards, away
    except OverflowError:
        raise Undefined(OUTSIDE) from None
