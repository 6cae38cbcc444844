"""What generated code calls. An unknown value is None here, and a decimal is an integer of its type's units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import partial
from math import isfinite
from typing import Any

from policy_engine.language import causes, operators
from policy_engine.language.functions import Function
from policy_engine.language.rounding import decimal_of
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Member, Number, Record, Text, Type
from policy_engine.language.values import RecordValue, Undefined, Unknown, Value, normalized

UNSET = object()
"""Marks a name whose value was not needed yet."""


class NotPlain(Exception):  # noqa: N818 - not an error: facts are then read by the reference
    """A fact cannot be read as JSON holds it: it is no such day, a number that is none, or a Python object."""


def to_instant(text: str) -> datetime:
    """An instant; RFC 3339 lets its letters be small, and Python does not."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return _in_capitals(text)
    except TypeError:
        raise NotPlain from None


def _in_capitals(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise NotPlain from None


def to_integer(value: Any) -> int:
    """An integer fact that a caller wrote as 5.0."""
    return to_units(value, 0)


def to_units(value: Any, places: int) -> int:
    """A decimal fact in units of 10**-places; a float is read by its shortest form."""
    if value.__class__ is int:
        return int(value * 10**places)
    if not isinstance(value, float | Decimal) or not isfinite(value):
        raise NotPlain
    units = Fraction(float.__repr__(value) if isinstance(value, float) else value) * 10**places
    if units.denominator != 1:
        raise NotPlain
    return int(units)


def present(value: Any, kind: Type) -> Value:
    """A value as callers see it: units as an exact decimal, a list as a tuple, None as an unknown."""
    match kind:
        case _ if value is None:
            return Unknown()
        case Number(places=places) if places:
            return decimal_of(value, places)
        case ListOf(element=element):
            return tuple(present(part, element) for part in value)
        case Record():
            return reader(kind)(value)
        case _:
            return value  # type: ignore[no-any-return]  # a value by its type


def form_of(kind: Type) -> Callable[[Any], Value] | None:
    """What `present` does with known values of a type, None where it is nothing."""
    match kind:
        case Number(places=0) | Boolean() | Text() | Date() | Instant():
            return None
        case ListOf(element=element) if form_of(element) is None:
            return tuple
        case _:
            return partial(present, kind=kind)


def shown_as(value: Any, kind: Type, shown: Type) -> Value:
    """A known value of a type as callers see one of another type, which has no more places."""
    return normalized(present(value, kind), shown)


def kept_form(kind: Type) -> Callable[[Any], Any] | None:
    """What makes a known value one that an answer may keep, since nothing can change it; None where it is one already."""
    if not isinstance(kind, ListOf | Record):
        return None
    if isinstance(kind, ListOf) and kept_form(kind.element) is None:
        return tuple
    return partial(_kept, kind=kind)


def _kept(value: Any, kind: Type) -> Any:
    match kind:
        case ListOf(element=element) if value is not None:
            return tuple(_kept(part, element) for part in value)
        case Record() if value is not None:
            return reader(kind)(value)
        case _:
            return value


def reader(kind: Type, ordered_by: str | None = None) -> Callable[[Any], Value]:
    """What makes a JSON value a value of a type, as callers see it."""
    match kind:
        case Date():
            return date.fromisoformat
        case Instant():
            return to_instant
        case Number(places=0):
            return to_integer
        case Number(places=places):
            return lambda value: decimal_of(to_units(value, places), places)
        case ListOf(element=element):
            return _list_reader(reader(element), ordered_by)
        case Record(path=path, members=members):
            return _record_reader(path, members)
        case _:
            return lambda value: value  # a boolean or a text


def _record_reader(path: str, members: Iterable[Member]) -> Callable[[Any], Value]:
    """What reads a record; a text or a boolean is taken as it is."""
    readers = [(m.name, None if isinstance(m.type, Text | Boolean) else reader(m.type, m.ordered_by)) for m in members]

    def read(value: Any) -> Value:
        found = {
            name: (held if make is None else make(held))
            for name, make in readers
            if (held := value.get(name)) is not None
        }
        return RecordValue(path, found)

    return read


def _list_reader(read: Callable[[Any], Value], ordered_by: str | None) -> Callable[[Any], Value]:
    def listed(values: Any) -> Value:
        items = [read(value) for value in values]
        if ordered_by is not None:
            items.sort(key=lambda item: item.members[ordered_by])  # type: ignore[union-attr,arg-type,return-value]
        return tuple(items)

    return listed


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


def aggregated(function: str, rows: Sequence[tuple[Any, Any]]) -> Any:
    """An aggregate over its rows: whether an element passes the filter, and what it gives (sentence 8)."""
    seen = [tuple(Unknown() if part is None else part for part in row) for row in rows]
    found = operators.aggregated(function, seen)  # type: ignore[arg-type]  # pairs, as was just said
    return None if isinstance(found, Unknown) else found


def copier(kind: Type) -> Callable[[Any], Any] | None:
    """What copies a JSON value of a type, lists and records in it included; None where nothing can change it."""
    match kind:
        case ListOf(element=element):
            inner = copier(element)
            return list if inner is None else lambda items: [inner(item) for item in items]
        case Record(members=members):
            found = [(member.name, copier(member.type)) for member in members]
            return partial(_record_copy, [(name, copy) for name, copy in found if copy is not None])
    return None


def _record_copy(members: Sequence[tuple[str, Callable[[Any], Any]]], record: Mapping[str, Any]) -> dict[str, Any]:
    copied = dict(record)
    for name, copy in members:
        if copied.get(name) is not None:
            copied[name] = copy(copied[name])
    return copied


def whole(elements: Any) -> Any:
    """A list as a whole: unknown where an element is."""
    return None if elements is None or None in elements else elements


def contained(item: Any, elements: Iterable[Any]) -> bool | None:
    """`in` where the item or elements may be unknown."""
    if item is None:
        return None if any(True for _ in elements) else False
    elements = tuple(elements)
    return True if item in elements else (None if None in elements else False)


def quotient(numerator: int, denominator: int, places: int) -> Fraction | None:
    """A ratio of units; `places` are the denominator's less the numerator's."""
    return Fraction(numerator, denominator) * Fraction(10) ** places if denominator else None
