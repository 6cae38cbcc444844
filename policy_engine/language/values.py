"""The values of expressions at run time.

A value is a `bool`, an `int`, a `decimal.Decimal`, a `fractions.Fraction` (a ratio), a `str`, a `datetime.date`, an aware
`datetime.datetime` (an instant), a `datetime.time`, a tuple (a list), a `RecordValue`, `Holidays` (a calendar), or an `Unknown`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

from policy_engine.language import causes
from policy_engine.language.rounding import decimal_of
from policy_engine.language.types import ListOf, Number, Type

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FARTHEST = timedelta(hours=23, minutes=59)
OFFSETS = (timedelta(0), -FARTHEST, FARTHEST)
"""The offsets in which instants are written, the first that the calendar allows."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """What cannot be known: for want of facts (`missing`, schema paths) or because nothing is there (`causes`).

    `absent` are those of `missing` that stand for the value itself. The others are missing on the way to it, such as a fact
    that a condition asks for. Whoever asks for a member of an absent record misses the member (sentence 1.1).
    """

    missing: frozenset[str] = frozenset()
    causes: tuple[str, ...] = ()
    absent: frozenset[str] = frozenset()


class RecordValue:
    """A record of the facts that does not change; `path` is its place in the schema.

    `members` are those that are there. Generated code reads `_members`, the dictionary itself, which is quicker than a view.
    """

    __slots__ = ("_members", "_path")

    def __init__(self, path: str, members: Mapping[str, Value]) -> None:
        self._path = path
        self._members = members

    @property
    def path(self) -> str:
        """The place in the schema, without list positions."""
        return self._path

    @property
    def members(self) -> Mapping[str, Value]:
        """The members that are there, by name."""
        return MappingProxyType(self._members)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RecordValue):
            return NotImplemented
        return (self._path, self._members) == (other._path, other._members)

    def __hash__(self) -> int:
        return hash(self._path)

    def __repr__(self) -> str:
        return f"RecordValue({self._path!r}, {dict(self._members)!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return RecordValue, (self._path, dict(self._members))


@dataclass(frozen=True, slots=True)
class Holidays:
    """A named calendar expanded: its holidays, civil dates of the years `first` to `last`, both included.

    `weekend` are the days of the week that are no weekdays where it is asked, 1 for Monday; None where those of the ruleset are.
    `added` and `removed` are the days by which it differs from the calendars of its name, each with the reason.
    """

    name: str
    first: int
    last: int
    dates: tuple[date, ...] = field(repr=False)
    weekend: tuple[int, ...] | None = None
    added: tuple[tuple[date, str], ...] = ()
    removed: tuple[tuple[date, str], ...] = ()


Value: TypeAlias = (
    "bool | int | Decimal | Fraction | str | date | time | tuple[Value, ...] | RecordValue | Holidays | Unknown"
)


UNSET: Any = object()
"""Marks what was not worked out."""


class Undefined(Exception):  # noqa: N818 - not an error: the function's result is unknown
    """A function has no result for these arguments; the message is the cause, as a person would say it."""


def is_unknown(value: Value) -> bool:
    """Whether a value, taken as a whole, is unknown: a list is unknown where an element is."""
    if isinstance(value, tuple):
        return any(is_unknown(element) for element in value)
    return isinstance(value, Unknown)


def unknown_parts(value: Value) -> list[Unknown]:
    """The unknowns of a value taken as a whole."""
    if isinstance(value, tuple):
        return [part for element in value for part in unknown_parts(element)]
    return [value] if isinstance(value, Unknown) else []


def merge(unknowns: list[Unknown]) -> Unknown:
    """One unknown that misses what any of them misses."""
    missing = frozenset().union(*[unknown.missing for unknown in unknowns])
    absent = frozenset().union(*[unknown.absent for unknown in unknowns])
    return Unknown(missing, tuple(dict.fromkeys([cause for unknown in unknowns for cause in unknown.causes])), absent)


def within(value: Value, definition: str) -> Value:
    """A definition's value: where it is unknown for a cause of its own, and not of a definition below it, the cause names it."""
    if not isinstance(value, Unknown) or not value.causes:
        return value
    return Unknown(value.missing, tuple(causes.within(cause, definition) for cause in value.causes), value.absent)


@lru_cache(maxsize=4096)
def absent_fact(path: str) -> Unknown:
    """A fact that is not there."""
    return Unknown(frozenset({path}), absent=frozenset({path}))


def on_the_way(unknown: Unknown) -> Unknown:
    """What a value misses that is unknown because a condition or a list on the way to it is."""
    return Unknown(unknown.missing, unknown.causes) if unknown.absent else unknown


def normalized(value: Value, kind: Type) -> Value:
    """A value in the form that its type promises: an integer where there are no places, else a decimal with all of them."""
    if isinstance(kind, Number) and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return decimal_of(int(Fraction(value) * 10**kind.places), kind.places) if kind.places else int(value)
    if isinstance(kind, ListOf) and isinstance(value, tuple):
        return tuple(normalized(part, kind.element) for part in value)
    return value


def to_json(value: Value | None) -> object:
    """A value in JSON types: dates, instants and times as ISO text, decimals as text with all their places, unknown as null."""
    match value:
        case None | bool() | int() | str():
            return value
        case datetime():
            return instant_text(value)
        case date() | time():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case Fraction():
            return f"{value.numerator}/{value.denominator}"
        case tuple():
            return [to_json(part) for part in value]
        case Holidays():
            return in_words(value)
        case RecordValue(members=members):
            return {name: to_json(part) for name, part in members.items()}
        case _:
            return None


def instant_text(moment: datetime) -> str:
    """The text of an instant: the same for equal instants, whatever offsets they came with."""
    try:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return instant_text_of((moment - EPOCH) // MICROSECOND)


def instant_text_of(microseconds: int) -> str:
    """The text of an instant, from its distance to 1970 in UTC; raises `ValueError` where no offset brings it into the calendar.

    It is in UTC. An instant that the calendar does not have in UTC is written with the offset that leads farthest back into it.
    """
    for offset in OFFSETS:
        try:
            local = EPOCH.replace(tzinfo=None) + (timedelta(microseconds=microseconds) + offset)
        except OverflowError:
            continue
        return local.replace(tzinfo=timezone(offset)).isoformat().replace("+00:00", "Z")
    raise ValueError(microseconds)


def in_words(value: Value | None) -> str:
    """A value as it reads inside a sentence."""
    match value:
        case None:
            return "none"
        case Unknown():
            return "unknown"
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(in_words(part) for part in value) or "none"
        case Holidays(name=name, first=first, last=last):
            return f"{name} {first} to {last}"
        case RecordValue(members=members):
            return "{" + ", ".join(f"{name}: {in_words(part)}" for name, part in members.items()) + "}"
        case _:
            return str(to_json(value))
