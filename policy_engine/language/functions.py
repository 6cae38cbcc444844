"""The table of the language's functions and aggregates.

To add a function, write its row here and an entry in the table of the columnar back end; the reference and generated Python
call what the row names. The `plain` meaning takes known values and gives a value or raises `Undefined`. A call with an unknown
argument is unknown, and `plain` is not called; functions marked lazy are given unknown arguments too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any

from policy_engine.language import clock, dates, lists, texts, weekdays
from policy_engine.language.rounding import MODES, percent_of, rounded
from policy_engine.language.types import (
    ANYTHING,
    BOOLEAN,
    DATE,
    DAYS,
    INSTANT,
    MONTHS,
    SECONDS,
    TEXT,
    TIME,
    YEARS,
    Anything,
    Calendar,
    Date,
    Instant,
    ListOf,
    Number,
    Ratio,
    Text,
    Time,
    Tuple,
    Type,
    arithmetic,
    is_plain,
    join,
    only_text,
)

Accepts = Callable[[Type], bool]


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument's name, which types it takes, and how a message says so.

    `written_out` where only a constant will do, `optional` where it may be left out; `unit` is what the argument counts,
    such as days.
    """

    name: str
    accepts: Accepts
    expected: str
    written_out: bool = False
    unit: str | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """An expression over facts that gives a value, in its JSON form; run as a test."""

    expression: str
    facts: Mapping[str, object]
    gives: object


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language.

    `result` gives the type of a call from those of its arguments, None where these do not go together. `at_least` is set
    where the last parameter may be repeated. A `lazy` function is given unknown arguments as well, and has no plain meaning.
    One `in_zone` is also given the ruleset's time zone, one `in_week` its working week.
    A `partial` one has no result for some known arguments. The arguments of one with a `common_type` are brought to the type
    of its result, whose unit they share; those that are `alike` to the common type of all. `unit` is what the result counts,
    whatever the arguments do; `unit_of` is the place of the argument that counts the same as the result.

    Generated Python calls `plain` by the function's name, or `faster` instead, which gives None where there is no result;
    or it has the text `python`, with the arguments as {0}, {1} and so on, which reads a week as Monday to Friday.
    """

    name: str
    parameters: tuple[Parameter, ...]
    result: Callable[..., Type | None]
    meaning: str
    example: Example
    plain: Callable[..., Any] | None
    at_least: int | None = None
    lazy: bool = False
    in_zone: bool = False
    in_week: bool = False
    partial: bool = False
    common_type: bool = False
    alike: bool = False
    unit: str | None = None
    unit_of: int | None = None
    python: str | None = None
    faster: Callable[..., Any] | None = None

    def brings_to(self, gives: Type, *arguments: Type) -> Type | None:
        """The type that all arguments of a call are brought to, None where each keeps its own."""
        if self.common_type:
            return gives
        return _widest(*arguments) if self.alike else None

    @property
    def signature(self) -> str:
        """The call as documentation writes it."""
        needed = ", ".join(parameter.name for parameter in self.parameters if not parameter.optional)
        optional = "".join(f"[, {parameter.name}]" for parameter in self.parameters if parameter.optional)
        return f"{self.name}({needed}{optional}{', ...' if self.at_least else ''})"

    def beside(self, zone: tzinfo, week: weekdays.Week) -> tuple[Any, ...]:
        """What its plain meaning takes after the arguments."""
        return (*((zone,) if self.in_zone else ()), *((week,) if self.in_week else ()))


@dataclass(frozen=True, slots=True)
class AggregateFunction:
    """A function over a generator; `result` gives its type from the element's and the list's bound, None where it cannot be.

    `plain` is its meaning over elements that are all known; any, all and the runs have theirs in the evaluator.
    One that `takes_tuple` goes over several values of each element, in brackets. `unit` is what the result counts.
    """

    name: str
    result: Callable[[Type, int | None], Type | None]
    expected: str
    meaning: str
    example: Example
    plain: Callable[[tuple[Any, ...]], Any] | None
    empty: str | None = None
    takes_tuple: bool = False
    unit: str | None = None


def _is(*kinds: type[Type]) -> Accepts:
    return lambda kind: isinstance(kind, (*kinds, Anything))


def _whole(kind: Type) -> bool:
    return isinstance(kind, Anything) or (isinstance(kind, Number) and kind.places == 0)


def _fixed_places(kind: Type) -> bool:
    return isinstance(kind, Number) and kind.places == 0 and kind.low == kind.high and 0 <= kind.low <= 9


def _fixed_mode(kind: Type) -> bool:
    return only_text(kind) in MODES


def _fixed_text(kind: Type) -> bool:
    return isinstance(kind, Anything) or only_text(kind) is not None


def _list_of_texts(kind: Type) -> bool:
    return isinstance(kind, Anything) or (isinstance(kind, ListOf) and isinstance(kind.element, Text | Anything))


def _fixed_leap_day(kind: Type) -> bool:
    return only_text(kind) in (dates.FEBRUARY_28, dates.MARCH_1)


def _list_of_dates(kind: Type) -> bool:
    return isinstance(kind, Anything | Calendar) or (
        isinstance(kind, ListOf) and isinstance(kind.element, Date | Anything)
    )


def _absolute(kind: Type) -> Type:
    if not isinstance(kind, Number):
        return kind
    low = 0 if kind.low <= 0 <= kind.high else min(abs(kind.low), abs(kind.high))
    return Number(kind.places, low, max(abs(kind.low), abs(kind.high)))


def _widest(*kinds: Type) -> Type | None:
    widest: Type | None = ANYTHING
    for kind in kinds:
        widest = join(widest, kind) if widest is not None else None
    return widest


def _rounded(value: Type, places: Type, mode: Type) -> Type | None:
    if not isinstance(places, Number):
        return ANYTHING
    if isinstance(value, Number):
        numerator, denominator = value, Number(0, 1, 1)
    elif isinstance(value, Ratio):
        numerator, denominator = value.numerator, value.denominator
    else:
        return ANYTHING
    most = max(abs(numerator.low), abs(numerator.high)) * 10 ** (places.low + denominator.places)
    crosses_zero = denominator.low <= 0 <= denominator.high
    least = 1 if crosses_zero else min(abs(denominator.low), abs(denominator.high))
    bound = most // (least * 10**numerator.places) + 1
    return Number(places.low, -bound, bound)


def _percent_of(rate: Type, amount: Type) -> Type:
    if not isinstance(rate, Number) or not isinstance(amount, Number):
        return ANYTHING
    product = arithmetic("*", rate, amount)
    assert isinstance(product, Number)
    return Number(product.places + 2, product.low, product.high)


def _sum(element: Type, most: int | None) -> Type | None:
    if isinstance(element, Anything):
        return element
    if not isinstance(element, Number) or most is None:
        return None
    return Number(element.places, min(0, element.low * most), max(0, element.high * most))


def _ordered(element: Type, most: int | None) -> Type | None:
    return element if isinstance(element, Number | Date | Instant | Time | Anything) else None


def _condition(element: Type, most: int | None) -> Type | None:
    return element if element == BOOLEAN or isinstance(element, Anything) else None


def _counted(element: Type, most: int | None) -> Type:
    return Number(0, 0, most or 10**9)


def _plain_list(kind: Type) -> bool:
    return isinstance(kind, Anything) or (
        isinstance(kind, ListOf) and (isinstance(kind.element, Anything) or is_plain(kind.element))
    )


def _lists_joined(*kinds: Type) -> Type | None:
    widest, mosts = _widest(*kinds), [kind.most for kind in kinds if isinstance(kind, ListOf)]
    return ListOf(widest.element, _added(mosts)) if isinstance(widest, ListOf) else widest


def _added(mosts: Iterable[int | None]) -> int | None:
    known = [most for most in mosts if most is not None]
    return sum(known) if len(known) == len([*mosts]) else None


def _part_of_list(kind: Type, number: Type) -> Type | None:
    if not (isinstance(kind, ListOf) and isinstance(number, Number)):
        return ANYTHING
    most = max(0, number.high)
    return ListOf(kind.element, most if kind.most is None else min(kind.most, most))


def _counts(element: Type, most: int | None) -> Type | None:
    return ListOf(Number(0, 1, most or 10**9), most) if is_plain(element) else None


def _sums(element: Type, most: int | None) -> Type | None:
    """The numbers of each key; every sum has an element at least."""
    match element:
        case Tuple(parts=(key, Number(places=places, low=low, high=high))) if is_plain(key) and most is not None:
            return ListOf(Number(places, min(low, low * most), max(high, high * most)), most)
    return None


def _in_order(element: Type, most: int | None) -> Type | None:
    match element:
        case Tuple(parts=(Number() | Date() | Instant() | Time(), value)):
            return _several(value, most)
    return None


def _days_of_periods(element: Type, most: int | None) -> Type | None:
    return Number(0, 0, DAYS.high) if element == Tuple((DATE, DATE)) else None


def _several(element: Type, most: int | None) -> Type | None:
    return None if isinstance(element, Ratio | ListOf | Tuple) else ListOf(element, most)


DAY = Parameter("date", _is(Date), "a date")
START = Parameter("start", _is(Date), "a date")
END = Parameter("end", _is(Date), "a date")
MOMENT = Parameter("instant", _is(Instant), "an instant")
FROM = Parameter("start", _is(Instant), "an instant")
UNTIL = Parameter("end", _is(Instant), "an instant")
HOLIDAYS = Parameter("holidays", _list_of_dates, "a list of dates or a calendar")
WORDS = Parameter("text", _is(Text), "a text")
LIST = Parameter("list", _is(ListOf), "a list")
PLAIN_LIST = Parameter("list", _plain_list, "a list of plain values")
HOW_MANY = Parameter("n", _whole, "an integer")
ANY_VALUE = Parameter("x", lambda kind: True, "a value")
NUMBER = Parameter("x", _is(Number), "an integer or a decimal")
LEAP_DAY = Parameter("leap_day", _fixed_leap_day, f"{dates.FEBRUARY_28} or {dates.MARCH_1}, in quotes",
                     written_out=True, optional=True)  # fmt: skip
ORDERED = Parameter("x", _is(Number, Date, Instant, Time), "a number, a date, an instant or a time")
FEB_29 = {"day": "2024-02-29"}
NIGHT = {"moment": "2025-03-01T03:00:00Z"}
TWO_MOMENTS = {**NIGHT, "until": "2025-03-01T04:15:30Z"}
SATURDAY = {"day": "2025-02-01"}
BORN = {"moved": "2004-02-29", "day": "2025-02-28"}
CHRISTMAS = {"day": "2025-12-24", "off": ["2025-12-25"]}


def _later_date(
    name: str,
    unit: str,
    meaning: str,
    example: Example,
    plain: Callable[..., Any],
    *more: Parameter,
    faster: Callable[..., Any] | None = None,
    in_week: bool = False,
) -> Function:
    """The function that adds so many days, months or the like to a date, and may leave the calendar."""
    parameters = (DAY, Parameter("n", _whole, "an integer", unit=unit), *more)
    return Function(
        name, parameters, lambda *_: DATE, meaning, example, plain, partial=True, faster=faster, in_week=in_week
    )


def _part(
    name: str, most: int, meaning: str, gives: int, plain: Callable[..., Any], python: str | None = None
) -> Function:
    """The function that gives a part of a date as a number from 1 on."""
    example = Example(f"{name}(day)", FEB_29, gives)
    return Function(name, (DAY,), lambda *_: Number(0, 1, most), meaning, example, plain, python=python)


def _edge(name: str, meaning: str, gives: str, plain: Callable[..., Any], *, partial: bool = False) -> Function:
    """The function that gives the first or last day of something that a date lies in."""
    return Function(
        name, (DAY,), lambda *_: DATE, meaning, Example(f"{name}(day)", FEB_29, gives), plain, partial=partial
    )


def _passed(unit: str, gives: int, plain: Callable[..., Any]) -> Function:
    """The function that counts whole units from one instant to another."""
    example = Example(f"{unit}_between(moment, until)", TWO_MOMENTS, gives)
    meaning = f"Whole {unit} that pass from the start to the end; negative where the end is earlier."
    return Function(f"{unit}_between", (FROM, UNTIL), lambda *_: SECONDS, meaning, example, plain, unit=unit)


def _later_moment(unit: str, gives: str, plain: Callable[..., Any]) -> Function:
    """The function that adds so many units to an instant."""
    example, meaning = Example(f"add_{unit}(moment, 2)", NIGHT, gives), f"The instant when n {unit} have passed."
    parameters = (MOMENT, Parameter("n", _whole, "an integer", unit=unit))
    return Function(f"add_{unit}", parameters, lambda *_: INSTANT, meaning, example, plain, partial=True)


_FUNCTIONS = (
    Function("days_between", (START, END), lambda *_: DAYS,
             "Civil days from the start to the end; negative where the end is earlier.",
             Example("days_between(moved, day)", {"moved": "2025-01-01", "day": "2025-03-02"}, 60), dates.days_between,
             unit="days", python="({1} - {0}).days"),
    _later_date("add_days", "days", "The date n days later.",
                Example("add_days(day, 1)", FEB_29, "2024-03-01"), dates.add_days, faster=dates.days_later),
    _later_date("add_months", "months", "The date n months later, or that month's last day where it is shorter.",
                Example("add_months(day, 1)", {"day": "2025-01-31"}, "2025-02-28"), dates.add_months),
    _later_date("add_years", "years", "The date n years later; 29 February becomes the 28th in a common year.",
                Example("add_years(day, 1)", FEB_29, "2025-02-28"), dates.add_years),
    Function("months_between", (START, END), lambda *_: MONTHS,
             "Completed months from the start to the end, as `add_months` adds them; minus the other way round.",
             Example("months_between(moved, day)", {"moved": "2025-01-31", "day": "2025-03-30"}, 1), dates.months_between,
             unit="months"),
    Function("years_between", (START, END, LEAP_DAY), lambda *_: YEARS,
             "Completed years from the start to the end, as birthdays count; minus the other way round. A year since a "
             "29 February is complete on 28 February of a common year, or on the day that is written.",
             Example('years_between(moved, day, "march_1")', BORN, 20), dates.years_between, unit="years"),
    _part("year", 9999, "The year.", 2024, attrgetter("year"), "{0}.year"),
    _part("month", 12, "The month: 1 is January.", 2, attrgetter("month"), "{0}.month"),
    _part("day", 31, "The day of the month.", 29, attrgetter("day"), "{0}.day"),
    _part("quarter", 4, "The quarter of the year.", 1, dates.quarter, "(({0}.month + 2) // 3)"),
    _part("iso_week", 53, "The week by ISO 8601: week 1 has the year's first Thursday.", 9, dates.iso_week),
    _part("day_of_year", 366, "The day of the year: 1 is the first of January.", 60, dates.day_of_year),
    Function("weekday", (DAY,), lambda *_: Number(0, 1, 7), "The day of the week: 1 is Monday, 7 is Sunday.",
             Example("weekday(day)", SATURDAY, 6), date.isoweekday, python="{0}.isoweekday()"),
    Function("is_weekday", (DAY,), lambda *_: BOOLEAN, "Whether the date is not on a weekend.",
             Example("is_weekday(day)", SATURDAY, False), weekdays.is_weekday, in_week=True, python="({0}.isoweekday() < 6)"),
    _later_date("add_weekdays", "weekdays", "The nth weekday strictly after the date; before it where n is negative.",
                Example("add_weekdays(day, 5)", SATURDAY, "2025-02-07"), weekdays.add_weekdays, in_week=True),
    Function("weekdays_between", (START, END), lambda *_: DAYS,
             "How many weekdays lie after the start, up to and with the end; minus the other way round.",
             Example("weekdays_between(day, moved)", {**SATURDAY, "moved": "2025-02-07"}, 5), weekdays.weekdays_between,
             in_week=True, unit="weekdays"),
    _later_date("add_business_days", "business days", "The nth day strictly after the date that is a weekday and not a holiday.",
                Example("add_business_days(day, 1, off)", CHRISTMAS, "2025-12-26"),
                weekdays.add_business_days, HOLIDAYS, in_week=True),
    Function("is_business_day", (DAY, HOLIDAYS), lambda *_: BOOLEAN, "Whether the date is a weekday and not a holiday.",
             Example("is_business_day(day, off)", CHRISTMAS, True), weekdays.is_business_day, in_week=True, partial=True),
    Function("business_days_between", (START, END, HOLIDAYS), lambda *_: DAYS,
             "How many business days lie after the start, up to and with the end; minus the other way round.",
             Example("business_days_between(day, moved, off)", {**CHRISTMAS, "moved": "2025-12-31"}, 4),
             weekdays.business_days_between, in_week=True, partial=True, unit="business days"),
    Function("date_of", (MOMENT,), lambda *_: DATE, "The civil date of an instant in the ruleset's time zone.",
             Example("date_of(moment)", {"moment": "2025-03-01T03:00:00Z"}, "2025-02-28"), dates.date_of,
             in_zone=True, partial=True),
    Function("time_of", (MOMENT,), lambda *_: TIME, "The time of day of an instant in the ruleset's time zone.",
             Example("time_of(moment)", NIGHT, "22:00:00"), clock.time_of,
             in_zone=True, partial=True),
    _passed("hours", 1, clock.hours_between),
    _passed("minutes", 75, clock.minutes_between),
    _passed("seconds", 4_530, clock.seconds_between),
    _later_moment("hours", "2025-03-01T05:00:00Z", clock.add_hours),
    _later_moment("minutes", "2025-03-01T03:02:00Z", clock.add_minutes),
    Function("first_of_month", (DAY,), lambda *_: DATE, "The first day of the date's month.",
             Example("first_of_month(day)", FEB_29, "2024-02-01"), dates.first_of_month, python="{0}.replace(day=1)"),
    _edge("last_of_month", "The last day of the date's month.", "2024-02-29", dates.last_of_month),
    _edge("first_of_quarter", "The first day of the date's quarter.", "2024-01-01", dates.first_of_quarter),
    _edge("last_of_quarter", "The last day of the date's quarter.", "2024-03-31", dates.last_of_quarter),
    _edge("first_of_year", "The first day of the date's year.", "2024-01-01", dates.first_of_year),
    _edge("last_of_year", "The last day of the date's year.", "2024-12-31", dates.last_of_year),
    _edge("first_of_week", "The Monday of the date's week.", "2024-02-26", dates.first_of_week),
    _edge("last_of_week", "The Sunday of the date's week.", "2024-03-03", dates.last_of_week, partial=True),
    Function("known", (ANY_VALUE,), lambda *_: BOOLEAN, "Whether the value is known; itself always known.",
             Example("known(day)", {}, False), None, lazy=True),
    Function("default", (ANY_VALUE, Parameter("y", lambda kind: True, "a value")), _widest,
             "x, or y where x is unknown for whatever cause.",
             Example("default(count, 3)", {}, 3), None, lazy=True, common_type=True),
    Function("if_known", (ANY_VALUE,), lambda kind: kind,
             "x, or null where x is unknown; only at the top of a value.",
             Example("if_known(count)", {}, None), None, lazy=True, common_type=True),
    Function("abs", (NUMBER,), _absolute, "The number without its sign.",
             Example("abs(count)", {"count": -3}, 3), abs, common_type=True),
    Function("round", (Parameter("x", _is(Number, Ratio), "a ratio or a number"),
                       Parameter("places", _fixed_places, "the places, 0 to 9, as a plain number", written_out=True),
                       Parameter("mode", _fixed_mode, f"one of {', '.join(MODES)}, in quotes", written_out=True)), _rounded,
             "The number rounded to so many places, by the mode named.",
             Example('round(count / 8, 2, "half_even")', {"count": 1}, "0.12"), rounded, unit_of=0),
    Function("percent_of", (Parameter("rate", _is(Number), "a number of percent", unit="percent"),
                            Parameter("amount", _is(Number), "an integer or a decimal")), _percent_of,
             "So many percent of the amount, exactly: with two places more than both have together.",
             Example("percent_of(count, 40)", {"count": 19}, "7.60"), percent_of, python="({0} * {1})", unit_of=1),
    Function("min", (ORDERED,), _widest, "The least of several.", Example("min(count, 2)", {"count": 3}, 2), min,
             at_least=2, common_type=True),
    Function("max", (ORDERED,), _widest, "The greatest of several.", Example("max(count, 2)", {"count": 3}, 3), max,
             at_least=2, common_type=True),
    Function("starts_with", (WORDS, Parameter("start", _is(Text), "a text")), lambda *_: BOOLEAN,
             "Whether the text begins with another, letter for letter.",
             Example('starts_with(word, "ab")', {"word": "abc"}, True), str.startswith,
             python="{0}.startswith({1})"),
    Function("contains", (WORDS, Parameter("part", _is(Text), "a text")), lambda *_: BOOLEAN,
             "Whether another text stands somewhere in the text, letter for letter.",
             Example('contains(word, "bc")', {"word": "abc"}, True), str.__contains__, python="({1} in {0})"),
    Function("ends_with", (WORDS, Parameter("end", _is(Text), "a text")), lambda *_: BOOLEAN,
             "Whether the text ends with another, letter for letter.",
             Example('ends_with(word, "bc")', {"word": "abc"}, True), str.endswith, python="{0}.endswith({1})"),
    Function("matches", (WORDS, Parameter("pattern", _fixed_text, "a pattern in quotes", written_out=True)), lambda *_: BOOLEAN,
             "Whether a pattern, written as in schemas, is found in the text; `^` and `$` hold it to start and end.",
             Example('matches(word, "^[a-c]+$")', {"word": "abc"}, True), texts.matches),
    Function("equals_ignoring_case", (WORDS, Parameter("other", _is(Text), "a text")), lambda *_: BOOLEAN,
             "Whether two texts are equal but for large and small letters.",
             Example('equals_ignoring_case(word, "ABC")', {"word": "abc"}, True), texts.equal_ignoring_case),
    Function("lower", (WORDS,), lambda *_: TEXT, "The text in small letters.",
             Example("lower(word)", {"word": "Abc"}, "abc"), str.lower, python="{0}.lower()"),
    Function("trim", (WORDS,), lambda *_: TEXT, "The text without blanks, tabs and ends of lines at its start and end.",
             Example("trim(word)", {"word": " a b "}, "a b"), texts.trimmed),
    Function("length", (WORDS,), lambda *_: Number(0, 0, 10**9), "How many characters the text has, by code points of Unicode.",
             Example("length(word)", {"word": "abc"}, 3), len, python="len({0})"),
    Function("concat", (WORDS,), lambda *_: TEXT, "The texts one after another.",
             Example('concat(word, "-", word)', {"word": "ab"}, "ab-ab"), texts.concatenated, at_least=2),
    Function("join", (Parameter("texts", _list_of_texts, "a list of texts"), Parameter("separator", _is(Text), "a text")),
             lambda *_: TEXT, "The texts of a list, with a separator between each two.",
             Example('join(words, ", ")', {"words": ["ab", "c"]}, "ab, c"), texts.joined, python="{1}.join({0})"),
    Function("len", (LIST,), lambda kind: Number(0, 0, getattr(kind, "most", None) or 10**9),
             "How many elements the list has.", Example("len(off)", {"off": ["2025-12-25"]}, 1), len),
    Function("join_lists", (LIST,), _lists_joined, "The elements of the lists, one list after another.",
             Example("join_lists(words, words)", {"words": ["ab", "c"]}, ["ab", "c", "ab", "c"]), lists.joined,
             at_least=2, common_type=True),
    Function("distinct", (PLAIN_LIST,), lambda kind: kind, "The elements, each once, in the order in which they first occur.",
             Example("distinct(words)", {"words": ["b", "a", "b"]}, ["b", "a"]), lists.distinct),
    Function("take", (LIST, HOW_MANY), _part_of_list, "The first n elements; all where there are fewer.",
             Example("take(words, 2)", {"words": ["a", "b", "c"]}, ["a", "b"]), lists.taken),
    Function("take_last", (LIST, HOW_MANY), _part_of_list, "The last n elements; all where there are fewer.",
             Example("take_last(words, 2)", {"words": ["a", "b", "c"]}, ["b", "c"]), lists.taken_last),
    Function("contains_all", (PLAIN_LIST, Parameter("others", _plain_list, "a list of plain values")),
             lambda *kinds: BOOLEAN if _widest(*kinds) else None, "Whether each of the others is in the list.",
             Example("contains_all(words, [word])", {"words": ["ab", "c"], "word": "c"}, True), lists.contains_all, alike=True),
)  # fmt: skip

OFF = {"off": ["2025-12-25", "2026-01-01"]}
LATE = "d for d in off if d > day"

_AGGREGATES = (
    AggregateFunction("any", _condition, "a condition", "Whether some element passes; false over an empty list.",
                      Example("any(weekday(d) == 4 for d in off)", OFF, True), None),
    AggregateFunction("all", _condition, "a condition", "Whether every element passes; true over an empty list.",
                      Example("all(weekday(d) == 4 for d in off)", OFF, True), None),
    AggregateFunction("count", _counted, "an element", "How many elements there are.",
                      Example(f"count({LATE})", {**OFF, "day": "2025-12-31"}, 1), len),
    AggregateFunction("sum", _sum, "a number, over a list with `maxItems` in its schema", "The numbers added up; 0 for none.",
                      Example("sum(weekday(d) for d in off)", OFF, 8), sum),
    AggregateFunction("min", _ordered, "a number, a date, an instant or a time", "The least element.",
                      Example("min(d for d in off)", OFF, "2025-12-25"), min, "an empty list has no least element"),
    AggregateFunction("max", _ordered, "a number, a date, an instant or a time", "The greatest element.",
                      Example("max(d for d in off)", OFF, "2026-01-01"), max, "an empty list has no greatest element"),
    AggregateFunction("first", lambda element, most: element, "an element", "The first element.",
                      Example("first(d for d in off)", OFF, "2025-12-25"), itemgetter(0), "an empty list has no first element"),
    AggregateFunction("last", lambda element, most: element, "an element", "The last element.",
                      Example("last(d for d in off)", OFF, "2026-01-01"), itemgetter(-1), "an empty list has no last element"),
    AggregateFunction("list", _several, "an element that is not itself a list", "The elements as a list.",
                      Example(f"list({LATE})", {**OFF, "day": "2025-12-31"}, ["2026-01-01"]), tuple),
    AggregateFunction("last_run", _several, "an element that is not itself a list",
                      "The elements at the end of the list that pass without a break.",
                      Example("last_run(d for d in off if d > day)", {**OFF, "day": "2025-12-31"}, ["2026-01-01"]), None),
    AggregateFunction("longest_run", _counted, "an element",
                      "How many elements the longest unbroken stretch has that passes the condition behind `if`.",
                      Example("longest_run(d for d in off if weekday(d) == 4)", OFF, 2), None),
    AggregateFunction("counts_by", _counts, "a text, a number, a date, an instant or a condition",
                      "How often each value occurs, in the order in which they first do.",
                      Example("counts_by(d > day for d in off)", {**OFF, "day": "2025-12-24"}, [2]), lists.counts_by),
    AggregateFunction("sums_by", _sums, "a key and a number in brackets, over a list with `maxItems` in its schema",
                      "The numbers of each key added up, in the order in which the keys first occur.",
                      Example("sums_by((d > day, weekday(d)) for d in off)", {**OFF, "day": "2025-12-24"}, [8]), lists.sums_by,
                      takes_tuple=True),
    AggregateFunction("sorted_by", _in_order, "a key (a number, a date or an instant) and an element in brackets",
                      "The elements in rising order of their keys; those with equal keys in the order of the list.",
                      Example("sorted_by((month(d), d) for d in off)", OFF, ["2026-01-01", "2025-12-25"]),
                      lists.sorted_by, takes_tuple=True),
    AggregateFunction("covered_days", _days_of_periods, "two dates in brackets: a start and an end that is not covered",
                      "How many days lie in one of the periods or in several.",
                      Example("covered_days((d, add_days(d, 10)) for d in off)", OFF, 17), lists.covered_days,
                      takes_tuple=True, unit="days"),
)  # fmt: skip

FUNCTIONS: Mapping[str, Function] = MappingProxyType({function.name: function for function in _FUNCTIONS})
AGGREGATES: Mapping[str, AggregateFunction] = MappingProxyType({aggregate.name: aggregate for aggregate in _AGGREGATES})
