"""The cells of a sheet that hold an error such as #N/A, or a formula without a value.

The library that reads sheets gives them as empty cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO
from xml.etree import ElementTree
from zipfile import ZipFile

CHUNK = 1 << 20
HINTS = re.compile(
    rb"""\bt=["']e["']|<(?:\w+:)?v\s*/>|<(?:\w+:)?v></|</(?:\w+:)?f>\s*</(?:\w+:)?c>|<(?:\w+:)?f\b[^>]*/>\s*</(?:\w+:)?c>"""
)
"""What stands in every sheet with such cells: an error, an empty value, a formula with nothing behind it."""
LONGEST = 1_000
"""Bytes that a hint may have, with room to spare."""
NO_VALUE = "=?"
"""Stands for a formula that nobody has worked out."""
PLACE = re.compile("([A-Z]+)([0-9]+)")
Errors = Mapping[int, Mapping[int, str]]
"""The errors of a sheet, and `NO_VALUE`, by column, counted from 0, and row, counted from 1."""


def error_cells(path: Path, sheet: str) -> Errors:
    """The errors of a sheet of a workbook that was read before."""
    found: dict[int, dict[int, str]] = {}
    with ZipFile(path) as parts:
        part = _part_of(parts, sheet)
        with parts.open(part) as file:
            if not _may_have_errors(file):
                return found
        with parts.open(part) as file:
            for column, row, error in _errors(file):
                found.setdefault(column, {})[row] = error
    return found


def _part_of(parts: ZipFile, sheet: str) -> str:
    """The name of the part in which a sheet stands."""
    book = ElementTree.fromstring(parts.read("xl/workbook.xml"))
    own = next(one for one in book.iterfind("{*}sheets/{*}sheet") if one.get("name") == sheet)
    link = next(value for name, value in own.items() if name.endswith("}id"))
    links = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
    target = next(one.get("Target", "") for one in links if one.get("Id") == link)
    return str(PurePosixPath("/xl") / target)[1:]


def _may_have_errors(file: IO[bytes]) -> bool:
    before = b""
    for chunk in iter(partial(file.read, CHUNK), b""):
        if HINTS.search(before + chunk):
            return True
        before = chunk[-LONGEST:]
    return False


def _errors(file: IO[bytes]) -> Iterator[tuple[int, int, str]]:
    """Column, row and text of each error."""
    for _, element in ElementTree.iterparse(file):
        kind = element.tag.rpartition("}")[2]
        if kind == "c" and (error := _error(element)):
            place = PLACE.fullmatch(element.get("r", ""))
            if place is not None:
                yield column_of(place[1]), int(place[2]), error
        elif kind == "row":
            element.clear()


def _error(cell: ElementTree.Element) -> str | None:
    value, kind = cell.findtext("{*}v"), cell.get("t")
    if kind == "e":
        return value or "#N/A"
    return NO_VALUE if not value and kind != "str" and cell.find("{*}f") is not None else None


def column_of(letters: str) -> int:
    """The column of letters, counted from 0."""
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


def letters_of(column: int) -> str:
    """The letters of a column that is counted from 0."""
    before, last = divmod(column, 26)
    return (letters_of(before - 1) if before else "") + chr(ord("A") + last)
