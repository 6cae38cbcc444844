"""CSV files as sources: cells are read by the type of their fact, and what cannot be read is told with row and column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.validation import ColumnValidation, validation_of_columns
from policy_engine.backends.parts import part_of
from policy_engine.diagnostics import shown_text
from policy_engine.errors import Violation
from policy_engine.facts.plain import Json
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Text, member_of
from policy_engine.tables.cell_columns import cell_column, present_cells, rewritten_cells
from policy_engine.tables.cells import AS_FACTS, CellStyle, read_cell
from policy_engine.tables.column_faults import refuse_own_names, warnings_of
from policy_engine.tables.csv_files import open_csv
from policy_engine.tables.csv_records import FAULT, LINE
from policy_engine.tables.file_options import FileOptions
from policy_engine.tables.mapping import NOTHING, TableMapping
from policy_engine.tables.row_validation import Row, RowReader, validated
from policy_engine.tables.source import Progress, Source, streamed

OWN = {ROW: pl.UInt32(), LINE: pl.UInt32(), FAULT: pl.String()}
"""The columns of a raw frame that are no cells: row, line, and why the record cannot be read."""


def csv_source(
    path: Path, facts: FactsSchema, mapping: TableMapping = NOTHING, options: FileOptions | None = None
) -> Source:
    """A CSV file; raises `CannotRun`."""
    file = open_csv(path, options or FileOptions())
    where = f"`{path}`"
    reader = CellReader(facts, mapping, columns_of_facts(where, file.header, mapping))
    progress = Progress(path.stat().st_size, "bytes")

    def frames() -> Iterator[pl.DataFrame]:
        before = 0
        for piece in file.records(progress):
            yield piece.with_row_index(ROW, offset=before + 1)
            before += piece.height

    return source_of_cells(reader, frames, progress, path, warnings_of(where, reader.names, facts))


def columns_of_facts(where: str, header: Sequence[str], mapping: TableMapping) -> dict[str, str]:
    """For each fact, and each column that is none, the name of the column in the file; raises `CannotRun`."""
    refuse_own_names(where, header, OWN)
    return {name: column for column, name in mapping.facts_of(where, list(header)).items()}


def source_of_cells(
    reader: CellReader,
    frames: Callable[[], Iterator[pl.DataFrame]],
    progress: Progress,
    path: Path,
    warnings: Sequence[str],
) -> Source:
    """A file of cells: its frames have the columns of `OWN` and the cells of each column as texts, null where there is none."""
    facts, mapping = reader.facts, reader.mapping
    cells = [
        present_cells(pl.col(column), member_of(facts.type, name), mapping.style(name).absent).alias(name)
        for name, column in reader.columns.items()
    ]
    cells += [pl.lit(text).alias(name) for name, text in mapping.constants.items()]
    schema = {**OWN, **dict.fromkeys(reader.names, pl.String())}
    raw = streamed(lambda: (frame.select(*OWN, *cells) for frame in frames()), schema)
    validation = reader.validation()
    validate = partial(validated, columns=validation, facts=facts, reader=reader)
    return Source(facts, validation.validated(raw), validate, progress, (path,), tuple(warnings))


@dataclass(frozen=True, eq=False)
class CellReader(RowReader):
    """Cells read by the type of their fact; `columns` gives for a fact the name that its column has in the file.

    A constant is a cell of a column that the file lacks.
    """

    facts: FactsSchema
    mapping: TableMapping
    columns: Mapping[str, str]
    whole: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all cells: those of columns, and constants."""
        return (*self.columns, *self.mapping.constants)

    def validation(self) -> ColumnValidation:
        """How the cells are read and validated as columns; a record that could not be read is never accepted."""
        part = part_of(self.facts)
        members = [(m, self.style(m.name)) for m in self.facts.type.members if m.name in self.names]
        columns = {m.name: cell_column(part.members[m.name], m, style, self.facts) for m, style in members}
        added = rewritten_cells(members)
        found = validation_of_columns(part, columns, self.names)
        names = (*(name for name in OWN if name != ROW), *found.names)
        return replace(
            found, names=names, fits={**found.fits, FAULT: pl.col(FAULT).is_null()}, levels=(added,) if added else ()
        )

    def facts_of(self, row: Row) -> tuple[Json, list[Violation]]:
        """A row as facts in JSON types, where a cell cannot be read with its text, and what is wrong with those."""
        if row[FAULT] is not None:
            expected = f"a record of {len(self.columns)} cells"
            return None, [Violation("", None, "cells", expected, row[FAULT])]
        known, unread = {}, []
        for name in self.names:
            if row[name] is not None:
                known[name], wrong = self.value(row, name)
                unread += wrong
        return known, unread

    def value(self, row: Row, name: str) -> tuple[Json, list[Violation]]:
        """A cell in JSON types, or its text and what is wrong with it."""
        member, cell = member_of(self.facts.type, name), row.get(name)
        if cell is None or member is None or isinstance(member.type, Text):
            return None if cell is None else self.style(name).values.get(cell, cell), []
        return read_cell(member, self.style(name), cell)

    def style(self, name: str) -> CellStyle:
        """How the cells of a fact are written."""
        return AS_FACTS if name in self.mapping.constants else self.mapping.style(name)

    def placed(self, found: Violation, row: Row) -> Violation:
        """What cannot be read, with its place, and its column where that is not called as the fact; the row is told beside it."""
        if not found.pointer:
            return replace(found, message=f"{self.place(row)} {found.message}")
        name = next(name for name in self.names if f"{found.pointer}/".startswith(f"/{name}/"))
        column, place = self.columns.get(name, name), self.place(row, name)
        named = place if column == name else f"{place}, column `{shown_text(column)}`"
        return replace(found, message=f"{named}: {found.message}")

    def place(self, row: Row, name: str | None = None) -> str:
        """Where a row stands in the file, or its cell of a fact."""
        return f"line {row[LINE]}"
