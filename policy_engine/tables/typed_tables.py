"""Tables whose columns have types: Parquet files, Arrow tables and Polars frames."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import Any

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.validation import column_validation
from policy_engine.errors import CannotRun
from policy_engine.files import refuse_unreadable_name
from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables.column_faults import refuse_own_names, refuse_unfitting, warnings_of
from policy_engine.tables.mapping import NOTHING, TableMapping
from policy_engine.tables.row_validation import TypedReader, Validated, validated
from policy_engine.tables.source import FAILURES, Progress, Source, told_of_files

Schema = Mapping[str, Any]

os.putenv("POLARS_IGNORE_TIMEZONE_PARSE_ERROR", "1")
"""Without it Polars panics at a column whose time zone it does not know, such as UTC+01:00. An instant in a column with any time
zone is stored in UTC, and the name of its zone is never asked for."""


def parquet_source(place: Path, facts: FactsSchema, mapping: TableMapping = NOTHING) -> Source:
    """A Parquet file, the *.parquet of a folder by name, or the files of a glob; raises `CannotRun`."""
    files = parquet_files(place)
    schema = _common_schema(files)
    rows = _tell(files, lambda: pl.scan_parquet(files, glob=False).select(pl.len()).collect().item())
    frame = pl.scan_parquet(files, row_index_name=ROW, row_index_offset=1, glob=False)
    return _source(f"`{place}`", frame, schema, rows, facts, mapping, tuple(files))


def frame_source(table: Any, facts: FactsSchema, mapping: TableMapping = NOTHING) -> Source:
    """A Polars frame, or anything that gives an Arrow stream (`__arrow_c_stream__`); raises `CannotRun`."""
    frame = table if isinstance(table, pl.DataFrame) else _frame(table)
    refuse_own_names("the table", frame.schema, [ROW])
    counted = frame.lazy().with_row_index(ROW, offset=1)
    return _source("the table", counted, frame.schema, frame.height, facts, mapping, ())


def _frame(table: Any) -> pl.DataFrame:
    try:
        return pl.DataFrame(table)
    except FAILURES as error:
        why = str(error).strip().split("\n")[0]
        raise CannotRun(f"the table holds what cannot be read here ({why}); convert it") from None


def parquet_files(place: Path) -> list[Path]:
    """The files that a place names, in the order in which they are read; raises `CannotRun`."""
    if place.is_file():
        return [place]
    if place.is_dir():
        found = sorted(place.glob("*.parquet"))
        missing = f"the folder `{place}` has no file that ends in .parquet"
    else:
        names = place.parent.glob(place.name) if place.parent.is_dir() else map(Path, glob(str(place)))
        found = sorted(name for name in names if name.is_file())
        missing = f"there is no file `{place}`"
    if not found:
        raise CannotRun(missing)
    for file in found:
        refuse_unreadable_name(file)
    return found


def _common_schema(files: list[Path]) -> Schema:
    """The columns and types that all files have."""
    schemas: list[Schema] = [_tell([file], pl.scan_parquet(file, glob=False).collect_schema) for file in files]
    for file, schema in zip(files, schemas, strict=True):
        refuse_own_names(f"`{file}`", schema, [ROW])
        if list(schema.items()) != list(schemas[0].items()):
            told = f"`{file}` has other columns than `{files[0]}`: {_difference(schemas[0], schema)}"
            raise CannotRun(f"{told}; give all files the same columns, in one order")
    return schemas[0]


def _difference(first: Schema, other: Schema) -> str:
    for name in [*first, *other]:
        here, there = other.get(name), first.get(name)
        if here != there:
            said = ["there is none" if dtype is None else f"it is {dtype}" for dtype in (here, there)]
            return f"of `{name}`, {said[0]} here, and {said[1]} there"
    return "their order differs"


def _tell(files: list[Path], read: Callable[[], Any]) -> Any:
    """What reading Parquet files gives; raises `CannotRun` where they are none, not whole, or hold what Polars cannot read."""
    try:
        return read()
    except (*FAILURES, OSError) as error:
        raise CannotRun(told_of_files(files, error, "is not a whole Parquet file")) from None


def _source(
    where: str,
    frame: pl.LazyFrame,
    schema: Schema,
    rows: int,
    facts: FactsSchema,
    mapping: TableMapping,
    files: tuple[Path, ...],
) -> Source:
    names = mapping.facts_of(where, list(schema))
    back = {name: column for column, name in names.items()}
    read = {name: schema[column] for name, column in back.items()}
    refuse_unfitting(where, read, back, facts)
    columns = [
        _translated(pl.col(column), read[name], mapping.values.get(name), mapping.absent_for(name)).alias(name)
        for name, column in back.items()
    ]
    progress = Progress(rows, "rows")
    raw = frame.select(ROW, *columns)
    validation = column_validation(facts, raw.collect_schema())

    def validate(piece: pl.DataFrame) -> Validated:
        progress.add(piece.height)
        return validated(piece, validation, facts, TypedReader())

    unread = frame.select(*back.values()) if files else None
    return Source(facts, validation.validated(raw), validate, progress, files, warnings_of(where, read, facts), unread)


def _translated(column: pl.Expr, dtype: Any, values: Mapping[str, str] | None, absent: Sequence[str]) -> pl.Expr:
    """Texts of the file as the values they stand for, null where they stand for none."""
    if not (values or absent) or not isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return column
    text = column.cast(pl.String)
    there = pl.when(~text.is_in(absent)).then(text) if absent else text
    return there.replace(values) if values else there
