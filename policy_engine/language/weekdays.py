"""Weekdays and business days, in a week with any weekend. Every function is total or raises `Undefined`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from policy_engine.language.causes import OUTSIDE
from policy_engine.language.values import Holidays, Undefined

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SATURDAY_AND_SUNDAY = (6, 7)


class Week(NamedTuple):
    """How weekdays lie in a week from Monday on, whose days are counted from 0: the weekdays, and how many lie before each day.

    `before` has an eighth number, that of all weekdays.
    """

    weekdays: tuple[int, ...]
    before: tuple[int, ...]


@cache
def week_with(weekend: tuple[int, ...]) -> Week:
    """The week with a weekend, whose days are counted from 1 for Monday; at least one day is none of them."""
    weekdays = tuple(day for day in range(7) if day + 1 not in weekend)
    return Week(weekdays, tuple(sum(weekday < day for weekday in weekdays) for day in range(8)))


MONDAY_TO_FRIDAY = week_with(SATURDAY_AND_SUNDAY)


def is_weekday(day: date, week: Week = MONDAY_TO_FRIDAY) -> bool:
    """Whether the date lies outside the weekend."""
    return day.weekday() in week.weekdays


def weekdays_before(day: date, week: Week = MONDAY_TO_FRIDAY) -> int:
    """Weekdays from the first of January 0001, a Monday, up to, and without, the date."""
    weeks, rest = divmod(day.toordinal() - 1, 7)
    return len(week.weekdays) * weeks + week.before[rest]


def _up_to(day: date, week: Week) -> int:
    """The same, up to and with the date."""
    weeks, rest = divmod(day.toordinal() - 1, 7)
    return len(week.weekdays) * weeks + week.before[rest + 1]


def weekdays_between(start: date, end: date, week: Week = MONDAY_TO_FRIDAY) -> int:
    """How many weekdays x have start < x <= end; minus the other way round."""
    return _up_to(end, week) - _up_to(start, week)


def add_weekdays(day: date, count: int, week: Week = MONDAY_TO_FRIDAY) -> date:
    """The `count`th weekday strictly after the date (before it, where negative); the date itself for 0."""
    if count == 0:
        return day
    weekdays, before = week
    weekday = day.weekday()
    ahead = before[weekday + 1] - 1 if count > 0 else before[weekday]
    weeks, rest = divmod(ahead + count, len(weekdays))
    try:
        return day + timedelta(7 * weeks + weekdays[rest] - weekday)
    except OverflowError:
        raise Undefined(OUTSIDE) from None


def add_business_days(
    day: date, count: int, holidays: Sequence[date] | Holidays, week: Week = MONDAY_TO_FRIDAY
) -> date:
    """Like `add_weekdays`, over the weekdays that are not holidays; undefined beyond the years of a named calendar."""
    if count == 0:
        return day
    if not isinstance(holidays, Holidays):
        return _past_holidays(day, count, holidays, week)
    result = _past_holidays(day, count, holidays.dates, week_of(holidays, week))
    _check_years(holidays, day, result)
    return result


def _past_holidays(day: date, count: int, holidays: Sequence[date], week: Week) -> date:
    """Each holiday passed pushes the day one weekday further, so walk from holiday to holiday, not from day to day."""
    step = 1 if count > 0 else -1
    passed = sorted(
        {h for h in holidays if is_weekday(h, week) and (h > day if step > 0 else h < day)}, reverse=step < 0
    )
    result = add_weekdays(day, count, week)
    for holiday in passed:
        if (result - holiday).days * step < 0:
            break
        result = add_weekdays(result, step, week)
    return result


def is_business_day(day: date, holidays: Sequence[date] | Holidays, week: Week = MONDAY_TO_FRIDAY) -> bool:
    """Whether the date is a weekday and not a holiday; undefined beyond the years of a named calendar."""
    if not isinstance(holidays, Holidays):
        return is_weekday(day, week) and day not in holidays
    _check_years(holidays, day)
    return is_weekday(day, week_of(holidays, week)) and day not in holidays.dates


def business_days_between(
    start: date, end: date, holidays: Sequence[date] | Holidays, week: Week = MONDAY_TO_FRIDAY
) -> int:
    """How many business days x have start < x <= end; minus the other way round. Undefined beyond a named calendar's years."""
    days: Sequence[date]
    if isinstance(holidays, Holidays):
        _check_years(holidays, start, end)
        days, week = holidays.dates, week_of(holidays, week)
    else:
        days = holidays
    first, last = min(start, end), max(start, end)
    passed = len({holiday for holiday in days if first < holiday <= last and is_weekday(holiday, week)})
    return weekdays_between(start, end, week) - (passed if start < end else -passed)


def week_of(holidays: Holidays, week: Week) -> Week:
    """The week of a named calendar: its own, or else that of the ruleset."""
    return week if holidays.weekend is None else week_with(holidays.weekend)


def _check_years(holidays: Holidays, *days: date) -> None:
    """Raise `Undefined` for a day outside the years of a named calendar."""
    if not all(holidays.first <= day.year <= holidays.last for day in days):
        raise Undefined(f"a day falls outside the years {holidays.first} to {holidays.last} of {holidays.name}")
