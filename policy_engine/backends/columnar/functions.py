"""How this back end calls each function of the language: a column from columns, null where an argument is.

`known`, `default`, `if_known`, `len`, `round` and `add_business_days` look at more than their arguments' columns and are written
in `expressions`; `date_of` needs the zone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from types import MappingProxyType

import polars as pl

from policy_engine.backends.columnar import days


def _extreme(choose: Callable[..., pl.Expr]) -> Callable[..., pl.Expr]:
    """The least or greatest of several; Polars by itself passes over nulls."""

    def over(*arguments: pl.Expr) -> pl.Expr:
        known = reduce(pl.Expr.__and__, [argument.is_not_null() for argument in arguments])
        return pl.when(known).then(choose(*arguments))

    return over


CALLS: Mapping[str, Callable[..., pl.Expr]] = MappingProxyType(
    {
        "days_between": days.days_between,
        "add_days": days.add_days,
        "add_months": days.add_months,
        "add_years": days.add_years,
        "weekday": days.weekday,
        "is_weekday": days.is_on_weekday,
        "add_weekdays": days.add_weekdays,
        "weekdays_between": days.weekdays_between,
        "first_of_month": days.first_of_month,
        "last_of_month": days.last_of_month,
        "abs": pl.Expr.abs,
        "min": _extreme(pl.min_horizontal),
        "max": _extreme(pl.max_horizontal),
        "starts_with": lambda text, start: text.str.starts_with(start),
        "contains": lambda text, part: text.str.contains(part, literal=True),
    }
)
WRITTEN_OUT = frozenset({"known", "default", "if_known", "len", "round", "add_business_days", "date_of"})
