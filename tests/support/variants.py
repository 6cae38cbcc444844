"""Data with one thing in it made otherwise, wherever that is, to see what takes notice of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from policy_engine.language.expressions import Node

Trail = list[tuple[str, str]]
"""The fields on the way to what was made otherwise, each with the class it belongs to."""


def variants(part: Any, left_out: Sequence[str], other_names: Mapping[str, str]) -> Iterator[tuple[Trail, Any]]:
    """Copies of a dataclass or named tuple, each with one value in it made otherwise; fields of some names are left out.

    `other_names` says what some texts become; others get a letter more.
    """
    for name in field_names(part):
        if name not in left_out:
            for trail, changed in _of_value(getattr(part, name), left_out, other_names):
                yield [(class_name(part), name), *trail], _with(part, name, changed)


def _with(part: Any, name: str, value: Any) -> Any:
    return part._replace(**{name: value}) if hasattr(part, "_replace") else replace(part, **{name: value})


def class_name(part: Any) -> str:
    """The name of a part's class; nodes have the names of other classes."""
    return f"{type(part).__name__}{' node' if isinstance(part, Node) else ''}"


def field_names(part: Any) -> list[str]:
    """The fields of a dataclass or named tuple."""
    return [field.name for field in fields(part) if field.init] if is_dataclass(part) else list(part._fields)


def _of_value(value: Any, left_out: Sequence[str], other_names: Mapping[str, str]) -> Iterator[tuple[Trail, Any]]:
    if is_dataclass(value) or hasattr(value, "_fields"):
        yield from variants(value, left_out, other_names)
    elif isinstance(value, tuple):
        if len({type(one) for one in value}) == 1:  # else each has its own place
            yield [], value[:-1]
        for at, one in enumerate(value):
            for trail, changed in _of_value(one, left_out, other_names):
                yield trail, (*value[:at], changed, *value[at + 1 :])
    elif value is not None:
        yield [], other_names.get(value) or _other(value) if isinstance(value, str) else _other(value)


def _other(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case Enum():
            return next(other for other in type(value) if other is not value)
        case bool():
            return not value
        case int() | Decimal():
            return value + 1
        case "any" | "all":
            return "none"
        case str() if value.startswith("{"):
            return json.dumps({**json.loads(value), "title": "x"})
        case str():
            return f"{value}x"
        case date():
            return value + timedelta(days=1)
        case frozenset():
            return value | {"x"}
    raise TypeError(type(value))
