"""The rows of look-up tables in CSV files: commas between cells, UTF-8, the names of the columns on the first line."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from policy_engine.diagnostics import Diagnostic, did_you_mean, meaning, nearest, say, shown_text
from policy_engine.documents.yaml_reader import CONTROL
from policy_engine.fixes import Hint, is_slip
from policy_engine.frontend.files import ReadText, is_text
from policy_engine.source import Authored, Span

LARGEST_FILE = 50_000_000
"""Bytes; 100,000 rows of a few short cells have some 5,000,000."""
MOST_TOLD = 50
"""Of the faults of a table's rows so many are told; a column of a wrong type has one in each row."""
FOREIGN = re.compile("[;\t|]")
"""What other files have between cells."""


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file: where it is, its text, and its records, each with the line on which it begins, the names of columns first."""

    path: str
    text: str
    lines: tuple[int, ...]
    records: tuple[Sequence[str], ...]

    def place(self, record: int, at: int) -> Span:
        """Where a cell of a record stands, through quotes and line breaks within them."""
        line, lines = self.lines[record], self.text.split("\n")
        column, quoted = 1, False
        for number in range(line, len(lines) + 1):
            for index, character in enumerate(lines[number - 1]):
                if at == 0:
                    cell = re.match(r'"(?:[^"]|"")*"?|[^,]*', lines[number - 1][column - 1 :])
                    return Span(self.path, number, column, max(1, len(cell.group()) if cell else 1))
                quoted ^= character == '"'
                if character == "," and not quoted:
                    at, column = at - 1, index + 2
            if not quoted:
                break
            column = 1
        return Span(self.path, number, column)

    def row_span(self, record: int) -> Span:
        """Where a record stands."""
        length = len(self.text.split("\n")[self.lines[record] - 1])
        return Span(self.path, self.lines[record], 1, max(1, length))


def read_csv(rules: str, name: Authored, faults: list[Diagnostic], read: ReadText) -> CsvFile | None:
    """The file of a name beside a rule file, None where it cannot be read as one."""
    path = _path_of(rules, name, faults)
    if path is None:
        return None
    text, unread = read(path, LARGEST_FILE)
    faults.extend(unread)
    control = CONTROL.search(text)
    if control is not None and not unread:
        line = text.count("\n", 0, control.start()) + 1
        span = Span(str(path), line, control.start() - text.rfind("\n", 0, control.start()))
        faults.append(say("yaml-control-character", span, character=f"U+{ord(control.group()):04X}"))
    if unread or control is not None:
        return None
    lines: list[int] = []
    records: list[list[str]] = []
    reader, before = csv.reader(StringIO(text), strict=True), 0
    try:
        for record in reader:
            lines.append(before + 1)
            records.append(record)
            before = reader.line_num
    except csv.Error as error:
        words = {"why": REASONS.get(str(error), str(error))}
        faults.append(say("csv-syntax", Span(str(path), before + 1), words=words))
        return None
    if [] in records:  # which a line without a sign is
        lines = [line for line, record in zip(lines, records, strict=True) if record]
        records = [record for record in records if record]
    if not records:
        faults.append(say("csv-syntax", Span(str(path)), why="it has no first line with the names of the columns"))
        return None
    return CsvFile(str(path), text, tuple(lines), tuple(records))


REASONS = {
    "unexpected end of data": "a quote is never closed",
    "',' expected after '\"'": "a quote in a quoted cell is written twice, and this one is not",
}
"""What Python's reader says, in other words."""


def _path_of(rules: str, name: Authored, faults: list[Diagnostic]) -> Path | None:
    """The path of a file below the folder of a rule file, None where there is none."""
    if is_text(rules):
        why = "the rules were given as a text, beside which there is no file"
        faults.append(say("table-file", name.span, hint="write the rows under `rows`", name=name.value, why=why))
        return None
    written, folder = PurePosixPath(name.value), Path(rules).parent
    if written.is_absolute() or ".." in written.parts or "\\" in name.value or written.suffix != ".csv":
        faults.append(
            say("table-file", name.span, name=name.value, why="it is no CSV file beside the rule file or below it")
        )
        return None
    path = folder / written
    if not path.exists():
        known = [file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*.csv"))]
        hint = did_you_mean(name.value, known) or f"it would be {path}"
        faults.append(say("table-file", name.span, hint=hint, name=name.value, why="there is no such file"))
        return None
    return path


def check_header(file: CsvFile, table: str, wanted: Iterable[tuple[str, bool]], faults: list[Diagnostic]) -> bool:
    """Whether a file has the columns of a table, those of them that it must have, and no others; faults are reported."""
    before, names = len(faults), file.records[0]
    headers = dict(wanted)
    if len(names) == 1 and FOREIGN.search(names[0]):
        faults.append(say("csv-syntax", file.place(0, 0), why="there is no comma between the names of the columns"))
        return False
    seen: set[str] = set()
    for at, name in enumerate(names):
        if name in seen:
            faults.append(say("duplicate-id", file.place(0, at), name=name))
        elif name not in headers:
            ends = f"write `{name}_from,{name}_below`" if f"{name}_from" in headers else None
            near = meant_column(name, headers)
            known = f"it has {', '.join(headers)}"
            hint = ends or (meaning(name, near, sure=is_slip(name, near, headers)) if near else known)
            faults.append(say("unknown-column", file.place(0, at), hint=hint, table=table, name=name))
        seen.add(name)
    meant = {name for name in names if name not in headers}
    for name, required in headers.items():
        is_meant = any(meant_column(other, headers) == name for other in meant)
        if required and name not in seen and not is_meant:
            faults.append(say("column-missing", file.row_span(0), table=table, name=name))
    return len(faults) == before


LAST_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("to", "till", "end", "max", "until"), "until"),
        **dict.fromkeys(("from", "start", "since", "min"), "from"),
    }
)
"""What others call the ends of a range or a period, as ours are called: the end of a range is `below`."""


def meant_column(name: str, headers: Collection[str]) -> str | None:
    """The column of a table that another name was probably meant to be, None where none is near."""
    start, _, last = name.rpartition("_")
    word = LAST_WORDS.get(last, "")
    ends = (f"{start}_{word}", f"{start}_below" if word == "until" else "", f"valid_{word}" if not start else "")
    return next((end for end in ends if end in headers), None) or nearest(name, headers)


def ragged(file: CsvFile) -> Iterator[Diagnostic]:
    """A diagnostic for each record that has more or fewer cells than the first line."""
    expected = len(file.records[0])
    wrong = (number for number, record in enumerate(file.records) if len(record) != expected)
    for told, number in enumerate(wrong):
        if told == MOST_TOLD:
            break
        words = {"found": len(file.records[number]), "expected": expected}
        yield say("csv-cells", file.row_span(number), words=words)


@dataclass(slots=True)
class CsvGrid:
    """The rows of a file whose records are all as long as the first."""

    file: CsvFile
    columns: dict[str, Sequence[str]]

    @property
    def height(self) -> int:
        return len(self.file.records) - 1

    def has(self, header: str) -> bool:
        return header in self.columns

    def cells(self, header: str) -> Sequence[str | None]:
        found = self.columns.get(header)
        if found is None:
            return [None] * self.height
        return [cell or None for cell in found] if "" in found else found

    def place(self, row: int, header: str) -> Span:
        names = list(self.columns)
        return self.file.place(row + 1, names.index(header)) if header in names else self.file.row_span(row + 1)

    def row_place(self, row: int) -> tuple[int, int]:
        return self.file.lines[row + 1], 1


def grid_of(file: CsvFile) -> CsvGrid:
    """The rows of a file by its columns."""
    names, *records = file.records
    columns: list[Sequence[str]] = list(zip(*records, strict=True)) if records else [()] * len(names)
    return CsvGrid(file, dict(zip(names, columns, strict=True)))


def with_blanks(grid: CsvGrid, faults: list[Diagnostic]) -> None:
    """Report cells with blanks around what they say."""
    told = 0
    for name, cells in grid.columns.items():
        if tuple(map(str.strip, cells)) == tuple(cells):
            continue
        for row, cell in enumerate(cells):
            if told < MOST_TOLD and cell != cell.strip():
                told += 1
                place = grid.place(row, name)
                fix = Hint("", cell, cell.strip()).fix(place)
                faults.append(say("cell-blanks", place, fix=fix, text=shown_text(cell, 40)))
