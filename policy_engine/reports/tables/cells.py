"""Cells of a CSV file read by the type of their fact: one by one in Python, where what cannot be read is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from policy_engine.diagnostics import shown_text
from policy_engine.errors import Violation
from policy_engine.frontend.facts_files import LONGEST_NUMBER, read_json
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Member, Number, Record
from policy_engine.semantics.formats import FORMATS, read_date, read_instant
from policy_engine.semantics.plain import Json, Reader

BLANKS = " \t\u00a0"
"""Around a cell that is no text they mean nothing."""
BOOLEANS: Mapping[str, bool] = MappingProxyType(
    {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
)
NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?", re.ASCII)
SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]{1,2}", re.ASCII)
COMMA = re.compile(r"([+-]?[0-9]+),([0-9]+)", re.ASCII)
THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?", re.ASCII)
POINTS = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?", re.ASCII)


class Unreadable(Exception):  # noqa: N818 - what is said of one cell
    """A cell is not what its fact is: what was expected, what is wrong, and what to write."""

    def __init__(self, keyword: str, expected: str, message: str) -> None:
        self.keyword, self.expected, self.message = keyword, expected, message


@dataclass(frozen=True, slots=True)
class CellStyle:
    """How the cells of one fact are written: the value that a text stands for, and the form of dates."""

    values: Mapping[str, str]
    date_form: str | None = None


def read_cell(member: Member, style: CellStyle, cell: str) -> tuple[Json, list[Violation]]:
    """A cell as a value in JSON types, or why it cannot be read, and then the cell's text as its value."""
    text = style.values.get(cell, cell)
    try:
        return _value(member, style, text)
    except Unreadable as why:
        told = Violation(f"/{member.name}", cell, why.keyword, why.expected, why.message, member.description)
        return cell, [told]


def _value(member: Member, style: CellStyle, text: str) -> tuple[Json, list[Violation]]:
    reader = Reader()
    match member.type:
        case Boolean():
            return _boolean(text), []
        case Number():
            return reader.value(_number(text), f"/{member.name}", 1), reader.found
        case Date():
            return _checked("date", _iso(text.strip(BLANKS), style.date_form), text, style.date_form, read_date), []
        case Instant():
            return _checked("date-time", text.strip(BLANKS), text, None, read_instant), []
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


def _checked(name: str, iso: str | None, text: str, form: str | None, read: Callable[[str], object]) -> str:
    """The text of a date or an instant that there is."""
    expected = f"a date written as {form}" if form else FORMATS[name][1]
    try:
        if iso is None:
            raise ValueError
        read(iso)
    except ValueError:
        advice = "" if form or name != "date" else "; or give the file's form of dates in a mapping file (--map)"
        raise Unreadable("format", expected, f"{_quoted(text)} is not {expected}{advice}") from None
    return iso


def _iso(text: str, form: str | None) -> str | None:
    """A date as YYYY-MM-DD, None where it has not the form."""
    if form is None:
        return text
    found = re.fullmatch(date_pattern(form), text)
    return found and f"{found['Y']}-{found['m']:0>2}-{found['d']:0>2}"


def date_pattern(form: str) -> str:
    """The pattern of dates of a form such as %d.%m.%Y, its parts named d, m and Y; days and months may have one digit."""
    parts = {"%d": "(?P<d>[0-9]{1,2})", "%m": "(?P<m>[0-9]{1,2})", "%Y": "(?P<Y>[0-9]{4})"}
    return "".join(parts.get(part, re.escape(part)) for part in re.split("(%[dmY])", form))


def _quoted(text: str) -> str:
    return f"`{shown_text(text, 80)}`"
