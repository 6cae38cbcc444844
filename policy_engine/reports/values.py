"""The values that decisions gave: their sums and quantiles, of all records and of each outcome, or the counts of a closed set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import polars as pl

from policy_engine.backends.columnar.times import FIRST_MOMENT, LAST_MOMENT
from policy_engine.language.rounding import decimal_of, number_of_units, rounded_units
from policy_engine.language.rulesets import DecisionLogic, Ruleset, ValueDefinition, conclusions_of
from policy_engine.language.types import Boolean, Date, Instant, Number, Text, Type
from policy_engine.language.units import Units, written_units
from policy_engine.language.values import Value, in_words
from policy_engine.reports.totals import Spread, ValueTotals, ranked

PERCENTILES = (0, 5, 25, 50, 75, 95, 100)
MEAN_PLACES = 2
"""The places of a mean of whole numbers."""


def values_of(ruleset: Ruleset, logic: DecisionLogic, table: pl.LazyFrame) -> Iterator[ValueTotals]:
    """The totals of each value of a decision that the table has a column of."""
    columns, units = table.collect_schema(), written_units(ruleset)
    outcome = pl.col(f"{logic.name}.outcome") if f"{logic.name}.outcome" in columns else pl.lit(None, pl.String)
    for name, kind in logic.value_types:
        column = f"{logic.name}.values.{name}"
        if column in columns:
            known = table.select(outcome=outcome, value=pl.col(column)).drop_nulls("value")
            yield _value(name, unit_of_value(units, logic, name), kind, logic.outcomes, known)


def unit_of_value(units: Units, logic: DecisionLogic, name: str) -> str:
    """The unit that all expressions of a value have, "" where none is certain."""
    own = [value for _, then in conclusions_of(logic.body) for value in then.values]
    named: list[ValueDefinition] = [value for value in (*logic.values, *own) if value.name == name]
    found = units.common(value.expression.tree for value in named)
    return (found.words or found.name) if found is not None else ""


def _value(name: str, unit: str, kind: Type, outcomes: Sequence[str], known: pl.LazyFrame) -> ValueTotals:
    """The spread of a number or a day; the count of each member of a closed set; of other types only the number of values."""
    if isinstance(kind, Boolean) or (isinstance(kind, Text) and kind.values is not None):
        names = ("true", "false") if isinstance(kind, Boolean) else kind.values or ()
        found = _collected(known.group_by("value").len()).rows()
        counts = ranked(dict.fromkeys(names, 0) | {in_words(what): count for what, count in found})
        return ValueTotals(name, unit, sum(counts.values()), None, {}, counts)
    count = _collected(known.select(pl.len())).item()
    if not isinstance(kind, Number | Date | Instant):
        return ValueTotals(name, unit, count, None, {}, {})
    sortable = known.with_columns(_sortable(kind)).drop_nulls("value")
    counted = _collected(sortable.group_by("outcome", "value").agg(pl.len().alias("count")).sort("value"))
    return ValueTotals(name, unit, count, _spread(kind, counted), _by_outcome(kind, outcomes, counted), {})


def _sortable(kind: Type) -> pl.Expr:
    """A number as a whole number of units, which takes half the memory of a decimal; an instant only if Python can hold it."""
    value = pl.col("value")
    match kind:
        case Number(places=places) if places:
            return value.to_physical().cast(pl.Int64)
        case Instant():
            return pl.when(value.is_between(FIRST_MOMENT, LAST_MOMENT)).then(value)
    return value


def _by_outcome(kind: Type, outcomes: Sequence[str], counted: pl.DataFrame) -> Mapping[str, Spread]:
    """The spread for each outcome that came with a value."""
    column = counted["outcome"]
    is_list = isinstance(column.dtype, pl.List)
    found: dict[str, Spread] = {}
    for outcome in outcomes:
        spread = _spread(kind, counted.filter(column.list.contains(outcome) if is_list else column == outcome))
        if spread is not None:
            found[outcome] = spread
    return found


def _spread(kind: Type, counted: pl.DataFrame) -> Spread | None:
    """The spread of values in order, each with its `count`, perhaps several times; None where there are none.

    Equal values are counted, and not held one by one: among millions of days and amounts there are few different ones.
    """
    values, until = counted["value"], counted["count"].cast(pl.Int64).cum_sum()
    if not values.len():
        return None
    number = int(until[-1])
    ranks = pl.Series([(number - 1) * percent // 100 + 1 for percent in PERCENTILES], dtype=pl.Int64)
    quantiles = values.gather(until.search_sorted(ranks, side="left")).to_list()
    if not isinstance(kind, Number):
        return Spread(number, None, None, *quantiles)
    total = int((values.cast(pl.Int128) * counted["count"].cast(pl.Int128)).sum())
    mean_places = max(kind.places, MEAN_PLACES)
    mean = rounded_units(Fraction(total, number * 10**kind.places), mean_places, "half_up")
    numbers: list[Value] = [number_of_units(units, kind.places) for units in quantiles]
    return Spread(number, number_of_units(total, kind.places), decimal_of(mean, mean_places), *numbers)


def _collected(query: pl.LazyFrame) -> pl.DataFrame:
    return query.collect(engine="streaming")
