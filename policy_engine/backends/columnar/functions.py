"""The functions of the language as functions of columns, null where an argument is; and comparing and looking up texts.

Those that are not in `CALLS` look at more than their arguments' columns and are written in `expressions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from types import MappingProxyType
from typing import Any

import polars as pl

from policy_engine.backends.columnar import clock, days, weekdays, zones
from policy_engine.backends.columnar.dtypes import by_series
from policy_engine.language import texts
from policy_engine.language.types import Text


def _extreme(beyond: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> Callable[..., pl.Expr]:
    """The least or greatest of several, null where one is; Polars by itself passes over nulls, and is slower."""

    def over(*arguments: pl.Expr) -> pl.Expr:
        return reduce(further, arguments)

    def further(one: pl.Expr, other: pl.Expr) -> pl.Expr:
        return pl.when(beyond(one, other)).then(one).when(~beyond(one, other)).then(other)

    return over


def by_python(text: pl.Expr, small: Callable[[str], str]) -> pl.Expr:
    """Texts in small letters, by Python where they hold more than ASCII: Polars may have another edition of Unicode's tables."""

    def each(given: pl.Series) -> pl.Series:
        lower = given.str.to_lowercase()
        foreign = given.filter(given.str.contains(r"[^\x00-\x7F]")).unique()
        if foreign.is_empty():
            return lower
        made = pl.Series([small(one) for one in foreign], dtype=pl.String)
        return given.replace_strict(foreign, made, default=lower, return_dtype=pl.String)

    if not text.meta.root_names():  # a constant, which stays one value for all rows
        constant = pl.select(text).to_series().cast(pl.String)
        return pl.lit(each(constant).item(), dtype=pl.String)
    return by_series(text, each, pl.String())


def folded(text: pl.Expr) -> pl.Expr:
    """Texts whose equality is equality but for large and small letters."""
    return by_python(text, str.casefold)


CALLS: Mapping[str, Callable[..., pl.Expr]] = MappingProxyType(
    {
        "days_between": days.days_between,
        "add_months": days.add_months,
        "add_years": days.add_years,
        "months_between": days.months_between,
        "years_between": days.years_between,
        "year": days.part("year"),
        "month": days.part("month"),
        "day": days.part("day"),
        "quarter": days.part("quarter"),
        "iso_week": days.part("week"),
        "day_of_year": days.part("ordinal_day"),
        "weekday": days.weekday,
        "is_weekday": weekdays.is_weekday,
        "add_weekdays": weekdays.add_weekdays,
        "weekdays_between": weekdays.weekdays_between,
        "hours_between": clock.between(clock.HOUR),
        "minutes_between": clock.between(clock.MINUTE),
        "seconds_between": clock.between(zones.SECOND),
        "add_hours": clock.add(clock.HOUR),
        "add_minutes": clock.add(clock.MINUTE),
        "first_of_month": days.first_of_month,
        "last_of_month": days.last_of_month,
        "first_of_quarter": days.first_of_quarter,
        "last_of_quarter": days.last_of_quarter,
        "first_of_year": days.first_of_year,
        "last_of_year": days.last_of_year,
        "first_of_week": days.first_of_week,
        "last_of_week": days.last_of_week,
        "abs": pl.Expr.abs,
        "percent_of": pl.Expr.__mul__,
        "min": _extreme(pl.Expr.__le__),
        "max": _extreme(pl.Expr.__ge__),
        "starts_with": lambda text, start: text.str.starts_with(start),
        "contains": lambda text, part: text.str.contains(part, literal=True),
        "ends_with": lambda text, end: text.str.ends_with(end),
        "equals_ignoring_case": lambda text, other: folded(text) == folded(other),
        "lower": lambda text: by_python(text, str.lower),
        "trim": lambda text: text.str.strip_chars(texts.BLANKS),
        "length": lambda text: text.str.len_chars().cast(pl.Int64),
        "join_lists": lambda *lists: pl.concat_list(lists),
        "distinct": lambda listed: listed.list.unique(maintain_order=True),
        "concat": lambda *parts: pl.concat_str(parts),
    }
)


def is_text(column: pl.Expr, kind: Text, text: str) -> pl.Expr:
    """Whether a column's texts are a certain one.

    Where all other texts of a closed set have other lengths, only lengths are compared, which is several times as fast.
    """
    size = len(text.encode())
    others = [value for value in kind.values or () if value != text]
    if kind.values is not None and text in kind.values and all(len(other.encode()) != size for other in others):
        return column.str.len_bytes() == size
    return column == text


def looked_up(column: pl.Expr, table: Mapping[str, Any], kind: pl.DataType) -> pl.Expr:
    """What a table has for each text or word of an enumeration, null for any other.

    Polars' own `replace` does not stream: it would collect the whole column.
    """
    place = column.cast(pl.Enum(list(table)), strict=False).to_physical()
    return pl.lit(pl.Series(list(table.values()), dtype=kind)).gather(place)
