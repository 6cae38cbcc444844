"""Numbers, shares and names as they stand in a report."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from policy_engine.diagnostics import shown_text
from policy_engine.language.values import Value, in_words
from policy_engine.reports.periods import MONTHS

LONGEST = 4_000
THOUSANDS = 1_000


def number(value: object) -> str:
    """A number with its thousands apart; any other value in words.

    >>> number(1234567), number(-1234), number(Decimal("1234.50")), number(True)
    ('1,234,567', '\u22121,234', '1,234.50', 'true')
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return in_words(value)  # type: ignore[arg-type]  # a value of the language
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    return text.replace("-", "\u2212")


def share(part: int, whole: int) -> str:
    """A share in per cent; a small share is never shown as 0%, and an incomplete one never as 100%.

    >>> share(0, 7), share(1, 3), share(7, 7), share(1, 5000), share(4999, 5000), share(0, 0)
    ('0%', '33.3%', '100%', '<0.1%', '>99.9%', '\u2013')
    """
    if not whole:
        return "\u2013"
    if part in (0, whole):
        return "100%" if part else "0%"
    tenths = (part * THOUSANDS * 2 + whole) // (2 * whole)
    if tenths == 0:
        return "<0.1%"
    return ">99.9%" if tenths == THOUSANDS else f"{tenths / 10}%"


def width(part: int, whole: int) -> str:
    """The length of a bar as an attribute of SVG; a small one can still be seen.

    >>> width(1, 4), width(0, 4), width(1, 1000000), width(0, 0)
    ('25.00%', '0.00%', '0.30%', '0.00%')
    """
    return f"{max(100 * part / whole, 0.3 if part else 0):.2f}%" if whole else "0.00%"


def spoken(name: str) -> str:
    """An identifier as words.

    >>> spoken("not_eligible"), spoken("(undetermined)")
    ('not eligible', 'undetermined')
    """
    return name.replace("_", " ").removeprefix("(").removesuffix(")")


def records(count: int) -> str:
    """A number of records.

    >>> records(1), records(2000)
    ('1 record', '2,000 records')
    """
    return f"{number(count)} {'record' if count == 1 else 'records'}"


def period(day: date, unit: str) -> str:
    """The name of the day, month, quarter, year or stretch of years that begins on a day.

    >>> [period(date(2024, 4, 1), unit) for unit in ("day", "month", "quarter", "year")]
    ['2024-04-01', '2024-04', '2024 Q2', '2024']
    >>> period(date(1990, 1, 1), "decade"), period(date(1, 1, 1), "century")
    ('1990-1999', '0001-0099')
    """
    match unit:
        case "day":
            return day.isoformat()
        case "month":
            return f"{day.year:04}-{day.month:02}"
        case "quarter":
            return f"{day.year:04} Q{(day.month + 2) // 3}"
        case "year":
            return f"{day.year:04}"
    years = MONTHS[unit] // 12
    return f"{day.year:04}-{(day.year // years + 1) * years - 1:04}"


def listed(parts: list[str]) -> str:
    """Parts in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def value_or_none(value: Value | None) -> str:
    """A value, or a dash where there is none."""
    return "\u2013" if value is None else number(value)


def in_unit(value: Value | None, unit: str) -> str:
    """A value with what it counts, where that is certain.

    >>> in_unit(1234, "EUR"), in_unit(3, "")
    ('1,234 EUR', '3')
    """
    return f"{value_or_none(value)} {unit}" if unit else value_or_none(value)


def printable(text: object) -> object:
    """A text with control characters spelled out, so that no account's name can forge a line or turn the text around it."""
    return shown_text(text, LONGEST) if type(text) is str else text
