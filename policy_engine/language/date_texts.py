"""How dates, instants and times are written as facts (ISO 8601, RFC 3339); other forms are in `date_forms`.

Patterns mean the same to Python, to Polars and to jsonschema-rs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
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
