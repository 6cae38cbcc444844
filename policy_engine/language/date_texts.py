"""How dates, instants and times are written: as facts have them (ISO 8601, RFC 3339), and in other forms such as %d.%m.%Y.

Patterns mean the same to Python, to Polars and to jsonschema-rs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from types import MappingProxyType

DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
HOUR, SIXTIETH = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
MOMENT = f"{DAY}[Tt]{HOUR}:{SIXTIETH}:{SIXTIETH}(?:\\.[0-9]{{1,6}})?(?:[Zz]|[+-]{HOUR}:{SIXTIETH})"
TIME = f"{HOUR}:{SIXTIETH}(?::{SIXTIETH}(?:\\.[0-9]{{1,6}})?)?"
PATTERNS: Mapping[str, str] = MappingProxyType({"date": f"^{DAY}$", "date-time": f"^{MOMENT}$", "time": f"^{TIME}$"})
"""The pattern of each format of JSON Schema; whether the calendar has the day, it does not say."""


def read_date(text: str) -> date:
    """The civil date of `YYYY-MM-DD`; raises `ValueError` for anything else, and for a day that no calendar has."""
    if not re.fullmatch(DAY, text):
        raise ValueError(text)
    return date.fromisoformat(text)


def read_instant(text: str) -> datetime:
    """The instant of an RFC 3339 date-time with its offset; raises `ValueError`, also for a leap second."""
    if not re.fullmatch(MOMENT, text):
        raise ValueError(text)
    return datetime.fromisoformat(text.upper())


def read_time(text: str) -> time:
    """The time of day of `HH:MM`, `HH:MM:SS` or one with up to six digits of a second; raises `ValueError` for anything else."""
    if not re.fullmatch(TIME, text):
        raise ValueError(text)
    return time.fromisoformat(text)


FORMATS: Mapping[str, tuple[Callable[[str], object], str]] = MappingProxyType(
    {
        "date": (read_date, "a date such as 2025-02-28"),
        "date-time": (read_instant, "an instant with its offset such as 2025-02-28T09:30:00-05:00"),
        "time": (read_time, "a time of day such as 09:30"),
    }
)
"""For each format its reader, which raises `ValueError`, and how a message describes it."""

PART = re.compile("%(.)")
BETWEEN = re.compile("[^%A-Za-z0-9]*[TZ]?[^%A-Za-z0-9]*")
"""What may stand beside the parts of a form: signs, and the letters of ISO 8601."""
DAY_PARTS, MOMENT_PARTS = "Ymd", "YmdHMz"
"""The parts that a form of dates must have, and one of instants."""
DIGITS = MappingProxyType(
    {"Y": "[0-9]{4}", **dict.fromkeys("mdHMS", "[0-9]{2}"), "f": "[0-9]{1,6}", "z": "(?:Z|[+-][0-9]{2}:?[0-9]{2})"}
)
SHORT = MappingProxyType({**DIGITS, **dict.fromkeys("mdH", "[0-9]{1,2}")})
"""The parts where signs set them apart: some may have one digit."""
MIDNIGHT = MappingProxyType({"H": "0{1,2}", "I": "12", "M": "00", "S": "00", "f": "0{1,9}", "p": "(?:AM|am)"})
"""The parts of a time of day in a form of dates: only midnight is taken."""


@dataclass(frozen=True, slots=True)
class DateForm:
    """How dates or instants are written: the pattern of a whole text, and what makes it ISO 8601.

    Each of the `replacements` is a pattern, and what stands in place of all that it matches. `expected` says it in a message.
    """

    pattern: str
    replacements: tuple[tuple[str, str], ...]
    expected: str

    def iso(self, text: str) -> str:
        """A text of this form in ISO 8601; raises `ValueError` for any other text."""
        if not re.fullmatch(self.pattern, text):
            raise ValueError(text)
        for pattern, replacement in self.replacements:
            text = re.sub(pattern, re.sub(r"\$\{(\w)\}", r"\\g<\1>", replacement), text)
        return text


TO_ISO = ((r"([- ])([0-9])\b", "${1}0${2}"), ("([+-][0-9]{2})([0-9]{2})$", "${1}:${2}"), (" ", "T"))
"""The last replacements: missing zeros, the colon of an offset, and the letter between day and time."""


@lru_cache(maxsize=64)
def written_as(name: str, form: str | None) -> DateForm | None:
    """How texts of a format of JSON Schema are written in a form, as in ISO 8601 without one; None where the form is none.

    A form of dates names a day, and perhaps a time of day, which must be midnight. One of instants names a day, hours,
    minutes and an offset, and perhaps seconds.
    """
    if form is None:
        return DateForm(PATTERNS[name].strip("^$"), (), FORMATS[name][1])
    if name == "date":
        pattern, iso = _pattern(form, DAY_PARTS, MIDNIGHT), "${Y}-${m}-${d}"
        expected = f"a date written as {form}" + (" at midnight" if len(PART.findall(form)) > len(DAY_PARTS) else "")
    else:
        pattern, expected = _pattern(form, MOMENT_PARTS, {}), f"an instant written as {form}"
        second = ("${S}" if "%S" in form else "00") + (".${f}" if "%f" in form else "")
        iso = f"${{Y}}-${{m}}-${{d}} ${{H}}:${{M}}:{second}${{z}}"
    return None if pattern is None else DateForm(pattern, ((f"^{pattern}$", iso), *TO_ISO), expected)


def _pattern(form: str, needed: str, fixed: Mapping[str, str]) -> str | None:
    """The pattern of a form that has the parts that are needed, and perhaps others; None where it is no form.

    A part that stands side by side with another must have all its digits; otherwise two dates could be read in one text.
    """
    parts, between = PART.findall(form), PART.split(form)[::2]
    known = {*needed, *(fixed or DIGITS)}
    if len(set(parts)) != len(parts) or not {*needed} <= {*parts} <= known or not all(map(BETWEEN.fullmatch, between)):
        return None
    found = re.escape(between[0])
    for at, part in enumerate(parts):
        apart = (at == 0 or between[at]) and (at + 1 == len(parts) or between[at + 1])
        found += fixed.get(part) or f"(?P<{part}>{(SHORT if apart else DIGITS)[part]})"
        found += re.escape(between[at + 1])
    return found
