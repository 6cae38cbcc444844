"""Tables whose columns have types: Parquet files, Arrow tables and Polars frames."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

import polars as pl

from policy_engine.backends.columnar.columns import Column
from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.validation import column_validation
from policy_engine.backends.parts import part_of
from policy_engine.errors import CannotRun, Violation
from policy_engine.facts.plain import Json, to_json_types
from policy_engine.files import refuse_unreadable_name
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Date, Member, member_of
from policy_engine.tables.cell_columns import (
    cell_column,
    midnights_column,
    present_cells,
    rewritten_cells,
    scaled_column,
)
from policy_engine.tables.cells import AS_FACTS, CellStyle, mapped_value, read_cell, reads_texts
from policy_engine.tables.column_faults import refuse_own_names, refuse_unfitting, warnings_of
from policy_engine.tables.frames import polars_frame
from policy_engine.tables.mapping import NOTHING, TableMapping
from policy_engine.tables.row_validation import Row, TypedReader, Validated, validated
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
    """A frame (`polars_frame`); raises `CannotRun`, and `TypeError` for what is none.

    How many rows a lazy frame has is not known before it is read.
    """
    frame = polars_frame(table)
    schema = frame.collect_schema()
    refuse_own_names("the table", schema, [ROW])
    counted = frame.lazy().with_row_index(ROW, offset=1)
    rows = frame.height if isinstance(frame, pl.DataFrame) else 0
    return _source("the table", counted, schema, rows, facts, mapping, ())


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
    midnights = frozenset(name for name, dtype in read.items() if _may_be_dates(dtype, member_of(facts.type, name)))
    reader = MappedReader(facts, mapping, midnights)
    cells = {
        *mapping.constants,
        *(name for name, dtype in read.items() if _is_text(dtype) and reader.reads_cells(name)),
    }
    refuse_unfitting(where, {name: dtype for name, dtype in read.items() if name not in cells | midnights}, back, facts)
    columns = [reader.column(pl.col(column), name, read[name]).alias(name) for name, column in back.items()]
    columns += [pl.lit(text).alias(name) for name, text in mapping.constants.items()]
    progress = Progress(rows, "rows")
    raw = frame.select(ROW, *columns)
    added = rewritten_cells((m, reader.style(m.name)) for m in facts.type.members if m.name in cells)
    validation = column_validation(facts, raw.collect_schema()).reading(reader.columns(read, cells), added)

    def validate(piece: pl.DataFrame) -> Validated:
        progress.add(piece.height)
        return validated(piece, validation, facts, reader)

    unread = frame.select(*back.values()) if files else None
    warnings = warnings_of(where, [*read, *mapping.constants], facts)
    return Source(facts, validation.validated(raw), validate, progress, files, warnings, unread)


@dataclass(frozen=True, eq=False)
class MappedReader(TypedReader):
    """Reads columns that have types under a mapping: texts as cells where it says how they are written, numbers to scale.

    `midnights` are the dates in columns of moments without a zone, as pandas has them: midnight of a day is the day.
    """

    facts: FactsSchema
    mapping: TableMapping
    midnights: Collection[str] = ()
    whole: bool = False

    def reads_cells(self, name: str) -> bool:
        """Whether texts of a column are read as cells are."""
        member = member_of(self.facts.type, name)
        return member is not None and reads_texts(member, self.style(name))

    def column(self, column: pl.Expr, name: str, dtype: Any) -> pl.Expr:
        """A column of the file without the texts that stand for no value, others as the values that they stand for."""
        style = self.style(name)
        if not _is_text(dtype):
            return column
        if self.reads_cells(name):
            return present_cells(column.cast(pl.String), member_of(self.facts.type, name), style.absent)
        if not (style.values or style.absent):
            return column
        text = column.cast(pl.String)
        there = pl.when(~text.is_in(style.absent)).then(text) if style.absent else text
        return there.replace(style.values) if style.values else there

    def columns(self, dtypes: Schema, cells: Container[str]) -> dict[str, Column]:
        """The facts that are not read from their columns as these stand there."""
        found = {}
        for name, part in part_of(self.facts).members.items():
            member, style = member_of(self.facts.type, name), self.style(name)
            assert member is not None
            if name in cells:
                found[name] = cell_column(part, member, style, self.facts)
            elif name in self.midnights:
                found[name] = midnights_column(part, dtypes[name], name)
            elif style.shift and name in dtypes and dtypes[name].is_numeric():
                found[name] = scaled_column(part, dtypes[name], name, style.shift)
        return found

    def style(self, name: str) -> CellStyle:
        """How a fact is written."""
        return AS_FACTS if name in self.mapping.constants else self.mapping.style(name)

    def facts_of(self, row: Row) -> tuple[Json, list[Violation]]:
        """A row as facts in JSON types, and what of it cannot be read."""
        mapped = {name: self.mapped(row, name) for name in row if name != ROW}
        known, unread = to_json_types({name: value for name, (value, _) in mapped.items()})
        return known, [*(wrong for _, found in mapped.values() for wrong in found), *unread]

    def value(self, row: Row, name: str) -> tuple[Json, list[Violation]]:
        """A fact of a row in JSON types, and what of it cannot be read."""
        value, unread = self.mapped(row, name)
        return (value, unread) if unread else super().value({name: value}, name)

    def mapped(self, row: Row, name: str) -> tuple[Json, list[Violation]]:
        """What the mapping makes of a value, and why it cannot be read; in the columns other texts are replaced already."""
        value, member, style = row.get(name), member_of(self.facts.type, name), self.style(name)
        if member is None or value is None:
            return value, []
        if name in self.mapping.constants:
            return read_cell(member, style, value)
        if name in self.midnights:
            return str(value).removesuffix("T00:00:00"), []
        return mapped_value(member, style, value) if style.shift or reads_texts(member, style) else (value, [])


def _may_be_dates(dtype: Any, member: Member | None) -> bool:
    return (
        member is not None and isinstance(member.type, Date) and isinstance(dtype, pl.Datetime) and not dtype.time_zone
    )


def _is_text(dtype: Any) -> bool:
    return isinstance(dtype, pl.String | pl.Categorical | pl.Enum)
