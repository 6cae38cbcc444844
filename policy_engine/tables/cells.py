"""Cells of a CSV file read one by one by the type of their fact: what cannot be read is told, with what to write."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from policy_engine.diagnostics import shown_text
from policy_engine.documents.facts_files import LONGEST_NUMBER, read_json
from policy_engine.errors import Violation
from policy_engine.facts.plain import FactsReader, Json
from policy_engine.facts.validation import typed_value
from policy_engine.language.date_forms import written_as
from policy_engine.language.date_texts import DAY, LOCAL_FORMAT, SkippedTimeError
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Member, Number, Record, Text, Time, Type
from policy_engine.tables.number_forms import NumberForm

BLANKS = " \t\u00a0"
"""Around a cell that is no text they mean nothing."""
BOOLEANS: Mapping[str, bool] = MappingProxyType(
    {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
)
NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?", re.ASCII)
SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]{1,2}", re.ASCII)
COMMA = re.compile(r"([+-]?[0-9]+),([0-9]+)", re.ASCII)
THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?", re.ASCII)
MIDNIGHT = re.compile(f"{DAY}([ T])00:00(:00)?")
POINTS = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?", re.ASCII)
ABSENT = frozenset({"na", "n/a", "n.a.", "#n/a", "nan", "null", "none", "nil", "-", "--", "?"})
"""What programs and people write where there is no value, in small letters."""
OF_ABSENT = "; if it means that there is no value, name it under `absent` in a mapping file (--map)"

OF_NUMBERS = "or give the file's form of numbers in a mapping file (--map, numbers: {%s})"
COMMAS, POINTS_AND_COMMAS = OF_NUMBERS % 'decimal: ","', OF_NUMBERS % 'decimal: ",", thousands: "."'
GROUPS = OF_NUMBERS % 'thousands: ","'


class Unreadable(Exception):  # noqa: N818 - what is said of one cell
    """A cell is not what its fact is: what was expected, what is wrong, and what to write."""

    def __init__(self, keyword: str, expected: str, message: str) -> None:
        self.keyword, self.expected, self.message = keyword, expected, message


@dataclass(frozen=True, slots=True)
class CellStyle:
    """How one fact is written in a file.

    `absent` are the texts that stand for no value, and `values` gives for others the value that each stands for, written as in
    a file of facts. `forms` are those of dates, instants or times, `numbers` that of numbers; the number read is multiplied
    by 10**`shift`.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    forms: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    numbers: NumberForm | None = None
    shift: int = 0


AS_FACTS = CellStyle()
"""Cells are written as in a file of facts."""


def read_cell(member: Member, style: CellStyle, cell: str) -> tuple[Json, list[Violation]]:
    """A cell as a value in JSON types, or why it cannot be read, and then the cell's text as its value."""
    text = style.values.get(cell)
    try:
        return _value(member, style, cell) if text is None else _value(member, AS_FACTS, text)
    except Unreadable as why:
        message = why.message + (OF_ABSENT if cell.strip(BLANKS).lower() in ABSENT else "")
        told = Violation(f"/{member.name}", cell, why.keyword, why.expected, message, member.description)
        return cell, [told]


def reads_texts(member: Member, style: CellStyle) -> bool:
    """Whether texts of a table whose columns have types are read as cells are: where a mapping says how they are written."""
    match member.type:
        case Number():
            return style.numbers is not None or bool(style.values)
        case Boolean():
            return bool(style.values)
        case Date() | Instant() | Time():
            return bool(style.forms)
    return False


def mapped_value(member: Member, style: CellStyle, value: Json) -> tuple[Json, list[Violation]]:
    """What a mapping makes of a value in JSON types, and why it cannot be read."""
    if isinstance(value, str):
        bare = value if isinstance(member.type, Text) else value.strip(BLANKS)
        if bare in style.absent:
            return None, []
        if reads_texts(member, style):
            return read_cell(member, style, value) if bare else (None, [])
        return style.values.get(value, value), []
    if style.shift and isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        exact = Decimal(str(value))
        return (shifted(exact, style.shift), []) if exact.is_finite() else (value, [])
    return value, []


def _value(member: Member, style: CellStyle, text: str) -> tuple[Json, list[Violation]]:
    reader = FactsReader()
    match member.type:
        case Boolean():
            return _boolean(text), []
        case Number():
            return reader.value(shifted(_number(style.numbers, text), style.shift), f"/{member.name}", 1), reader.found
        case Date() | Instant() | Time():
            return _moment(member.type, style.forms, text), []
        case ListOf() | Record():
            return reader.value(_json(text), f"/{member.name}", 1), reader.found
        case _:
            return text, []


def shifted(number: int | Decimal, shift: int) -> int | Decimal:
    """A number times a power of ten, exactly."""
    if not shift:
        return number
    sign, digits, exponent = Decimal(number).as_tuple()
    assert isinstance(exponent, int), number
    return Decimal((sign, digits, exponent + shift))


def _boolean(text: str) -> bool:
    found = BOOLEANS.get(text.strip(BLANKS).lower())
    if found is None:
        raise Unreadable("type", "true or false", f"{_quoted(text)} is not true or false; write true or false")
    return found


def _number(form: NumberForm | None, text: str) -> int | Decimal:
    number = text.strip(BLANKS)
    if form is not None:
        try:
            number = form.plain(number)
        except ValueError:
            raise Unreadable("type", "a number", f"{_quoted(text)} is not {form.expected}") from None
    if not NUMBER.fullmatch(number):
        raise Unreadable("type", "a number", f"{_quoted(text)} is not a number; {_better(number)}")
    if len(number) > LONGEST_NUMBER:
        raise Unreadable("type", "a number", f"{_quoted(text)} has more than {LONGEST_NUMBER} digits; write fewer")
    return Decimal(number) if "." in number else int(number)


def _better(number: str) -> str:
    """What to write for a number as people write it."""
    comma = COMMA.fullmatch(number)
    if comma and THOUSANDS.fullmatch(number):
        return f"write {comma[1]}{comma[2]} or {comma[1]}.{comma[2]}, {GROUPS}"
    if comma:
        return f"write {comma[1]}.{comma[2]}, {COMMAS}"
    if THOUSANDS.fullmatch(number):
        return f"write {number.replace(',', '')}, {GROUPS}"
    if POINTS.fullmatch(number):
        return f"write {number.replace('.', '').replace(',', '.')}, {POINTS_AND_COMMAS}"
    if SCIENTIFIC.fullmatch(number):
        return f"write {Decimal(number):f}"
    return "write digits only, with a point for decimals"


def _json(text: str) -> Json:
    try:
        return read_json(text)
    except ValueError as error:
        why = str(error).replace("line 1, ", "")
        raise Unreadable(
            "type", "JSON", f"{_quoted(text)} cannot be read: {why}; write the list or record as JSON"
        ) from None


def _moment(kind: Date | Instant | Time, forms: Sequence[str], text: str) -> str:
    """A date, an instant or a time in ISO 8601."""
    written, bare = [written_as(format_of_type(kind), form) for form in forms or (None,)], text.strip(BLANKS)
    expected = " or ".join(form.expected for form in written if form)
    for form in filter(None, written):
        try:
            iso = form.iso(bare)
            typed_value(iso, kind)
        except SkippedTimeError as skipped:
            raise Unreadable("format", expected, f"{_quoted(text)} {skipped}") from None
        except ValueError:
            continue
        return iso
    hint = "" if forms or not isinstance(kind, Date) or bare.lower() in ABSENT else _other_form(bare)
    raise Unreadable("format", expected, f"{_quoted(text)} is not {expected}{hint}")


def format_of_type(kind: Type) -> str:
    """The format that texts of dates, instants or times have."""
    match kind:
        case Date():
            return "date"
        case Instant(zone=zone):
            return "date-time" if zone is None else LOCAL_FORMAT
        case _:
            return "time"


def _other_form(text: str) -> str:
    """What to do about a date that is not written as one; of one with a time of midnight its form can be told."""
    found = MIDNIGHT.fullmatch(text)
    form = f', dates: "%Y-%m-%d{found[1]}%H:%M{":%S" if found[2] else ""}"' if found else ""
    return f"; or give the file's form of dates in a mapping file (--map{form})"


def _quoted(text: str) -> str:
    return f"`{shown_text(text, 80)}`"
