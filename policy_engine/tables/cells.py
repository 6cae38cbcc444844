"""Cells of a CSV file read one by one by the type of their fact: what cannot be read is told, with what to write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from policy_engine.diagnostics import shown_text
from policy_engine.documents.facts_files import LONGEST_NUMBER, read_json
from policy_engine.errors import Violation
from policy_engine.facts.plain import FactsReader, Json
from policy_engine.language.date_texts import DAY, FORMATS, written_as
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Member, Number, Record, Time

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


class Unreadable(Exception):  # noqa: N818 - what is said of one cell
    """A cell is not what its fact is: what was expected, what is wrong, and what to write."""

    def __init__(self, keyword: str, expected: str, message: str) -> None:
        self.keyword, self.expected, self.message = keyword, expected, message


@dataclass(frozen=True, slots=True)
class CellStyle:
    """How the cells of one fact are written: the value that a text stands for, and the form of dates or instants."""

    values: Mapping[str, str]
    form: str | None = None


def read_cell(member: Member, style: CellStyle, cell: str) -> tuple[Json, list[Violation]]:
    """A cell as a value in JSON types, or why it cannot be read, and then the cell's text as its value."""
    text = style.values.get(cell)
    try:
        return _value(member, style.form, cell) if text is None else _value(member, None, text)
    except Unreadable as why:
        message = why.message + (OF_ABSENT if cell.strip(BLANKS).lower() in ABSENT else "")
        told = Violation(f"/{member.name}", cell, why.keyword, why.expected, message, member.description)
        return cell, [told]


def _value(member: Member, form: str | None, text: str) -> tuple[Json, list[Violation]]:
    reader = FactsReader()
    match member.type:
        case Boolean():
            return _boolean(text), []
        case Number():
            return reader.value(_number(text), f"/{member.name}", 1), reader.found
        case Date():
            return _moment("date", form, text), []
        case Instant():
            return _moment("date-time", form, text), []
        case Time():
            return _moment("time", None, text), []
        case ListOf() | Record():
            return reader.value(_json(text), f"/{member.name}", 1), reader.found
        case _:
            return text, []


def _boolean(text: str) -> bool:
    found = BOOLEANS.get(text.strip(BLANKS).lower())
    if found is None:
        raise Unreadable("type", "true or false", f"{_quoted(text)} is not true or false; write true or false")
    return found


def _number(text: str) -> int | Decimal:
    number = text.strip(BLANKS)
    if not NUMBER.fullmatch(number):
        raise Unreadable("type", "a number", f"{_quoted(text)} is not a number; {_better(number)}")
    if len(number) > LONGEST_NUMBER:
        raise Unreadable("type", "a number", f"{_quoted(text)} has more than {LONGEST_NUMBER} digits; write fewer")
    return Decimal(number) if "." in number else int(number)


def _better(number: str) -> str:
    """What to write for a number as people write it."""
    comma = COMMA.fullmatch(number)
    if comma and THOUSANDS.fullmatch(number):
        return f"write {comma[1]}{comma[2]} or {comma[1]}.{comma[2]}"
    if comma:
        return f"write {comma[1]}.{comma[2]}"
    if THOUSANDS.fullmatch(number):
        return f"write {number.replace(',', '')}"
    if POINTS.fullmatch(number):
        return f"write {number.replace('.', '').replace(',', '.')}"
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


def _moment(name: str, form: str | None, text: str) -> str:
    """A date or an instant in ISO 8601; `name` is its format in JSON Schema."""
    written, bare = written_as(name, form), text.strip(BLANKS)
    assert written is not None, form
    try:
        iso = written.iso(bare)
        FORMATS[name][0](iso)
    except ValueError:
        hint = "" if form or name != "date" or bare.lower() in ABSENT else _other_form(bare)
        raise Unreadable("format", written.expected, f"{_quoted(text)} is not {written.expected}{hint}") from None
    return iso


def _other_form(text: str) -> str:
    """What to do about a date that is not written as one; of one with a time of midnight its form can be told."""
    found = MIDNIGHT.fullmatch(text)
    form = f', dates: "%Y-%m-%d{found[1]}%H:%M{":%S" if found[2] else ""}"' if found else ""
    return f"; or give the file's form of dates in a mapping file (--map{form})"


def _quoted(text: str) -> str:
    return f"`{shown_text(text, 80)}`"
