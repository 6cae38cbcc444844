"""The arithmetic of civil dates against the simplest one there is: day by day."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policy_engine.language import dates, weekdays
from policy_engine.language.causes import OUTSIDE
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
    assert weekdays.add_weekdays(day, count) == naive_add(day, count)


@EXAMPLES
@given(DAYS, st.integers(-400, 400))
def test_weekdays_between(day: date, distance: int) -> None:
    end = day + timedelta(days=distance)
    assert weekdays.weekdays_between(day, end) == naive_between(day, end)


@EXAMPLES
@given(DAYS, COUNTS, st.sets(st.integers(-220, 220), max_size=40))
@example(date(2025, 12, 24), 1, {1})
@example(date(2025, 12, 26), -1, {-1})
def test_add_business_days(day: date, count: int, offsets: set[int]) -> None:
    off = frozenset(day + timedelta(days=offset) for offset in offsets)
    assert weekdays.add_business_days(day, count, tuple(off)) == naive_add(day, count, off)


@EXAMPLES
@given(DAYS, COUNTS, st.lists(st.integers(-220, 220), max_size=20))
def test_holidays_may_come_in_any_order_and_twice(day: date, count: int, offsets: list[int]) -> None:
    off = tuple(day + timedelta(days=offset) for offset in offsets)
    expected = weekdays.add_business_days(day, count, tuple(sorted(set(off))))
    assert weekdays.add_business_days(day, count, (*off, *reversed(off))) == expected


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
    assert weekdays.is_weekday(day) == (calendar.weekday(day.year, day.month, day.day) < 5)


WEEKENDS = st.sets(st.integers(1, 7), max_size=6).map(lambda days: tuple(sorted(days)))


@EXAMPLES
@given(DAYS, COUNTS, st.sets(st.integers(-220, 220), max_size=40), WEEKENDS)
def test_business_days_with_any_weekend(day: date, distance: int, offsets: set[int], weekend: tuple[int, ...]) -> None:
    week, end = weekdays.week_with(weekend), day + timedelta(days=distance)
    off = frozenset(day + timedelta(days=offset) for offset in offsets)

    def works(some: date) -> bool:
        return some.isoweekday() not in weekend and some not in off

    first, last = min(day, end), max(day, end)
    between = sum(works(first + timedelta(days=at)) for at in range(1, (last - first).days + 1))
    assert weekdays.business_days_between(day, end, tuple(off), week) == (between if end >= day else -between)
    assert weekdays.is_business_day(day, tuple(off), week) == works(day)
    assert weekdays.weekdays_between(day, end, week) == weekdays.business_days_between(day, end, (), week)


@EXAMPLES
@given(DAYS, st.integers(-60, 60), st.sets(st.integers(-220, 220), max_size=20), WEEKENDS)
def test_adding_business_days_with_any_weekend(
    day: date, count: int, offsets: set[int], weekend: tuple[int, ...]
) -> None:
    off = frozenset(day + timedelta(days=offset) for offset in offsets)
    expected, left = day, abs(count)
    while left:
        expected += ONE if count > 0 else -ONE
        left -= expected.isoweekday() not in weekend and expected not in off
    assert weekdays.add_business_days(day, count, tuple(off), weekdays.week_with(weekend)) == expected


def naive_months(start: date, end: date, months: int = 1) -> int:
    """Step on by so many months for as long as that is not past the end."""
    if end < start:
        return -naive_months(end, start, months)
    count = 0
    while naive_month(start, months * (count + 1)) <= end:
        count += 1
    return count


@EXAMPLES
@given(DAYS, st.integers(-3000, 3000))
@example(date(2025, 1, 31), 28)
@example(date(2024, 2, 29), 365)
@example(date(2024, 2, 29), -1461)
def test_completed_months_and_years(day: date, distance: int) -> None:
    end = day + timedelta(days=distance)
    assert dates.months_between(day, end) == naive_months(day, end)
    assert dates.years_between(day, end) == naive_months(day, end, 12)


def birthdays(born: date, until: date) -> int:
    """How many birthdays one has up to a day; 1 March stands for 29 February."""
    days = [date(year, 3, 1) if (born.month, born.day) == (2, 29) and not calendar.isleap(year) else born.replace(year=year)
            for year in range(born.year + 1, until.year + 1)]  # fmt: skip
    return sum(day <= until for day in days)


@EXAMPLES
@given(
    st.dates(date(1950, 1, 1), date(2050, 12, 31)) | st.sampled_from([date(2004, 2, 29), date(1896, 2, 29)]),
    st.integers(0, 40_000),
)
@example(date(2004, 2, 29), 365)
@example(date(2004, 2, 29), 366)
def test_birthdays_of_those_born_on_a_leap_day(born: date, distance: int) -> None:
    until = born + timedelta(days=distance)
    assert dates.years_between(born, until, dates.MARCH_1) == birthdays(born, until)
    assert dates.years_between(until, born, dates.MARCH_1) == -birthdays(born, until)


@EXAMPLES
@given(ANY_DAY)
@example(date.min)
@example(date.max)
def test_parts_of_dates(day: date) -> None:
    assert f"{dates.iso_week(day):02}" == f"{day:%V}"
    assert f"{dates.day_of_year(day):03}" == f"{day:%j}"
    quarter = ((1, 3), (4, 6), (7, 9), (10, 12))[dates.quarter(day) - 1]
    first, last = dates.first_of_quarter(day), dates.last_of_quarter(day)
    assert quarter[0] <= day.month <= quarter[1]
    assert (first, last) == (
        date(day.year, quarter[0], 1),
        date(day.year, quarter[1], 31 if quarter[1] in (3, 12) else 30),
    )
    assert dates.first_of_year(day) == date(day.year, 1, 1)
    assert dates.last_of_year(day) == date(day.year, 12, 31)
    monday = dates.first_of_week(day)
    assert (monday.isoweekday(), (day - monday).days in range(7)) == (1, True)
    assert sum_or_cause(dates.last_of_week, day) == (monday + 6 * ONE if monday < date(9999, 12, 27) else OUTSIDE)


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
    found += [
        sum_or_cause(weekdays.add_weekdays, day, count),
        sum_or_cause(weekdays.add_business_days, day, count, off),
    ]
    assert [each for each in found if not isinstance(each, date) and "0001 to 9999" not in each] == []


@pytest.mark.parametrize("day", [date.min, date.max, date(1, 1, 2), date(9999, 12, 30)])
@pytest.mark.parametrize("count", [-3, -2, -1, 0, 1, 2, 3])
def test_the_ends_of_the_calendar(day: date, count: int) -> None:
    try:
        expected: date | None = naive_add(day, count)
    except OverflowError:
        expected = None
    found = sum_or_cause(weekdays.add_weekdays, day, count)
    assert found == expected if expected else isinstance(found, str)
