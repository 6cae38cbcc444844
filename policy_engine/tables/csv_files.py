"""CSV files as people have them: the text of their encoding, cut into records by their delimiter."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, TextIO

import polars as pl

from policy_engine.diagnostics import shown_text
from policy_engine.errors import CannotRun
from policy_engine.tables.csv_records import LONGEST_CELL, UNENDED, Cells, records
from policy_engine.tables.file_options import FileOptions, delimiter_of
from policy_engine.tables.source import Progress, opened, unpacked
from policy_engine.text_encodings import LONGEST_MARK, marked, not_text, text_encoding, unmarked

DELIMITERS = (",", ";", "\t", "|")
SEP = re.compile('"?sep=(.{1,3}?)"?[\r\n]*', re.IGNORECASE)
"""A first line by which spreadsheets tell the delimiter: `sep=;`."""
WITHOUT_ORDER = ("utf-16", "utf-32")
"""Encodings that a byte order mark has to complete."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A file of text: its encoding, and how many bytes its byte order mark takes."""

    path: Path
    encoding: str
    mark: int

    @contextmanager
    def text(self, raw: IO[bytes]) -> Iterator[io.TextIOWrapper]:
        """The text of the opened file; raises `CannotRun` where it is none, with the line."""
        csv.field_size_limit(LONGEST_CELL)
        found = unpacked(self.path, raw)
        found.read(self.mark)
        text = io.TextIOWrapper(found, encoding=self.encoding, newline="")
        try:
            yield text
        except UnicodeError:
            raise CannotRun(self._undecodable()) from None
        finally:
            text.detach()

    def _undecodable(self) -> str:
        with opened(self.path) as raw:
            file = unpacked(self.path, raw)
            file.read(self.mark)
            told = not_text(f"`{self.path}`", self.encoding, file)
        advice = "save the file as UTF-8, or name its encoding: --encoding cp1252 is usual for Excel on Windows"
        return f"{told}; {advice}"


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file whose header was read; `header_lines` are its lines up to the end of the header."""

    encoded: Encoded
    delimiter: str
    header: tuple[str, ...]
    header_lines: int

    def records(self, progress: Progress) -> Iterator[pl.DataFrame]:
        """All records behind the header that are not blank, as `csv_records` has them; raises `CannotRun` for what is no text."""
        with opened(self.encoded.path) as raw, self.encoded.text(raw) as text:
            for _ in range(self.header_lines):
                text.readline()
            yield from progress.through(raw, records(text, self.delimiter, self.header, self.header_lines))


def open_csv(path: Path, options: FileOptions) -> CsvFile:
    """A CSV file with its encoding, delimiter and header; raises `CannotRun`."""
    said = None if options.delimiter is None else delimiter_of("--delimiter", options.delimiter)
    encoded = _encoded(path, options.encoding)
    with opened(path) as raw, encoded.text(raw) as text:
        before = _skipped(path, text, options.header_row)
        first = text.readline()
        while first and not first.strip("\r\n"):
            before, first = before + 1, text.readline()
        where = f"`{path}`, line {before + 1} (`{shown_text(first.strip())}`)"
        sep = SEP.fullmatch(first)
        own = delimiter_of(where, sep[1]) if sep else _likely_delimiter(first)
        delimiter = said or own
        reader = csv.reader(text if sep else chain([first], text), delimiter=delimiter, strict=True)
        return CsvFile(encoded, delimiter, _header(path, reader), before + (sep is not None) + reader.line_num)


def _skipped(path: Path, text: TextIO, header_row: int | None) -> int:
    """How many lines were passed over to the one that is said to be the header; without one none."""
    before = 0 if header_row is None else header_row - 1
    if sum(1 for _ in islice(text, before)) < before:
        raise CannotRun(f"`{path}` has fewer than {header_row} lines; the header cannot be there (--header-row)")
    return before


def _encoded(path: Path, said: str | None) -> Encoded:
    """How a file's text is encoded: as was said, or as its first bytes tell."""
    encoding = None if said is None else text_encoding(said)
    with opened(path) as raw:
        start = unpacked(path, raw).read(LONGEST_MARK)
    try:
        found, mark = marked(start, encoding)
    except ValueError as why:
        raise CannotRun(f"`{path}` is not {encoding}: {why}; leave --encoding out") from None
    if said is None and not mark and (likely := unmarked(start)):
        raise CannotRun(f"`{path}` seems to be {likely} without a byte order mark; say so: --encoding {likely}")
    if start and not mark and found in WITHOUT_ORDER:
        which = unmarked(start) or f"{found}-le or {found}-be"
        raise CannotRun(
            f"`{path}` has no byte order mark, and {found} does not say which byte comes first: --encoding {which}"
        )
    return Encoded(path, found, mark)


def _likely_delimiter(first: str) -> str:
    """The delimiter that a line has most of, outside quotes; a comma where it has none."""
    bare = re.sub('"[^"]*"', "", first)
    return max(DELIMITERS, key=bare.count)


def _header(path: Path, reader: Iterator[Cells]) -> tuple[str, ...]:
    try:
        header = next(filter(None, reader), None)
    except csv.Error as error:
        why = "a quote is opened in it and never closed" if str(error) == UNENDED else str(error)
        raise CannotRun(f"`{path}`: its header cannot be read: {why}") from None
    if header is None:
        raise CannotRun(f"`{path}` is empty; its first line must name the columns")
    names = [name.strip() for name in header]
    for index, name in enumerate(names):
        if not name:
            raise CannotRun(f"`{path}`: column {index + 1} of the header has no name; give it one")
        if name in names[:index]:
            raise CannotRun(f"`{path}`: the column `{shown_text(name)}` stands twice in the header; keep one")
    return tuple(names)
