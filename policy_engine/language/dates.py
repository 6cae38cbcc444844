"""The arithmetic of civil dates: weekdays, business days, months. Every function is total or raises `Undefined`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import MINYEAR, date, datetime, timedelta, tzinfo

import pendulum

from policy_engine.language.values import Holidays, Undefined

OUTSIDE = "a date falls outside the years 0001 to 9999"


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


def is_weekday(day: date) -> bool:
    """Whether the date is a Monday to Friday."""
    return day.isoweekday() <= 5


def weekdays_before(day: date) -> int:
    """Weekdays from the first of January 0001, a Monday, up to, and without, the date."""
    weeks, rest = divmod(day.toordinal() - 1, 7)
    return 5 * weeks + min(rest, 5)


def weekdays_between(start: date, end: date) -> int:
    """How many weekdays x have start < x <= end; minus the other way round."""
    if end < start:
        return -weekdays_between(end, start)
    return weekdays_before(end) + is_weekday(end) - weekdays_before(start) - is_weekday(start)


def add_weekdays(day: date, count: int) -> date:
    """The `count`th weekday strictly after the date (before it, where negative); the date itself for 0."""
    if count == 0:
        return day
    weekday, last = day.weekday(), 4 if count > 0 else 5  # a weekend counts as its Friday, or as its Monday
    ahead = (last if weekday > last else weekday) + count
    try:
        return day + timedelta(ahead + ahead // 5 * 2 - weekday)
    except OverflowError:
        raise Undefined(OUTSIDE) from None


def add_business_days(day: date, count: int, holidays: Sequence[date] | Holidays) -> date:
    """Like `add_weekdays`, over the weekdays that are not holidays; undefined beyond the years of a named calendar."""
    if count == 0:
        return day
    if not isinstance(holidays, Holidays):
        return _past_holidays(day, count, holidays)
    result = _past_holidays(day, count, holidays.dates)
    if not all(holidays.first <= end.year <= holidays.last for end in (day, result)):
        raise Undefined(f"a day falls outside the years {holidays.first} to {holidays.last} of {holidays.name}")
    return result


def _past_holidays(day: date, count: int, holidays: Sequence[date]) -> date:
    """Each holiday passed pushes the day one weekday further, so walk from holiday to holiday, not from day to day."""
    step = 1 if count > 0 else -1
    passed = sorted({h for h in holidays if is_weekday(h) and (h > day if step > 0 else h < day)}, reverse=step < 0)
    result = add_weekdays(day, count)
    for holiday in passed:
        if (result - holiday).days * step < 0:
            break
        result = add_weekdays(result, step)
    return result


def date_of(moment: datetime, zone: tzinfo) -> date:
    """The civil date of an instant in a time zone; undefined where the calendar does not have that date."""
    try:
        return moment.astimezone(zone).date()
    except OverflowError:
        return _date_near_the_end(moment, zone)


CYCLE = timedelta(days=146_097)
"""400 years: after so many days the calendar repeats, with its weekdays, and so do the changes of time zones."""


def _date_near_the_end(moment: datetime, zone: tzinfo) -> date:
    """The same for an instant that the calendar may not have in UTC, though it has it in the zone: looked up a cycle away."""
    inwards = CYCLE if moment.year == MINYEAR else -CYCLE
    try:
        return (moment + inwards).astimezone(zone).date() - inwards
    except OverflowError:
        raise Undefined(OUTSIDE) from None
