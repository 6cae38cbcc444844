"""Reading one fact from a column of some type: the expression of its canonical value, and the conditions of its schema."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from policy_engine.backends.columnar.dtypes import dtype_of
from policy_engine.backends.columnar.numbers import Conditions, number_conditions, units
from policy_engine.backends.columnar.openings import as_instance, member_column
from policy_engine.backends.columnar.times import (
    FIRST_DAY,
    LAST_DAY,
    date_text,
    in_calendar,
    instant_text,
    local_text,
    time_text,
)
from policy_engine.backends.columnar.zones import instant_of
from policy_engine.backends.parts import Part
from policy_engine.language.date_texts import PATTERNS, format_of
from policy_engine.language.text_patterns import for_columns
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Number, Record, Text, Time

TEXT_KEYWORDS = ("enum", "const", "pattern", "minLength", "maxLength")


@dataclass(frozen=True, slots=True)
class Column:
    """A fact read from a column: `raw` as it stands there, its canonical `value`, and what must hold.

    A condition is null where there is no fact, and only there. `same` where `raw` is canonical already.
    """

    raw: pl.Expr
    value: pl.Expr
    conditions: Conditions
    same: bool = False

    @classmethod
    def absent(cls, part: Part) -> Column:
        """A fact that has no column."""
        nothing = pl.lit(None, dtype=dtype_of(part.type))
        return cls(nothing, nothing, [], same=True)

    @classmethod
    def unread(cls, part: Part, raw: pl.Expr) -> Column:
        """A fact that cannot be read from its column: no row with it is surely valid."""
        return cls(raw, pl.lit(None, dtype=dtype_of(part.type)), [raw.is_null()])


def together(conditions: Conditions) -> pl.Expr:
    """Whether all hold, or there is no fact; never null."""
    return pl.all_horizontal(conditions).fill_null(value=True) if conditions else pl.lit(value=True)


def column(part: Part, dtype: pl.DataType, raw: pl.Expr, *, in_units: bool = False) -> Column:
    """A fact read from a column of some type; `in_units` where numbers are units of their type already."""
    if isinstance(dtype, pl.Null):
        return Column(raw, raw.cast(dtype_of(part.type)), [])
    if (plain := _plain(dtype, raw)) is not None:
        return replace(column(part, *plain, in_units=in_units), same=False)
    match part.type, dtype:
        case ListOf(), pl.List():
            return _list(part, dtype, raw, in_units=in_units)
        case Record(), pl.Struct():
            return _record(part, dtype, raw, in_units=in_units)
        case Number() as kind, _ if dtype.is_numeric():
            value, exact = (raw, []) if in_units else units(kind, dtype, raw)
            return Column(raw, value, [*exact, *number_conditions(part, value)], same=in_units)
    return _scalar(part, dtype, raw)


def _plain(dtype: pl.DataType, raw: pl.Expr) -> tuple[pl.DataType, pl.Expr] | None:
    """Texts and lists that Polars keeps in another form, in the usual one; None for any other column."""
    match dtype:
        case pl.Categorical() | pl.Enum():
            return pl.String(), raw.cast(pl.String)
        case pl.Array():
            return pl.List(dtype.inner), raw.arr.to_list()
        case _:
            return None


def _scalar(part: Part, dtype: pl.DataType, raw: pl.Expr) -> Column:
    match part.type, dtype:
        case Boolean(), pl.Boolean():
            return Column(raw, raw, [raw == part.schema["const"]] if "const" in part.schema else [], same=True)
        case Text(), pl.String():
            return Column(raw, raw, text_conditions(part, raw), same=True)
        case Date(), pl.Date():
            conditions = [raw.is_between(FIRST_DAY, LAST_DAY), *text_conditions(part, date_text(raw))]
            return Column(raw, raw, conditions, same=True)
        case Date(), pl.String():
            return _date(part, raw)
        case Instant(), pl.Datetime():
            return _instant(part, dtype, raw)
        case Instant(), pl.String():
            return _instant_text(part, raw)
        case Time(), pl.Time():
            exact = raw.to_physical() % 1_000 == 0
            return Column(raw, raw, [exact, *text_conditions(part, time_text(raw))], same=True)
        case Time(), pl.String():
            return _time(part, raw)
    return Column.unread(part, raw)


def text_conditions(part: Part, text: pl.Expr) -> Conditions:
    """What a schema asks of a text."""
    return [_TEXT[keyword](text, part.schema[keyword]) for keyword in TEXT_KEYWORDS if keyword in part.schema]


def _matches(text: pl.Expr, pattern: str) -> pl.Expr:
    """Whether a text matches; where Polars cannot build the pattern nothing surely does."""
    written = for_columns(pattern)
    try:
        pl.Series([""]).str.contains(written)
    except pl.exceptions.ComputeError:
        return text.is_null()
    return text.str.contains(written)


_TEXT: dict[str, Any] = {
    "enum": lambda text, values: text.is_in(values),
    "const": lambda text, value: text == value,
    "pattern": _matches,
    "minLength": lambda text, least: text.str.len_chars() >= least,
    "maxLength": lambda text, most: text.str.len_chars() <= most,
}


def _read(raw: pl.Expr, value: pl.Expr) -> pl.Expr:
    """Whether a value could be read wherever there is one."""
    return raw.is_null() == value.is_null()


def _date(part: Part, raw: pl.Expr) -> Column:
    value = raw.str.to_date("%Y-%m-%d", strict=False)
    formed = [raw.str.contains(PATTERNS["date"]), _read(raw, value), value >= FIRST_DAY]
    return Column(raw, value, [*formed, *text_conditions(part, raw)])


def _time(part: Part, raw: pl.Expr) -> Column:
    """A time of day; the seconds may be left out."""
    whole = pl.when(raw.str.len_bytes() == len("09:30")).then(raw + ":00").otherwise(raw)
    value = whole.str.to_time("%H:%M:%S%.f", strict=False)
    return Column(raw, value, [raw.str.contains(PATTERNS["time"]), _read(raw, value), *text_conditions(part, raw)])


def _instant(part: Part, dtype: pl.Datetime, raw: pl.Expr) -> Column:
    """An instant of a column with a time zone; in one without there are local times."""
    if dtype.time_zone is None:
        return _local(part, dtype, raw)
    utc = raw.dt.convert_time_zone("UTC")
    exact = [raw.to_physical() % 1_000 == 0] if dtype.time_unit == "ns" else []
    inside = in_calendar(utc, dtype.time_unit)
    value = (
        pl.when(inside).then(utc).dt.cast_time_unit("us") if dtype.time_unit == "ms" else utc.dt.cast_time_unit("us")
    )
    conditions = [*exact, inside, *text_conditions(part, instant_text(utc, dtype.time_unit))]
    return Column(raw, value, conditions, same=dtype == dtype_of(part.type))


def _local(part: Part, dtype: pl.Datetime, raw: pl.Expr) -> Column:
    """A local time as the instant that it is in the zone of the fact; where the fact has none it names no moment."""
    zone = part.type.zone if isinstance(part.type, Instant) else None
    if zone is None:
        return Column.unread(part, raw)
    exact = [raw.to_physical() % 1_000 == 0] if dtype.time_unit == "ns" else []
    inside = in_calendar(raw, dtype.time_unit)
    value = instant_of(pl.when(inside).then(raw).dt.cast_time_unit("us"), zone)
    conditions = [*exact, inside, _read(raw, value), *text_conditions(part, local_text(raw, dtype.time_unit))]
    return Column(raw, value, conditions)


def _instant_text(part: Part, raw: pl.Expr) -> Column:
    text = raw.str.to_uppercase()
    value = text.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    if isinstance(part.type, Instant) and part.type.zone is not None:
        local = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
        value = pl.coalesce(value, instant_of(local, part.type.zone))
    pattern = PATTERNS[format_of(part.schema) or ""]
    formed = [raw.str.contains(pattern), _read(raw, value), ~raw.str.starts_with("0000")]
    return Column(raw, value, [*formed, *text_conditions(part, raw)])


def _list(part: Part, dtype: pl.List, raw: pl.Expr, *, in_units: bool) -> Column:
    assert part.element is not None
    element = column(part.element, as_instance(dtype.inner), pl.element(), in_units=in_units)
    value = raw if element.same else raw.list.eval(element.value)
    each = together(element.conditions) & pl.element().is_not_null()
    conditions = [raw.list.eval(each).list.all(), raw.list.len() <= part.longest]
    if "minItems" in part.schema:
        conditions.append(raw.list.len() >= part.schema["minItems"])
    if part.schema.get("uniqueItems"):
        conditions.append(_unique(part.element, value))
    return Column(raw, value, conditions, same=element.same)


def _unique(element: Part, value: pl.Expr) -> pl.Expr:
    """Whether no element stands twice; two texts of one moment differ, so that a no is not final."""
    if isinstance(element.type, ListOf):
        return value.is_null() | (value.list.len() <= 1)
    return value.list.n_unique() == value.list.len()


def _record(part: Part, dtype: pl.Struct, raw: pl.Expr, *, in_units: bool) -> Column:
    fields = {field.name: as_instance(field.dtype) for field in dtype.fields}
    read = {
        name: column(member, fields[name], member_column(raw, name), in_units=in_units)
        if name in fields
        else Column.absent(member)
        for name, member in part.members.items()
    }
    conditions = [raw.is_null() | together(found.conditions) for found in read.values() if found.conditions]
    conditions += [raw.is_null() | read[name].raw.is_not_null() for name in part.required]
    conditions += [raw.struct.field(name).is_null() for name in fields if name not in part.members]
    if list(fields) == list(part.members) and all(found.same for found in read.values()):
        return Column(raw, raw, conditions, same=True)
    # as plain integers: Polars panics where it chooses between records of null lists of dates
    whole = pl.struct([found.value.to_physical().alias(name) for name, found in read.items()])
    value = pl.when(raw.is_not_null()).then(whole).cast(dtype_of(part.type))
    return Column(raw, value, conditions)
