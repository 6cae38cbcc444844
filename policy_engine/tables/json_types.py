"""Facts in JSON types as canonical columns, and columns as facts in JSON types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from functools import lru_cache, partial
from itertools import chain, count
from types import MappingProxyType
from typing import Any, TypeVar

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW, dtype_of
from policy_engine.backends.columnar.times import date_text, in_microseconds, instant_text, local_text, time_text
from policy_engine.backends.columnar.validation import Fitted, column_validation
from policy_engine.backends.parts import Part, part_of
from policy_engine.facts.fast_validator import validator_of_member
from policy_engine.language.rounding import decimal_of
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Number, Record, Text, Time, Type
from policy_engine.language.values import instant_text_of

Values = Sequence[Any]
Numbers = Callable[[Number, Values], pl.Series]
"""How numbers become a column."""
Row = Mapping[str, Any]
Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
NOTHING = type(None)
CLASSES: Mapping[type[Type], frozenset[type]] = MappingProxyType(
    {
        Boolean: frozenset({bool, NOTHING}),
        Number: frozenset({int, float, NOTHING}),
        **dict.fromkeys((Text, Date, Instant, Time), frozenset({str, NOTHING})),
    }
)
"""Of each type but lists and records, the classes that its values have as JSON."""


def columns_of(numbers: Sequence[int], rows: Sequence[Row], facts: FactsSchema) -> Fitted:
    """The canonical columns of rows with their numbers, and which of them have only days that there are.

    The rows are valid in all but that; members that are null are absent.
    """
    frame = pl.DataFrame({ROW: pl.Series(numbers, dtype=pl.UInt32), **_members(rows, part_of(facts), _in_units)})
    return column_validation(facts, frame.schema, in_units=True).fitted(frame)


def unvalidated_columns(numbers: Sequence[int], rows: Sequence[Row | None], facts: FactsSchema) -> Fitted:
    """The canonical columns of rows with their numbers, and which of them surely are valid; one that is None is not.

    Numbers are integers, or floats that stand for their shortest form.
    """
    part = part_of(facts)
    known = frozenset(part.members)
    sure = [row is not None and known.issuperset(row) for row in rows]
    there = [{} if row is None else row for row in rows]
    found = {ROW: pl.Series(numbers, dtype=pl.UInt32)}
    for name, member in part.members.items():
        values = [row.get(name) for row in there]
        for index in _unfit(values, member, partial(validator_of_member, facts.document, name)):
            values[index], sure[index] = None, False
        found[name] = series(values, member, _as_floats)
    frame = pl.DataFrame(found)
    made, fits = column_validation(facts, frame.schema).fitted(frame)
    return Fitted(made, fits & pl.Series(sure, dtype=pl.Boolean))


def _unfit(values: Values, part: Part, validator: Callable[[], Callable[[object], bool]]) -> list[int]:
    """The places of values that do not fit into a column of the part's type as they stand."""
    classes = CLASSES.get(type(part.type))
    if classes is None:
        passes = validator()
        return [place for place, value in enumerate(values) if value is not None and not passes(value)]
    if classes.issuperset(map(type, values)):
        return []
    return [place for place, value in enumerate(values) if type(value) not in classes]


def _members(records: Sequence[Row], part: Part, numbers: Numbers) -> dict[str, pl.Series]:
    """The members of valid records, each as a column."""
    return {
        name: series([record.get(name) for record in records], member, numbers) for name, member in part.members.items()
    }


def _in_units(kind: Number, values: Values) -> pl.Series:
    return pl.Series(map(partial(_units, kind.places), values), dtype=pl.Int64)


def _as_floats(_kind: Number, values: Values) -> pl.Series:
    return pl.Series(values, dtype=pl.Float64)


def series(values: Values, part: Part, numbers: Numbers = _in_units) -> pl.Series:
    """Valid values, or None, as a column: numbers in units, unless said otherwise, dates and instants still as texts."""
    match part.type:
        case Boolean():
            return pl.Series(values, dtype=pl.Boolean)
        case Number() as kind:
            return numbers(kind, values)
        case ListOf():
            return _lists(values, part, numbers)
        case Record():
            return _records(values, part, numbers)
        case _:
            return pl.Series(values, dtype=pl.String)


def loose_dtype(kind: Type, number: Callable[[Number], pl.DataType] = dtype_of) -> pl.DataType:
    """The type of the column that `series` gives for a type, `number` that of one of numbers."""
    match kind:
        case ListOf(element=element):
            return pl.List(loose_dtype(element, number))
        case Record(members=members):
            return pl.Struct({member.name: loose_dtype(member.type, number) for member in members})
        case Date() | Instant() | Time():
            return pl.String()
        case Number():
            return number(kind)
        case _:
            return dtype_of(kind)


def _units(places: int, value: int | Decimal | None) -> int | None:
    if isinstance(value, Decimal):
        return int(value.scaleb(places))
    return None if value is None else value * int(10**places)


def _lists(values: Values, part: Part, numbers: Numbers) -> pl.Series:
    """Lists, their elements read as one column and then put together again."""
    assert part.element is not None
    elements = series(list(chain.from_iterable(filter(None, values))), part.element, numbers)
    owners = pl.Series([at for at, value in enumerate(values) if value for _ in value], dtype=pl.UInt32)
    together = pl.DataFrame({"owner": owners, "it": elements}).group_by("owner", maintain_order=True).agg("it")
    each = pl.DataFrame({"there": pl.Series([value is not None for value in values], dtype=pl.Boolean)})
    found = each.with_row_index("owner").join(together, on="owner", how="left", maintain_order="left")
    whole = pl.when("there").then(pl.col("it").fill_null(pl.lit([], dtype=pl.List(elements.dtype))))
    return found.select(whole)["it"]


def _records(values: Values, part: Part, numbers: Numbers) -> pl.Series:
    """Records, those that are there as rows of their members, each put in its place."""
    whole = pl.DataFrame(_members([value for value in values if value is not None], part, numbers)).to_struct("it")
    place = count()
    places = pl.Series([None if value is None else next(place) for value in values], dtype=pl.UInt32)
    return whole.gather(places)


def plain_row(frame: pl.DataFrame, at: int, record: Record) -> dict[str, Any]:
    """The facts of a row of canonical columns; what is absent is left out."""
    return next(plain_rows(frame.slice(at, 1), record))


def plain_rows(frame: pl.DataFrame, record: Record) -> Iterator[dict[str, Any]]:
    """The facts of each row of canonical columns; what is absent, or has no column, is left out."""
    moments = [pl.col(name).cast(in_microseconds(dtype)) for name, dtype in frame.schema.items()]
    return (plain_members(row, record) for row in frame.select(moments).iter_rows(named=True))


def plain_members(row: Mapping[str, Any], record: Record) -> dict[str, Any]:
    """The members of a record of canonical values, instants in microseconds; what is absent is left out."""
    return {m.name: _plain(row[m.name], m.type) for m in record.members if row.get(m.name) is not None}


def _plain(value: Any, kind: Type) -> Any:
    match kind, value:
        case Number(places=places), int() if places:
            return decimal_of(value, places)
        case ListOf(element=element), list():
            return [_plain(part, element) for part in value]
        case Record(), dict():
            return plain_members(value, kind)
        case Instant(), int():
            return instant_text_of(value)
        case _, date() | time():
            return value.isoformat()
    return value


def in_json_types(frame: Frame) -> Frame:
    """The frame with texts for dates, instants and categories, and floats by their own shortest form, at every depth."""
    return frame.with_columns(_in_json_types(tuple(frame.collect_schema().items())))


@lru_cache(maxsize=64)
def _in_json_types(schema: tuple[tuple[str, pl.DataType], ...]) -> list[pl.Expr]:
    """The columns that `in_json_types` changes; kept, since the many small pieces of a table ask for the same."""
    columns = ((name, pl.col(name), dtype) for name, dtype in schema)
    made = ((name, column, as_json(dtype, column)) for name, column, dtype in columns)
    return [changed.alias(name) for name, column, changed in made if changed is not column]


def as_json(dtype: Any, value: pl.Expr) -> pl.Expr:
    """A column in JSON types: the same expression where it has them already."""
    match dtype:
        case pl.Date():
            return date_text(value)
        case pl.Datetime(time_zone=None):
            return local_text(value, dtype.time_unit)
        case pl.Datetime():
            return instant_text(value.dt.convert_time_zone("UTC"), dtype.time_unit)
        case pl.Categorical() | pl.Enum() | pl.Time():
            return time_text(value) if isinstance(dtype, pl.Time) else value.cast(pl.String)
        case pl.Duration():
            return value.dt.to_string("iso")
        case pl.Float32():
            return value.cast(pl.String).cast(pl.Float64)
        case pl.Array():
            return as_json(pl.List(dtype.inner), value.arr.to_list())
        case pl.List():
            element = pl.element()
            inner = as_json(dtype.inner, element)
            return value if inner is element else value.list.eval(inner)
        case pl.Struct():
            return _struct(dtype, value)
    return value


def _struct(dtype: pl.Struct, value: pl.Expr) -> pl.Expr:
    fields = [value.struct.field(field.name) for field in dtype.fields]
    parts = [as_json(field.dtype, part) for field, part in zip(dtype.fields, fields, strict=True)]
    if all(part is field for part, field in zip(parts, fields, strict=True)):
        return value
    named = (part.alias(field.name) for part, field in zip(parts, dtype.fields, strict=True))
    return pl.when(value.is_not_null()).then(pl.struct(named))
