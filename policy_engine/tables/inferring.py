"""What the columns of a table seem to hold, as parts of a schema: types, closed sets, bounds and forms, as far as was seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from policy_engine.documents.facts_files import read_json, read_lines
from policy_engine.language.types import DATE, INSTANT, TIME, Instant, Member, Number, Type, decimal_places
from policy_engine.tables.cells import ABSENT, BLANKS, CellStyle, read_cell
from policy_engine.tables.file_options import FileOptions
from policy_engine.tables.first_mappings import ANY_ZONE, WORDS, best_styles
from policy_engine.tables.inspecting import raw_columns
from policy_engine.tables.opening_tables import kind_of

Schema: TypeAlias = Mapping[str, Any]
"""A part of a JSON Schema."""

NEARLY_ALL = 0.95
"""A column is of a type if so large a share of its values (of texts, its different ones) is; the others are told."""
FEWEST_TO_DOUBT = 20
"""Of fewer values all must be of the type."""
MOST_IN_SET, ROWS_FOR_EACH, LONGEST_IN_SET = 20, 3, 64
"""A closed set has at most so many values, each so often on average, and none longer."""
MOST_PLACES, MOST_DIGITS = 9, 15
LENGTHS = (64, 256, 1024, 4096, 16384, 65536)
SIZES = (10, 100, 1_000, 10_000)
NO_NUMBER = re.compile(r"[+-]?0[0-9].*|\+.*")
"""What looks like a number and is the number of something: an account, a telephone."""
GROUPS = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+")
"""Numbers whose points may stand between thousands."""
YEARS = range(1900, 2101)
"""A text of eight digits is a date if it is one of these years."""
NUMBER = Number(MOST_PLACES, -(10**18) + 1, 10**18 - 1)
WORDS_FOR_BOOLEANS = {"true", "false", "yes", "no", *WORDS} - {"x"}
"""A column of crosses says nothing of where there is none."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What some values seem to be: a part of a schema, None where they are of no one type; and what was seen, in words."""

    schema: Schema | None
    told: str


@dataclass(frozen=True, slots=True)
class SeenColumn:
    """A column of a table: what its values seem to be, how many rows there are and have one, and whether no two are the same."""

    name: str
    seen: Seen
    rows: int
    present: int
    differ: bool


def seen_columns(place: Path, file: FileOptions, most: int) -> list[SeenColumn]:
    """What the columns of a table seem to be, by its first rows; raises `CannotRun`."""
    kind = file.input_format or kind_of(place)
    if kind == "jsonl":
        return [_column(name, values, cells=False) for name, values in _of_lines(place, most).items()]
    table = raw_columns(place, file, most)
    return [_column(name, table[name].to_list(), cells=kind != "parquet") for name in table.columns]


def _of_lines(place: Path, most: int) -> dict[str, list[object]]:
    lines = list(islice(read_lines(place), most))
    records = [line.facts for line in lines if isinstance(line.facts, dict)]
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def _column(name: str, values: Sequence[object], *, cells: bool) -> SeenColumn:
    there = [value for value in values if value is not None]
    differ = len({repr(value) for value in there}) == len(there)
    return SeenColumn(name, seen_in(there, cells=cells), len(values), len(there), differ)


def seen_in(values: Sequence[object], *, cells: bool) -> Seen:
    """What some values seem to be; in `cells` texts may be numbers, booleans, lists and records as well."""
    kinds: dict[str, list[object]] = {}
    for value in values:
        kinds.setdefault(_kind(value), []).append(value)
    if not kinds:
        return Seen(None, "no value")
    word, most = max(kinds.items(), key=lambda item: len(item[1]))
    if len(kinds) > 1 and not _is_nearly_all(len(most), len(values)):
        return Seen(None, f"of no one type: {', '.join(f'{len(found):,} {word}' for word, found in kinds.items())}")
    found = _of_kind(word, most, cells=cells)
    others = f"; {len(values) - len(most):,} of {len(values):,} are none" if len(kinds) > 1 else ""
    return Seen(found.schema, found.told + others)


def _is_nearly_all(some: int, of: int) -> bool:
    return of >= FEWEST_TO_DOUBT and some >= NEARLY_ALL * of


def _of_kind(word: str, values: Sequence[object], *, cells: bool) -> Seen:
    if word == "texts":
        return _texts([str(value) for value in values], cells=cells)
    return OF_KINDS[word](values) if word in OF_KINDS else Seen(None, f"{word}, which no fact can be")


def _kind(value: object) -> str:
    if isinstance(value, datetime):
        return "moments" if value.tzinfo is not None else "moments without an offset"
    return next((word for kind, word in KINDS.items() if isinstance(value, kind)), type(value).__name__)


# Numbers.


def _numbers(values: Sequence[Any]) -> Seen:
    numbers = [Decimal(str(value)) for value in values]
    if not all(number.is_finite() for number in numbers):
        return Seen(None, "numbers that are not finite")
    places = max(decimal_places(number) for number in numbers)
    low, high = min(numbers), max(numbers)
    digits = max(low.adjusted(), high.adjusted(), 0) + 1
    if places > MOST_PLACES or digits > MOST_DIGITS - places:
        return Seen(None, f"numbers with {digits} digits and {places} decimal places, more than can be proposed")
    bounds = {"minimum": 0 if low >= 0 else -(10 ** (digits + 1)), "maximum": 10 ** (digits + 1)}
    told = f"{low:.{places}f} to {high:.{places}f}"
    if places == 0:
        return Seen({"type": "integer", **bounds}, f"whole numbers, {told}")
    unit = Decimal(1).scaleb(-places)
    return Seen({"type": "number", "multipleOf": unit, **bounds}, f"numbers with {places} decimal places, {told}")


# Texts.


def _texts(texts: Sequence[str], *, cells: bool) -> Seen:
    different = list(dict.fromkeys(text for text in texts if text.strip(BLANKS)))
    if not different:
        return Seen(None, "blanks alone")
    if ABSENT.issuperset(text.strip(BLANKS).lower() for text in different):
        return Seen(None, f"nothing but {', '.join(different)}")
    kinds = (_booleans, _dates, _instants, _texts_as_numbers, _times, _json) if cells else (_dates, _instants, _times)
    found = next((seen for kind in kinds if (seen := kind(different)) is not None), None)
    return found or _words(texts, different)


def _words(texts: Sequence[str], different: Sequence[str]) -> Seen:
    """Texts that are no more than that: a closed set where few of them come again and again."""
    longest = max(map(len, different))
    is_neat = all(text == text.strip(BLANKS) for text in texts)
    in_set = is_neat and 2 <= len(different) <= MOST_IN_SET and len(texts) >= ROWS_FOR_EACH * len(different)
    if in_set and longest <= LONGEST_IN_SET:
        return Seen({"type": "string", "enum": sorted(different)}, f"one of {', '.join(sorted(different))}")
    most = next((length for length in LENGTHS if length >= 2 * longest), 10 * longest)
    told = f"texts, {len(different):,} different, of a length up to {longest:,}"
    return Seen({"type": "string", "maxLength": most}, told)


def _booleans(texts: Sequence[str]) -> Seen | None:
    words = {text.strip(BLANKS).lower() for text in texts} - ABSENT
    return (
        Seen({"type": "boolean"}, f"true or false: {', '.join(sorted(words))}")
        if words and words <= WORDS_FOR_BOOLEANS
        else None
    )


def _dates(texts: Sequence[str]) -> Seen | None:
    read = _read(texts, DATE)
    if read is None or (
        all(text.isdigit() for text in texts) and not all(int(day[:4]) in YEARS for day in read.values)
    ):
        return None
    return Seen({"type": "string", "format": "date"}, read.told("dates"))


def _instants(texts: Sequence[str]) -> Seen | None:
    with_offset, any_ = _read(texts, INSTANT), _read(texts, Instant(ANY_ZONE))
    if with_offset is not None and any_ is not None and with_offset.unread <= any_.unread:
        return Seen({"type": "string", "format": "date-time"}, with_offset.told("moments"))
    if any_ is None:
        return None
    return Seen({"type": "string", "format": "date-time", "x-local": True}, any_.told("moments without an offset"))


def _times(texts: Sequence[str]) -> Seen | None:
    read = None if any(text.strip(BLANKS).isdigit() for text in texts) else _read(texts, TIME)
    return Seen({"type": "string", "format": "time"}, read.told("times of day")) if read is not None else None


def _texts_as_numbers(texts: Sequence[str]) -> Seen | None:
    if any(NO_NUMBER.fullmatch(text.strip(BLANKS)) or len(text) > 2 * MOST_DIGITS for text in texts):
        return None
    read = _read(texts, NUMBER)
    seen = _numbers(read.values) if read is not None else None
    if read is None or seen is None or seen.schema is None:
        return None
    return Seen(seen.schema, seen.told + _form_of_numbers(read, texts) + read.others)


def _form_of_numbers(read: _Read, texts: Sequence[str]) -> str:
    """How numbers are written, and how else they may be meant."""
    if read.styles[0].numbers is None:
        grouped = all(GROUPS.fullmatch(text.strip(BLANKS)) for text in texts if "." in text) and any(
            "." in text for text in texts
        )
        return " (or with a point between thousands: the cells do not tell)" if grouped else ""
    others = (style for style in read.styles[1:] if read.by(style) != read.values)
    other = next((f" (or {style.numbers.example}: the cells do not tell)" for style in others if style.numbers), "")
    return f", written as {read.styles[0].numbers.example}{other}"


def _json(texts: Sequence[str]) -> Seen | None:
    try:
        values = [read_json(text) for text in texts]
    except ValueError:
        return None
    return seen_in(values, cells=False) if all(isinstance(value, list | dict) for value in values) else None


@dataclass(frozen=True, slots=True)
class _Read:
    """Texts that were read as values of a type, how, and how many could not be."""

    texts: list[str]
    member: Member
    styles: list[CellStyle]
    unread: int

    def by(self, style: CellStyle) -> list[Any]:
        """The values that a style makes of the texts."""
        return [read_cell(self.member, style, text)[0] for text in self.texts]

    @property
    def values(self) -> list[Any]:
        """The values of the texts."""
        return self.by(self.styles[0])

    @property
    def others(self) -> str:
        """What to say of the texts that are none."""
        return f"; {self.unread:,} of {self.unread + len(self.texts):,} different texts are none" if self.unread else ""

    def told(self, word: str) -> str:
        """What was seen of moments."""
        forms = [" or ".join(style.forms) for style in self.styles[:2]]
        form = f", written as {forms[0]}" if forms[0] else ""
        form += f" (or {forms[1]}: the cells do not tell)" if len(forms) > 1 else ""
        values = self.values
        return f"{word}, {min(values)} to {max(values)}{form}{self.others}"


def _read(texts: Sequence[str], kind: Type) -> _Read | None:
    """Texts as values of a type; None where too few can be read."""
    member = Member("value", kind, required=False)
    styles, unread = best_styles(member, texts)
    without = {*unread}
    read = [text for text in texts if text not in without and text.strip(BLANKS).lower() not in ABSENT]
    if not read or (unread and not _is_nearly_all(len(read), len(read) + len(unread))):
        return None
    return _Read(read, member, styles, len(unread))


# Lists and records.


def _lists(values: Sequence[Any]) -> Seen:
    items = seen_in([item for value in values for item in value if item is not None], cells=False)
    longest = max(map(len, values))
    most = next((size for size in SIZES if size >= 2 * longest), 10 * longest)
    if items.schema is None:
        return Seen(None, f"lists, whose items are: {items.told}")
    return Seen(
        {"type": "array", "maxItems": most, "items": items.schema}, f"lists of a length up to {longest:,}: {items.told}"
    )


def _records(values: Sequence[Any]) -> Seen:
    names = dict.fromkeys(name for value in values for name in value)
    members = {
        name: seen_in([value[name] for value in values if value.get(name) is not None], cells=False) for name in names
    }
    known = {name: seen.schema for name, seen in members.items() if seen.schema is not None}
    told = ", ".join(f"{name}: {seen.told}" for name, seen in members.items())
    if len(known) < len(members) or not known:
        return Seen(None, f"records of no one type ({told})")
    return Seen(
        {"type": "object", "properties": known, "required": [], "additionalProperties": False}, f"records ({told})"
    )


def _moments(schema: Schema, word: str) -> Callable[[Sequence[Any]], Seen]:
    return lambda values: Seen(schema, f"{word}, {min(values).isoformat()} to {max(values).isoformat()}")


def _local(values: Sequence[Any]) -> Seen:
    """Moments that have no offset; where all are midnight they are dates, as pandas has them."""
    if all(value.time() == time() for value in values):
        return OF_KINDS["dates"]([value.date() for value in values])
    local = {"type": "string", "format": "date-time", "x-local": True}
    return _moments(local, "moments without an offset")(values)


KINDS: Mapping[type, str] = {
    bool: "booleans",
    int: "numbers",
    float: "numbers",
    Decimal: "numbers",
    str: "texts",
    date: "dates",
    time: "times of day",
    list: "lists",
    dict: "records",
}
OF_KINDS: Mapping[str, Callable[[Sequence[Any]], Seen]] = {
    "booleans": lambda values: Seen(
        {"type": "boolean"}, f"true or false: {', '.join(sorted({str(v).lower() for v in values}))}"
    ),
    "numbers": _numbers,
    "dates": _moments({"type": "string", "format": "date"}, "dates"),
    "times of day": _moments({"type": "string", "format": "time"}, "times of day"),
    "moments": _moments({"type": "string", "format": "date-time"}, "moments"),
    "moments without an offset": _local,
    "lists": _lists,
    "records": _records,
}
