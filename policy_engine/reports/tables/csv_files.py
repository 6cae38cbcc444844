"""CSV files as people have them: the text of their encoding, cut into records by their delimiter."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl

from policy_engine.diagnostics import shown_text
from policy_engine.errors import CannotRun
from policy_engine.reports.tables.csv_records import LONGEST_CELL, Cells, records
from policy_engine.reports.tables.opening import opened, unpacked

DELIMITERS = (",", ";", "\t", "|")
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """How a CSV file is written: `encoding` and `delimiter`, None where that is to be found out.

    Without an encoding a file is UTF-8, or what its byte order mark says; without a delimiter its header tells.
    """

    encoding: str | None = None
    delimiter: str | None = None


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file whose header was read; `header_lines` are its lines up to the end of the header."""

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_lines: int

    def records(self, progress: Callable[[int], None]) -> Iterator[pl.DataFrame]:
        """All records behind the header that are not blank, as `csv_records` has them; raises `CannotRun` for what is no text.

        `progress` is told how many more bytes of the file were read.
        """
        with opened(self.path) as raw, _decoded(self, raw) as text:
            next(_skipping_blank(csv.reader(text, delimiter=self.delimiter, strict=True)))
            at = 0
            for piece in records(text, self.delimiter, self.header, self.header_lines):
                yield piece
                at, before = raw.tell(), at
                progress(at - before)


def open_csv(path: Path, options: CsvOptions) -> CsvFile:
    """A CSV file with its encoding, delimiter and header; raises `CannotRun`."""
    with opened(path) as raw:
        encoding = options.encoding or _by_mark(unpacked(path, raw).read(4))
    _check_encoding(encoding)
    file = CsvFile(path, encoding, options.delimiter or ",", (), 0)
    if options.delimiter is None:
        with opened(path) as raw, _decoded(file, raw) as lines:
            file = CsvFile(path, encoding, _likely_delimiter(lines), (), 0)
    with opened(path) as raw, _decoded(file, raw) as lines:
        reader = csv.reader(lines, delimiter=file.delimiter, strict=True)
        header = _header(path, reader)
        return CsvFile(path, encoding, file.delimiter, header, reader.line_num)


def _check_encoding(encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError:
        known = "utf-8, utf-16, cp1252, latin-1"
        raise CannotRun(f"there is no encoding `{shown_text(encoding)}`; there are {known} and more") from None


def _by_mark(start: bytes) -> str:
    return next((encoding for mark, encoding in MARKS if start.startswith(mark)), "utf-8")


def _likely_delimiter(lines: Iterator[str]) -> str:
    """The delimiter that the first line has most of, outside quotes; a comma where it has none."""
    first = next((line for line in lines if line.strip()), "")
    bare = re.sub('"[^"]*"', "", first)
    return max(DELIMITERS, key=bare.count)


def _header(path: Path, reader: Iterator[Cells]) -> tuple[str, ...]:
    try:
        header = next(_skipping_blank(reader), None)
    except csv.Error as error:
        raise CannotRun(f"`{path}`: its header cannot be read: {error}") from None
    if header is None:
        raise CannotRun(f"`{path}` is empty; its first line must name the columns")
    names = [name.strip() for name in header]
    for index, name in enumerate(names):
        if not name:
            raise CannotRun(f"`{path}`: column {index + 1} of the header has no name; give it one")
        if name in names[:index]:
            raise CannotRun(f"`{path}`: the column `{shown_text(name)}` stands twice in the header; keep one")
    return tuple(names)


def _skipping_blank(reader: Iterator[Cells]) -> Iterator[Cells]:
    return (cells for cells in reader if cells)


@contextmanager
def _decoded(file: CsvFile, raw: IO[bytes]) -> Iterator[io.TextIOWrapper]:
    """The text of a file; raises `CannotRun` where it is none, with the line."""
    csv.field_size_limit(LONGEST_CELL)
    text = io.TextIOWrapper(unpacked(file.path, raw), encoding=file.encoding, newline="")
    try:
        yield text
    except UnicodeError as error:
        raise CannotRun(_undecodable(file, error)) from None
    finally:
        text.detach()


def _undecodable(file: CsvFile, error: UnicodeError) -> str:
    where = f"`{file.path}`"
    found = ""
    if isinstance(error, UnicodeDecodeError) and file.encoding in ("utf-8", "utf-8-sig"):
        with opened(file.path) as raw:
            lines = enumerate(unpacked(file.path, raw), start=1)
            number, byte = next((number, byte) for number, line in lines if (byte := _bad_byte(line)) is not None)
        where, found = f"{where}, line {number}", f": byte 0x{byte:02X}"
    advice = "save the file as UTF-8, or name its encoding: --encoding cp1252 is usual for Excel on Windows"
    return f"{where}: the text is not {file.encoding}{found}; {advice}"


def _bad_byte(line: bytes) -> int | None:
    """The first byte of a line that is not UTF-8."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return line[error.start]
    return None
