"""The text of a CSV file cut into records: lines without quotes by Polars, all others by the csv module."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import polars as pl

LINE, FAULT = "(line)", "(fault)"
"""Columns beside the cells: the line on which a record begins, and why it cannot be read, null where it can."""
LONGEST_CELL = 1_000_000
"""Characters."""
AT_ONCE = 2_000_000
"""Characters that are cut together; they go on to the end of their last record."""
LINE_END = re.compile("\r\n|\r|\n")
Cells = list[str]


class Batch(NamedTuple):
    """Some records on end: how many lines of the file each takes, its cells, and why it cannot be read, None where it can."""

    spans: list[int]
    records: list[Cells]
    faults: list[str | None]


def records(text: io.TextIOWrapper, delimiter: str, header: Sequence[str], before: int) -> Iterator[pl.DataFrame]:
    """All records that are not blank, some at a time: `LINE`, `FAULT`, and the cells of each column as texts.

    The text is read from where it stands, behind so many lines.
    """
    while lines := text.readlines(AT_ONCE):
        if _are_plain(lines):
            yield _cut(lines, delimiter, header, before)
            before += len(lines)
            continue
        reader = csv.reader(chain(lines, text), delimiter=delimiter, strict=True)
        while reader.line_num < len(lines):
            batch = _batch(reader, len(header), len(lines))
            yield _frame(header, batch, before)
            before += sum(batch.spans)


def _are_plain(lines: Sequence[str]) -> bool:
    """Whether each line is a record of its own, cut at each delimiter."""
    return not any('"' in line for line in lines) and max(map(len, lines)) <= LONGEST_CELL


def _cut(lines: Sequence[str], delimiter: str, header: Sequence[str], before: int) -> pl.DataFrame:
    """The records of plain lines."""
    width, text = len(header), pl.col("text")
    every = pl.DataFrame({"text": lines}).with_row_index(LINE, offset=before + 1)
    there = every.with_columns(text.str.strip_chars_end("\r\n")).filter(text != "")
    cells = there["text"].str.split_exact(delimiter, width)
    last, beyond = (cells.struct.field(f"field_{place}") for place in (width - 1, width))
    faults = pl.Series([None], dtype=pl.String).new_from_index(0, len(cells))
    if (wrong := (last.is_null() | beyond.is_not_null()).arg_true()).len():
        counts = there["text"].gather(wrong).str.count_matches(delimiter, literal=True)
        faults = faults.scatter(wrong, [_ragged(count + 1, width) for count in counts])
    whole = [cells.struct.field(f"field_{place}").alias(name) for place, name in enumerate(header)]
    return pl.DataFrame([there[LINE], faults.alias(FAULT), *whole])


def _batch(reader: Any, width: int, until: int) -> Batch:
    """The next records, up to a line. After a record that cannot be read the next line is tried."""
    found: list[Cells] = []
    before, fault = reader.line_num, None
    try:
        while reader.line_num < until:
            found.append(next(reader))
    except csv.Error as error:
        fault = str(error)
    lines = reader.line_num - before
    spans = [1] * len(found) if lines == len(found) else [_lines_of(cells) for cells in found]
    faults: list[str | None] = [None] * len(found)
    if {*map(len, found)} - {width}:
        faults = [_ragged(len(cells), width) if cells else None for cells in found]
    if fault is not None:
        found.append([""])
        spans.append(max(1, lines - sum(spans)))
        faults.append(f"cannot be read as CSV: {fault}")
    return Batch(spans, found, faults)


def _lines_of(cells: Cells) -> int:
    return 1 + sum(len(LINE_END.findall(cell)) for cell in cells if "\n" in cell or "\r" in cell)


def _ragged(count: int, width: int) -> str | None:
    if count == width:
        return None
    return f"has {count} cell{'s' * (count != 1)}, and the header has {width}"


def _frame(header: Sequence[str], batch: Batch, before: int) -> pl.DataFrame:
    """The records of a batch that are not blank."""
    spans = pl.Series(batch.spans, dtype=pl.UInt32)
    lines = spans.cum_sum() - spans + before + 1
    faults = pl.Series(batch.faults, dtype=pl.String)
    found = batch.records
    if not all(found):
        there = pl.Series(map(bool, found), dtype=pl.Boolean)
        lines, faults, found = lines.filter(there), faults.filter(there), [*filter(None, found)]
    if faults.null_count() < faults.len():
        found = [_padded(cells, len(header)) for cells in found]
    columns = zip(*found, strict=True) if found else [()] * len(header)
    cells = {name: pl.Series(list(values), dtype=pl.String) for name, values in zip(header, columns, strict=True)}
    return pl.DataFrame({LINE: lines.cast(pl.UInt32), FAULT: faults, **cells})


def _padded(cells: Sequence[str], width: int) -> list[str]:
    """As many cells as the header has; those of a record with others are not judged."""
    return [*cells[:width], *[""] * (width - len(cells))]
