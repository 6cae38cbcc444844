"""A row of canonical columns as facts in JSON types, as a caller would have given them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from policy_engine.language.rounding import decimal_of
from policy_engine.language.types import Instant, ListOf, Number, Record, Type
from policy_engine.language.values import instant_text_of


def plain_row(frame: pl.DataFrame, at: int, record: Record) -> dict[str, Any]:
    """The facts of a row; what is absent is left out."""
    moments = [pl.col(name).cast(in_microseconds(dtype)) for name, dtype in frame.schema.items()]
    return _members(frame.slice(at, 1).select(moments).row(0, named=True), record)


def in_microseconds(dtype: Any) -> Any:
    """The type with integers for instants, of which Python cannot hold all in UTC."""
    match dtype:
        case pl.Datetime():
            return pl.Int64()
        case pl.List():
            return pl.List(in_microseconds(dtype.inner))
        case pl.Struct():
            return pl.Struct({field.name: in_microseconds(field.dtype) for field in dtype.fields})
    return dtype


def _members(row: Mapping[str, Any], record: Record) -> dict[str, Any]:
    return {m.name: _plain(row[m.name], m.type) for m in record.members if row[m.name] is not None}


def _plain(value: Any, kind: Type) -> Any:
    match kind, value:
        case Number(places=places), int() if places:
            return decimal_of(value, places)
        case ListOf(element=element), list():
            return [_plain(part, element) for part in value]
        case Record(), dict():
            return _members(value, kind)
        case Instant(), int():
            return instant_text_of(value)
        case _, date():
            return value.isoformat()
    return value
