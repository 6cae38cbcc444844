"""What stands on one line of a rule or test file: texts and their quotes, brackets, and rows whose columns line up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unicodedata import combining, east_asian_width

from policy_engine.documents.quoting import open_brackets
from policy_engine.documents.yaml_layout import FlowPart, Leaf

LONGEST_ROW = 160
"""Columns line up as long as no line of the table becomes longer."""
SEVERAL_WORDS = re.compile(r"[^\W\d_](?!.*(?::(?: |$)| #| $))(?=.* )[^\\\t]*")
"""What reads the same without quotes. A single word keeps them: they may say that a text is meant, and no name."""
BRACKETED = re.compile(r"[,\[\]{}\"']")
CELLS, DASH = "cells", "-"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its label with a colon, or a dash, and what stands between brackets."""

    label: str
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a table's rows by their number, and its heading, if it lines up with them: the words, and where they begin."""

    rows: Mapping[int, str]
    heading: str | None = None
    column: int = 0


@dataclass(frozen=True, slots=True)
class _Cut:
    """A row cut into its cells: what opens it, the cells with their commas, and what kind of row it is."""

    opening: str
    cells: tuple[str, ...]
    kind: tuple[str | None, ...]


def one_line(leaf: Leaf, *, inside: bool = False) -> str:
    """A text of one line as it is written; `inside` brackets more signs need quotes."""
    if leaf.parts is None:
        return _with_few_quotes(leaf, inside)
    return leaf.raw[0] + ", ".join(map(_part, leaf.parts)) + leaf.raw[-1]


def _part(part: FlowPart) -> str:
    value = one_line(part.value, inside=True)
    return value if part.key is None else f"{part.key}: {value}"


def _with_few_quotes(leaf: Leaf, inside: bool) -> str:
    """A text without quotes where it is several words that need none, or else in double ones where it can be."""
    raw = leaf.raw
    if raw[:1] not in ("'", '"') or (raw[0] == '"' and "\\" in raw):
        return raw
    text = raw[1:-1].replace("''", "'") if raw[0] == "'" else raw[1:-1]
    if SEVERAL_WORDS.fullmatch(text) and leaf.behind is None and not (inside and BRACKETED.search(text)):
        return text if open_brackets(text) == "" else raw
    return raw if '"' in text or "\\" in text else f'"{text}"'


# Rows.


def aligned(rows: Sequence[Row | None], indent: int, heading: Sequence[str] = ()) -> Lines:
    """The lines of a table; None is an entry that is no row. `heading` names the columns, and lines up with them.

    Where a line would be too long, only the rows' beginnings line up.
    """
    cut = {number: _cut(row.leaf) for number, row in enumerate(rows) if row is not None}
    labels = {number: row.label for number, row in enumerate(rows) if row is not None}
    widest = max((_width(label) + (label != DASH) for label in labels.values()), default=0)
    heads = {number: " " * indent + _padded(label, widest) for number, label in labels.items()}
    widths = _widths([*cut.values(), *([_heading(heading)] if heading else [])])
    opening = max((len(row.opening) for row in cut.values()), default=0)
    lines = {
        number: f"{heads[number]} {row.opening.rjust(opening)}{_in_columns(row, widths)}" for number, row in cut.items()
    }
    if max(map(_width, lines.values()), default=0) > LONGEST_ROW:
        return Lines({number: f"{heads[number]} {row.opening}{' '.join(row.cells)}" for number, row in cut.items()})
    if not heading or any(row.kind != (None,) * len(heading) for row in cut.values()):
        return Lines(lines)
    return Lines(lines, _in_columns(_heading(heading), widths), indent + widest + opening)


def _heading(words: Sequence[str]) -> _Cut:
    """The names of columns as a row: behind the sign of a comment and a blank, where rows have a bracket."""
    cells = [f"{word}," for word in words[:-1]] + [words[-1]]
    return _Cut("", (f" {cells[0]}", *cells[1:]), (None,) * len(words))


def _cut(leaf: Leaf) -> _Cut:
    """A row in cells; `{cells: [...], source: ...}` has those of a list, and one more."""
    parts = leaf.parts or ()
    first = parts[0]
    if first.key == CELLS and first.value.parts:
        inner = _cut(first.value)
        last = inner.cells[-1] + ("," if parts[1:] else "}")
        more = (f"{', '.join(map(_part, parts[1:]))}}}",) if parts[1:] else ()
        return _Cut(f"{{{CELLS}: ", (*inner.cells[:-1], last, *more), inner.kind)
    texts = [_part(part) for part in parts]
    cells = [f"{text}," for text in texts[:-1]] + [f"{texts[-1]}{leaf.raw[-1]}"]
    return _Cut("", (f"{leaf.raw[0]}{cells[0]}", *cells[1:]), tuple(part.key for part in parts))


def _widths(rows: Sequence[_Cut]) -> Mapping[tuple[object, int], int]:
    """How wide the columns of each kind of row are; what ends a row needs no width."""
    found: dict[tuple[object, int], int] = {}
    for row in rows:
        for at, cell in enumerate(row.cells[:-1]):
            found[row.kind, at] = max(found.get((row.kind, at), 0), _width(cell))
    return found


def _in_columns(row: _Cut, widths: Mapping[tuple[object, int], int]) -> str:
    cells = (_padded(cell, widths[row.kind, at]) for at, cell in enumerate(row.cells[:-1]))
    return " ".join([*cells, row.cells[-1]])


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """How many columns a text takes where letters of East Asia take two."""
    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text)
