"""The arithmetic of civil dates against the simplest one there is: day by day."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policy_engine.language import dates
from policy_engine.language.values import Undefined

EXAMPLES = settings(max_examples=300, deadline=None)
DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))
ANY_DAY = st.dates()
COUNTS = st.integers(-150, 150)
ONE = timedelta(days=1)


def naive_add(day: date, count: int, off: frozenset[date] = frozenset()) -> date:
    """Step from day to day, counting those that are neither weekend nor holiday."""
    step = ONE if count > 0 else -ONE
    while count:
        day += step
        if day.weekday() < 5 and day not in off:
            count -= 1 if count > 0 else -1
    return day


def naive_between(start: date, end: date) -> int:
    """Count the weekdays x with start < x <= end, one by one."""
    if end < start:
        return -naive_between(end, start)
    return sum((start + timedelta(days=i)).weekday() < 5 for i in range(1, (end - start).days + 1))


def naive_month(day: date, count: int) -> date:
    """Step from month to month, then clamp the day once."""
    year, month = day.year, day.month
    for _ in range(abs(count)):
        month += 1 if count > 0 else -1
        if month == 13:
            year, month = year + 1, 1
        elif month == 0:
            year, month = year - 1, 12
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


@EXAMPLES
@given(DAYS, COUNTS)
@example(date(2025, 2, 1), 5)
@example(date(2025, 2, 1), 0)
@example(date(2025, 2, 3), -1)
def test_add_weekdays(day: date, count: int) -> None:
    assert dates.add_weekdays(day, count) == naive_add(day, count)


@EXAMPLES
@given(DAYS, st.integers(-400, 400))
def test_weekdays_between(day: date, distance: int) -> None:
    end = day + timedelta(days=distance)
    assert dates.weekdays_between(day, end) == naive_between(day, end)


@EXAMPLES
@given(DAYS, COUNTS, st.sets(st.integers(-220, 220), max_size=40))
@example(date(2025, 12, 24), 1, {1})
@example(date(2025, 12, 26), -1, {-1})
def test_add_business_days(day: date, count: int, offsets: set[int]) -> None:
    off = frozenset(day + timedelta(days=offset) for offset in offsets)
    assert dates.add_business_days(day, count, tuple(off)) == naive_add(day, count, off)


@EXAMPLES
@given(DAYS, COUNTS, st.lists(st.integers(-220, 220), max_size=20))
def test_holidays_may_come_in_any_order_and_twice(day: date, count: int, offsets: list[int]) -> None:
    off = tuple(day + timedelta(days=offset) for offset in offsets)
    expected = dates.add_business_days(day, count, tuple(sorted(set(off))))
    assert dates.add_business_days(day, count, (*off, *reversed(off))) == expected


@EXAMPLES
@given(DAYS, st.integers(-1200, 1200))
@example(date(2025, 1, 31), 1)
@example(date(2024, 1, 31), 1)
@example(date(2024, 2, 29), 12)
@example(date(2025, 3, 31), -1)
def test_add_months(day: date, count: int) -> None:
    assert dates.add_months(day, count) == naive_month(day, count)


@EXAMPLES
@given(DAYS, st.integers(-150, 150))
@example(date(2024, 2, 29), 1)
@example(date(2024, 2, 29), 4)
def test_add_years(day: date, count: int) -> None:
    expected = date(day.year + count, day.month, min(day.day, calendar.monthrange(day.year + count, day.month)[1]))
    assert dates.add_years(day, count) == expected


@EXAMPLES
@given(ANY_DAY, ANY_DAY)
def test_days_between_and_add_days_undo_each_other(start: date, end: date) -> None:
    assert dates.add_days(start, dates.days_between(start, end)) == end


@EXAMPLES
@given(ANY_DAY)
def test_ends_of_months(day: date) -> None:
    assert dates.first_of_month(day) == date(day.year, day.month, 1)
    assert dates.last_of_month(day) == date(day.year, day.month, calendar.monthrange(day.year, day.month)[1])
    assert dates.is_weekday(day) == (calendar.weekday(day.year, day.month, day.day) < 5)


def sum_or_cause(add: Callable[..., date], *arguments: object) -> date | str:
    """A sum, or why there is none."""
    try:
        return add(*arguments)
    except Undefined as undefined:
        return str(undefined)


@EXAMPLES
@given(ANY_DAY, st.integers(-(10**12), 10**12))
def test_every_sum_is_a_date_or_says_why_not(day: date, count: int) -> None:
    off = (date(2025, 12, 25), date.max, date.min)
    found = [sum_or_cause(add, day, count) for add in (dates.add_days, dates.add_months, dates.add_years)]
    found += [sum_or_cause(dates.add_weekdays, day, count), sum_or_cause(dates.add_business_days, day, count, off)]
    assert [each for each in found if not isinstance(each, date) and "0001 to 9999" not in each] == []


@pytest.mark.parametrize("day", [date.min, date.max, date(1, 1, 2), date(9999, 12, 30)])
@pytest.mark.parametrize("count", [-3, -2, -1, 0, 1, 2, 3])
def test_the_ends_of_the_calendar(day: date, count: int) -> None:
    try:
        expected: date | None = naive_add(day, count)
    except OverflowError:
        expected = None
    found = sum_or_cause(dates.add_weekdays, day, count)
    assert found == expected if expected else isinstance(found, str)
