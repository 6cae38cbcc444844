"""Parsing look-up tables: their keys and columns, and the rows, which stand in the rule file or in a CSV file beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import repeat
from types import MappingProxyType
from typing import Any, Protocol

from policy_engine.diagnostics import Diagnostic, Related, did_you_mean, meaning, say, shown_text
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode
from policy_engine.documents.quoting import unread
from policy_engine.fixes import Advice, Hint, is_slip, write
from policy_engine.frontend import shapes
from policy_engine.frontend.csv_rows import (
    MOST_TOLD,
    CsvFile,
    check_header,
    grid_of,
    meant_column,
    ragged,
    read_csv,
    with_blanks,
)
from policy_engine.frontend.fields import Fields, cut_number, fields_of, is_empty, whole_text
from policy_engine.frontend.files import ReadText
from policy_engine.frontend.shape_hints import amount_in
from policy_engine.frontend.syntax import TableSyntax
from policy_engine.language.date_texts import read_date
from policy_engine.language.lookup_indexes import TooManyPieces, common_part, index_of
from policy_engine.language.lookup_tables import VALID, Column, Key, LookupTable, Range, TableRow, key_in_words
from policy_engine.language.rounding import EXACT
from policy_engine.language.rulesets import ALWAYS, Period
from policy_engine.language.types import BOOLEAN, DATE, DIGITS, LIMIT, Number, Text, Type, decimal_places
from policy_engine.language.values import Value, in_words
from policy_engine.source import Authored, Span

Faults = list[Diagnostic]
RANGE = "range"
VALID_FROM, VALID_UNTIL = "valid_from", "valid_until"
"""The columns that give a row a period: the first day in force, and the first no longer in force."""
MOST_CLOSED = 1_000
"""A column of more different texts is no closed set: nobody would list them."""
UNREAD = "\0unread"
"""The text of a cell that could not be read, which was reported; no file has a control character."""
INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
TRUTHS = {"true": True, "false": False}


class Grid(Protocol):
    """The rows of a table as texts, by the names of their columns."""

    @property
    def height(self) -> int:
        """How many rows there are."""

    def has(self, header: str) -> bool:
        """Whether some row has a cell under a name."""

    def cells(self, header: str) -> Sequence[str | None]:
        """The cells under a name, None where there is none."""

    def place(self, row: int, header: str) -> Span:
        """Where a cell stands; the row, where it has no such cell."""

    def row_place(self, row: int) -> tuple[int, int]:
        """The line and the column where a row stands."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a table has: the names and words of its keys' and columns' types, and the units of its columns."""

    name: str
    keys: tuple[tuple[Authored, str], ...]
    columns: tuple[tuple[Authored, str, str | None], ...]

    def headers(self) -> Iterator[tuple[str, bool]]:
        """The names of the cells of a row, and whether each row must have the cell."""
        for name, word in self.keys:
            ends = ((f"{name.value}_from", False), (f"{name.value}_below", False))
            yield from ends if word == RANGE else ((name.value, True),)
        yield from ((name.value, True) for name, _, _ in self.columns)
        yield from ((VALID_FROM, False), (VALID_UNTIL, False))


@dataclass(slots=True)
class YamlGrid:
    """Rows in the rule file."""

    rows: list[tuple[Span, Mapping[str, Authored]]]

    @property
    def height(self) -> int:
        return len(self.rows)

    def has(self, header: str) -> bool:
        return any(header in cells for _, cells in self.rows)

    def cells(self, header: str) -> Sequence[str | None]:
        found = (cells.get(header) for _, cells in self.rows)
        return [None if cell is None else UNREAD if cell.unread else cell.value for cell in found]

    def place(self, row: int, header: str) -> Span:
        span, cells = self.rows[row]
        return cells[header].span if header in cells else span

    def row_place(self, row: int) -> tuple[int, int]:
        return self.rows[row][0].line, self.rows[row][0].column


def parse_table(name: Authored, node: YamlNode, faults: Faults, read: ReadText) -> TableSyntax:
    """A look-up table under its name."""
    before = len(faults)
    fields = fields_of(node, shapes.TABLE, f"`{name.value}`", faults)
    if not fields.readable:
        return TableSyntax(name, None, None)
    form = Form(name.value, tuple(_keys(fields)), tuple(_columns(fields)))
    meaning, source = fields.words("meaning"), fields.text("source")
    period, _ = fields.period("effective", shapes.EFFECTIVE)
    _check_form(form, faults)
    if len(faults) > before or not _one_place_of_rows(fields):
        return TableSyntax(name, None, source)
    otherwise, file = _otherwise(fields, form), None
    if (written := fields.text("from")) is None:
        grid: Grid | None = _yaml_rows(fields, form)
    else:
        file = read_csv(name.span.path, written, faults, read)
        grid = None if file is None else _csv_rows(file, form, faults)
    if grid is None:
        return TableSyntax(name, None, source, file)
    path = name.span.path if file is None else file.path
    cited = source.value if source is not None else None
    table = _Reading(form, grid, otherwise, faults, path, before).table(name, period, meaning, cited)
    return TableSyntax(name, table if len(faults) == before else None, source, file)


def _csv_rows(file: CsvFile, form: Form, faults: Faults) -> Grid | None:
    """The rows of a CSV file; a range has two columns there, and an empty cell is no value."""
    if not check_header(file, form.name, form.headers(), faults):
        return None
    before = len(faults)
    faults.extend(ragged(file))
    if len(faults) > before:
        return None
    grid = grid_of(file)
    with_blanks(grid, faults)
    if not grid.height:
        faults.append(say("csv-syntax", file.row_span(0), why="there is no row below the names of the columns"))
    return grid


def _one_place_of_rows(fields: Fields) -> bool:
    """Whether exactly one key says where the rows are."""
    if sum(fields.node.get(key) is not None for key in ("rows", "from")) == 1:
        return True
    if not fields.meant:
        fields.faults.append(say("one-of-keys", fields.span, thing="a look-up table", keys="`rows` and `from`"))
    return False


def _keys(fields: Fields) -> Iterator[tuple[Authored, str]]:
    for name, node in fields.named("keys"):
        word = _type_word(name, node, (*shapes.TYPES, RANGE), fields.faults)
        if word is not None:
            yield name, word


def _columns(fields: Fields) -> Iterator[tuple[Authored, str, str | None]]:
    for name, node in fields.named("columns"):
        unit, typed = None, node
        if isinstance(node, MappingNode):
            inner = Fields(node, shapes.COLUMN, fields.faults)
            unit, found = inner.words("unit"), node.get("type")
            if found is None:
                continue  # which was reported
            typed = found
        word = _type_word(name, typed, shapes.TYPES, fields.faults)
        if word is not None:
            yield name, word, unit


def _type_word(name: Authored, node: YamlNode, words: Sequence[str], faults: Faults) -> str | None:
    word = node.text.value if isinstance(node, ScalarNode) else ""
    if word in words:
        return word
    hint = did_you_mean(word, words) if word else None
    faults.append(say("wrong-kind", node.span, hint=hint, what=f"the type of `{name.value}`", expected=_or(words)))
    return None


def _or(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _check_form(form: Form, faults: Faults) -> None:
    """Each cell of a row has a name of its own."""
    written = [*(name for name, _ in form.keys), *(name for name, _, _ in form.columns)]
    spans = {name.value: name.span for name in reversed(written)}
    seen: set[str] = set()
    for header, _ in form.headers():
        if header in seen:
            last = [name for name in written if name.value == header]
            span = last[-1].span if last else next((span for name, span in spans.items() if header.startswith(name)))
            faults.append(say("duplicate-id", span, name=header))
        seen.add(header)


# Rows in the rule file.


def _yaml_rows(fields: Fields, form: Form) -> Grid:
    rows = fields.list_of("rows", lambda node: _yaml_row(node, form, fields.faults))
    listed = fields.node.get("rows")
    if isinstance(listed, SequenceNode) and not listed.items:
        fields.wrong("`rows`", "a list of at least one row", listed)
    return YamlGrid(list(rows))


def _yaml_row(
    node: YamlNode, form: Form, faults: Faults, what: str = "a row"
) -> tuple[Span, Mapping[str, Authored]] | None:
    if not isinstance(node, MappingNode):
        names = ", ".join([*(name.value for name, _ in form.keys), *(name.value for name, _, _ in form.columns)])
        faults.append(say("wrong-kind", node.span, what=what, expected=f"a mapping with {names}"))
        return None
    words = {name.value: word for name, word in form.keys}
    words |= {name.value: word for name, word, _ in form.columns}
    words |= {VALID_FROM: "date", VALID_UNTIL: "date"} if form.keys else {}
    cells: dict[str, Authored] = {}
    last: YamlNode | None = None
    for name, cell in node.entries:
        before, last = last, cell
        if name.value not in words and node.flow and (cut := cut_number(before, name)) is not None:
            faults.append(cut)
        elif name.value not in words:
            near = meant_column(name.value, words)
            known = f"it has {', '.join(words)}"
            hint = meaning(name.value, near, sure=is_slip(name.value, near, words)) if near else known
            faults.append(say("unknown-column", name.span, hint=hint, table=form.name, name=name.value))
        elif words[name.value] == RANGE:
            cells |= _range_ends(name, cell, faults)
        elif (text := _cell(name, cell, words[name.value], faults)) is not None:
            cells[name.value] = text
    span = node.entries[0][0].span if node.entries else node.span
    for name, word in form.keys:
        if word == RANGE and node.get(name.value) is None:
            faults.append(say("cell-missing", span, table=form.name, name=name.value))
    return span, cells


def _range_ends(name: Authored, node: YamlNode, faults: Faults) -> dict[str, Authored]:
    """The ends of a range under the names that they have in a CSV file."""
    if not isinstance(node, MappingNode):
        hint = f"write `{name.value}: {{from: 100, below: 500}}`; leave an end out where the range is open"
        faults.append(say("wrong-kind", node.span, hint=hint, what=f"`{name.value}`", expected="a range"))
        return {}
    fields, ends = Fields(node, shapes.RANGE, faults), {}
    for key in shapes.RANGE.names:
        written = fields.node.get(key)
        if written is not None and (text := _cell(Authored(key, written.span), written, "decimal", faults)) is not None:
            ends[f"{name.value}_{key}"] = text
    return ends


def _cell(name: Authored, node: YamlNode, word: str, faults: Faults) -> Authored | None:
    """The text of a cell; quotes make a text of it."""
    if not isinstance(node, ScalarNode):
        faults.append(say("wrong-kind", node.span, what=f"`{name.value}`", expected=KINDS[word]))
        return unread(node.span)
    if is_empty(node):
        return None
    if word == "text":
        return whole_text(node.text, faults)
    if not node.text.plain and word != "date":
        better = _better(node.text.value, word)
        told = f"write it without quotes: `{name.value}: {better}`"
        hint = Hint(told, node.text.raw, better, better == node.text.value, as_is=True) if better else None
        words = {"what": f"`{name.value}`", "expected": KINDS[word], "found": "a text"}
        faults.append(say("wrong-type", node.span, hint=hint, words=words))
        return unread(node.span)
    return node.text


def _otherwise(fields: Fields, form: Form) -> YamlGrid | None:
    """The row where no other is found, with columns and no keys."""
    node = fields.node.get("otherwise")
    if node is None:
        return None
    row = _yaml_row(node, Form(form.name, (), form.columns), fields.faults, "`otherwise`")
    return None if row is None else YamlGrid([row])


# From texts to values.


@dataclass(slots=True)
class _Reading:
    """Reads the texts of a table as values of the types that its form says."""

    form: Form
    grid: Grid
    otherwise: Grid | None
    faults: Faults
    path: str
    before: int
    """How many faults there were before anything of the table was read."""
    told: int = field(default=0)

    def table(self, name: Authored, period: Period, meaning: str | None, source: str | None) -> LookupTable | None:
        """The table, None where some cell is no value."""
        keys, key_cells = [], []
        for key, word in self.form.keys:
            kind, cells = self._ranges(key.value) if word == RANGE else self._values(key.value, word)[:2]
            keys.append(Key(key.value, kind, ranged=word == RANGE))
            key_cells.append(cells)
        columns, cells_of, others = [], [], []
        for column, word, unit in self.form.columns:
            kind, cells, other = self._values(column.value, word)
            columns.append(Column(column.value, kind, unit, column.span))
            cells_of.append(cells)
            others.append(other)
        dated = period != ALWAYS or any(map(self.grid.has, (VALID_FROM, VALID_UNTIL)))
        if dated:
            keys.append(VALID)
            key_cells.append(self._periods(period))
        if len(self.faults) > self.before:
            return None  # what could not be read might seem to be everywhere, and overlap
        count = range(self.grid.height)
        held = zip(*key_cells, strict=True) if key_cells else repeat((), len(count))
        given = zip(*cells_of, strict=True) if cells_of else repeat((), len(count))
        rows = tuple(map(TableRow, held, given, *zip(*map(self.grid.row_place, count), strict=True)))
        table = LookupTable(
            name.value, tuple(keys), tuple(columns), rows, None if self.otherwise is None else tuple(others),
            dated=dated, meaning=meaning, source=source, path=self.path, span=name.span,
        )  # fmt: skip
        self._refuse_clashes(table)
        return table if len(self.faults) == self.before else None

    def _values(self, header: str, word: str) -> tuple[Type, list[Any], Any]:
        """The type of the cells under a name, their values, and that of `otherwise`."""
        values = self._read(self.grid, header, word, required=True)
        others = [] if self.otherwise is None or not self._is_column(header) else [self.otherwise]
        other = [value for grid in others for value in self._read(grid, header, word, required=True)]
        kind = type_of([value for value in (*values, *other) if value is not None], word)
        if isinstance(kind, Number) and max(-kind.low, kind.high) > LIMIT:
            self._say(
                "too-many-digits", self.grid.place(0, header), what=f"with as many places as the others `{header}` has"
            )
        if word == "decimal":
            values, other = _with_places(values, kind), _with_places(other, kind)
        return kind, values, next(iter(other), None)

    def _is_column(self, header: str) -> bool:
        return any(name.value == header for name, _, _ in self.form.columns)

    def _ranges(self, name: str) -> tuple[Type, list[Any]]:
        """The ranges under a name, and the type of their ends."""
        starts, ends = (self._ends(f"{name}_{key}") for key in ("from", "below"))
        kind = type_of([end for end in (*starts, *ends) if end is not None], "decimal")
        return kind, self._checked(map(Range, starts, ends), f"{name}_below")

    def _ends(self, header: str) -> list[Value | None]:
        return self._read(self.grid, header, "decimal", required=False)

    def _periods(self, period: Period) -> list[Any]:
        """The days on which rows are in force; the table's own for a row that names none."""
        own = Range(None if period.start == date.min else period.start, period.end)
        starts, ends = (self._read(self.grid, header, "date", required=False) for header in (VALID_FROM, VALID_UNTIL))
        found = (own if start is end is None else Range(start, end) for start, end in zip(starts, ends, strict=True))
        return self._checked(found, VALID_UNTIL)

    def _checked(self, ranges: Iterator[Range], header: str) -> list[Range]:
        """Ranges, each of which must have a value in it."""
        found: list[Range] = []
        for row, (start, below) in enumerate(ranges):
            if start is not None and below is not None and start >= below:
                self._say("range-empty", self.grid.place(row, header), start=in_words(start), below=in_words(below))
            found.append(Range(start, below))
        return found

    def _read(self, grid: Grid, header: str, word: str, *, required: bool) -> list[Value | None]:
        """The cells under a name as values."""
        read, cells = READERS[word], grid.cells(header)
        plain = _all_plain(cells, word)
        if plain is not None:
            return plain
        found: list[Value | None] = []
        for row, text in enumerate(cells):
            value = None
            if text is None and required:
                self._say("cell-missing", grid.place(row, header), name=header)
            elif text is not None and text is not UNREAD:
                try:
                    value = read(text)
                except ValueError:
                    self._refuse(grid.place(row, header), text, word, header)
            found.append(value)
        return found

    def _refuse(self, span: Span, text: str, word: str, header: str) -> None:
        """Report a cell that is no value of its type."""
        what, found = f"`{header}`", f"`{shown_text(text, 40)}`"
        number = _is_number(text, word)
        if number and len(text.strip("-").replace(".", "")) > DIGITS:
            self._say("too-many-digits", span, hint="write fewer digits", what=f"{found} has")
            return
        better = None if number else _better(text, word)
        hint = write(text, better, sure=word == "boolean" or "," not in text) if better else None
        self._say("wrong-type", span, hint=hint, what=what, expected=KINDS[word], found=found)

    def _say(self, code: str, span: Span, *, hint: Advice | None = None, **words: object) -> None:
        """Report a fault, if not too many were."""
        self.told += 1
        if self.told <= MOST_TOLD:
            self.faults.append(say(code, span, hint=hint, words={"table": self.form.name, **words}))

    def _refuse_clashes(self, table: LookupTable) -> None:
        """Report rows that have values in common."""
        try:
            clashes = index_of(table).clashes
        except TooManyPieces:
            self._say("table-too-fine", table.span)
            return
        for one, other in clashes:
            common = zip(table.keys, common_part(table, one, other), strict=True)
            shared = " and ".join(told for key, part in common if (told := key_in_words(key, part)))
            related = [Related(table.row_span(table.rows[one]), "the other row")]
            self.told += 1
            if self.told <= MOST_TOLD:
                words = {"table": table.name, "shared": shared or "all values"}
                span = table.row_span(table.rows[other])
                self.faults.append(say("rows-overlap", span, related=related, words=words))


def _is_number(text: str, word: str) -> bool:
    return word in ("integer", "decimal") and DECIMAL.fullmatch(text) is not None


def _better(text: str, word: str) -> str | None:
    """What to write for a value as people write it, or as a text; None where it is no value of a type at all."""
    if _is_number(text, word):
        return text
    if word == "boolean":
        return {"yes": "true", "no": "false", "true": "true", "false": "false"}.get(text.lower())
    amount = amount_in(text) if word in ("integer", "decimal") else None
    return amount[0] if amount is not None and not amount[1] else None


def type_of(values: Sequence[Any], word: str) -> Type:
    """The narrowest type of the values of a column or key."""
    match word:
        case "boolean":
            return BOOLEAN
        case "date":
            return DATE
        case "text":
            found = dict.fromkeys(values)
            return Text(tuple(found) if len(found) <= MOST_CLOSED else None)
        case "integer":
            return Number(0, min(values, default=0), max(values, default=0))
    places = max(map(decimal_places, values), default=0)
    low, high = min(values, default=Decimal(0)), max(values, default=Decimal(0))
    return Number(places, int(EXACT.scaleb(low, places)), int(EXACT.scaleb(high, places)))


def _with_places(values: Sequence[Any], kind: Type) -> list[Any]:
    """Decimals with all the places of their type; integers where it has none."""
    assert isinstance(kind, Number)
    if not kind.places:
        return [value if value is None else int(value) for value in values]
    unit = Decimal(1).scaleb(-kind.places)
    return [value if value is None else EXACT.quantize(value, unit) for value in values]


def _all_plain(cells: Sequence[str | None], word: str) -> list[Any] | None:
    """All cells as values, where each surely is one; None where some may not be."""
    if word not in PLAIN or None in cells or UNREAD in cells:
        return None
    read, form = PLAIN[word]
    texts: Sequence[Any] = cells
    if form is not None and (max(map(len, texts), default=0) > DIGITS or not all(map(form.fullmatch, texts))):
        return None
    return list(map(read, texts))


def _integer(text: str) -> Value:
    if not INTEGER.fullmatch(text) or len(text.strip("-")) > DIGITS:
        raise ValueError(text)
    return int(text)


def _decimal(text: str) -> Value:
    if not DECIMAL.fullmatch(text) or len(text.strip("-").replace(".", "")) > DIGITS:
        raise ValueError(text)
    return Decimal(text)


def _boolean(text: str) -> Value:
    if text not in TRUTHS:
        raise ValueError(text)
    return TRUTHS[text]


READERS: Mapping[str, Callable[[str], Value]] = MappingProxyType(
    {"text": str, "integer": _integer, "decimal": _decimal, "boolean": _boolean, "date": read_date}
)
"""What reads a text as a value of a type; each raises `ValueError` where it is none."""
PLAIN: Mapping[str, tuple[Callable[[str], Any], re.Pattern[str] | None]] = MappingProxyType(
    {"text": (str, None), "integer": (int, INTEGER), "decimal": (Decimal, DECIMAL)}
)
"""What reads texts of a form at once, which a large table needs."""
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "text": "a text",
        "integer": "an integer",
        "decimal": "a number",
        "boolean": "true or false",
        "date": "a date such as 2025-02-28",
    }
)
