"""Values of other libraries and of Python's own that JSON has no form for: as what they are taken, or what to give instead.

They are known by their protocols and the names of their types, so that no such library is imported.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, TypeAlias

from policy_engine.language.types import Boolean, Date, Instant, ListOf, Number, Record, Text, Time, Type

INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        "DataFrame": "one row at a time: `frame.to_dict('records')`",
        "timedelta64": "a number of days",
        **dict.fromkeys(("ndarray", "Series", "Index"), "a list: `value.tolist()`"),
        **dict.fromkeys(("set", "frozenset"), "a list: `sorted(value)`"),
        **dict.fromkeys(("range", "generator", "deque"), "a list: `list(value)`"),
        **dict.fromkeys(("bytes", "bytearray"), "a text: `value.decode()`"),
        **dict.fromkeys(("UUID", "PosixPath"), "a text: `str(value)`"),
        **dict.fromkeys(("timedelta", "Timedelta"), "a number, such as `value.days`"),
        **dict.fromkeys(("NAType", "NaTType"), "None, or leave the fact out"),
    }
)
"""For the name of a type, what to give in place of a value."""


class Refused(Exception):  # noqa: N818 - carries what is told of one value
    """A value that is not taken; the message says what to give instead."""


class Dataclass(Protocol):
    """An object of a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class Model(Protocol):
    """An object of a pydantic model."""

    __pydantic_fields__: ClassVar[dict[str, Any]]


Facts: TypeAlias = Mapping[str, object] | Dataclass | Model
"""What a caller may give as facts; so may be the records in them."""


def members_of(value: object) -> Mapping[object, object] | None:
    """The members of a mapping, a dataclass or a pydantic model, by the names of its fields; None for anything else."""
    if isinstance(value, Mapping):
        return value
    kind = type(value)
    names = getattr(kind, "__pydantic_fields__", None) or getattr(kind, "__dataclass_fields__", None)
    if names is None:
        return None
    return {**{name: getattr(value, name) for name in names}, **(getattr(value, "__pydantic_extra__", None) or {})}


def refuse_table(facts: object) -> None:
    """Raise `TypeError` for what is a table, or names one, and not facts of one account after another."""
    if members_of(facts) is not None:
        raise TypeError("decide_many takes the facts of several accounts, not of one; call decide, or give [facts]")
    if isinstance(facts, str | Path):
        what = "a name of a file"
    elif any(hasattr(type(facts), name) for name in ("columns", "schema")):  # a lazy frame itself would have to work
        what = f"a {type(facts).__name__}"
    else:
        return
    raise TypeError(f"decide_many takes facts one after another, not {what}; call decide_table")


def plain_value(value: object, kind: Type | None) -> Any:
    """A value that is none of JSON as one that is, or as a date, an instant or a decimal; raises `Refused`."""
    name = type(value).__name__
    if isinstance(value, Enum):
        return value.value
    if name in INSTEAD:
        raise Refused(f"give {INSTEAD[name]}")
    if isinstance(value, numbers.Integral):
        return operator.index(value)
    if isinstance(value, numbers.Rational):
        return _decimal(Fraction(int(value.numerator), int(value.denominator)))
    if isinstance(value, numbers.Real):
        return float(value)
    if type(value).__module__.partition(".")[0] == "numpy" and name in ("bool", "bool_", "datetime64"):
        return _of_numpy(value)
    raise Refused(f"give {wanted(kind)}")


def _decimal(value: Fraction) -> Decimal:
    """A fraction that a decimal can be."""
    rest = value.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    if rest != 1 or value.denominator > 10**40:
        raise Refused("no decimal has exactly this value; give a decimal.Decimal")
    places = len(str(value.denominator)) * 4
    return Decimal(value.numerator * 10**places // value.denominator).scaleb(-places)


def _of_numpy(value: Any) -> object:
    """A truth, a date or a moment of NumPy; moments finer than Python's are read by their text."""
    found = value.item()
    if isinstance(found, bool | date):
        return found
    text = str(value)
    if text == "NaT":
        raise Refused(f"give {INSTEAD['NaTType']}")
    if len(text) > 26 and not text[26:].strip("0"):
        return datetime.fromisoformat(text[:26])
    raise Refused("give a datetime.datetime with a time zone")


def moment_text(value: date, kind: Type | None) -> str:
    """The text of a date or an instant, where it is what the schema wants; raises `Refused`."""
    if type(value).__name__ == "NaTType":
        raise Refused(f"give {INSTEAD['NaTType']}")
    if isinstance(kind, Date) and isinstance(value, datetime):
        if value.tzinfo is not None or value.time() != time():
            raise Refused("give a datetime.date, such as `value.date()` in the time zone that is meant")
        return value.date().isoformat()
    if isinstance(kind, Instant) and not isinstance(value, datetime):
        raise Refused("give a datetime.datetime with a time zone")
    if isinstance(kind, Instant) and isinstance(value, datetime) and not _is_written(value, kind):
        raise Refused("it has no time zone; give one, such as with `value.replace(tzinfo=...)`")
    return value.isoformat()


def _is_written(value: datetime, kind: Instant) -> bool:
    """Whether the text of a moment names it; the later of two at the same local time has none without an offset."""
    return value.tzinfo is not None or (kind.zone is not None and not value.fold)


def time_text(value: time) -> str:
    """The text of a time of day; raises `Refused` for one with an offset."""
    if value.tzinfo is not None:
        raise Refused("give a datetime.time without a time zone")
    return value.isoformat()


def wanted(kind: Type | None) -> str:
    """What Python type a fact of a type is given in."""
    match kind:
        case Boolean():
            return "a bool"
        case Number(places=0):
            return "an int"
        case Number():
            return "an int or a decimal.Decimal"
        case Text():
            return "a str"
        case Date():
            return "a datetime.date or its text, such as 2025-01-31"
        case Instant():
            return "a datetime.datetime with a time zone or its text, such as 2025-01-31T12:00:00Z"
        case Time():
            return "a datetime.time or its text, such as 09:30"
        case ListOf():
            return "a list"
        case Record():
            return "a dict"
    return "a dict, a list, a str, a number, a bool, a date or None"
