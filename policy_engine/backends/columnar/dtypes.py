"""How facts lie in columns: one Polars type for each type of the language.

An absent fact is a null. A number is an integer of its type's units, so that all arithmetic is exact; a date is a civil date,
an instant a moment in UTC, to the microsecond.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from policy_engine.language.types import (
    Anything,
    Boolean,
    Date,
    Instant,
    ListOf,
    Number,
    Ratio,
    Record,
    Text,
    Time,
    Type,
)

ROW = "(row)"
"""The column that counts the rows of the input from 1; no fact can have this name."""


def dtype_of(kind: Type) -> pl.DataType:
    """The Polars type of a fact's type."""
    match kind:
        case Boolean():
            return pl.Boolean()
        case Number():
            return pl.Int64()
        case Text():
            return pl.String()
        case Date():
            return pl.Date()
        case Instant():
            return pl.Datetime("us", "UTC")
        case Time():
            return pl.Time()
        case ListOf(element=element):
            return pl.List(dtype_of(element))
        case Record(members=members):
            return pl.Struct({member.name: dtype_of(member.type) for member in members})
    raise TypeError(kind)


def dtype_or_null(kind: Type) -> pl.DataType:
    """The Polars type of any value: a ratio is a pair of integers, and nothing in particular is null."""
    match kind:
        case Anything():
            return pl.Null()
        case Ratio():
            return pl.Struct({"n": pl.Int64, "d": pl.Int64})
        case ListOf(element=element):
            return pl.List(dtype_or_null(element))
    return dtype_of(kind)


def by_series(column: pl.Expr, work: Callable[[pl.Series], pl.Series], kind: pl.DataType) -> pl.Expr:
    """A column, null where another one is, that a function makes of the series of each piece, row by row.

    Of a column that has one value everywhere Polars gives the function a single row; the condition repeats what it makes of it.
    """
    return pl.when(column.is_not_null()).then(column.map_batches(work, return_dtype=kind, is_elementwise=True))


def schema_of(record: Record) -> Mapping[str, pl.DataType]:
    """The columns of a table of facts: the row's number, then the members of the schema in their order."""
    return {ROW: pl.UInt32(), **{member.name: dtype_of(member.type) for member in record.members}}
