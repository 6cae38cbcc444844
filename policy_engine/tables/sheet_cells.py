"""Cells of a sheet as the texts that a CSV file would have for them, in the forms that the mapping file says.

A cell at midnight is a date, at another time of a day a datetime without a zone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from policy_engine.language.types import Date, Instant, Member, Number, Time
from policy_engine.tables.cells import CellStyle

Write = Callable[[Any], str | None]
"""Gives the text of a cell, None where it is empty."""
WHOLE = 1e15
"""Below it a float that is whole has a shortest form without an exponent."""


def plain_text(cell: object) -> str | None:
    """The text of a cell: numbers by their shortest form, dates and times in ISO 8601."""
    match cell:
        case str():
            return cell or None
        case bool():
            return "TRUE" if cell else "FALSE"
        case float():
            return _number(cell)
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return f"{cell}"
    return str(cell)


def _number(number: float) -> str:
    return str(int(number)) if abs(number) < WHOLE and number.is_integer() else f"{Decimal(repr(number)):f}"


def writer(member: Member | None, style: CellStyle) -> Write:
    """How the cells of a fact are written; those of a column that is no fact plainly."""
    kind, form = None if member is None else member.type, next(iter(style.forms), None)
    if isinstance(kind, Number) and style.numbers is not None:
        decimal = style.numbers.decimal
        return lambda cell: _number(cell).replace(".", decimal) if isinstance(cell, float) else plain_text(cell)
    if isinstance(kind, Instant):
        return lambda cell: _moment(cell, form)
    if isinstance(kind, Date) and form is not None:
        return lambda cell: cell.strftime(form) if type(cell) is date else plain_text(cell)
    if isinstance(kind, Time) and form is not None:
        return lambda cell: cell.strftime(form) if isinstance(cell, time) and _holds(form, cell) else plain_text(cell)
    return plain_text


def _moment(cell: object, form: str | None) -> str | None:
    """A datetime or, at midnight, a date, as a moment without a zone."""
    if type(cell) is date:
        cell = datetime.combine(cell, time())
    if isinstance(cell, datetime) and form is not None and "%z" not in form and _holds(form, cell.time()):
        return cell.strftime(form)
    return plain_text(cell)


def _holds(form: str, cell: time) -> bool:
    return ("%S" in form or not cell.second) and ("%f" in form or not cell.microsecond)
