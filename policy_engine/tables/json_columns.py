"""Columns of any type as the JSON types that a person, and the rule of facts, would see in them."""

from __future__ import annotations

from typing import Any

import polars as pl

from policy_engine.backends.columnar.times import date_text, instant_text, local_text


def in_json_types(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with texts for dates, instants and categories, and floats by their own shortest form, at every depth."""
    changed = {name: as_json(dtype, pl.col(name)) for name, dtype in frame.schema.items()}
    return frame.with_columns(expression.alias(name) for name, expression in changed.items() if expression is not None)


def as_json(dtype: Any, value: pl.Expr) -> pl.Expr | None:
    """The expression of a column in JSON types, None where it has them already."""
    match dtype:
        case pl.Date():
            return date_text(value)
        case pl.Datetime(time_zone=None):
            return local_text(value, dtype.time_unit)
        case pl.Datetime():
            return instant_text(value.dt.convert_time_zone("UTC"), dtype.time_unit)
        case pl.Categorical() | pl.Enum() | pl.Time():
            return value.cast(pl.String)
        case pl.Duration():
            return value.dt.to_string("iso")
        case pl.Float32():
            return value.cast(pl.String).cast(pl.Float64)
        case pl.Array():
            listed = value.arr.to_list()
            return as_json(pl.List(dtype.inner), listed) or listed
        case pl.List():
            inner = as_json(dtype.inner, pl.element())
            return None if inner is None else value.list.eval(inner)
        case pl.Struct():
            return _struct(dtype, value)
    return None


def _struct(dtype: pl.Struct, value: pl.Expr) -> pl.Expr | None:
    fields = {field.name: value.struct.field(field.name) for field in dtype.fields}
    changed = {field.name: as_json(field.dtype, fields[field.name]) for field in dtype.fields}
    if all(expression is None for expression in changed.values()):
        return None
    parts = [(fields[name] if part is None else part).alias(name) for name, part in changed.items()]
    return pl.when(value.is_not_null()).then(pl.struct(parts))
