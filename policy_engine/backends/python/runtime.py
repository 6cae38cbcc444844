"""What generated code calls. An unknown value is None here, and a decimal is an integer of its type's units."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from functools import partial
from math import isfinite
from typing import Any

from policy_engine.language import causes, lists, operators
from policy_engine.language.date_texts import read_instant
from policy_engine.language.decisions import Decision, Status, answered
from policy_engine.language.functions import FUNCTIONS, Function
from policy_engine.language.rounding import decimal_of, rounded_quotient
from policy_engine.language.types import Date, Instant, ListOf, Number, Record, Time, Type
from policy_engine.language.values import UNSET, RecordValue, Undefined, Unknown, Value, normalized


class NotPlain(Exception):  # noqa: N818 - not an error: facts are then read by the reference
    """A fact cannot be read as JSON holds it: it is no such day, a number that is none, or a Python object."""


# Facts.


def to_instant(text: str) -> datetime:
    """An instant; RFC 3339 lets its letters be small, and Python does not."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text.upper())


def to_integer(value: Any) -> int:
    """An integer fact that a caller wrote as 5.0."""
    return to_units(value, 0)


SURE = 1e15
"""Below it a decimal is the only one of so few digits that a float stands for, so dividing gives the float back."""


def to_units(value: Any, places: int) -> int:
    """A decimal fact in units of 10**-places; a float is read by its shortest form."""
    if value.__class__ is int:
        return int(value * 10**places)
    if value.__class__ is float:
        scale: int = 10**places
        scaled: float = value * scale
        if -SURE < scaled < SURE and (units := round(scaled)) / scale == value:
            return units
    if not isinstance(value, float | Decimal) or not isfinite(value):
        raise NotPlain
    exact = Fraction(float.__repr__(value) if isinstance(value, float) else value) * 10**places
    if exact.denominator != 1:
        raise NotPlain
    return int(exact)


UNCHANGING = frozenset({str, int, float, bool, type(None)})


def copied(facts: Any) -> Any:
    """A copy of JSON facts, with all lists and records in them."""
    if isinstance(facts, dict):
        return {name: value if value.__class__ in UNCHANGING else copied(value) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [value if value.__class__ in UNCHANGING else copied(value) for value in facts]
    return facts


# Values as callers see them.


def form_of(kind: Type, *, decimals: bool = True) -> Callable[[Any], Any] | None:
    """`present` for the values of a type, None where it gives them as they are."""
    match kind:
        case ListOf(element=element) if form_of(element, decimals=decimals) is None:
            return tuple
        case Number(places=places) if not (places and decimals):
            return None
        case Number(places=places):
            return partial(decimal_of, places=places)
        case ListOf() | Record():
            return partial(present, kind=kind, decimals=decimals)
    return None


def present(value: Any, kind: Type, *, decimals: bool = True) -> Any:
    """A known value as callers see it, which nothing can change: a list is a tuple, and a decimal exact.

    Where `decimals` is false, decimals stay in units, as an answer keeps them for its sentences.
    """
    match kind:
        case Number(places=places) if places and decimals:
            return decimal_of(value, places)
        case ListOf(element=element):
            return tuple(None if part is None else present(part, element, decimals=decimals) for part in value)
        case Record():
            return typed(value, kind)
    return value


def shown_as(value: Any, kind: Type, shown: Type) -> Value:
    """A known value of a type as callers see one of another type, which has no more places."""
    return normalized(present(value, kind), shown)


def typed(value: Any, kind: Type, ordered_by: str | None = None) -> Any:
    """A JSON value as callers see it."""
    match kind:
        case Date():
            return date.fromisoformat(value)
        case Instant(zone=zone):
            return to_instant(value) if zone is None else read_instant(value, zone)
        case Time():
            return time.fromisoformat(value)
        case Number(places=places):
            return present(to_units(value, places), kind)
        case ListOf(element=element):
            items = [typed(item, element) for item in value]
            return tuple(items if ordered_by is None else sorted(items, key=lambda item: item.members[ordered_by]))
        case Record(path=path, members=members):
            held = [(member, value.get(member.name)) for member in members]
            return RecordValue(path, {m.name: typed(v, m.type, m.ordered_by) for m, v in held if v is not None})
    return value


# Operators and functions.


def contained(item: Any, elements: Iterable[Any]) -> bool | None:
    """`in` where the item or elements may be unknown."""
    if item is None:
        return None if any(True for _ in elements) else False
    elements = tuple(elements)
    return True if item in elements else (None if None in elements else False)


def quotient(numerator: int, denominator: int, places: int) -> Fraction | None:
    """A ratio of units; `places` are the denominator's less the numerator's."""
    return Fraction(numerator, denominator) * Fraction(10) ** places if denominator else None


def rounded_ratio(numerator: int, denominator: int, places: int, mode: str) -> int | None:
    """A ratio of units times 10**places, rounded to a whole number; None where the denominator is zero."""
    if not denominator:
        return None
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    if places < 0:
        return rounded_quotient(numerator, denominator * 10**-places, mode)
    return rounded_quotient(numerator * 10**places, denominator, mode)


def piece_of(pieces: Any, value: Any) -> Any:
    """What a value leads to among the pieces of ranges."""
    starts, parts = pieces
    return parts[bisect_right(starts, value)]


def pieces_of(pieces: Any, *values: Any) -> Any:
    """What the values of several range keys lead to, one after another."""
    for value in values:
        starts, parts = pieces
        pieces = parts[bisect_right(starts, value)]
    return pieces


def called(function: Function) -> Callable[..., Any]:
    """What generated code calls for a function of the language: it gives None where there is no result."""
    assert function.plain is not None
    return function.faster or (total(function.plain) if function.partial else function.plain)


def total(meaning: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gives None where another raises `Undefined`."""

    def over(*arguments: Any) -> Any:
        try:
            return meaning(*arguments)
        except Undefined:
            return None

    return over


def aggregated(function: str, rows: Sequence[tuple[Any, Any]], optional: bool) -> Any:
    """An aggregate over its rows: whether an element passes the filter, and what it gives, if `optional` unknown (sentence 8)."""
    if optional and any(passes is None or given is None for passes, given in rows):
        rows = [(_seen(passes), _seen(given)) for passes, given in rows]
        found = operators.aggregated(function, rows)
    else:
        found = operators.over_known(function, rows)
    return None if isinstance(found, Unknown) else found


def _seen(value: Any) -> Any:
    return Unknown() if value is None else value


# Why values are unknown.

Found = list[Any]
"""Causes, and lists of the causes of definitions and decisions."""


def causes_of(units: Sequence[tuple[Found, str | None]]) -> tuple[str, ...]:
    """The causes in the last of some lists, each of which holds causes and lists before it, and may be a definition's."""
    for found, definition in units:
        if found is not UNSET:
            told: dict[str, None] = {}
            for part in found:
                told.update(dict.fromkeys([part] if isinstance(part, str) else part))
            found[:] = told if definition is None else [causes.within(cause, definition) for cause in told]
    return tuple(units[-1][0])


def cause_of(meaning: Callable[..., Any], *arguments: Any) -> str:
    """For what cause a function has no result."""
    try:
        meaning(*arguments)
    except Undefined as undefined:
        return str(undefined)
    raise AssertionError(f"{meaning.__name__} has a result")


_CALLED: Sequence[Callable[..., Any]] = (
    *(Decision, answered, Fraction, rounded_quotient, rounded_ratio, NotPlain, to_integer, to_units),
    *(
        to_instant,
        read_instant,
        contained,
        quotient,
        aggregated,
        causes_of,
        cause_of,
        bisect_right,
        piece_of,
        pieces_of,
    ),
    *(lists.counts_by, lists.sums_by, lists.sorted_by, lists.covered_days),
)
NAMES: Mapping[str, Any] = {
    **{each.__name__: each for each in _CALLED},
    **{status.name: status for status in Status},
    **{function.name: called(function) for function in FUNCTIONS.values() if function.plain},
    "UNSET": UNSET,
    "to_date": date.fromisoformat,
    "to_time": time.fromisoformat,
}
"""The global names of every generated function."""
