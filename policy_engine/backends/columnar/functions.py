"""How this back end calls each function of the language: a column from columns, null where an argument is.

`known`, `default`, `if_known`, `len`, `round`, `add_days` and `add_business_days` look at more than their arguments' columns and
are written in `expressions`; `date_of` needs the zone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from types import MappingProxyType

import polars as pl

from policy_engine.backends.columnar import days


def _extreme(beyond: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> Callable[..., pl.Expr]:
    """The least or greatest of several, null where one is; Polars by itself passes over nulls, and is slower."""

    def over(*arguments: pl.Expr) -> pl.Expr:
        return reduce(further, arguments)

    def further(one: pl.Expr, other: pl.Expr) -> pl.Expr:
        return pl.when(beyond(one, other)).then(one).when(~beyond(one, other)).then(other)

    return over


CALLS: Mapping[str, Callable[..., pl.Expr]] = MappingProxyType(
    {
        "days_between": days.days_between,
        "add_months": days.add_months,
        "add_years": days.add_years,
        "weekday": days.weekday,
        "is_weekday": days.is_on_weekday,
        "add_weekdays": days.add_weekdays,
        "weekdays_between": days.weekdays_between,
        "first_of_month": days.first_of_month,
        "last_of_month": days.last_of_month,
        "abs": pl.Expr.abs,
        "min": _extreme(pl.Expr.__le__),
        "max": _extreme(pl.Expr.__ge__),
        "starts_with": lambda text, start: text.str.starts_with(start),
        "contains": lambda text, part: text.str.contains(part, literal=True),
    }
)
WRITTEN_OUT = frozenset({"known", "default", "if_known", "len", "round", "add_days", "add_business_days", "date_of"})
