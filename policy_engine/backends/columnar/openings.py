"""Large records are split into columns before they are read: each member becomes a column of its own, level by level.

To find the type of `a.b.c` Polars goes through the whole types of `a` and `a.b`. With hundreds of members that takes seconds;
with columns of their own it takes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl

from policy_engine.backends.parts import Part
from policy_engine.language.types import Record

OPENED = "(opened) "
"""Begins the name of a column that a record was taken apart into; no fact has such a name."""
MANY = 100
"""Members, those of records within counted too, from which on a record is taken apart."""
Level = tuple[pl.Expr, ...]


class _Opened(NamedTuple):
    """A column to be, what it is made from, and what stands in it."""

    name: str
    made: pl.Expr
    part: Part
    dtype: pl.DataType


def record_column(name: str, part: Part, dtype: pl.DataType) -> pl.Expr:
    """The column of a fact, or the one that it is taken apart from."""
    return pl.col(OPENED + name if _is_opened(part, dtype) else name)


def member_column(record: pl.Expr, name: str) -> pl.Expr:
    """A member of a record: a column of its own where the record was taken apart."""
    column = record.meta.output_name() if record.meta.is_column() else ""
    return pl.col(f"{column}.{name}") if column.startswith(OPENED) else record.struct.field(name)


def levels_of(part: Part, dtypes: Mapping[str, pl.DataType]) -> tuple[Level, ...]:
    """The columns to be added to those of the facts, each level from the one before."""
    facts = [(name, part.members[name], dtype) for name, dtype in dtypes.items() if name in part.members]
    level = [
        _Opened(OPENED + name, pl.col(name), fact, dtype) for name, fact, dtype in facts if _is_opened(fact, dtype)
    ]
    found = []
    while level:
        found.append(tuple(opened.made.alias(opened.name) for opened in level))
        level = [below for opened in level for below in _members(opened)]
    return tuple(found)


def _members(opened: _Opened) -> list[_Opened]:
    """What a record is taken apart into; anything else stays whole."""
    if not isinstance(opened.part.type, Record) or not isinstance(opened.dtype, pl.Struct):
        return []
    column = pl.col(opened.name)
    return [
        _Opened(f"{opened.name}.{field.name}", column.struct.field(field.name), member, as_instance(field.dtype))
        for field in opened.dtype.fields
        if (member := opened.part.members.get(field.name)) is not None
    ]


def _is_opened(part: Part, dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.Struct) and isinstance(part.type, Record) and _count(part) > MANY


def _count(part: Part) -> int:
    return sum(1 + _count(member) for member in part.members.values())


def as_instance(dtype: Any) -> pl.DataType:
    """A Polars type as an instance."""
    return dtype if isinstance(dtype, pl.DataType) else dtype()
