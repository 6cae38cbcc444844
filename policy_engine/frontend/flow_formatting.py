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


def aligned(rows: Sequence[Row | None], indent: int) -> Mapping[int, str]:
    """The lines of the rows of a table, by their number; None is an entry that is no row."""
    cut = {number: _cut(row.leaf) for number, row in enumerate(rows) if row is not None}
    labels = {number: row.label for number, row in enumerate(rows) if row is not None}
    widest = max((_width(label) + (label != DASH) for label in labels.values()), default=0)
    heads = {number: " " * indent + _padded(label, widest) for number, label in labels.items()}
    lines = {number: f"{heads[number]} {text}" for number, text in _in_columns(cut).items()}
    if max(map(_width, lines.values()), default=0) <= LONGEST_ROW:
        return lines
    return {number: f"{heads[number]} {row.opening}{' '.join(row.cells)}" for number, row in cut.items()}


def _cut(leaf: Leaf) -> _Cut:
    """A row in cells; `{cells: [...], source: ...}` has those of a list, and one more."""
    parts = leaf.parts or ()
    first = parts[0]
    if first.key == CELLS and first.value.parts:
        inner = _cut(first.value)
        rest = [f", {_part(part)}" for part in parts[1:]]
        last = inner.cells[-1] + ("," if rest else "}")
        more = (f"{', '.join(map(_part, parts[1:]))}}}",) if rest else ()
        return _Cut(f"{{{CELLS}: ", (*inner.cells[:-1], last, *more), inner.kind)
    texts = [_part(part) for part in parts]
    cells = [f"{text}," for text in texts[:-1]] + [f"{texts[-1]}{leaf.raw[-1]}"]
    return _Cut("", (f"{leaf.raw[0]}{cells[0]}", *cells[1:]), tuple(part.key for part in parts))


def _in_columns(rows: Mapping[int, _Cut]) -> dict[int, str]:
    opening = max((len(row.opening) for row in rows.values()), default=0)
    widths: dict[tuple[object, int], int] = {}
    for row in rows.values():
        for at, cell in enumerate(row.cells[:-1]):
            widths[row.kind, at] = max(widths.get((row.kind, at), 0), _width(cell))
    return {
        number: row.opening.rjust(opening)
        + " ".join([*(_padded(cell, widths[row.kind, at]) for at, cell in enumerate(row.cells[:-1])), row.cells[-1]])
        for number, row in rows.items()
    }


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """How many columns a text takes where letters of East Asia take two."""
    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text)
