"""The functions of the language as SQL, null where an argument is; those that look at more are written in `expressions`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlglot import exp

from policy_engine.backends.sql import zones
from policy_engine.backends.sql.build import Sql, choose, made
from policy_engine.backends.sql.days import Days
from policy_engine.backends.sql.zones import HOUR, MINUTE, SECOND
from policy_engine.language import texts

Written = Callable[..., Sql]


def _extreme(sign: str, opposite: str) -> Written:
    """The least or greatest of several, null where one is."""

    def over(days: Days, first: Sql, *others: Sql) -> Sql:
        found = first
        for other in others:
            found = days.kept(found)
            found = choose([(found.compared(sign, other), found), (found.compared(opposite, other), other)])
        return found

    return over


def _absolute(days: Days, number: Sql) -> Sql:
    return choose([(number < 0, -number)], number)


def _concatenated(days: Days, first: Sql, *others: Sql) -> Sql:
    found = first
    for other in others:
        found = made(exp.DPipe, found, other)
    return found


CALLS: Mapping[str, Written] = MappingProxyType(
    {
        "days_between": lambda days, start, end: days.to.days_between(start, end),
        "add_days": Days.add_days,
        "add_months": Days.add_months,
        "add_years": Days.add_years,
        "months_between": Days.months_between,
        "years_between": Days.years_between,
        "year": Days.year,
        "month": Days.month,
        "day": Days.day,
        "quarter": Days.quarter,
        "iso_week": Days.iso_week,
        "day_of_year": Days.day_of_year,
        "weekday": Days.weekday,
        "first_of_month": Days.first_of_month,
        "last_of_month": Days.last_of_month,
        "first_of_quarter": Days.first_of_quarter,
        "last_of_quarter": Days.last_of_quarter,
        "first_of_year": Days.first_of_year,
        "last_of_year": Days.last_of_year,
        "first_of_week": Days.first_of_week,
        "last_of_week": Days.last_of_week,
        "hours_between": zones.between(HOUR),
        "minutes_between": zones.between(MINUTE),
        "seconds_between": zones.between(SECOND),
        "add_hours": zones.add(HOUR),
        "add_minutes": zones.add(MINUTE),
        "abs": _absolute,
        "percent_of": lambda days, rate, amount: rate * amount,
        "min": _extreme("<=", ">"),
        "max": _extreme(">=", "<"),
        "starts_with": lambda days, text, start: days.to.starts_with(text, start),
        "contains": lambda days, text, part: days.to.contains(text, part),
        "ends_with": lambda days, text, end: days.to.ends_with(text, end),
        "trim": lambda days, text: days.to.trimmed(text, texts.BLANKS),
        "length": lambda days, text: days.to.length(text),
        "concat": _concatenated,
    }
)
