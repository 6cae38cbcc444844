"""The text of a CSV file cut into records: lines without quotes by Polars, all others by the csv module."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import NamedTuple

import polars as pl

LINE, FAULT = "(line)", "(fault)"
"""Columns beside the cells: the line on which a record begins, and why it cannot be read, null where it can."""
LONGEST_CELL = 1_000_000
"""Characters."""
AT_ONCE = 2_000_000
"""Characters that are cut together; they go on to the end of their last record."""
LINE_END = re.compile("\r\n|\r|\n")
SWALLOWED = 5
"""Lines of a cell that each have as many delimiters as the header: so many are no text, but records behind an open quote."""
UNENDED = "unexpected end of data"
"""What the csv module says of a quote that is still open at the end of the file."""
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
        at = 0
        while at < len(lines):
            batch = _batch(Stretch(lines, text, delimiter, len(header), before - at), at)
            yield _frame(header, batch, before)
            at, before = at + sum(batch.spans), before + sum(batch.spans)


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
        faults = faults.scatter(wrong, [_count_fault(count + 1, width) for count in counts])
    whole = [cells.struct.field(f"field_{place}").alias(name) for place, name in enumerate(header)]
    return pl.DataFrame([there[LINE], faults.alias(FAULT), *whole])


class Stretch(NamedTuple):
    """Some lines on end and the text behind them, how they are cut into records, how many cells these have.

    `before` is how many lines of the file lie before them. Lines of the text behind are added where a record ends in them.
    """

    lines: list[str]
    text: Iterable[str]
    delimiter: str
    width: int
    before: int

    def since(self, at: int) -> Iterator[str]:
        """The lines from one on, and then those of the text behind."""
        there = iter(self.lines)
        there.__setstate__(at)  # type: ignore[attr-defined]  # of iterators of lists; at once, however far it is
        return chain(there, self._added())

    def _added(self) -> Iterator[str]:
        for line in self.text:
            self.lines.append(line)
            yield line


def _batch(stretch: Stretch, at: int) -> Batch:
    """The records of a stretch, from one of its lines on.

    Of one that cannot be read only the first line counts as read: what its open quote has swallowed is read by itself.
    """
    whole, until = Batch([], [], []), len(stretch.lines)
    while at < until:
        batch = _up_to_a_fault(stretch, at, until)
        whole.spans.extend(batch.spans)
        whole.records.extend(batch.records)
        whole.faults.extend(batch.faults)
        at += sum(batch.spans)
    return whole


def _up_to_a_fault(stretch: Stretch, at: int, until: int) -> Batch:
    """The records from one line up to another, or up to one that cannot be read."""
    found: list[Cells] = []
    reader = csv.reader(stretch.since(at), delimiter=stretch.delimiter, strict=True)
    error = None
    try:
        while reader.line_num < until - at:
            found.append(next(reader))
    except csv.Error as raised:
        error = raised
    spans = [1] * len(found) if reader.line_num == len(found) else [_lines_of(cells) for cells in found]
    long = enumerate(spans) if max(spans, default=0) > SWALLOWED else ()
    swallows = next((place for place, span in long if span > SWALLOWED and _swallows(found[place], stretch)), None)
    first = stretch.before + at
    if error is None and swallows is None:
        return Batch(spans, found, _ragged(found, spans, stretch.width, first))
    read = reader.line_num if swallows is None else sum(spans[: swallows + 1])
    found, spans = found[:swallows], spans[:swallows]
    told = _unreadable(None if swallows is not None else error, first + sum(spans) + 1, first + read)
    faults = [*_ragged(found, spans, stretch.width, first), f"cannot be read as CSV: {told}"]
    cells = stretch.lines[at + sum(spans)].rstrip("\r\n").split(stretch.delimiter)  # roughly, for the key to be told
    return Batch([*spans, 1], [*found, ["" if '"' in cell else cell for cell in cells]], faults)


def _swallows(cells: Cells, stretch: Stretch) -> bool:
    """Whether a cell of many lines holds records: each line after its first has as many delimiters as the header."""
    lines = (LINE_END.split(cell)[1:] for cell in cells)
    return stretch.width > 1 and any(
        len(behind) >= SWALLOWED and all(line.count(stretch.delimiter) == stretch.width - 1 for line in behind)
        for behind in lines
    )


def _unreadable(error: csv.Error | None, first: int, last: int) -> str:
    """Why a record that goes from one line to another cannot be read; without an error it has swallowed others."""
    if error is not None and first == last and str(error) != UNENDED:
        return str(error)
    if error is None:
        how = f"and closed on line {last}, behind what seem to be records"
    elif str(error) == UNENDED:
        how = "and never closed"
    elif "limit" in str(error):
        how = f"and not closed within {LONGEST_CELL:,} characters"
    else:
        how = f"and closed on line {last} in the middle of a cell"
    behind = f"; the lines from {first + 1} on are read by themselves" if last > first else ""
    return f"a quote is opened {how}{behind}"


def _lines_of(cells: Cells) -> int:
    return 1 + sum(len(LINE_END.findall(cell)) for cell in cells if "\n" in cell or "\r" in cell)


def _ragged(found: Sequence[Cells], spans: Sequence[int], width: int, before: int) -> list[str | None]:
    """Of each record what is wrong with how many cells it has."""
    if not {*map(len, found)} - {width}:
        return [None] * len(found)
    ends = accumulate(spans, initial=before)
    next(ends)
    return [
        _count_fault(len(cells), width, end if span > 1 else None) if cells and len(cells) != width else None
        for cells, span, end in zip(found, spans, ends, strict=True)
    ]


def _count_fault(count: int, width: int, until: int | None = None) -> str:
    goes = "" if until is None else f"; in quotes it goes on to line {until}"
    return f"has {count} cell{'s' * (count != 1)}, and the header has {width}{goes}"


def _frame(header: Sequence[str], batch: Batch, before: int) -> pl.DataFrame:
    """The records of a batch that are not blank."""
    spans = pl.Series(batch.spans, dtype=pl.UInt32)
    lines = spans.cum_sum() - spans + before + 1
    faults = pl.Series(batch.faults, dtype=pl.String)
    found = batch.records
    if not all(found):
        there = pl.Series(map(bool, found), dtype=pl.Boolean)
        lines, faults, found = lines.filter(there), faults.filter(there), [*filter(None, found)]
    if faults.null_count() < faults.len():  # as many cells as the header has; no record with others is validated
        found = [[*cells[: len(header)], *[""] * (len(header) - len(cells))] for cells in found]
    columns = zip(*found, strict=True) if found else [()] * len(header)
    cells = {name: pl.Series(list(values), dtype=pl.String) for name, values in zip(header, columns, strict=True)}
    return pl.DataFrame({LINE: lines.cast(pl.UInt32), FAULT: faults, **cells})
