"""The types of the language: what a fact, a parameter or an expression can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from policy_engine.source import Span

DIGITS = 18
"""Every number, scaled to an integer, has at most this many digits, so that each back end can hold it in 64 bits."""

LIMIT: int = 10**DIGITS - 1


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number: an integer of units of 10**-`places`, from `low` to `high` units. An integer has no places."""

    places: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """A quotient not yet rounded; it may be compared or rounded, nothing else."""

    numerator: Number
    denominator: Number


@dataclass(frozen=True, slots=True)
class Text:
    """A text; `values` is the closed set it comes from, None where any text may come."""

    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Date:
    """A civil date of the years 0001 to 9999."""


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment, whatever the offset it was written with.

    A fact that may be written without an offset has a `zone`, the IANA name of the time zone that it is then read in.
    """

    zone: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day, without a date and an offset."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """A named calendar of holidays over some years; only business-day functions take it."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of at most `most` elements (None: no bound is known)."""

    element: Type
    most: int | None = None


class Logged(StrEnum):
    """What of a fact the decision log keeps: the fact, a keyed digest of it, or nothing."""

    KEEP = "keep"
    DIGEST = "digest"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a record; where it is not `required` it may be absent, that is, unknown.

    `account` marks the fact that a record of the decision log is about; `log` says what of the member the log keeps, and
    `log_elements` what of each element where it is a list.
    """

    name: str
    type: Type
    required: bool
    description: str = field(default="", compare=False)
    key: bool = False
    sensitive: bool = False
    report: bool = False
    ordered_by: str | None = None
    unit: str | None = None
    account: bool = False
    log: Logged = Logged.KEEP
    log_elements: Logged = Logged.KEEP
    span: Span = field(compare=False, repr=False, default=Span(""))


@dataclass(frozen=True, slots=True)
class Record:
    """Named members, in the schema's order; `path` is the record's place in the facts, without list positions."""

    members: tuple[Member, ...]
    path: str = ""


@dataclass(frozen=True, slots=True)
class Tuple:
    """Several values together, such as a key and a number; only what some aggregates go over."""

    parts: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Anything:
    """Fits everywhere: the element of an empty list, and the stand-in after a fault that was already reported."""


Type: TypeAlias = (
    Boolean | Number | Ratio | Text | Date | Instant | Time | Calendar | ListOf | Record | Tuple | Anything
)

BOOLEAN, TEXT, DATE, INSTANT, TIME = Boolean(), Text(), Date(), Instant(), Time()
CALENDAR, ANYTHING = Calendar(), Anything()
DAYS = Number(0, -3_652_058, 3_652_058)
"""The distance of any two dates of the years 0001 to 9999, in days."""
YEARS, MONTHS = Number(0, -9_998, 9_998), Number(0, -119_987, 119_987)
"""The same in completed years, and in completed months."""
SECONDS = Number(0, -(10**12), 10**12)
"""More than the distance of any two instants, in seconds."""


def number_of(value: int | Decimal) -> Number:
    """The narrowest type of one number."""
    if isinstance(value, int):
        return Number(0, value, value)
    places = decimal_places(value)
    units = int(value.scaleb(places))
    return Number(places, units, units)


def decimal_places(value: Decimal) -> int:
    """How many places a number needs: 2 for 0.25, 0 for 1E+3."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def name_of(kind: Type) -> str:
    """What the language calls a type, as messages say it."""
    match kind:
        case Number(places=0):
            return "integer"
        case Number():
            return "decimal"
        case ListOf(element=Anything()):
            return "list"
        case ListOf(element=element):
            return f"list of {name_of(element)}"
        case Tuple(parts=parts):
            return f"tuple of {' and '.join(map(name_of, parts))}"
        case _:
            return type(kind).__name__.lower()


def only_text(kind: Type) -> str | None:
    """The text that every value of a type is, None where there may be others."""
    values = kind.values if isinstance(kind, Text) else None
    return values[0] if values is not None and len(values) == 1 else None


def innermost(kind: Type) -> Type:
    """What a list is a list of; any other type is itself."""
    return kind.element if isinstance(kind, ListOf) else kind


def record_in(kind: Type) -> Record | None:
    """The record that a value of a type is, or that its list is made of, or the lists in it."""
    while isinstance(kind, ListOf):
        kind = kind.element
    return kind if isinstance(kind, Record) else None


def members_below(record: Record, prefix: str = "") -> Iterator[tuple[str, Member]]:
    """Every member at any depth with its path, in the schema's order, parents before their members."""
    for member in record.members:
        path, below = f"{prefix}{member.name}", record_in(member.type)
        yield path, member
        yield from members_below(below, f"{path}.") if below is not None else ()


def with_article(kind: Type) -> str:
    """A type as messages say it in a sentence."""
    match kind:
        case ListOf(element=element) if not isinstance(element, Anything):
            return f"a list of {_several(element)}"
        case Tuple(parts=parts):
            return f"{' and '.join(map(with_article, parts))} in brackets"
        case Anything():
            return "a value"
    name = name_of(kind)
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _several(kind: Type) -> str:
    """The plural of a type's name."""
    inner = kind.element if isinstance(kind, ListOf) else None
    return f"{name_of(kind)}s" if inner is None else f"lists of {_several(inner)}"


def in_zone(kind: Type, zone: str) -> Type:
    """The type with a time zone for all instants in it that may be written without an offset."""
    match kind:
        case Instant(zone=str()):
            return Instant(zone)
        case ListOf(element=element):
            return ListOf(in_zone(element, zone), kind.most)
        case Record():
            return record_in_zone(kind, zone)
    return kind


def record_in_zone(record: Record, zone: str) -> Record:
    """The same for the members of a record."""
    return Record(tuple(replace(member, type=in_zone(member.type, zone)) for member in record.members), record.path)


def member_of(record: Record, name: str) -> Member | None:
    """The member of that name, if the record has it."""
    return next((member for member in record.members if member.name == name), None)


def join(left: Type, right: Type) -> Type | None:
    """The narrowest type that holds both, or None: the type of a conditional or of a list's elements."""
    match left, right:
        case (Anything(), other) | (other, Anything()):
            return other
        case Number(), Number():
            return _join_numbers(left, right)
        case Text(values=first), Text(values=second):
            return Text(None if first is None or second is None else tuple(dict.fromkeys(first + second)))
        case ListOf(), ListOf():
            element = join(left.element, right.element)
            most = None if left.most is None or right.most is None else max(left.most, right.most)
            return ListOf(element, most) if element is not None else None
        case _:
            return left if type(left) is type(right) and left == right else None


def _join_numbers(left: Number, right: Number) -> Number:
    places = max(left.places, right.places)
    left, right = scaled(left, places), scaled(right, places)
    return Number(places, min(left.low, right.low), max(left.high, right.high))


def scaled(kind: Number, places: int) -> Number:
    """The same numbers in finer units."""
    factor = 10 ** (places - kind.places)
    return Number(places, kind.low * factor, kind.high * factor)


def fits(kind: Number) -> bool:
    """Whether the bounds prove that `DIGITS` digits are enough."""
    return kind.low >= -LIMIT and kind.high <= LIMIT


def arithmetic(operator: str, left: Number, right: Number) -> Number | Ratio:
    """The type of an arithmetic expression, its bounds by interval arithmetic."""
    match operator:
        case "/":
            return Ratio(left, right)
        case "*":
            ends = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
            return Number(left.places + right.places, min(ends), max(ends))
        case "//":
            most = max(abs(left.low), abs(left.high)) + 1
            return Number(0, 0 if left.low >= 0 and right.low >= 0 else -most, most)
        case "%":
            return Number(0, min(0, right.low + 1), max(0, right.high - 1))
        case _:
            return _sum(operator, left, right)


def _sum(operator: str, left: Number, right: Number) -> Number:
    places = max(left.places, right.places)
    left, right = scaled(left, places), scaled(right, places)
    if operator == "+":
        return Number(places, left.low + right.low, left.high + right.high)
    return Number(places, left.low - right.high, left.high - right.low)


def comparable(left: Type, right: Type) -> bool:
    """Whether two values can be asked to be equal."""
    if isinstance(left, Anything) or isinstance(right, Anything):
        return True
    if isinstance(left, Number | Ratio):
        return isinstance(right, Number | Ratio)
    return isinstance(left, Boolean | Text | Date | Instant | Time) and type(left) is type(right)


def is_plain(kind: Type) -> bool:
    """Whether values of a type are neither made of others nor a ratio, so that they can be equal, and keys."""
    return isinstance(kind, Boolean | Number | Text | Date | Instant | Time)


def comparable_lists(left: Type, right: Type) -> bool:
    """Whether two lists can be asked to be equal."""
    if not (isinstance(left, ListOf) and isinstance(right, ListOf)):
        return False
    plain = all(is_plain(kind.element) or isinstance(kind.element, Anything) for kind in (left, right))
    return plain and join(left, right) is not None


def ordered(kind: Type) -> bool:
    """Whether values of a type have an order."""
    return isinstance(kind, Number | Ratio | Date | Instant | Time | Anything)


def never_equal(left: Type, right: Type) -> tuple[str, tuple[str, ...]] | None:
    """The text that can never be, and the closed set it is not in; None where equality is possible."""
    if not (isinstance(left, Text) and isinstance(right, Text)) or left.values is None or right.values is None:
        return None
    if set(left.values) & set(right.values):
        return None
    single, closed = (left, right) if len(left.values) == 1 else (right, left)
    assert single.values is not None
    assert closed.values is not None
    return ", ".join(single.values), closed.values
