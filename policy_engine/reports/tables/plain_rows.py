"""A row of canonical columns as facts in JSON types, as a caller would have given them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from policy_engine.language.rounding import decimal_of
from policy_engine.language.types import ListOf, Number, Record, Type
from policy_engine.language.values import instant_text


def plain_row(row: Mapping[str, Any], record: Record) -> dict[str, Any]:
    """The facts of a row; what is absent is left out."""
    return {m.name: _plain(row[m.name], m.type) for m in record.members if row[m.name] is not None}


def _plain(value: Any, kind: Type) -> Any:
    match kind, value:
        case Number(places=places), int() if places:
            return decimal_of(value, places)
        case ListOf(element=element), list():
            return [_plain(part, element) for part in value]
        case Record(), dict():
            return plain_row(value, kind)
        case _, datetime():
            return instant_text(value)
        case _, date():
            return value.isoformat()
    return value
