"""Clock time over columns: what `language.clock` does (sentence 12), by our own tables of transitions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl

from policy_engine.backends.columnar.days import WHOLE, bounded
from policy_engine.backends.columnar.dtypes import by_series
from policy_engine.backends.columnar.zones import DAY, EARLIEST, LATEST, MOMENT, SECOND, local_times

MINUTE, HOUR = 60 * SECOND, 3_600 * SECOND
"""Microseconds."""


def time_of(moment: pl.Expr, timezone: str) -> pl.Expr:
    """The time of day of an instant in a time zone of the pinned database; null where the calendar has no such date there."""
    return by_series(moment, partial(times_of, timezone=timezone), pl.Time())


def times_of(moments: pl.Series, timezone: str) -> pl.Series:
    """The times of day of a column of instants."""
    local = pl.col("local")
    inside = pl.when(local.is_between(EARLIEST, LATEST, closed="left")).then(local % DAY * 1_000)
    return (
        pl.DataFrame({"local": local_times(moments.to_physical(), timezone)}).select(inside.cast(pl.Time)).to_series()
    )


def between(unit: int) -> Callable[[pl.Expr, pl.Expr], pl.Expr]:
    """What counts whole units from one instant to another, towards zero."""

    def count(start: pl.Expr, end: pl.Expr) -> pl.Expr:
        passed = end.to_physical() - start.to_physical()
        return pl.when(passed >= 0).then(passed // unit).otherwise(-(-passed // unit))

    return count


def add(unit: int) -> Callable[[pl.Expr, pl.Expr], pl.Expr]:
    """What adds units to an instant; null outside the years 0001 to 9999."""
    most = (LATEST - EARLIEST) // unit + DAY // unit

    def later(moment: pl.Expr, count: pl.Expr) -> pl.Expr:
        made = moment.to_physical() + bounded(count, most) * unit
        return pl.when(made.is_between(EARLIEST, LATEST, closed="left")).then(made).cast(WHOLE).cast(MOMENT)

    return later
