"""Calls of functions that look at more than the values of their arguments, or are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from policy_engine.backends.sql import arithmetic, weekdays
from policy_engine.backends.sql.build import TRUE, Sql, all_of, choose, coalesce, where
from policy_engine.backends.sql.refusals import Refusal, refused
from policy_engine.backends.sql.zones import Clock
from policy_engine.language import expressions as tree
from policy_engine.language.types import Number, Ratio
from policy_engine.language.values import Holidays
from policy_engine.language.weekdays import week_of

if TYPE_CHECKING:
    from policy_engine.backends.sql.expressions import Expressions

# Each function writes the calls of one function of the language.


def known(to: Expressions, node: tree.Call) -> Sql:
    argument = node.arguments[0]
    return to.whole(argument).is_known() if argument.optional else TRUE


def default(to: Expressions, node: tree.Call) -> Sql:
    first, second = node.arguments
    value = to.in_units(to.whole(first), first.type, node.type)
    if not first.optional:
        return value
    return coalesce(value, to.in_units(to.whole(second), second.type, node.type))


def if_known(to: Expressions, node: tree.Call) -> Sql:
    return to.value(node.arguments[0])


def length(to: Expressions, node: tree.Call) -> Sql:
    return to.dialect.size(to.value(node.arguments[0]))


def round_(to: Expressions, node: tree.Call) -> Sql:
    value, places, mode = node.arguments
    assert isinstance(value.type, Number | Ratio)
    digits = tree.constant_number(places)
    if not arithmetic.roundable(to.dialect, value.type, digits):
        raise refused(Refusal.WIDE, to.dialect.title, value)
    named, name = to.named(value), tree.constant_text(mode) or ""
    return arithmetic.rounded(to.dialect, to.kept, value.type, named, digits, name)


def refused_case(to: Expressions, node: tree.Call) -> Sql:
    raise refused(Refusal.CASE, to.dialect.title, node)


def matches(to: Expressions, node: tree.Call) -> Sql:
    text, written = node.arguments
    pattern = tree.constant_text(written) or ""
    if not to.dialect.reads_pattern(pattern):
        raise refused(Refusal.PATTERN, to.dialect.title, node)
    return to.dialect.matches(to.value(text), pattern)


def joined_texts(to: Expressions, node: tree.Call) -> Sql:
    texts, separator = node.arguments
    listed, between = to.kept(to.whole(texts), "texts"), to.kept(to.value(separator), "separator")
    return where(listed.is_known() & between.is_known(), to.dialect.joined_texts(listed, between))


def join_lists(to: Expressions, node: tree.Call) -> Sql:
    first, *others = (to.argument(part, node.type) for part in node.arguments)
    found = first
    for other in others:
        found = to.dialect.concatenated(found, other)
    return where(all_of([part.is_known() for part in (first, *others)]), found)


def distinct(to: Expressions, node: tree.Call) -> Sql:
    return to.dialect.distinct(to.kept(to.whole(node.arguments[0]), "listed"))


def take(to: Expressions, node: tree.Call) -> Sql:
    listed, number = (to.kept(to.whole(part), "listed") for part in node.arguments)
    return to.dialect.taken(listed, number, last=node.function == "take_last")


def date_of(to: Expressions, node: tree.Call) -> Sql:
    return to.kept(_clock(to).date_of(to.named(node.arguments[0])), "date")


def time_of(to: Expressions, node: tree.Call) -> Sql:
    return to.kept(_clock(to).time_of(to.named(node.arguments[0])), "time")


def _clock(to: Expressions) -> Clock:
    return Clock(to.days, to.ruleset.timezone)


def week_of_ruleset(to: Expressions) -> weekdays.Weekdays:
    """The weekdays of the ruleset."""
    return weekdays.Weekdays(to.days, to.ruleset.week)


def is_weekday(to: Expressions, node: tree.Call) -> Sql:
    return week_of_ruleset(to).is_weekday(to.named(node.arguments[0]))


def add_weekdays(to: Expressions, node: tree.Call) -> Sql:
    return to.all_bound([to.named(part) for part in node.arguments], week_of_ruleset(to).add)


def weekdays_between(to: Expressions, node: tree.Call) -> Sql:
    return to.all_bound([to.named(part) for part in node.arguments], week_of_ruleset(to).between)


def _business_days(to: Expressions, node: tree.Node) -> weekdays.BusinessDays:
    """The business days that the holidays of an argument leave."""
    week = to.ruleset.week
    if isinstance(node, tree.ListLiteral) and not node.elements:
        return weekdays.business_days(week_of_ruleset(to), ())
    if not isinstance(node, tree.Literal):
        return to.lists.business_days(week_of_ruleset(to), node)
    if isinstance(node.value, Holidays):
        own = weekdays.Weekdays(to.days, week_of(node.value, week))
        return weekdays.business_days(own, node.value.dates)
    return weekdays.business_days(week_of_ruleset(to), node.value)  # type: ignore[arg-type]  # dates, by its type


def _in_years(to: Expressions, result: Sql, calendar: tree.Node, *asked: Sql) -> Sql:
    """A result, unknown where one of the days lies outside the years of a named calendar."""
    if isinstance(calendar, tree.Literal) and isinstance(calendar.value, Holidays):
        return weekdays.within_years(to.days, result, calendar.value, *asked)
    return result


def add_business_days(to: Expressions, node: tree.Call) -> Sql:
    day, count = (to.named(part) for part in node.arguments[:2])
    calendar = node.arguments[2]
    result = to.kept(_business_days(to, calendar).add(day, count))
    found = _in_years(to, result, calendar, day, result)
    return found if found is result else choose([(count.equals(0), day)], found)


def is_business_day(to: Expressions, node: tree.Call) -> Sql:
    day, calendar = to.named(node.arguments[0]), node.arguments[1]
    return _in_years(to, _business_days(to, calendar).has(day), calendar, day)


def business_days_between(to: Expressions, node: tree.Call) -> Sql:
    start, end = (to.named(part) for part in node.arguments[:2])
    calendar = node.arguments[2]
    return _in_years(to, _business_days(to, calendar).between(start, end), calendar, start, end)


def contains_all(to: Expressions, node: tree.Call) -> Sql:
    return to.lists.contains_all(node)


SPECIAL: Mapping[str, Callable[[Expressions, tree.Call], Sql]] = MappingProxyType(
    {
        "known": known,
        "default": default,
        "if_known": if_known,
        "len": length,
        "round": round_,
        "lower": refused_case,
        "equals_ignoring_case": refused_case,
        "matches": matches,
        "join": joined_texts,
        "join_lists": join_lists,
        "distinct": distinct,
        "take": take,
        "take_last": take,
        "contains_all": contains_all,
        "date_of": date_of,
        "time_of": time_of,
        "is_weekday": is_weekday,
        "add_weekdays": add_weekdays,
        "weekdays_between": weekdays_between,
        "add_business_days": add_business_days,
        "is_business_day": is_business_day,
        "business_days_between": business_days_between,
    }
)
