"""From facts in JSON types that are known to be valid to canonical columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import chain, count
from operator import itemgetter
from typing import Any

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW, dtype_of
from policy_engine.backends.columnar.parts import Part, part_of
from policy_engine.backends.columnar.validation import Fitted, plan_for
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Number, Record, Type

Values = Sequence[Any]


def columns_of(numbers: Sequence[int], rows: Sequence[Mapping[str, Any]], facts: FactsSchema) -> Fitted:
    """The canonical columns of rows with their numbers, and which of them have only days that there are.

    The rows have been judged in all but that; members that are null are absent.
    """
    frame = pl.DataFrame({ROW: pl.Series(numbers, dtype=pl.UInt32), **_members(rows, part_of(facts))})
    return plan_for(facts, frame, in_units=True).fitted(frame)


def _members(records: Sequence[Mapping[str, Any]], part: Part) -> dict[str, pl.Series]:
    """The members of valid records, each as a column."""
    found = {}
    for name, member in part.members.items():
        needed = name in part.required
        values = map(itemgetter(name), records) if needed else (record.get(name) for record in records)
        found[name] = series(list(values), member)
    return found


def series(values: Values, part: Part) -> pl.Series:
    """Valid values, or None, as a column: numbers in units, dates and instants still as texts."""
    match part.type:
        case Boolean():
            return pl.Series(values, dtype=pl.Boolean)
        case Number(places=places):
            return pl.Series(map(partial(_units, places), values), dtype=pl.Int64)
        case ListOf():
            return _lists(values, part)
        case Record():
            return _records(values, part)
        case _:
            return pl.Series(values, dtype=pl.String)


def loose_dtype(kind: Type) -> pl.DataType:
    """The type of the column that `series` gives for a type."""
    match kind:
        case ListOf(element=element):
            return pl.List(loose_dtype(element))
        case Record(members=members):
            return pl.Struct({member.name: loose_dtype(member.type) for member in members})
        case Date() | Instant():
            return pl.String()
        case _:
            return dtype_of(kind)


def _units(places: int, value: int | Decimal | None) -> int | None:
    if isinstance(value, Decimal):
        return int(value.scaleb(places))
    return None if value is None else value * int(10**places)


def _lists(values: Values, part: Part) -> pl.Series:
    """Lists, their elements read as one column and then put together again."""
    assert part.element is not None
    elements = series(list(chain.from_iterable(filter(None, values))), part.element)
    owners = pl.Series(_owners(values), dtype=pl.UInt32)
    together = pl.DataFrame({"owner": owners, "it": elements}).group_by("owner", maintain_order=True).agg("it")
    each = pl.DataFrame({"there": pl.Series([value is not None for value in values], dtype=pl.Boolean)})
    found = each.with_row_index("owner").join(together, on="owner", how="left", maintain_order="left")
    whole = pl.when("there").then(pl.col("it").fill_null(pl.lit([], dtype=pl.List(elements.dtype))))
    return found.select(whole)["it"]


def _owners(values: Values) -> Iterable[int]:
    """For each element the place of its list."""
    return [index for index, value in enumerate(values) if value for _ in value]


def _records(values: Values, part: Part) -> pl.Series:
    """Records, those that are there as rows of their members, each put in its place."""
    whole = pl.DataFrame(_members([value for value in values if value is not None], part)).to_struct("it")
    place = count()
    places = pl.Series([None if value is None else next(place) for value in values], dtype=pl.UInt32)
    return whole.gather(places)
